#include "cli/run/trace_header.h"

#include <fnmatch.h>

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "cli/version.h"
#include "workloads/scenario.h"

namespace numasim {
namespace {

using workloads::LoadedScenario;
using workloads::Simulation;

bool Wanted(const LoadedScenario& scenario, const std::string& column) {
  const auto& globs = scenario.proto.trace().counters();
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
           return fnmatch(glob.c_str(), column.c_str(), 0) == 0;
         });
}

absl::Status DescribeColumns(Simulation& simulation, trace::Header& header) {
  for (const MemorySystem::CounterColumn& counter : simulation.Columns()) {
    if (!Wanted(simulation.scenario(), counter.column.name)) continue;
    simulation.engine().AddColumn(counter.column);
    trace::Column& column = *header.add_column();
    column.set_name(counter.column.name);
    column.set_unit(counter.column.unit);
    column.set_gauge(counter.gauge);
    if (counter.more_is_worse.has_value()) column.set_more_is_worse(*counter.more_is_worse);
  }
  const auto& globs = simulation.scenario().proto.trace().counters();
  for (int i = 0; i < globs.size(); ++i) {
    const bool any = std::any_of(header.column().begin(), header.column().end(), [&](const auto& column) {
      return fnmatch(globs[i].c_str(), column.name().c_str(), 0) == 0;
    });
    if (!any) return workloads::NoSuchCounter(simulation.scenario(), i);
  }
  return absl::OkStatus();
}

trace::Header MakeHeader(const LoadedScenario& scenario, uint64_t seed) {
  trace::Header header;
  header.set_scenario(scenario.text);
  header.set_scenario_name(scenario.path);
  for (const auto& [name, text] : scenario.files) {
    trace::Script& script = *header.add_script();
    script.set_name(name);
    script.set_text(text);
  }
  header.set_program_version(kVersion);
  header.set_seed(seed);
  header.set_sampling_interval_ns(scenario.trace_interval_ns);
  return header;
}

}  // namespace

absl::StatusOr<trace::Header> AddColumns(Simulation& simulation, uint64_t seed) {
  trace::Header header = MakeHeader(simulation.scenario(), seed);
  if (absl::Status status = DescribeColumns(simulation, header); !status.ok()) return status;
  return header;
}

}  // namespace numasim
