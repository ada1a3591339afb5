// Decides for windows that are long in simulated time whether they go to all threads. Such a window may take
// milliseconds, and what one takes says little of the next one: memory is filled in the one and given back in
// the other. So, unlike SchemeTuner, it compares no rates: it counts how much CPU time the threads give to
// what is to be run for each ns that passes. What it decides cannot change a result, only the time it takes.
// Owned by the run loop.
//
// Where another program takes CPUs, or one LP has most of the work, threads give hardly more than one would:
// then they are left alone for a while, twice as long each time that it is so again.
#ifndef NUMASIM_SIM_LONG_WINDOWS_H_
#define NUMASIM_SIM_LONG_WINDOWS_H_

#include <cstdint>

namespace numasim::sim::internal {

class LongWindows {
 public:
  // `length` is of the window, in simulated ns; times are of the host, in ns.
  bool Parallel(int64_t length, int64_t now_ns) const;
  void RanInline(int64_t length, int64_t took_ns) { CountWork(length, took_ns); }
  // `cpu_ns`: what all threads gave to the LPs.
  void RanParallel(int64_t length, int64_t took_ns, int64_t cpu_ns, int64_t now_ns);

 private:
  // An average over what was last, older parts fading: of `value` for each `weight`.
  struct Average {
    double value = 0, weight = 0;
    void Add(double v, double w, double fade) {
      value = value * fade + v;
      weight = weight * fade + w;
    }
  };
  void CountWork(int64_t length, int64_t work_ns);

  Average work_;  // host ns for each simulated ns
  Average gain_;  // CPU ns for each ns of windows that all threads ran
  int64_t put_off_until_ns_ = 0;
  int64_t interval_ns_ = kLeastInterval;

  static constexpr int64_t kLeastInterval = 10'000'000;
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_LONG_WINDOWS_H_
