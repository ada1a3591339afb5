// MemorySystem: the simulated machine's memory and CPUs, put together. Which LP owns what:
//
//   LP n (one per node)  node n: its zones with their frames, free lists and PCP lists, its counters, its
//                        CPUs, and the address spaces of the processes that run on them
//   the last LP          what is global in the kernel: Reserves, sysctls, memory blocks, THP settings,
//                        shmem files, process ids
//
// Fixed after construction and read from everywhere: cost model, zonelists, which zone a frame is in.
#ifndef NUMASIM_MODELS_PHYSICAL_MEMORY_SYSTEM_H_
#define NUMASIM_MODELS_PHYSICAL_MEMORY_SYSTEM_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/base/cost_model.h"
#include "models/base/failure.h"
#include "models/base/kernel_config.h"
#include "models/base/machine_config.h"
#include "models/base/timed.h"
#include "models/base/types.h"
#include "models/physical/memory_blocks.h"
#include "models/physical/node.h"
#include "models/physical/reserves.h"
#include "models/physical/zonelist.h"
#include "sim/cpu.h"
#include "sim/engine.h"

namespace numasim {

class MemorySystem {
 public:
  // The engine's lookahead must be at most cost.hop. Errors name the field of the scenario's machine that is
  // wrong.
  static absl::StatusOr<std::unique_ptr<MemorySystem>> Create(sim::Engine& engine,
                                                              const MachineConfig& machine,
                                                              const KernelConfig& kernel, const Costs& costs);

  sim::Engine& engine() { return engine_; }
  const Costs& costs() const { return costs_; }
  const KernelConfig& kernel() const { return kernel_; }  // as it was at boot

  int node_count() const { return static_cast<int>(nodes_.size()); }
  Node& node(NodeId id) { return *nodes_[id.value]; }
  const Node& node(NodeId id) const { return *nodes_[id.value]; }
  NodeMask all_nodes() const { return all_nodes_; }
  // N_MEMORY as of boot, and the nodes that a device may plug memory into.
  NodeMask nodes_with_memory() const { return nodes_with_memory_; }
  sim::LpId global_lp() const { return global_lp_; }
  bool IsOn(const sim::Path& path, NodeId id) const { return path.lp() == node(id).lp; }

  int cpu_count() const { return static_cast<int>(cpus_.size()); }
  NodeId NodeOfCpu(CpuId cpu) const { return node_of_cpu_[cpu.value]; }
  // The CPU that a thread of the node (kswapd, kcompactd) runs on when it wakes up: an idle one, else the
  // first; none on a node without CPUs. On the node's LP.
  std::optional<CpuId> CpuForThread(const Node& node) const;
  sim::Cpu& cpu(CpuId id) { return *cpus_[id.value]; }
  const sim::Cpu& cpu(CpuId id) const { return *cpus_[id.value]; }

  // The zone that has, or whose device may plug, memory at `pfn`; null if none. O(1).
  Zone* ZoneOf(Pfn pfn) const {
    const uint64_t section = pfn.value >> kMaxOrder;
    return section < zone_of_section_.size() ? zones_by_index_[zone_of_section_[section]] : nullptr;
  }
  // All zones, by node and then from the lowest type up.
  const std::vector<Zone*>& zones() const { return zones_; }
  // The zones that an allocation looks at, in order: those of the nodes in fallback order, each from
  // `highest` down. Zones that have no memory now but may get some are among them: who walks the list passes
  // over them, for the kernel's lists do not hold them.
  const std::vector<Zone*>& Zonelist(NodeId preferred, ZoneType highest) const {
    return zonelists_[preferred.value][highest];
  }
  // Of the file system on its disk; 0: it has none.
  int64_t disk_pages() const { return disk_pages_; }
  const DistanceMatrix& distance() const { return distance_; }

  // --- global LP ---
  Reserves& reserves() { return *reserves_; }
  const Reserves& reserves() const { return *reserves_; }
  MemoryBlocks& blocks() { return *blocks_; }
  const MemoryBlocks& blocks() const { return *blocks_; }
  int64_t managed_pages() const { return managed_pages_; }  // totalram_pages()
  int64_t present_pages(NodeId node) const {                // node_present_pages()
    return present_pages_[static_cast<size_t>(node.value)];
  }
  VmSettings& vm() { return vm_; }
  ThpSettings& thp() { return thp_; }
  const ThpSettings& thp() const { return thp_; }

  // Sends what Reserves computed to the zones and the THP settings to the nodes. `path` must be on the global
  // LP and is there again afterwards.
  sim::Task<void> ApplySettings(sim::Path& path);

  // To be called where a zone's managed and present pages have grown by so many, or shrunk where that is
  // negative: computes the reserves again and sends them (init_per_zone_wmark_min). `path` must be on the
  // global LP and is there again afterwards.
  sim::Task<void> SizeChanged(sim::Path& path, const Zone& zone, int64_t managed, int64_t present);

  // What happens on the LP is recorded there, on it; the sum over all LPs is read while nothing runs.
  TimedStats& timed(sim::LpId lp) { return *timed_[static_cast<size_t>(lp.value)]; }
  TimedStats AllTimed() const;

  // An event in the trace, at the path's place and time.
  void LogFailure(sim::Path& path, Failure failure) const;

  // cond_resched(): on the LP that the path is on, or by way of its CPU's where it holds one that others wait
  // for.
  sim::Task<void> CondResched(sim::Path& path);

  // A counter as a column of a trace ("node0.numa_hit", "node0.DMA32.nr_free_pages").
  struct CounterColumn {
    sim::Column column;
    bool gauge = false;
    std::optional<bool> more_is_worse;  // as its declaration in proto/counters.proto says
  };
  // Every counter, by node and zone.
  std::vector<CounterColumn> Columns() const;

 private:
  MemorySystem(sim::Engine& engine, const KernelConfig& kernel, const Costs& costs)
      : engine_(engine), kernel_(kernel), costs_(costs) {}
  absl::Status AddNodesAndCpus(const MachineConfig& machine);
  absl::Status BootZones(const MachineConfig& machine);
  absl::Status AddZones(const std::vector<Zone::Extent>& extents);
  absl::Status AddLrus();
  absl::Status BuildZoneIndex();
  absl::Status IndexRange(size_t index, Pfn begin, Pfn end);
  absl::Status BuildDistances(const MachineConfig& machine);
  void BuildZonelists();
  void SetUpReserves(const MachineConfig& machine, const KernelConfig& kernel);
  void ApplyChangedKnobs(const MachineConfig& machine, const KernelConfig& kernel);
  // What the global LP tells the nodes.
  struct NodeSettings {
    ThpSettings thp;
    int64_t total_pages;
    VmSettings vm;
    std::vector<Reserves::ZoneSettings> zones;
  };
  NodeSettings CurrentSettings() const;
  void StoreSettings(Node& home, const NodeSettings& settings);

  sim::Engine& engine_;
  const KernelConfig kernel_;
  Costs costs_;
  std::vector<std::unique_ptr<Node>> nodes_;
  NodeMask all_nodes_;
  NodeMask nodes_with_memory_;
  int64_t managed_pages_ = 0;
  std::array<int64_t, kMaxNodes> present_pages_{};
  VmSettings vm_ = {};
  sim::LpId global_lp_{};
  std::vector<std::unique_ptr<sim::Cpu>> cpus_;
  std::vector<NodeId> node_of_cpu_;
  std::vector<Zone*> zones_;
  std::vector<Zone*> zones_by_index_;      // [0] is null
  std::vector<uint16_t> zone_of_section_;  // by pfn >> kMaxOrder
  DistanceMatrix distance_;
  int64_t disk_pages_ = 0;
  std::vector<PerZoneType<std::vector<Zone*>>> zonelists_;
  std::unique_ptr<Reserves> reserves_;
  std::unique_ptr<MemoryBlocks> blocks_;
  ThpSettings thp_;
  std::vector<std::unique_ptr<TimedStats>> timed_;  // by LP: the nodes' and the global one
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_MEMORY_SYSTEM_H_
