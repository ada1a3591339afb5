// What runs the runs of a sweep: this process (cli/sweep/sweep_runner.h) or a cluster
// (cli/slurm/slurm_engine.h).
#ifndef NUMASIM_CLI_SWEEP_SWEEP_ENGINE_H_
#define NUMASIM_CLI_SWEEP_SWEEP_ENGINE_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/sweep/study.h"

namespace numasim {

class SweepEngine {
 public:
  virtual ~SweepEngine() = default;

  // Runs those that have no result yet. A run that fails has its message as a result. Returns early, and OK,
  // where the sweep is to end; an error is of no single run, and ends all.
  virtual absl::Status Run(const std::vector<SweepRun>& runs) = 0;

  // When nothing more is to be run: ends what was begun elsewhere and is left. Once.
  virtual absl::Status End() { return absl::OkStatus(); }

  // Of the runs so far: what was asked for and has no effect.
  virtual const std::set<std::string>& warnings() const = 0;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_ENGINE_H_
