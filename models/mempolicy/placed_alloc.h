// From a placement to pages: requests to the page allocator, and the one for a huge page, which is asked of
// one node before it is asked of others (vma_alloc_folio, mm/mempolicy.c, Linux 6.1).
#ifndef NUMASIM_MODELS_MEMPOLICY_PLACED_ALLOC_H_
#define NUMASIM_MODELS_MEMPOLICY_PLACED_ALLOC_H_

#include "models/base/gfp.h"
#include "models/base/types.h"
#include "models/mempolicy/mempolicy.h"
#include "models/physical/page_allocator.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// For one base page, by a CPU.
inline AllocRequest RequestFor(GfpFlags gfp, const Placement& placement, CpuId cpu, FrameOwner owner) {
  AllocRequest request;
  request.gfp = gfp;
  request.preferred = placement.preferred;
  request.allowed = placement.allowed;
  request.interleave = placement.interleave;
  request.cpu = cpu;
  request.owner = owner;
  return request;
}

// A transparent huge page under `policy`, for a CPU of node `local`: from that node, or from the one that is
// preferred, and from others only where the policy has it so or the caller may reclaim. `index` is what
// interleaving counts by, in huge pages. kNoPfn if there is none.
sim::Task<Pfn> AllocThp(sim::Path& path, PageAllocator& allocator, GfpFlags gfp, MemPolicy policy,
                        NodeId local, uint64_t index, CpuId cpu, FrameOwner owner);

}  // namespace numasim

#endif  // NUMASIM_MODELS_MEMPOLICY_PLACED_ALLOC_H_
