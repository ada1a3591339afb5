// Decides, while a simulation runs, whether its windows go faster with all threads or in the calling thread
// alone, by measuring both. What it decides cannot change a result, only the time it takes. Owned by the run
// loop.
//
// It keeps one way and tries the other for a moment now and then, the less often the more often that was no
// use, so that trying costs at most a few percent. Threads that compete with another program for a CPU are
// fast for some milliseconds and then hang for some, so what counts for them is the average over tens of
// milliseconds; and what a hang cost puts off the next try by a hundred times as much.
#ifndef NUMASIM_SIM_SCHEME_TUNER_H_
#define NUMASIM_SIM_SCHEME_TUNER_H_

#include <cstdint>

namespace numasim::sim::internal {

class SchemeTuner {
 public:
  // How to run the next window.
  bool parallel() const { return parallel_; }

  // To be called after a window with the events so far; true when EndBlock wants to know the time.
  bool BlockIsFull(uint64_t events) const { return events >= block_end_events_; }
  void EndBlock(int64_t now_ns, uint64_t events);

  // The clock starts (again); to be called at the start of a run.
  void Start(int64_t now_ns, uint64_t events);

 private:
  enum class Phase {
    kSteady,   // the settled way
    kWarmUp,   // the other way, not counted: threads wake, caches fill
    kTry,      // the other way, counted
    kConfirm,  // the settled way again, to see that not the simulation itself has changed
  };

  void Enter(Phase phase, bool parallel);
  void Steady(int64_t now_ns, double rate);
  void Decide(int64_t now_ns, double settled_rate);
  void PutOff(int64_t now_ns, double lost_ns);

  Phase phase_ = Phase::kSteady;
  bool parallel_ = false;
  bool settled_parallel_ = false;
  int64_t block_start_ns_ = 0;
  uint64_t block_start_events_ = 0;
  uint64_t block_end_events_ = 0;
  int64_t block_ns_ = 0;

  int64_t last_decision_ns_ = 0;
  int64_t next_try_ns_ = 0;
  int64_t interval_ns_ = 0;  // between tries, doubled by each that was no use
  int64_t settled_since_ns_ = 0;
  double steady_rate_ = 0;  // events per ns, of the last steady block
  double try_rate_ = 0;
  double try_ns_ = 0;
  // Of the threads since they were settled on, older blocks fading.
  double average_events_ = 0;
  double average_ns_ = 0;
  double inline_rate_ = 0;  // as last measured
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_SCHEME_TUNER_H_
