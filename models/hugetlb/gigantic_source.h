// GiganticSource: where gigantic huge pages, which the buddy allocator does not have, come from and go to
// (alloc_gigantic_page and free_gigantic_page, mm/hugetlb.c of Linux 6.1). HugetlbPool is given one; without
// it there are none. Both paths may be called on any LP, and end on the same, without hugetlb_lock.
#ifndef NUMASIM_MODELS_HUGETLB_GIGANTIC_SOURCE_H_
#define NUMASIM_MODELS_HUGETLB_GIGANTIC_SOURCE_H_

#include <cstdint>

#include "models/base/types.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class GiganticSource {
 public:
  virtual ~GiganticSource() = default;

  // A page of 1 GiB by the zonelist of `node`, on one of `allowed`; kNoPfn if there is none. Its frames are
  // allocated as blocks of a pageblock each with HugeTLB as their owner, so that the page can be demoted
  // where it lies.
  virtual sim::Task<Pfn> Alloc(sim::Path& path, NodeId node, NodeMask allowed, CpuId cpu) = 0;
  // Takes back frames in that form: a gigantic page, or a smaller one that Owns().
  virtual sim::Task<void> Free(sim::Path& path, Pfn pfn, int64_t pages, CpuId cpu) = 0;
  // Whether a smaller huge page at `pfn` must come back here, too (hugetlb_cma_page). Fixed: may be asked on
  // any LP.
  virtual bool Owns(Pfn pfn) const = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_HUGETLB_GIGANTIC_SOURCE_H_
