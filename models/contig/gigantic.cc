#include "models/contig/gigantic.h"

namespace numasim {
namespace {

constexpr int64_t kPages = PagesOf(HugeSize::k1G);
constexpr FrameOwner kOwner{FrameOwner::kHugetlb, 1, static_cast<uint64_t>(HugeSize::k1G), 0};

}  // namespace

sim::Task<Pfn> GiganticPages::FromCma(sim::Path& path, NodeId node, CpuId cpu) {
  CmaArea* const area = cma_.HugetlbArea(node);
  if (area == nullptr) co_return kNoPfn;
  co_return co_await cma_.Alloc(path, cpu, *area, kPages, OrderOf(HugeSize::k1G), kOwner);
}

sim::Task<Pfn> GiganticPages::Alloc(sim::Path& path, NodeId node, NodeMask allowed, CpuId cpu) {
  Pfn pfn = kNoPfn;
  if (allowed.Has(node)) pfn = co_await FromCma(path, node, cpu);
  for (NodeMask left(allowed.bits() & memory_.all_nodes().bits()); pfn == kNoPfn && !left.empty();) {
    const NodeId next = left.First();
    left.Clear(next);
    if (next != node) pfn = co_await FromCma(path, next, cpu);
  }
  // htlb_alloc_mask(): gigantic pages are not movable.
  if (pfn == kNoPfn)
    pfn = co_await ranges_.AllocPages(path, cpu, kPages, kGfpHighuser, node, allowed, kOwner);
  // prep_compound_gigantic_page()
  if (pfn != kNoPfn) co_await path.Take(memory_.costs().prep_page * kPages);
  co_return pfn;
}

CmaArea* GiganticPages::AreaOf(Pfn pfn) const {
  CmaArea* const area = cma_.HugetlbArea(memory_.ZoneOf(pfn)->node());
  return area != nullptr && area->Contains(pfn) ? area : nullptr;
}

// free_gigantic_page()
sim::Task<void> GiganticPages::Free(sim::Path& path, Pfn pfn, int64_t pages, CpuId) {
  CmaArea* const area = AreaOf(pfn);
  if (area != nullptr) {
    co_await cma_.Release(path, *area, pfn, pages);
  } else {
    co_await ranges_.FreeRange(path, pfn, pages);
  }
}

}  // namespace numasim
