// CmaAreas: memory kept for allocations of contiguous ranges, which serves movable memory meanwhile
// (mm/cma.c, Linux 6.1). Areas are made before the engine runs. An area and its bitmap live on the LP of its
// node; cma_mutex, which lets one range be allocated at a time, on the global one.
#ifndef NUMASIM_MODELS_CONTIG_CMA_H_
#define NUMASIM_MODELS_CONTIG_CMA_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/statusor.h"
#include "models/base/machine_config.h"
#include "models/contig/contig_range.h"
#include "models/physical/memory_system.h"
#include "proto/counters.h"
#include "sim/locks.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// struct cma
struct CmaArea {
  std::string name;
  bool hugetlb = false;  // of hugetlb_cma=: gigantic pages come from here
  NodeId node;
  Pfn base;
  int64_t pages = 0;
  // What is handed out: first page -> one past the last, both counted from `base`; disjoint.
  absl::btree_map<int64_t, int64_t> used;
  absl::btree_set<int64_t> taking;  // the first pages of those ranges that are not emptied yet
  std::array<int64_t, CmaCounter_ARRAYSIZE> counters = {};
  // Guards `used`; the one that the kernel has (kernel.cma.lock).
  std::unique_ptr<sim::SpinLock> spinlock;
  std::unique_ptr<sim::Mutex> mutex;

  bool Contains(Pfn pfn) const { return pfn >= base && pfn < base + pages; }
};

class CmaAreas {
 public:
  // Makes the areas that the configuration names, each where the kernel would with the memory that is free.
  // An error names the area that there is no room for.
  static absl::StatusOr<std::unique_ptr<CmaAreas>> Create(MemorySystem& memory, ContigRanges& ranges,
                                                          const MachineConfig& machine);

  // Null if there is none.
  CmaArea* Find(std::string_view name);
  // That of gigantic pages on the node.
  CmaArea* HugetlbArea(NodeId node);
  const std::vector<std::unique_ptr<CmaArea>>& areas() const { return areas_; }

  // cma_alloc(): `pages` aligned to 2^align_order pages, anywhere in the area where they can be had; kNoPfn
  // if they cannot. Begins and ends on any LP.
  sim::Task<Pfn> Alloc(sim::Path& path, CpuId cpu, CmaArea& area, int64_t pages, int align_order,
                       FrameOwner owner);
  // cma_release() of what Alloc returned. Of an area of gigantic pages also of a part of it, as of one that
  // was demoted, or of a huge page that the buddy allocator had placed there: its bits are clear already.
  sim::Task<void> Release(sim::Path& path, CmaArea& area, Pfn start, int64_t pages);

  // The areas' counters as columns of a trace ("cma.NAME.alloc_success").
  std::vector<MemorySystem::CounterColumn> Columns() const;

 private:
  CmaAreas(MemorySystem& memory, ContigRanges& ranges);
  absl::Status AddArea(const MachineConfig::CmaConfig& config, bool with_mutex);
  // Zone and first page; null and kNoPfn where the node has no such range free.
  std::pair<Zone*, Pfn> PlaceFor(const Node& node, int64_t pages, int64_t align) const;

  // The area's lock, spinning or sleeping.
  static sim::Task<void> Lock(sim::Path& path, CmaArea& area);
  static void Unlock(sim::Path& path, CmaArea& area);

  MemorySystem& memory_;
  ContigRanges& ranges_;
  std::vector<std::unique_ptr<CmaArea>> areas_;
  std::unique_ptr<sim::Mutex> cma_mutex_;  // global LP
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_CONTIG_CMA_H_
