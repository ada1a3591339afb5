#include "sim/team_runner.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <thread>
#include <utility>

#include "sim/path.h"

namespace numasim::sim::internal {
namespace {

constexpr int64_t kEndOfTime = std::numeric_limits<int64_t>::max();
constexpr uint64_t kWindowsBetweenDeals = 8192;

int64_t ThreadCpuNs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

TeamRunner::TeamRunner(int threads, std::span<const std::unique_ptr<Lp>> lps, std::span<int64_t> next,
                       std::span<int64_t> out)
    : lps_(lps),
      next_(next),
      out_(out),
      parts_(static_cast<size_t>(threads)),
      home_(lps.size()),
      dealt_events_(lps.size()),
      team_(threads, [this](size_t thread, uint32_t item) { DoItem(thread, item); }) {
  for (ThreadPart& part : parts_) {
    for (std::vector<Mailbox>& mail : part.mail) mail.resize(parts_.size());
    part.lane.home = home_.data();
    part.lane.next.resize(lps.size());
    part.lane.out.resize(lps.size());
  }
  DealHomes();
}

void TeamRunner::DealHomes() {
  std::vector<std::pair<uint64_t, uint32_t>> by_work(lps_.size());
  for (uint32_t i = 0; i < lps_.size(); ++i) {
    const uint64_t events = lps_[i]->events;
    by_work[i] = {events - dealt_events_[i], i};
    dealt_events_[i] = events;
  }
  std::sort(by_work.begin(), by_work.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<uint64_t> load(parts_.size());
  for (const auto& [work, lp] : by_work) {
    const auto least = std::min_element(load.begin(), load.end());
    *least += work + 1;
    home_[lp] = static_cast<uint32_t>(least - load.begin());
  }
}

void TeamRunner::DealWork(std::span<const uint32_t> active) {
  for (const uint32_t i : active) team_.Add(home_[i], i);
  for (size_t home = 0; mail_for_ != 0 && home < parts_.size(); ++home) {
    const bool has_mail = (mail_for_ >> std::min<size_t>(home, 63) & 1) != 0;
    if (has_mail && !team_.HasItems(home)) team_.Add(home, kOnlyMail | static_cast<uint32_t>(home));
  }
}

uint64_t TeamRunner::Run(std::span<const uint32_t> active, uint32_t first, const Horizons& horizons,
                         bool timed) {
  if (order_.window % kWindowsBetweenDeals == kWindowsBetweenDeals - 1) {
    Deliver();
    DealHomes();
  }
  order_ = Order{horizons, first, timed, order_.window + 1};
  DealWork(active);
  team_.Run();
  return Merge(active);
}

void TeamRunner::TakeMail(size_t home, uint64_t window) {
  // The paths come from another CPU's cache: ask for them first, then for their coroutines.
  for (const ThreadPart& part : parts_) {
    part.mail[window % 2][home].ForEach(window, [](const Message& message) {
      Prefetch(message.event.path);
      message.to->Receive(message.event);
    });
  }
  for (const ThreadPart& part : parts_) {
    part.mail[window % 2][home].ForEach(
        window, [](const Message& message) { message.event.path->PrefetchCoroutine(); });
  }
}

void TeamRunner::EnsureMailTaken(size_t home) {
  std::atomic<uint64_t>& taken = parts_[home].taken;
  const uint64_t done = 2 * order_.window + 1;
  uint64_t seen = taken.load(std::memory_order_acquire);
  if (seen == done) return;
  if (seen < done - 1 && taken.compare_exchange_strong(seen, done - 1, std::memory_order_acq_rel)) {
    TakeMail(home, order_.window - 1);
    taken.store(done, std::memory_order_release);
    return;
  }
  while (taken.load(std::memory_order_acquire) != done) std::this_thread::yield();
}

void TeamRunner::BeginWindow(ThreadPart& part) {
  Lane& lane = part.lane;
  lane.window = order_.window;
  lane.mail = part.mail[order_.window % 2].data();
  lane.events = 0;
  lane.mail_for = 0;
  lane.failed = false;
  lane.pledges = false;
  lane.cpu_ns = 0;
  std::fill(lane.next.begin(), lane.next.end(), kEndOfTime);
  std::fill(lane.out.begin(), lane.out.end(), kEndOfTime);
}

void TeamRunner::DoItem(size_t thread, uint32_t item) {
  Lane& lane = parts_[thread].lane;
  if (lane.window != order_.window) BeginWindow(parts_[thread]);
  if ((item & kOnlyMail) != 0) return EnsureMailTaken(item & ~kOnlyMail);
  EnsureMailTaken(home_[item]);
  Lp& lp = *lps_[item];
  lp.lane = &lane;
  const uint64_t before = lp.events;
  const int64_t began = order_.timed ? ThreadCpuNs() : 0;
  if (!lp.failed) lp.RunBefore(item == order_.first ? order_.horizons.first : order_.horizons.others);
  if (order_.timed) lane.cpu_ns += ThreadCpuNs() - began;
  lane.events += lp.events - before;
  lane.failed |= lp.failed;
  lane.pledges |= lp.pledging;
  if (lp.failed) return;
  lane.next[item] = std::min(lane.next[item], lp.NextTime());
  lane.out[item] = std::min(lane.out[item], lp.OutTime());
}

// After a window, by the calling thread alone.
uint64_t TeamRunner::Merge(std::span<const uint32_t> active) {
  for (const uint32_t i : active) next_[i] = out_[i] = kEndOfTime;
  uint64_t events = 0;
  mail_for_ = 0;
  failed_.clear();
  pledges_ = false;
  cpu_ns_ = 0;
  for (ThreadPart& part : parts_) {
    Lane& lane = part.lane;
    if (lane.window != order_.window) continue;
    events += lane.events;
    mail_for_ |= lane.mail_for;
    pledges_ |= lane.pledges;
    cpu_ns_ += lane.cpu_ns;
    for (size_t i = 0; i < next_.size(); ++i) next_[i] = std::min(next_[i], lane.next[i]);
    for (size_t i = 0; i < out_.size(); ++i) out_[i] = std::min(out_[i], lane.out[i]);
    for (Path* const path : lane.ended) path->ReturnToStore();
    if (!lane.ended.empty()) lane.ended.clear();
    if (!lane.failed) continue;
    for (const uint32_t i : active) {
      if (lps_[i]->failed) failed_.push_back(i);
    }
  }
  return events;
}

void TeamRunner::Deliver() {
  for (size_t home = 0; home < parts_.size(); ++home) TakeMail(home, order_.window);
  // What is taken must not be taken again.
  mail_for_ = 0;
  ++order_.window;
}

}  // namespace numasim::sim::internal
