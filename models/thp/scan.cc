#include "models/thp/scan.h"

#include <algorithm>
#include <iterator>

#include "models/base/gfp.h"
#include "models/physical/thp_page.h"

namespace numasim {

const char* ScanResultName(ScanResult result) {
  static constexpr const char* kNames[] = {"succeeded",
                                           "failed",
                                           "pmd_null",
                                           "pmd_none",
                                           "page_pmd_mapped",
                                           "exceed_none_pte",
                                           "exceed_swap_pte",
                                           "exceed_shared_pte",
                                           "pte_non_present",
                                           "pte_mapped_hugepage",
                                           "no_writable_page",
                                           "page_locked",
                                           "not_suitable_page_count",
                                           "page_null",
                                           "no_process_for_page",
                                           "vma_null",
                                           "vma_check_failed",
                                           "not_suitable_address_range",
                                           "alloc_huge_page_failed",
                                           "truncated"};
  static_assert(std::size(kNames) == static_cast<size_t>(ScanResult::kTruncated) + 1);
  return kNames[static_cast<size_t>(result)];
}

void RecordCollapse(MemorySystem& memory, const sim::Path& path, sim::SimTime began, ScanResult result) {
  const char* const failure = result == ScanResult::kSucceed ? "" : ScanResultName(result);
  memory.timed(path.lp())[Timed::kCollapse].Record(path.now() - began, failure);
}

ScanResult FindPteTable(Process& process, Vpn first) {
  PageTable& tables = process.space.page_table();
  if (!tables.HasPmd(first)) return ScanResult::kPmdNull;
  if (tables.Find(first) != nullptr) return ScanResult::kSucceed;
  const Entry* const leaf = tables.FindHuge(first, ThpPage::kOrder);
  if (leaf == nullptr) return ScanResult::kPmdNone;
  return leaf->migrating() ? ScanResult::kPmdNull : ScanResult::kPmdMapped;
}

// hpage_collapse_find_target_node(), hpage_collapse_alloc_page()
sim::Task<Pfn> NodeLoads::AllocHugePage(sim::Path& path, PageAllocator& allocator, MemorySystem& memory,
                                        Node& counts, CpuId cpu, GfpFlags gfp, FrameOwner owner) const {
  const auto most = std::max_element(pages_.begin(), pages_.end());
  AllocRequest request;
  request.gfp = gfp;
  request.order = ThpPage::kOrder;
  request.preferred = NodeId{static_cast<int32_t>(most - pages_.begin())};
  for (int n = 0; n < memory.node_count(); ++n) {
    if (pages_[static_cast<size_t>(n)] == *most) request.allowed.Set(NodeId{n});
  }
  request.cpu = cpu;
  request.owner = owner;
  const Pfn page = co_await allocator.Alloc(path, request);
  ++counts.counter(page == kNoPfn ? THP_COLLAPSE_ALLOC_FAILED : THP_COLLAPSE_ALLOC);
  co_return page;
}

}  // namespace numasim
