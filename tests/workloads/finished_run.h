// FinishedRun: a scenario that was run to its end with a trace and the Validator, for tests to look at.
#ifndef NUMASIM_TESTS_WORKLOADS_FINISHED_RUN_H_
#define NUMASIM_TESTS_WORKLOADS_FINISHED_RUN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cli/run/traced_run.h"
#include "models/validator.h"
#include "sim/engine.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim {

// The scenario of a text, with what gives it the files that it names; the test fails where it is wrong.
workloads::LoadedScenario LoadScenarioText(const std::string& text,
                                           const workloads::ScenarioReaders& readers);

class FinishedRun {
 public:
  FinishedRun(const std::string& text, const workloads::ScenarioReaders& readers, uint64_t seed, int threads,
              sim::Scheme scheme);

  workloads::Simulation& simulation() { return run_->simulation(); }
  const std::string& path() const { return path_; }  // of the trace
  std::string TraceText() const;
  // 2 MiB pages of a node's pool that are free.
  int64_t FreeOn(int node) {
    return simulation().kernel().pool().hstate(HugeSize::k2M).node(NodeId{node}).counters[FREE_HUGEPAGES];
  }
  // Pageblocks of this type, of all zones.
  int64_t PageblocksOf(Migratetype type);
  // The state of all models holds together.
  void CheckState();

 private:
  workloads::LoadedScenario scenario_;
  std::string path_;
  std::unique_ptr<TracedRun> run_;
  std::optional<Validator> validator_;  // of the state after boot
};

}  // namespace numasim

#endif  // NUMASIM_TESTS_WORKLOADS_FINISHED_RUN_H_
