// AllocReplay: does to the simulated machine what a trace says of a kernel's page allocator: each allocation
// on the node and CPU of the trace, with its order, GFP flags and migratetype, and each free. Owned by the
// Simulation. It has one path, which goes from node to node with the events and is on the global LP at both
// ends; what an event changes and counts is on the LP of the node whose memory it is.
//
// The trace's times are when an allocation or a free was done, so those from and to a PCP list take no time
// here. Others take what the cost model says, and the events behind them come late where they are too near.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_REPLAY_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_REPLAY_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/kernel.h"
#include "proto/counters.h"
#include "sim/path.h"
#include "sim/task.h"
#include "workloads/alloc_trace/alloc_plan.h"
#include "workloads/alloc_trace/frame_table.h"
#include "workloads/generate/guest.h"
#include "workloads/generate/workload_part.h"

namespace numasim::workloads {

class AllocReplay final : public WorkloadPart {
 public:
  // The machine has CPUs. What of the trace is not as it was on its own machine goes to `warnings`.
  AllocReplay(Kernel& kernel, const AllocPlan& plan, std::vector<std::string>& warnings);

  // Before the run: places the first event.
  void Begin(OnEnd on_end) override;

  // Read, as all below, on the global LP or while nothing runs.
  bool ended() const override { return ended_; }
  const AllocPlan& plan() const { return plan_; }
  // "allocations.trace.node0.allocated" and so on.
  std::vector<MemorySystem::CounterColumn> Columns() const override;
  // Over all nodes.
  int64_t counter(AllocationsCounter c) const;
  // Allocations that failed here and not in the trace, by order, migratetype and node.
  const Shortages& shortages() const { return shortages_; }
  // The most that an event was done after its time.
  sim::Duration latest() const { return latest_; }
  // How many of its events are done, 0 to 1.
  double ShareDone(sim::SimTime now) const override;

 private:
  using Counters = std::array<int64_t, AllocationsCounter_ARRAYSIZE>;

  void NoteOtherMachine(std::vector<std::string>& warnings) const;
  sim::Task<void> Run(sim::Path& path);
  bool ReplayHere(const sim::Path& path, const PageEvent& event);
  bool AllocateHere(const sim::Path& path, const PageEvent& event);
  bool FreeHere(const sim::Path& path, const PageEvent& event);
  sim::Task<void> ReplayAnywhere(sim::Path& path, const PageEvent& event);
  sim::Task<void> Allocate(sim::Path& path, const PageEvent& event);
  sim::Task<void> TryToFail(sim::Path& path, const PageEvent& event);
  sim::Task<void> Free(sim::Path& path, const PageEvent& event);
  sim::Task<bool> FreeParts(sim::Path& path, const PageEvent& event);
  sim::Task<void> FreeOne(sim::Path& path, CpuId cpu, Pfn traced);
  sim::Task<void> Release(sim::Path& path, CpuId cpu, FrameTable::Block block);
  sim::Task<bool> CutOut(sim::Path& path, const PageEvent& event);
  sim::Task<bool> Halve(sim::Path& path, const PageEvent& event, Pfn traced);
  sim::Task<void> Count(sim::Path& path, const PageEvent& event, AllocationsCounter c);
  bool FreesAgain(const PageEvent& event) const;

  AllocRequest RequestOf(const PageEvent& event) const;
  CpuId CpuOf(const PageEvent& event) const;
  NodeId NodeOf(const PageEvent& event) const;
  Node& NodeOfBlock(Pfn block) const;
  int64_t& CounterOn(NodeId node, AllocationsCounter c);
  void NoteShortage(const PageEvent& event);

  Kernel& kernel_;
  const AllocPlan plan_;
  OnEnd on_end_;
  // Of the path, which takes them along.
  FrameTable blocks_;
  size_t next_ = 0;           // event
  bool tells_frees_ = false;  // mm_page_free is traced
  sim::Duration latest_{0};
  Shortages shortages_;
  bool ended_ = false;              // global LP
  std::vector<Counters> counters_;  // by node, each on its LP
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_ALLOC_REPLAY_H_
