// A logical process: a clock, the events pending on it, and the home of state that only paths on it touch.
// Owned by the engine; at any moment at most one thread runs it. Internal to sim: models know an LP by its
// LpId.
#ifndef NUMASIM_SIM_LP_H_
#define NUMASIM_SIM_LP_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/event.h"
#include "sim/event_queue.h"
#include "sim/lock_stats.h"
#include "sim/log_record.h"

namespace numasim::sim {

class Engine;

namespace internal {

struct Lp;

// A message that waits for the end of the window.
struct Message {
  Lp* to;
  Event event;
};

// What all LPs of one engine share while they run.
struct Shared {
  Engine* engine = nullptr;
  int64_t lookahead = 0;
  // One thread runs everything: messages go straight into the queue they are for.
  bool direct = true;
  // By LP: the time of its next event, as of the last window's end and what was sent since.
  std::vector<int64_t> next;
};

// Paths are handed out of chunks that their birth LP owns, so that the engine can find those that still live.
class PathStore {
 public:
  PathStore();
  ~PathStore();
  Path* New();
  void Free(Path* path);
  template <class F>
  void ForEachLive(F&& f) const;  // in sim/path.h

 private:
  static constexpr size_t kChunk = 32;
  std::vector<std::unique_ptr<Path[]>> chunks_;
  Path* free_ = nullptr;
};

struct alignas(64) Lp {
  Lp(Shared* shared_state, int32_t index, std::string lp_name)
      : shared(shared_state), id{index}, source(static_cast<uint64_t>(index) + 1), name(std::move(lp_name)) {}

  // Runs the events before `until` and what they bring up before it. Sending a message may end it earlier.
  void RunBefore(int64_t until);

  // An event on this LP by a path on this LP, not before now.
  void Schedule(int64_t time, Path* path) {
    queue.Push(Event{time, EventOrder(source, sequence++), path});
    limit = std::min(limit, time);
  }

  // An event on another LP by a path on this one; time >= now + lookahead.
  void Send(Lp& to, int64_t time, Path* path) {
    const Event event{time, EventOrder(source, sequence++), path};
    if (shared->direct) {
      to.queue.Push(event);
      int64_t& next = shared->next[to.id.value];
      next = std::min(next, time);
    } else {
      outbox.push_back(Message{&to, event});
    }
    // The earliest that an answer can be back here.
    if (time < horizon - shared->lookahead) {
      horizon = time + shared->lookahead;
      limit = std::min(limit, horizon);
    }
  }

  // The statistics of the locks of this name, made at the first call.
  LockStats* StatsOf(std::string_view lock_name);

  int64_t now = 0;
  // Until here (exclusively) the running path may go on without looking at the queue: the next event's time
  // or the horizon, whichever is earlier.
  int64_t limit = 0;
  int64_t horizon = 0;
  uint64_t sequence = 0;  // of the events this LP has sent
  uint64_t events = 0;
  Shared* shared;
  LpId id;
  bool failed = false;
  EventQueue queue;
  uint64_t source;

  std::vector<Message> outbox;
  std::vector<Path*> ended_elsewhere;  // paths that ended here and belong to another LP's store
  std::vector<LogRecord> log;          // in order of time
  uint64_t log_sequence = 0;
  uint64_t path_sequence = 0;
  std::string failure;  // why it failed, at `now`
  std::string name;
  PathStore paths;
  std::deque<LockStats> lock_stats;
  std::map<std::string, LockStats*, std::less<>> lock_stats_by_name;
};

}  // namespace internal
}  // namespace numasim::sim

#endif  // NUMASIM_SIM_LP_H_
