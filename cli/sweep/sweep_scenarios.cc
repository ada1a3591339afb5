#include "cli/sweep/sweep_scenarios.h"

#include <utility>

#include "absl/status/status.h"
#include "cli/run/traced_run.h"
#include "workloads/text_patch.h"

namespace numasim {

using workloads::FieldSetting;
using workloads::LoadedScenario;
using workloads::ScenarioReaders;

absl::StatusOr<SweepScenarios> SweepScenarios::Load(const LoadedStudy& study, bool allow_outside_files) {
  SweepScenarios scenarios(study);
  const ScenarioReaders from_disk =
      workloads::FileReaders(study.scenario_path, ReadMachineFile, allow_outside_files);
  const ScenarioReaders readers = {[&](const std::string& name) -> absl::StatusOr<std::string> {
                                     const auto known = scenarios.files_.find(name);
                                     if (known != scenarios.files_.end()) return known->second;
                                     absl::StatusOr<std::string> text = from_disk.read_file(name);
                                     if (text.ok()) scenarios.files_.emplace(name, *text);
                                     return text;
                                   },
                                   ReadMachineFile};
  for (size_t point = 0; point < study.points.size(); ++point) {
    const absl::StatusOr<LoadedScenario> scenario = scenarios.Parse(point, readers);
    if (!scenario.ok()) return scenario.status();
    scenarios.warnings_.insert(scenario->warnings.begin(), scenario->warnings.end());
  }
  return scenarios;
}

SweepScenarios SweepScenarios::FromFiles(const LoadedStudy& study, std::map<std::string, std::string> files) {
  SweepScenarios scenarios(study);
  scenarios.files_ = std::move(files);
  return scenarios;
}

absl::StatusOr<LoadedScenario> SweepScenarios::At(size_t point) const {
  const auto read_file = [this](const std::string& name) -> absl::StatusOr<std::string> {
    const auto known = files_.find(name);
    if (known != files_.end()) return known->second;
    return absl::NotFoundError("it was not read before");
  };
  return Parse(point, {read_file, ReadMachineFile});
}

absl::StatusOr<LoadedScenario> SweepScenarios::Parse(size_t point, const ScenarioReaders& readers) const {
  const std::vector<FieldSetting> settings = study_->SettingsAt(point);
  const absl::StatusOr<std::string> text =
      workloads::PatchText(study_->scenario_path, study_->scenario_text, Scenario(), settings);
  if (!text.ok()) return text.status();
  absl::StatusOr<LoadedScenario> scenario = workloads::ParseScenario(study_->scenario_path, *text, readers);
  if (!scenario.ok()) return WithSettings(scenario.status(), settings);
  return scenario;
}

}  // namespace numasim
