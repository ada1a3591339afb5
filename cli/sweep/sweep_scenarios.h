// The scenarios of a study's points. Every file that one of them names is read once, before anything runs: a
// sweep that takes days does not see what becomes of the files meanwhile.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_SCENARIOS_H_
#define NUMASIM_CLI_SWEEP_SWEEP_SCENARIOS_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/sweep/study.h"
#include "workloads/scenario.h"

namespace numasim {

class SweepScenarios {
 public:
  // Reads and checks the scenario of every point. The first mistake, by point, says which parameters' values
  // it is of. `study` must outlive this.
  static absl::StatusOr<SweepScenarios> Load(const LoadedStudy& study, bool allow_outside_files);

  // The same of files that were read and checked before, by the names that the scenarios use.
  static SweepScenarios FromFiles(const LoadedStudy& study, std::map<std::string, std::string> files);

  // For any thread.
  absl::StatusOr<workloads::LoadedScenario> At(size_t point) const;

  // The texts of all files beside the scenario, by the names that the scenarios use.
  const std::map<std::string, std::string>& files() const { return files_; }
  const std::set<std::string>& warnings() const { return warnings_; }

 private:
  explicit SweepScenarios(const LoadedStudy& study) : study_(&study) {}
  absl::StatusOr<workloads::LoadedScenario> Parse(size_t point,
                                                  const workloads::ScenarioReaders& readers) const;

  const LoadedStudy* study_;
  std::map<std::string, std::string> files_;
  std::set<std::string> warnings_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_SCENARIOS_H_
