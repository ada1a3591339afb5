// The shrinkers of transparent huge pages (huge_zero_page_shrinker and deferred_split_shrinker,
// mm/huge_memory.c, Linux 6.1). No state of their own.
#ifndef NUMASIM_MODELS_THP_THP_SHRINKERS_H_
#define NUMASIM_MODELS_THP_THP_SHRINKERS_H_

#include <cstdint>

#include "models/base/types.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/reclaim/shrinkers.h"
#include "models/thp/huge_zero_page.h"
#include "models/thp/thp_splitter.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// Frees the huge zero page where nobody maps it. Its objects are its 512 base pages.
class HugeZeroPageShrinker final : public Shrinker {
 public:
  HugeZeroPageShrinker(MemorySystem& memory, PageAllocator& allocator, HugeZeroPage& page)
      : memory_(memory), allocator_(allocator), page_(page) {}

  bool MayScan(const Node& node, int priority) const override;
  sim::Task<int64_t> Count(sim::Path& path, Node& node) override;
  sim::Task<Freed> Scan(sim::Path& path, Node& node, int64_t objects, CpuId cpu) override;

 private:
  MemorySystem& memory_;
  PageAllocator& allocator_;
  HugeZeroPage& page_;
};

// Splits pages that are mapped in part only. All nodes' queues are one to it, as in a kernel with
// CONFIG_MEMCG, where it is the control group's: what one node is short of is also looked for on others.
class DeferredSplitShrinker final : public Shrinker {
 public:
  DeferredSplitShrinker(MemorySystem& memory, ThpSplitter& splitter) : memory_(memory), splitter_(splitter) {}

  bool MayScan(const Node& node, int priority) const override;
  sim::Task<int64_t> Count(sim::Path& path, Node& node) override;
  // The node's own queue comes first, though the kernel's one has them in the order of time.
  sim::Task<Freed> Scan(sim::Path& path, Node& node, int64_t objects, CpuId cpu) override;

 private:
  Node& OtherOf(const Node& node, int i) {
    return memory_.node(NodeId{(node.id.value + i) % memory_.node_count()});
  }

  MemorySystem& memory_;
  ThpSplitter& splitter_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_THP_SHRINKERS_H_
