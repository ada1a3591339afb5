#include "models/mempolicy/placed_alloc.h"

namespace numasim {

sim::Task<Pfn> AllocThp(sim::Path& path, PageAllocator& allocator, GfpFlags gfp, MemPolicy policy,
                        NodeId local, uint64_t index, CpuId cpu, FrameOwner owner) {
  using Mode = MemPolicy::Mode;
  const Placement placement = PlaceInVma(policy, local, index);
  AllocRequest request = RequestFor(gfp, placement, cpu, owner);
  request.order = kPageblockOrder;
  if (policy.mode == Mode::kInterleave || policy.mode == Mode::kPreferredMany)
    co_return co_await allocator.AllocPlaced(path, request, placement.retry_anywhere);
  const NodeId wanted = policy.mode == Mode::kPreferred ? placement.preferred : local;
  if (!placement.allowed.Has(wanted)) co_return co_await allocator.Alloc(path, request);
  request.preferred = wanted;
  AllocRequest here = request;
  here.gfp |= kGfpThisNode | kGfpNoRetry;
  if (const Pfn at_hand = allocator.TryAllocHere(path, here); at_hand != kNoPfn) {
    co_await path.Take(allocator.at_hand_cost());
    co_return at_hand;
  }
  const Pfn page = co_await allocator.Alloc(path, here);
  if (page != kNoPfn || !gfp.Has(kGfpDirectReclaim)) co_return page;
  co_return co_await allocator.Alloc(path, request);
}

}  // namespace numasim
