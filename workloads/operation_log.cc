#include "workloads/operation_log.h"

namespace numasim::workloads {

void OperationLog::OfLp::Record(std::string_view name, sim::Duration took, Errno error) {
  table_[name].Record(took, error == Errno::kOk ? "" : ErrnoName(error));
}

void OperationLog::OfLp::RecordAccesses(const TouchCounts& counts, int64_t beyond) {
  OperationStats& stats = table_[kAccess];
  stats.Count(static_cast<uint64_t>(counts.ok + counts.oom + counts.sigsegv + counts.sigbus + beyond));
  stats.CountFailed(static_cast<uint64_t>(counts.oom), "ENOMEM");
  stats.CountFailed(static_cast<uint64_t>(counts.sigsegv), "SIGSEGV");
  stats.CountFailed(static_cast<uint64_t>(counts.sigbus), "SIGBUS");
  stats.CountFailed(static_cast<uint64_t>(beyond), "beyond");
}

OperationLog::OperationLog(const sim::Engine& engine) {
  for (int lp = 0; lp < engine.lp_count(); ++lp) of_lp_.push_back(std::make_unique<OfLp>());
}

OperationTable OperationLog::Sum() const {
  OperationTable sum;
  for (const auto& of_lp : of_lp_) {
    for (const auto& [name, stats] : of_lp->table_) sum[name].Merge(stats);
  }
  return sum;
}

}  // namespace numasim::workloads
