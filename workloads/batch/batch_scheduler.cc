#include "workloads/batch/batch_scheduler.h"

#include <algorithm>
#include <limits>

#include "sim/check.h"

namespace numasim::workloads {
namespace {

int64_t Later(int64_t now_ns, int64_t by_ns) {
  int64_t at = 0;
  return __builtin_add_overflow(now_ns, by_ns, &at) ? std::numeric_limits<int64_t>::max() : at;
}

}  // namespace

void BatchScheduler::Begin(const Request& request, int64_t now_ns, bool backfilled,
                           std::vector<Start>& starts) {
  free_.Sub(request.room);
  const int64_t end_ns = Later(now_ns, request.limit_ns);
  ends_.emplace(end_ns, request.job);
  const bool added = running_.emplace(request.job, Running{request.room, end_ns}).second;
  NUMASIM_CHECK(added);
  starts.push_back({request.job, backfilled});
}

void BatchScheduler::End(int64_t job) {
  const auto found = running_.find(job);
  NUMASIM_CHECK(found != running_.end());
  free_.Add(found->second.room);
  ends_.erase({found->second.end_ns, job});
  running_.erase(found);
}

std::vector<BatchScheduler::Start> BatchScheduler::StartNow(int64_t now_ns) {
  std::vector<Start> starts;
  while (!waiting_.empty() && free_.Holds(waiting_.front().room)) {
    Begin(waiting_.front(), now_ns, /*backfilled=*/false, starts);
    waiting_.pop_front();
  }
  if (waiting_.size() > 1 && backfill_depth_ > 0) Backfill(now_ns, starts);
  return starts;
}

// Goes through those that run by the ends that they announced, until they have left enough. One that is
// beyond its time may end at any moment: as if it did now.
BatchScheduler::Reservation BatchScheduler::ReserveFor(const BatchRoom& first, int64_t now_ns) const {
  Reservation reservation = {now_ns, free_};
  for (const auto& [end_ns, job] : ends_) {
    if (reservation.left_over.Holds(first)) break;
    reservation.left_over.Add(running_.at(job).room);
    reservation.at_ns = std::max(now_ns, end_ns);
  }
  NUMASIM_CHECK(reservation.left_over.Holds(first));  // an idle machine holds every job that was submitted
  reservation.left_over.Sub(first);
  return reservation;
}

void BatchScheduler::Backfill(int64_t now_ns, std::vector<Start>& starts) {
  Reservation reservation = ReserveFor(waiting_.front().room, now_ns);
  int looked_at = 0;
  for (auto at = std::next(waiting_.begin()); at != waiting_.end() && looked_at < backfill_depth_;
       ++looked_at) {
    const bool gone_by_then = Later(now_ns, at->limit_ns) <= reservation.at_ns;
    if (!free_.Holds(at->room) || (!gone_by_then && !reservation.left_over.Holds(at->room))) {
      ++at;
      continue;
    }
    // It is still there when the first one starts, which leaves less over for others.
    if (!gone_by_then) reservation.left_over.Sub(at->room);
    Begin(*at, now_ns, /*backfilled=*/true, starts);
    at = waiting_.erase(at);
  }
}

}  // namespace numasim::workloads
