// The run loop: advances all LPs in windows that no event of another LP can reach. Owned by the engine.
//
// What an LP may do before it must hear of the others: what LP j sends at time t reaches LP i at t +
// lookahead at the earliest. LP j sends nothing before its next event, or, where paths have pledged more
// (sim/pledge.h), before out(j); and what it sends because of a message it sends later than the least out()
// of all. So LP i may run up to min over j != i of out(j), plus the lookahead. Only the LP with the least
// out() gets more than the others, and it alone runs far ahead while the others are idle. A message it sends
// to arrive at `a` may be answered at a + lookahead, so that bounds it from then on.
#ifndef NUMASIM_SIM_RUN_LOOP_H_
#define NUMASIM_SIM_RUN_LOOP_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sim/front_scan.h"
#include "sim/long_windows.h"
#include "sim/lp.h"
#include "sim/scheme_tuner.h"
#include "sim/team_runner.h"
#include "sim/time.h"

namespace numasim::sim {

class Engine;

namespace internal {

class RunLoop {
 public:
  explicit RunLoop(Engine& engine);
  ~RunLoop();

  absl::Status Run(SimTime end);

  // See run_control.h.
  static RunLoop* Of(const Engine& engine);
  void EndAfter(Path& path);
  void RequestStop() { stop_requested_ = true; }
  bool stopped() const { return stop_requested_; }
  uint64_t windows() const { return windows_; }
  std::string NextPath() const;

 private:
  // By LP: when it may send something.
  const std::vector<int64_t>& out() const;
  Horizons HorizonsOf(const Front& senders, int64_t clip) const;

  // These return how many events ran. `first_out` is the least out().
  uint64_t RunWindow(const Front& front, int64_t clip);
  uint64_t RunInline(const Horizons& horizons, int64_t first_out);
  uint64_t RunByTeam(const Horizons& horizons, int64_t first_out, bool timed = false);
  // `length` in simulated ns.
  uint64_t RunLong(const Horizons& horizons, int64_t first_out, int64_t length);
  // From now on out() counts by itself.
  void FollowPledges();

  void PrefetchActive(size_t place) const;
  void RunOne(size_t index, int64_t horizon);
  // Puts the messages of a window that ran inline into the queues.
  void Deliver();

  void Tune();
  void TakeSamples(const Front& front);
  // Brings the stretches of all LPs up to `until`, exclusively. Returns the time of the earliest step left.
  int64_t RunStretchesBefore(int64_t until);
  void NoteFailure(const Lp& lp);
  void FlushLogs(int64_t before);
  void FitWindow(uint64_t events);
  void ReportProgress(int64_t now);
  void Stop(std::chrono::steady_clock::time_point clock);
  void Finish();

  Engine& engine_;
  int64_t end_ = 0;                   // the last nanosecond to run; an error moves it forward
  std::atomic<int64_t> ends_by_ = 0;  // asked for by a path
  int failed_lp_ = -1;
  // A lone LP could run for ever in one window; this bounds a window to what takes about some milliseconds.
  int64_t longest_window_ = 1'000'000;
  std::chrono::steady_clock::time_point last_report_;
  bool stop_requested_ = false;
  bool stopping_ = false;
  bool abandoned_ = false;  // stopped where an instant does not end
  std::chrono::steady_clock::time_point patience_ends_;
  uint64_t events_ = 0;
  uint64_t windows_ = 0;

  bool pledges_ = false;  // were made in this run
  int threads_;           // that can be of use
  SchemeTuner tuner_;     // of short windows
  LongWindows long_windows_;
  int64_t long_ns_ = 0;               // that these took, and
  uint64_t long_events_ = 0;          // what ran in them: nothing that the tuner knows of
  std::unique_ptr<TeamRunner> team_;  // only during Run
  bool team_has_mail_ = false;
  FrontScan scan_;
  std::vector<uint32_t> active_;  // the LPs with something to do in this window, in order; the rest is room
  size_t active_count_ = 0;
  Lane lane_;  // of windows that run inline

  std::vector<LogRecord> merged_logs_;
};

}  // namespace internal
}  // namespace numasim::sim

#endif  // NUMASIM_SIM_RUN_LOOP_H_
