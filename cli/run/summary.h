// What `numasim run` prints when it is done: the nodes, what failed and why, how long it took.
#ifndef NUMASIM_CLI_RUN_SUMMARY_H_
#define NUMASIM_CLI_RUN_SUMMARY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "cli/metrics/metrics.h"
#include "workloads/simulation.h"

namespace numasim {

struct RunFacts {
  double wall_s = 0;
  // What ended the run before its end, such as "SIGINT"; empty if nothing did.
  std::string ended_by;
  std::string trace_path;  // where the trace is
  uint64_t trace_bytes = 0;
  bool trace_is_file = true;  // that dump can read
  // Logged events, by kind and reason.
  std::map<std::pair<std::string, std::string>, int64_t> events;
};

// `run` has the metrics, if the run went to its end.
void PrintSummary(workloads::Simulation& simulation, const RunFacts& facts,
                  const std::optional<RunMetrics>& run, std::ostream& out);

// The same and more for programs, as one JSON object.
void PrintSummaryJson(workloads::Simulation& simulation, const RunFacts& facts,
                      const std::optional<RunMetrics>& run, std::ostream& out);

// Why guests of a group, jobs of a batch system, or allocations of a trace did not get their memory.
struct ShortageKind {
  std::string what;   // "guests vms: attempt ENOMEM"
  std::string nodes;  // "0-1"; empty: it was not for want of a node's memory
  int64_t count = 0;
};
// Groups of guests first, then batch systems, then traces.
std::vector<ShortageKind> AllShortages(const workloads::Simulation& simulation);

// Where in its script a kind of failure was, and at which operation.
std::string LineText(const workloads::Simulation::FailedLine& failed);

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_SUMMARY_H_
