#include "sim/run_loop.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <tuple>
#include <utility>

#include "sim/engine.h"
#include "sim/stretch_set.h"

namespace numasim::sim::internal {
namespace {

// How many LPs ahead the cache is asked for the next ones' data, where there are as many.
constexpr size_t kAhead = 9;

// Windows of so many lookaheads are long: few are, where LPs do not pledge, or sleep.
constexpr int64_t kLong = 16;

// In a window: it may have taken some milliseconds.
constexpr uint64_t kManyEvents = 20'000;

int64_t SaturatingAdd(int64_t time, int64_t d) { return time > kNever.ns - d ? kNever.ns : time + d; }

void Prefetch(const Lp& lp) {
  const auto* const bytes = reinterpret_cast<const char*>(&lp);
  __builtin_prefetch(bytes);
  __builtin_prefetch(bytes + 64);
}

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// More threads than CPUs only get in each other's way; a test of the parallel scheme may want them.
int UsefulThreads(const Engine::Options& options) {
  switch (options.scheme) {
    case Scheme::kInline:
      return 1;
    case Scheme::kParallel:
      return options.threads;
    case Scheme::kAuto:
      break;
  }
  return std::min(options.threads, DefaultThreads());
}

}  // namespace

RunLoop::RunLoop(Engine& engine) : engine_(engine), threads_(UsefulThreads(engine.options())) {}
RunLoop::~RunLoop() = default;

const std::vector<int64_t>& RunLoop::out() const {
  return pledges_ ? engine_.shared_.out : engine_.shared_.next;
}

Horizons RunLoop::HorizonsOf(const Front& senders, int64_t clip) const {
  const int64_t lookahead = engine_.shared_.lookahead;
  return {std::min(SaturatingAdd(senders.second, lookahead), clip),
          std::min(SaturatingAdd(senders.first, lookahead), clip)};
}

void RunLoop::RunOne(size_t index, int64_t horizon) {
  Lp& lp = *engine_.lps_[index];
  lp.lane = &lane_;
  if (!lp.failed) lp.RunBefore(horizon);
  engine_.shared_.next[index] = lp.failed ? kNever.ns : lp.NextTime();
  if (pledges_) engine_.shared_.out[index] = lp.failed ? kNever.ns : lp.OutTime();
}

void RunLoop::FollowPledges() {
  pledges_ = true;
  std::vector<int64_t>& out = engine_.shared_.out;
  out.clear();
  for (const auto& lp : engine_.lps_) out.push_back(lp->failed ? kNever.ns : lp->OutTime());
}

// With many LPs nothing of the next one is in a near cache. Some steps ahead its own lines are asked for,
// then its events, then their paths, and last the paths' coroutines.
void RunLoop::PrefetchActive(size_t place) const {
  const auto lp_at = [&](size_t i) -> const Lp& { return *engine_.lps_[active_[i]]; };
  Prefetch(lp_at(place + 8));
  lp_at(place + 6).queue.PrefetchTop();
  // With many paths on an LP a window often runs two of them.
  const EventQueue& far = lp_at(place + 4).queue;
  Prefetch(far.NextPath());
  if (far.size() > 6) Prefetch(far.SecondPath());
  const EventQueue& near = lp_at(place + 2).queue;
  if (const Path* const path = near.NextPath()) path->PrefetchCoroutine();
}

uint64_t RunLoop::RunInline(const Horizons& horizons, int64_t first_out) {
  if (std::exchange(team_has_mail_, false)) team_->Deliver();
  const bool prefetch = active_count_ >= kAhead;
  // What is asked for beyond the end is the first again.
  if (prefetch) std::copy_n(active_.begin(), kAhead, active_.begin() + static_cast<ptrdiff_t>(active_count_));
  uint64_t events = 0;
  bool pledged = false;
  for (size_t k = 0; k < active_count_; ++k) {
    if (prefetch) PrefetchActive(k);
    const size_t i = active_[k];
    const Lp& lp = *engine_.lps_[i];
    const uint64_t before = lp.events;
    RunOne(i, out()[i] == first_out ? horizons.first : horizons.others);
    events += lp.events - before;
    pledged |= lp.pledging;
    if (lp.failed) [[unlikely]]
      NoteFailure(lp);
  }
  Deliver();
  if (pledged && !pledges_) FollowPledges();
  return events;
}

// No other LP can be further than the path's now and the lookahead in this window; its own is kept from it.
void RunLoop::EndAfter(Path& path) {
  Lp& lp = *path.lp_;
  const int64_t last = SaturatingAdd(lp.now, engine_.shared_.lookahead);
  int64_t before = ends_by_.load(std::memory_order_relaxed);
  while (last < before && !ends_by_.compare_exchange_weak(before, last, std::memory_order_relaxed)) continue;
  lp.horizon = std::min(lp.horizon, SaturatingAdd(last, 1));
  lp.limit = std::min(lp.limit, lp.horizon);
}

void RunLoop::Deliver() {
  std::vector<int64_t>& next = engine_.shared_.next;
  std::vector<int64_t>& out = pledges_ ? engine_.shared_.out : next;
  const std::span<const Message> messages = lane_.messages;
  const auto ahead = [&](size_t k) -> const EventQueue& {
    return messages[std::min(k, messages.size() - 1)].to->queue;
  };
  for (size_t k = 0; k < messages.size(); ++k) {
    __builtin_prefetch(&ahead(k + 12));
    ahead(k + 6).PrefetchForPush();
    Lp& to = *messages[k].to;
    const Event& event = messages[k].event;
    to.Receive(event);
    const auto index = static_cast<size_t>(to.id.value);
    next[index] = std::min(next[index], event.time);
    out[index] = std::min(out[index], event.time);
  }
  lane_.messages.clear();
}

uint64_t RunLoop::RunByTeam(const Horizons& horizons, int64_t first_out, bool timed) {
  Shared& shared = engine_.shared_;
  if (!pledges_) shared.out = shared.next;
  if (team_ == nullptr) team_ = std::make_unique<TeamRunner>(threads_, engine_.lps_, shared.next, shared.out);
  const std::span<const uint32_t> active(active_.data(), active_count_);
  // It may have nothing to do before the clip.
  const auto first_lp =
      std::find_if(active.begin(), active.end(), [&](uint32_t i) { return out()[i] == first_out; });
  const uint32_t first = first_lp == active.end() ? TeamRunner::kNoLp : *first_lp;
  const uint64_t events = team_->Run(active, first, horizons, timed);
  team_has_mail_ = true;
  pledges_ |= team_->pledges();
  for (const uint32_t i : team_->failed()) NoteFailure(*engine_.lps_[i]);
  return events;
}

uint64_t RunLoop::RunWindow(const Front& front, int64_t clip) {
  const Front senders = pledges_ ? scan_.Find(out()) : front;
  const Horizons horizons = HorizonsOf(senders, clip);
  const std::vector<int64_t>& next = engine_.shared_.next;
  active_.resize(next.size() + kAhead + 4);
  active_count_ = scan_.CollectBefore(next, horizons.others, active_.data());
  if (active_count_ < 2 || threads_ < 2) return RunInline(horizons, senders.first);
  if (engine_.options_.scheme == Scheme::kAuto) {
    const int64_t length = horizons.others - front.first;
    if (length >= kLong * engine_.shared_.lookahead) return RunLong(horizons, senders.first, length);
    if (!tuner_.parallel()) return RunInline(horizons, senders.first);
  }
  return RunByTeam(horizons, senders.first);
}

uint64_t RunLoop::RunLong(const Horizons& horizons, int64_t first_out, int64_t length) {
  const int64_t began = NowNs();
  const bool parallel = long_windows_.Parallel(length, began);
  const uint64_t events =
      parallel ? RunByTeam(horizons, first_out, /*timed=*/true) : RunInline(horizons, first_out);
  const int64_t now = NowNs();
  if (parallel) {
    long_windows_.RanParallel(length, now - began, team_->cpu_ns(), now);
  } else {
    long_windows_.RanInline(length, now - began);
  }
  long_ns_ += now - began;
  long_events_ += events;
  return events;
}

void RunLoop::Tune() {
  if (threads_ < 2 || engine_.options_.scheme != Scheme::kAuto) return;
  const uint64_t events = events_ - long_events_;
  if (tuner_.BlockIsFull(events)) tuner_.EndBlock(NowNs() - long_ns_, events);
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
    std::vector<LogRecord>& log = lp->record->log;
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
  if (events < kManyEvents) {
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
  FlushLogs(now);
  RunStretchesBefore(now);
  engine_.now_ = SimTime{now};
  engine_.progress_(SimTime{now}, engine_.events_executed());
  if (stop_requested_) Stop(clock);
}

// LPs are at different times between windows: the end is the latest of them, which the others reach in a
// window or two.
void RunLoop::Stop(std::chrono::steady_clock::time_point clock) {
  if (stopping_) {
    abandoned_ = clock >= patience_ends_;
    return;
  }
  stopping_ = true;
  patience_ends_ = clock + std::chrono::seconds(1);
  int64_t latest = 0;
  for (const auto& lp : engine_.lps_) latest = std::max(latest, lp->now);
  end_ = std::min(end_, latest);
}

void RunLoop::TakeSamples(const Front& front) {
  Sampler& sampler = engine_.sampler_;
  const int64_t reached = std::min(front.first, end_);
  if (reached == kNever.ns || sampler.next().ns > reached) return;
  FlushLogs(sampler.next().ns);
  // Between two samples private steps may be.
  while (sampler.next().ns <= reached) {
    const int64_t next_step = RunStretchesBefore(sampler.next().ns);
    sampler.TakeUntil(SimTime{std::min(reached, next_step)}, engine_.columns_);
  }
}

int64_t RunLoop::RunStretchesBefore(int64_t until) {
  int64_t next = kNever.ns;
  for (const auto& lp : engine_.lps_) {
    if (!lp->stretching || lp->failed) continue;
    lp->RunStretchesBefore(until);
    next = std::min(next, lp->record->stretches->NextStep());
  }
  return next;
}

void RunLoop::Finish() {
  if (std::exchange(team_has_mail_, false)) team_->Deliver();
  team_.reset();
  if (end_ != kNever.ns) RunStretchesBefore(SaturatingAdd(end_, 1));
  int64_t now = end_;
  if (end_ == kNever.ns) {
    now = engine_.now_.ns;
    for (const auto& lp : engine_.lps_) now = std::max(now, lp->now);
  }
  engine_.now_ = SimTime{now};
  FlushLogs(SaturatingAdd(now, 1));
}

RunLoop* RunLoop::Of(const Engine& engine) { return engine.run_loop_.get(); }

std::string RunLoop::NextPath() const {
  const std::vector<int64_t>& next = engine_.shared_.next;
  const auto first = std::min_element(next.begin(), next.end());
  if (first == next.end()) return "";
  const Lp& lp = *engine_.lps_[static_cast<size_t>(first - next.begin())];
  const Path* const path =
      lp.queue.NextTime() == *first ? lp.queue.NextPath() : lp.record->stretches->NextToLand();
  return path == nullptr ? "" : path->name();
}

absl::Status RunLoop::Run(SimTime end) {
  end_ = end.ns;
  ends_by_ = kNever.ns;
  failed_lp_ = -1;
  stop_requested_ = false;
  stopping_ = false;
  abandoned_ = false;
  last_report_ = std::chrono::steady_clock::now();
  tuner_.Start(NowNs() - long_ns_, events_ - long_events_);
  for (uint64_t windows = 0;; ++windows, ++windows_) {
    const Front front = scan_.Find(engine_.shared_.next);
    TakeSamples(front);
    if (front.first > end_ || front.first == kNever.ns || abandoned_) break;
    const int64_t clip = std::min(
        {engine_.sampler_.next().ns, SaturatingAdd(end_, 1), SaturatingAdd(front.first, longest_window_)});
    const uint64_t events = RunWindow(front, clip);
    events_ += events;
    end_ = std::min(end_, ends_by_.load(std::memory_order_relaxed));
    FitWindow(events);
    Tune();
    if (windows % 64 == 0 || events > kManyEvents) ReportProgress(front.first);
    if (windows % 1024 == 0) FlushLogs(front.first);
  }
  Finish();
  if (failed_lp_ < 0) return absl::OkStatus();
  return absl::InternalError(engine_.lps_[static_cast<size_t>(failed_lp_)]->record->failure);
}

}  // namespace numasim::sim::internal
