// A logical process: a clock, the events pending on it, and the home of state that only paths on it touch.
// Owned by the engine; at any moment at most one thread runs it. Internal to sim: models know an LP by its
// LpId.
#ifndef NUMASIM_SIM_LP_H_
#define NUMASIM_SIM_LP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/event.h"
#include "sim/event_queue.h"
#include "sim/lane.h"
#include "sim/lock_stats.h"
#include "sim/log_record.h"

namespace numasim::sim {

class Engine;
class Stretch;

namespace internal {

class StretchSet;

// What all LPs of one engine share while they run.
struct Shared {
  Engine* engine = nullptr;
  int64_t lookahead = 0;
  bool records_spans = false;
  bool step_by_step = false;
  bool dropping = false;  // paths are destroyed before their ends
  // By LP: the time of its next event, as of the last window's end.
  std::vector<int64_t> next;
  // The same of the first that may send something to another LP; kept up to date once there are pledges.
  std::vector<int64_t> out;
};

// Paths are handed out of chunks that their birth LP owns, so that the engine can find those that still live.
class PathStore {
 public:
  PathStore();
  ~PathStore();
  Path* New();
  void Free(Path* path);
  void ForEachLive(const std::function<void(Path&)>& f);

 private:
  struct Chunk;
  std::vector<Chunk> chunks_;
  Path* free_ = nullptr;
};

// What of an LP not every event touches.
struct LpRecord {
  LpRecord();
  ~LpRecord();

  std::string name;
  std::vector<LogRecord> log;  // in order of time
  uint64_t log_sequence = 0;
  uint64_t path_sequence = 0;
  std::string failure;  // why it failed, at `now`
  // Paths that wait for something to happen on the LP, see Path::TakeWhileIdle.
  struct Idler {
    Path* path;
    int64_t since;
    int64_t period;
  };
  std::vector<Idler> idlers;
  PathStore paths;
  std::deque<LockStats> lock_stats;
  std::map<std::string, LockStats*, std::less<>> lock_stats_by_name;
  std::unique_ptr<StretchSet> stretches;
  std::vector<Path*> pledgers;  // that keep a pledge here

  // The statistics of the locks of this name, made at the first call. All locks of a name are of one kind
  // (checked).
  LockStats* StatsOf(LpId lp, LockKind kind, std::string_view lock_name);
};

struct alignas(64) Lp {
  Lp(Shared* shared_state, int32_t index, std::string name)
      : next_order(EventOrder(Source(index), 0)), shared(shared_state), record(new LpRecord), id{index} {
    record->name = std::move(name);
  }

  static constexpr uint64_t Source(int32_t index) { return static_cast<uint64_t>(index) + 1; }

  // Runs the events before `until` and what they bring up before it. Sending a message may end it earlier.
  void RunBefore(int64_t until);

  // When it has something to do next; private steps of stretches are nothing.
  int64_t NextTime() const { return stretching ? NextTimeWithStretches() : queue.NextTime(); }
  // Until when, exclusively, nothing here sends to another LP, as long as nothing comes from there; not
  // before NextTime(). What it says is what the pledges here are held to.
  int64_t OutTime() { return pledging ? quiet_until = OutTimeByPledges() : NextTime(); }
  // From now on the path is in a stretch whose first step is `d` from now.
  void Begin(Stretch& stretch, Path& path, int64_t d);
  // Brings the stretches up to `until`, exclusively, or to where something else comes.
  void RunStretchesBefore(int64_t until);

  // An event on this LP by a path on this LP, not before now.
  void Schedule(int64_t time, Path* path) {
    if (pledging) [[unlikely]]
      return ScheduleAmongPledges(time, path);
    queue.Push(Event{time, next_order++, path});
    limit = std::min(limit, time);
  }

  // An event on another LP by a path on this one; time >= now + lookahead.
  void Send(Lp& to, int64_t time, Path* path) {
    if (pledging) [[unlikely]]
      CheckKept(time - shared->lookahead, *path, "goes to another LP");
    lane->Send(&to, Event{time, next_order++, path});
    // The earliest that an answer can be back here.
    if (time < horizon - shared->lookahead) {
      horizon = time + shared->lookahead;
      limit = std::min(limit, horizon);
    }
  }

  // An event comes from another LP.
  void Receive(const Event& event) {
    queue.Push(event);
    if (pledging) [[unlikely]]
      quiet_until = std::min(quiet_until, event.time);
  }

  // What the path does, or can do from `time` on, was pledged not to be before quiet_until.
  void CheckKept(int64_t time, const Path& path, const char* does) const {
    if (time < quiet_until) [[unlikely]]
      BrokenPledge(path, does);
  }

  // The path goes on a multiple of `period` from now, but not before there is something to do.
  void Idle(Path* path, int64_t period);
  // Gives them their times, now that the next event is at `time`.
  void ScheduleIdlers(int64_t time);

  // RunBefore while there are stretches; it may go on until `most` events have run.
  void RunWithStretches(uint64_t most);
  bool RunFirstAt(int64_t time);
  int64_t NextTimeWithStretches() const;
  int64_t OutTimeByPledges() const;
  void ScheduleAmongPledges(int64_t time, Path* path);
  [[noreturn]] void BrokenPledge(const Path& path, const char* does) const;

  // A line for the path that runs here.
  int64_t now = 0;
  // Until here (exclusively) the running path may go on without looking at the queue: the next event's time
  // or the horizon, whichever is earlier.
  int64_t limit = 0;
  int64_t horizon = 0;
  uint64_t next_order;  // of the events this LP sends
  uint64_t events = 0;
  Shared* shared;
  Lane* lane = nullptr;  // of the thread that runs it
  std::unique_ptr<LpRecord> record;
  // And one for the events.
  EventQueue queue;
  LpId id;
  bool failed = false;
  bool stretching = false;  // there are stretches
  bool idling = false;      // there are idlers
  bool pledging = false;    // there are pledges
  int64_t quiet_until = 0;  // while there are: what OutTime() said, or when something comes from another LP
};
static_assert(sizeof(Lp) == 128, "two cache lines, for models with very many LPs");

}  // namespace internal
}  // namespace numasim::sim

#endif  // NUMASIM_SIM_LP_H_
