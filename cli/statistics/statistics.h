// What all subcommands say alike of the statistics of locks and operations in a trace.
#ifndef NUMASIM_CLI_STATISTICS_STATISTICS_H_
#define NUMASIM_CLI_STATISTICS_STATISTICS_H_

#include <cstdint>
#include <string>

#include "proto/trace.pb.h"

namespace numasim {

// Names as metrics have them. "lock.node0.mmap_lock": with its place, unless its own name begins with it.
std::string LockName(const trace::LockStats& lock);

// "operation.web.touch", or of the whole machine "operation.fault_base".
std::string OperationName(const trace::OperationStats& operation);

// How often the operation failed, for whatever reason.
uint64_t FailedTimes(const trace::OperationStats& operation);

}  // namespace numasim

#endif  // NUMASIM_CLI_STATISTICS_STATISTICS_H_
