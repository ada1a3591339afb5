// GuestGroup: runs the guests of one plan: lets them arrive, starts each on a node, tries again where that
// fails, and counts. Owned by the Simulation; lives on the global LP, where all its state is. A guest's path
// comes there between its system calls.
#ifndef NUMASIM_WORKLOADS_GENERATE_GUEST_GROUP_H_
#define NUMASIM_WORKLOADS_GENERATE_GUEST_GROUP_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/base/operation_stats.h"
#include "models/kernel.h"
#include "proto/counters.h"
#include "sim/path.h"
#include "sim/task.h"
#include "workloads/generate/guest.h"
#include "workloads/generate/guest_plan.h"
#include "workloads/generate/workload_part.h"

namespace numasim::workloads {

class GuestGroup final : public WorkloadPart {
 public:
  // `plan` must outlive it. A node of the plan without CPUs is a mistake, which names the plan's place; what
  // cannot have an effect on this machine is added to `warnings`.
  static absl::StatusOr<std::unique_ptr<GuestGroup>> Create(Kernel& kernel, const GuestPlan& plan,
                                                            uint64_t seed,
                                                            std::vector<std::string>& warnings);

  // Before the run: places the arrivals.
  void Begin(OnEnd on_end) override;

  // All arrivals have come and all guests have gone. Read, as all below, on the global LP or while nothing
  // runs.
  bool ended() const override { return arrivals_ended_ && coming_ == 0 && in_flight_.empty(); }
  const GuestPlan& plan() const { return plan_; }
  int64_t counter(GuestCounter c) const { return counters_[c]; }
  // "guests.vms.live" and so on.
  std::vector<MemorySystem::CounterColumn> Columns() const override;
  // A start: from a guest's arrival to the end of its first touches, or to where it is dropped with its last
  // error. An attempt: one of those that a start took, on one node. A growth: a part of the memory that is
  // touched later.
  const OperationStats& starts() const { return starts_; }
  const OperationStats& attempts() const { return attempts_; }
  const OperationStats& growths() const { return growths_; }
  using Shortage = workloads::Shortage;
  // Failed attempts and growths by error and the nodes that had nothing.
  const Shortages& shortages() const { return shortages_; }
  std::vector<const Process*> LiveProcesses() const override;
  // How much of its work is done at a time of the run, 0 to 1.
  double ShareDone(sim::SimTime now) const override;

 private:
  GuestGroup(Kernel& kernel, const GuestPlan& plan, uint64_t seed)
      : kernel_(kernel), plan_(plan), seed_(seed) {}

  sim::Task<void> Arrive(sim::Path& path);
  sim::Task<void> OpenLoop(sim::Path& path);
  void BeginLoop(sim::Path& path, const ClosedLoop& loop);
  void StartPath(sim::Path& path, int64_t number, sim::Duration delay);
  // What follows a guest of a closed loop.
  void Follow(sim::Path& path, int64_t number);
  sim::Task<void> Live(sim::Path& path, int64_t number);
  sim::Task<MemoryOutcome> StartWithRetries(sim::Path& path, Guest& guest, int64_t number);
  sim::Task<MemoryOutcome> StartOnSomeNode(sim::Path& path, Guest& guest, int64_t turn,
                                           sim::RandomStream& random);
  sim::Task<NodeId> ChooseNode(sim::Path& path, const Guest& guest, NodeMask among, int64_t turn,
                               sim::RandomStream& random);
  sim::Task<NodeId> MostFree(sim::Path& path, const Guest& guest, NodeMask among);
  sim::Task<bool> LiveOut(sim::Path& path, Guest& guest);
  // False: it does not get the memory, and dies.
  sim::Task<bool> Grow(sim::Path& path, Guest& guest, int step);
  CpuId NextCpu(NodeId node);
  void NoteStart(sim::Path& path, const MemoryOutcome& outcome, sim::SimTime arrived);
  void CountLive(const Guest& guest, int64_t sign);
  sim::Task<void> EndIfLast(sim::Path& path);

  Kernel& kernel_;
  const GuestPlan& plan_;
  uint64_t seed_;
  OnEnd on_end_;
  NodeMask nodes_;  // on whose CPUs guests run
  std::vector<size_t> next_cpu_;
  std::array<int64_t, GuestCounter_ARRAYSIZE> counters_ = {};
  OperationStats starts_;
  OperationStats attempts_;
  OperationStats growths_;
  Shortages shortages_;
  std::map<int64_t, std::unique_ptr<Guest>> in_flight_;  // arrived and not gone, by number
  int64_t coming_ = 0;                                   // their paths have not begun, or pause
  bool arrivals_ended_ = false;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_GUEST_GROUP_H_
