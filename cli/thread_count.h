// How many threads a command uses.
#ifndef NUMASIM_CLI_THREAD_COUNT_H_
#define NUMASIM_CLI_THREAD_COUNT_H_

#include "absl/status/statusor.h"

namespace numasim {

// As many as were asked for with --threads, or, for 0, as the host has CPUs and gives threads. More than CPUs
// are not used. ResourceExhausted if the host does not give as many.
absl::StatusOr<int> ThreadsToUse(int asked);

}  // namespace numasim

#endif  // NUMASIM_CLI_THREAD_COUNT_H_
