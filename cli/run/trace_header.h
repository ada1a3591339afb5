// What a trace says of its run before the run begins.
#ifndef NUMASIM_CLI_RUN_TRACE_HEADER_H_
#define NUMASIM_CLI_RUN_TRACE_HEADER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "proto/trace.pb.h"
#include "workloads/simulation.h"

namespace numasim {

// Adds the columns that the scenario's trace section wants to the simulation's engine, and describes them and
// the run. The error names the place of a glob that matches no counter.
absl::StatusOr<trace::Header> AddColumns(workloads::Simulation& simulation, uint64_t seed);

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_TRACE_HEADER_H_
