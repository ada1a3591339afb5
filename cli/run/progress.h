// What `numasim run` tells on standard error while it runs: a line on a terminal that is written over, and a
// message where simulated time stands still. Owned by the subcommand; called by the engine's progress
// callback.
#ifndef NUMASIM_CLI_RUN_PROGRESS_H_
#define NUMASIM_CLI_RUN_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <ostream>

#include "sim/time.h"
#include "workloads/simulation.h"

namespace numasim {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  // `line`: `err` is a terminal that is to have the line.
  Progress(const workloads::Simulation& simulation, bool line, std::ostream& err)
      : simulation_(simulation), line_(line), err_(err) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // takes the line away

  void Show(sim::SimTime now, uint64_t events, Clock::time_point clock = Clock::now());

 private:
  void ShowLine(sim::SimTime now, uint64_t events, Clock::time_point clock);
  void WatchTime(sim::SimTime now, Clock::time_point clock);

  const workloads::Simulation& simulation_;
  const bool line_;
  std::ostream& err_;
  const Clock::time_point started_ = Clock::now();
  const sim::SimTime known_end_ = simulation_.KnownEnd();

  // Since `since_` no more has been simulated than from `from_` to here.
  sim::SimTime from_;
  Clock::time_point since_ = started_;
  std::chrono::seconds next_message_ = kFirstMessage;
  static constexpr std::chrono::seconds kFirstMessage{10};
};

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_PROGRESS_H_
