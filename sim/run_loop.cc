#include "sim/run_loop.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "sim/engine.h"

namespace numasim::sim::internal {
namespace {

int64_t SaturatingAdd(int64_t time, int64_t d) { return time > kNever.ns - d ? kNever.ns : time + d; }

}  // namespace

RunLoop::Front RunLoop::FindFront() const {
  Front front{kNever.ns, 0, kNever.ns};
  const std::vector<int64_t>& next = engine_.shared_.next;
  for (size_t i = 0; i < next.size(); ++i) {
    if (next[i] < front.first) {
      front.second = front.first;
      front.first = next[i];
      front.first_lp = i;
    } else {
      front.second = std::min(front.second, next[i]);
    }
  }
  return front;
}

uint64_t RunLoop::RunOne(size_t index, int64_t horizon) {
  Lp& lp = *engine_.lps_[index];
  const uint64_t before = lp.events;
  if (!lp.failed) lp.RunBefore(horizon);
  int64_t& next = engine_.shared_.next[index];
  next = lp.queue.NextTime();
  if (lp.failed) [[unlikely]] {
    next = kNever.ns;
    NoteFailure(lp);
  }
  return lp.events - before;
}

uint64_t RunLoop::RunWindow(const Front& front, int64_t clip) {
  const int64_t lookahead = engine_.shared_.lookahead;
  const int64_t common = std::min(SaturatingAdd(front.first, lookahead), clip);
  const int64_t longest = std::min(SaturatingAdd(front.second, lookahead), clip);
  const std::vector<int64_t>& next = engine_.shared_.next;
  uint64_t events = 0;
  for (size_t i = 0; i < next.size(); ++i) {
    const int64_t horizon = i == front.first_lp ? longest : common;
    if (next[i] < horizon) events += RunOne(i, horizon);
  }
  return events;
}

// The error reported is the first by (time, LP), whatever the scheme: all other LPs still run up to its time.
void RunLoop::NoteFailure(const Lp& lp) {
  const auto key = [](const Lp& l) { return std::make_tuple(l.now, l.id.value); };
  if (failed_lp_ >= 0 && key(*engine_.lps_[static_cast<size_t>(failed_lp_)]) < key(lp)) return;
  failed_lp_ = lp.id.value;
  end_ = std::min(end_, lp.now);
}

void RunLoop::FlushLogs(int64_t before) {
  merged_logs_.clear();
  for (const auto& lp : engine_.lps_) {
    std::vector<LogRecord>& log = lp->log;
    if (log.empty()) continue;
    const auto end = std::partition_point(log.begin(), log.end(),
                                          [&](const LogRecord& record) { return record.time.ns < before; });
    merged_logs_.insert(merged_logs_.end(), std::make_move_iterator(log.begin()),
                        std::make_move_iterator(end));
    log.erase(log.begin(), end);
  }
  SampleSink* const sink = engine_.sampler_.sink();
  if (sink == nullptr) return;
  std::sort(merged_logs_.begin(), merged_logs_.end(), [](const LogRecord& a, const LogRecord& b) {
    return std::tie(a.time, a.lp, a.seq) < std::tie(b.time, b.lp, b.seq);
  });
  for (const LogRecord& record : merged_logs_) sink->OnLog(record);
}

void RunLoop::FitWindow(uint64_t events) {
  if (events < 20'000) {
    longest_window_ = std::min<int64_t>(longest_window_ * 2, int64_t{1} << 60);
  } else if (events > 200'000) {
    longest_window_ = std::max<int64_t>(longest_window_ / 2, 1);
  }
}

void RunLoop::ReportProgress(int64_t now) {
  if (!engine_.progress_) return;
  const auto clock = std::chrono::steady_clock::now();
  if (clock - last_report_ < std::chrono::milliseconds(100)) return;
  last_report_ = clock;
  engine_.now_ = SimTime{now};
  engine_.progress_(SimTime{now}, engine_.events_executed());
}

absl::Status RunLoop::Run(SimTime end) {
  end_ = end.ns;
  failed_lp_ = -1;
  last_report_ = std::chrono::steady_clock::now();
  Sampler& sampler = engine_.sampler_;
  for (uint64_t windows = 0;; ++windows) {
    const Front front = FindFront();
    const int64_t reached = std::min(front.first, end_);
    if (reached != kNever.ns && sampler.next().ns <= reached) {
      FlushLogs(sampler.next().ns);
      sampler.TakeUntil(SimTime{reached}, engine_.columns_);
    }
    if (front.first > end_ || front.first == kNever.ns) break;
    const int64_t clip =
        std::min({sampler.next().ns, SaturatingAdd(end_, 1), SaturatingAdd(front.first, longest_window_)});
    FitWindow(RunWindow(front, clip));
    if (windows % 64 == 0) ReportProgress(front.first);
    if (windows % 1024 == 0) FlushLogs(front.first);
  }
  int64_t now = end_;
  if (end_ == kNever.ns) {
    now = engine_.now_.ns;
    for (const auto& lp : engine_.lps_) now = std::max(now, lp->now);
  }
  engine_.now_ = SimTime{now};
  FlushLogs(SaturatingAdd(now, 1));
  if (failed_lp_ < 0) return absl::OkStatus();
  return absl::InternalError(engine_.lps_[static_cast<size_t>(failed_lp_)]->failure);
}

}  // namespace numasim::sim::internal
