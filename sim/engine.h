// The discrete-event engine: logical processes, the paths that run on them, and the run loop. One Engine is
// one simulation; a program may have many. It knows nothing of what is simulated.
//
// Set it up (AddLp, AddColumn, SetSampler, Start), then Run. All of these are for one thread, outside Run;
// from inside the run a path has its own Start. The same calls with the same seed give the same result, to
// the last event and sample, for any number of threads.
//
// Models hold locks and CPUs that refer to the engine, and paths that refer to models: destroy the models
// after DropPaths() or after the engine, and no lock is used after its engine.
#ifndef NUMASIM_SIM_ENGINE_H_
#define NUMASIM_SIM_ENGINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "sim/lock_stats.h"
#include "sim/log_record.h"
#include "sim/path.h"
#include "sim/random.h"
#include "sim/sampler.h"
#include "sim/time.h"

namespace numasim::sim {

namespace internal {
class RunLoop;
}

// How windows are run. It never changes a result; kAuto is for use, the others for tests and measurements.
enum class Scheme {
  kAuto,      // measures which is faster and keeps to it
  kInline,    // all in the calling thread
  kParallel,  // every window by all threads, also more threads than the machine has CPUs
};

// A path that waits for a lock or an event.
struct BlockedPath {
  std::string path;
  std::string waits_for;  // the name given to the lock, CPU or completion
  LpId lp;
  SimTime since;
  // It waits for nothing that could happen: its next step would be at kNever or later.
  bool after_end_of_time = false;
};

class Engine {
 public:
  struct Options {
    int threads = 1;  // at least 1; more than the CPUs of the machine are no use and not made
    Duration lookahead = Nanoseconds(500);  // the least latency between two LPs; at least 1 ns
    uint64_t seed = 1;
    Scheme scheme = Scheme::kAuto;
    // For tests and for who looks for an error: no stretches (sim/stretch.h). It never changes a result.
    bool step_by_step = false;
  };

  explicit Engine(Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // LPs are numbered from 0 in the order they are added; at most 2^20 - 2.
  LpId AddLp(std::string name);
  int lp_count() const { return static_cast<int>(lps_.size()); }
  const std::string& lp_name(LpId lp) const { return this->lp(lp).record->name; }

  // A path from outside the run. at >= now(); one at kNever never begins.
  void Start(LpId lp, SimTime at, std::string name, PathFn fn);

  // Runs every event up to and including `end`, or until none is left. May be called again with a later end.
  // An exception that leaves a path ends the run: kInternal, with the path's name, its simulated time and LP.
  // All other LPs have then run to that time, and every later call returns the same.
  // Paths that still wait for something when nothing is left to happen, or whose next step would be after the
  // end of simulated time, are no error here: see blocked_paths().
  absl::Status Run(SimTime end = kNever);

  // Between runs: the end that Run was given, or the last event's time where it had none.
  // In the progress callback: all events before it are done.
  SimTime now() const { return now_; }

  // Steps of paths: each start, Take, hop and wake-up is one. Not to be called during Run, but in the
  // progress callback. The same for any number of threads.
  uint64_t events_executed() const;

  // The paths that wait for a lock, a CPU, a completion or the end of time, by LP and then in the order they
  // began.
  std::vector<BlockedPath> blocked_paths() const;

  // A random stream of the component's own, from the seed and its name.
  RandomStream MakeRandom(std::string_view component) const { return RandomStream(options_.seed, component); }

  // A counter to be sampled; *value is read only between windows, and must live until the last Run.
  void AddColumn(Column column);
  const std::vector<Column>& columns() const { return columns_; }

  // Samples at 0, interval, 2 * interval, .. (from now() on) to `sink`, which must live until the last Run.
  // Also where log records go; without a sampler they are dropped. interval > 0, or kNever - SimTime{} for
  // logs alone.
  void SetSampler(Duration interval, SampleSink* sink);

  // From now on what paths do and wait for is in the log, too: contended locks as kSpanOfLock, and what
  // models report by Path::LogSpan().
  void RecordSpans() { shared_.records_spans = true; }

  // One more sample at now(), of the state as it is: after all events so far, also those at now().
  void SampleNow();

  // Called about every 100 ms of real time by the thread in Run.
  void SetProgress(std::function<void(SimTime now, uint64_t events)> progress) {
    progress_ = std::move(progress);
  }

  // All locks' statistics, by LP and then in the order of registration. Valid as long as the engine.
  std::vector<const LockStats*> lock_stats() const;

  // Destroys every path that has not ended, with its coroutines. Nothing can be run afterwards.
  void DropPaths();

  const Options& options() const { return options_; }

 private:
  friend class Cpu;
  friend class LockBase;
  friend class Path;
  friend class internal::RunLoop;

  internal::Lp& lp(LpId id) const {
    NUMASIM_DCHECK_LT(static_cast<size_t>(id.value), lps_.size());
    return *lps_[static_cast<size_t>(id.value)];
  }
  static Path* MakePath(internal::Lp& birth, internal::Lp& on, uint64_t id, std::string name, PathFn fn);

  Options options_;
  internal::Shared shared_;
  std::vector<std::unique_ptr<internal::Lp>> lps_;
  uint64_t outside_sequence_ = 0;
  uint64_t outside_paths_ = 0;
  SimTime now_;
  absl::Status status_;
  std::vector<Column> columns_;
  Sampler sampler_;
  std::function<void(SimTime, uint64_t)> progress_;
  std::unique_ptr<internal::RunLoop> run_loop_;
};

inline Path::HopAwaiter Path::HopTo(LpId dest, Duration latency) {
  return HopAwaiter(this, &engine().lp(dest), latency);
}
inline Path::GoAwaiter Path::GoTo(LpId dest, Duration latency) {
  return GoAwaiter(this, &engine().lp(dest), latency);
}

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_ENGINE_H_
