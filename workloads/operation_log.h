// OperationLog: what the streams of one script did, by kind of operation. Streams record on the LP where an
// operation ends, each LP in a log of its own; the sum is read when the run has ended. Owned by the
// Simulation.
#ifndef NUMASIM_WORKLOADS_OPERATION_LOG_H_
#define NUMASIM_WORKLOADS_OPERATION_LOG_H_

#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "models/base/errno.h"
#include "models/base/operation_stats.h"
#include "models/mm/address_space_ops.h"
#include "sim/engine.h"
#include "sim/time.h"

namespace numasim::workloads {

// By the operation's name.
using OperationTable = std::map<std::string_view, OperationStats>;

// The name under which the accesses of a touch are counted.
inline constexpr std::string_view kAccess = "access";

// The kind of an operation of a script (sim::Path::LogSpan).
inline constexpr char kSpanOfOperation[] = "operation";

class OperationLog {
 public:
  class OfLp {
   public:
    // `name` lives for ever, as those of the operation table do.
    void Record(std::string_view name, sim::Duration took, Errno error);
    // The accesses of a touch, as kAccess; they have no latency of their own here: faults have.
    // `beyond`: those that were asked for beyond the mapping's end.
    void RecordAccesses(const TouchCounts& counts, int64_t beyond);

   private:
    friend class OperationLog;
    OperationTable table_;
  };

  explicit OperationLog(const sim::Engine& engine);
  OfLp& at(sim::LpId lp) { return *of_lp_[static_cast<size_t>(lp.value)]; }
  OperationTable Sum() const;

 private:
  std::vector<std::unique_ptr<OfLp>> of_lp_;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_OPERATION_LOG_H_
