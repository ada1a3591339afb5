// The line about a sweep that runs, on a terminal.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_PROGRESS_H_
#define NUMASIM_CLI_SWEEP_SWEEP_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <ostream>
#include <string>

namespace numasim {

// Called by one thread at a time.
class SweepProgress {
 public:
  using Clock = std::chrono::steady_clock;

  // `line`: `err` is a terminal that is to have the line.
  SweepProgress(bool line, std::ostream& err) : line_(line), err_(err) {}
  SweepProgress(const SweepProgress&) = delete;
  SweepProgress& operator=(const SweepProgress&) = delete;
  ~SweepProgress();  // takes the line away

  // Of `all` runs, `done` are done already, `failed` of them without a result.
  void Begin(size_t all, size_t done, size_t failed, Clock::time_point now = Clock::now());
  // One more is.
  void Ended(bool failed, Clock::time_point now = Clock::now());
  // Shows the line again, if it is time.
  void Show(Clock::time_point now = Clock::now());
  // Above the line.
  void Print(const std::string& message);

 private:
  std::string Text(Clock::time_point now) const;

  const bool line_;
  std::ostream& err_;
  size_t all_ = 0;
  size_t before_ = 0;  // done when this sweep began
  size_t done_ = 0;
  size_t failed_ = 0;
  Clock::time_point started_;
  Clock::time_point shown_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_PROGRESS_H_
