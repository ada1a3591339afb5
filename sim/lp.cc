#include "sim/lp.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/check.h"
#include "sim/path.h"
#include "sim/pledge.h"
#include "sim/stretch_set.h"

namespace numasim::sim::internal {
namespace {

// About some 10 ms. Where no time passes a window would not end else, and the run loop is to be heard of all
// the same: what may be run of a window need not be.
constexpr uint64_t kMostEventsAtOnce = uint64_t{1} << 18;

}  // namespace

// What every step of a path touches lies apart from the rest, so that caches and page tables hold more paths.
struct PathStore::Chunk {
  explicit Chunk(size_t size) : slots(size), records(size) {}
  std::vector<PathSlot> slots;
  std::vector<PathRecord> records;
};

PathStore::PathStore() = default;
PathStore::~PathStore() = default;

Path* PathStore::New() {
  if (free_ == nullptr) {
    // 8, 8, 16, 32, ..: in all at most twice what is needed.
    const size_t count =
        std::min<size_t>(1024, chunks_.empty() ? 8 : size_t{4} << std::min<size_t>(8, chunks_.size()));
    chunks_.emplace_back(count);
    Chunk& chunk = chunks_.back();
    for (size_t i = count; i-- > 0;) {
      chunk.slots[i].path.record_ = &chunk.records[i];
      chunk.records[i].next_free = free_;
      free_ = &chunk.slots[i].path;
    }
  }
  Path* const path = free_;
  free_ = path->record_->next_free;
  path->record_->live = true;
  return path;
}

void PathStore::Free(Path* path) {
  path->record_->live = false;
  path->record_->next_free = free_;
  free_ = path;
}

void PathStore::ForEachLive(const std::function<void(Path&)>& f) {
  for (Chunk& chunk : chunks_) {
    for (PathSlot& slot : chunk.slots) {
      if (slot.path.record_->live) f(slot.path);
    }
  }
}

LpRecord::LpRecord() : stretches(std::make_unique<StretchSet>()) {}
LpRecord::~LpRecord() = default;

void Lane::Mail(Lp* to, const Event& event) {
  const auto index = static_cast<size_t>(to->id.value);
  const uint32_t thread = home[index];
  mail[thread].Add(window, Message{to, event});
  mail_for |= uint64_t{1} << std::min<uint32_t>(thread, 63);
  next[index] = std::min(next[index], event.time);
  out[index] = std::min(out[index], event.time);
}

// Private steps of stretches are no events, but they change things too.
void Lp::Idle(Path* path, int64_t period) {
  if (stretching) {
    path->record_->idles = true;
    Schedule(now + period, path);
    return;
  }
  record->idlers.push_back({path, now, period});
  idling = true;
}

void Lp::ScheduleIdlers(int64_t time) {
  for (const LpRecord::Idler& idler : std::exchange(record->idlers, {})) {
    const int64_t periods = time <= idler.since ? 1 : (time - idler.since - 1) / idler.period + 1;
    const __int128 at = idler.since + static_cast<__int128>(periods) * idler.period;
    if (at < kNever.ns) {
      idler.path->record_->idles = true;
      Schedule(static_cast<int64_t>(at), idler.path);
    } else {
      record->idlers.push_back(idler);  // it never goes on
    }
  }
  idling = false;
}

void Lp::RunBefore(int64_t until) {
  horizon = until;
  const uint64_t most = events + kMostEventsAtOnce;
  while (!stretching && queue.NextTime() < horizon) {
    if (idling && !queue.NextPath()->record_->idles) [[unlikely]]
      ScheduleIdlers(queue.NextTime());
    const Event event = queue.Pop();
    NUMASIM_DCHECK_GE(event.time, now);
    now = event.time;
    limit = std::min(queue.NextTime(), horizon);
    ++events;
    if (const Path* const after = queue.NextPath()) Prefetch(after);
    event.path->Resume();
    if (failed || events >= most) [[unlikely]]
      return;
  }
  if (stretching) RunWithStretches(most);
}

void Lp::Begin(Stretch& stretch, Path& path, int64_t d) {
  record->stretches->Add(stretch, path, now + d, next_order++);
  stretching = true;
}

int64_t Lp::NextTimeWithStretches() const { return record->stretches->NextTime(queue.NextTime()); }

// A path that waits goes on when another one lets it, which may be at its next step.
int64_t Lp::OutTimeByPledges() const {
  const int64_t next = NextTime();
  int64_t out = record->stretches->OutTime(queue.NextTime());
  for (const Path* const path : record->pledgers) {
    if (path->lp_ != this || path->record_->waits_for == nullptr || out <= next) continue;
    out = std::min(out, std::max(next, path->record_->pledge->Until(SimTime{now}).ns));
  }
  return out;
}

// The event of a path that has made a pledge is kept apart from those in the queue, which count for what may
// be sent.
void Lp::ScheduleAmongPledges(int64_t time, Path* path) {
  const Event event{time, next_order++, path};
  if (path->KeepsPledge()) {
    record->stretches->AddEvent(event);
    stretching = true;
  } else {
    CheckKept(time, *path, "is woken or goes on, which has pledged nothing,");
    queue.Push(event);
  }
  limit = std::min(limit, time);
}

void Lp::BrokenPledge(const Path& path, const char* does) const {
  CheckFailed(
      __FILE__, __LINE__, "pledges are kept",
      absl::StrCat("path '", path.name(), "' ", does, " at ", ToString(SimTime{now}), " on LP '",
                   record->name, "', of which nothing was to come before ", ToString(SimTime{quiet_until})));
}

void Lp::RunStretchesBefore(int64_t until) {
  if (stretching) record->stretches->RunBefore(*this, std::min(until, NextTime()));
}

// From one event or landing to the next: first the private steps before it, in any order, then all of that
// instant in its order. Where only one stretch has a step then, the others need not come up to it.
void Lp::RunWithStretches(uint64_t most) {
  StretchSet& stretches = *record->stretches;
  for (int64_t time = NextTime(); time < horizon; time = NextTime()) {
    if (queue.NextTime() > time && stretches.RunAlone(*this, time)) {
      if (events >= most) return;
      continue;
    }
    stretches.RunBefore(*this, time);
    stretches.EnterInstant();
    now = time;
    while (RunFirstAt(time)) {
      if (failed) return;
      if (events < most) continue;
      stretches.LeaveAt(time);
      return;
    }
  }
  stretching = !stretches.empty();
}

// Whether anything was left to do at `time`. A path may go on without the queue until the next private step,
// which it could see.
bool Lp::RunFirstAt(int64_t time) {
  StretchSet& stretches = *record->stretches;
  const bool event_is_now = queue.NextTime() == time;
  StretchSet::Member* const first = stretches.FirstAt(time, queue.Next());
  if (first == nullptr && !event_is_now) return false;
  if (first != nullptr && stretches.RunInTurn(*this, *first)) return true;
  Path* const path = first != nullptr ? stretches.Land(*first) : queue.Pop().path;
  ++events;
  limit = std::min({queue.NextTime(), horizon, stretches.NextStep()});
  path->Resume();
  stretches.Plan();
  return true;
}

LockStats* LpRecord::StatsOf(LpId lp, LockKind kind, std::string_view lock_name) {
  const auto found = lock_stats_by_name.find(lock_name);
  if (found != lock_stats_by_name.end()) {
    NUMASIM_CHECK_EQ(static_cast<int>(found->second->kind), static_cast<int>(kind));
    return found->second;
  }
  LockStats& stats = lock_stats.emplace_back();
  stats.name = lock_name;
  stats.kind = kind;
  stats.lp = lp;
  lock_stats_by_name.emplace(lock_name, &stats);
  return &stats;
}

}  // namespace numasim::sim::internal
