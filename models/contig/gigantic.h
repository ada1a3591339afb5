// GiganticPages: where the pool's pages of 1 GiB come from (alloc_gigantic_page, mm/hugetlb.c of Linux 6.1):
// a CMA area made for them, else any contiguous range. No state of its own.
#ifndef NUMASIM_MODELS_CONTIG_GIGANTIC_H_
#define NUMASIM_MODELS_CONTIG_GIGANTIC_H_

#include "models/contig/cma.h"
#include "models/contig/contig_range.h"
#include "models/hugetlb/gigantic_source.h"

namespace numasim {

class GiganticPages : public GiganticSource {
 public:
  GiganticPages(MemorySystem& memory, ContigRanges& ranges, CmaAreas& cma)
      : memory_(memory), ranges_(ranges), cma_(cma) {}

  sim::Task<Pfn> Alloc(sim::Path& path, NodeId node, NodeMask allowed, CpuId cpu) override;
  sim::Task<void> Free(sim::Path& path, Pfn pfn, int64_t pages, CpuId cpu) override;
  bool Owns(Pfn pfn) const override { return AreaOf(pfn) != nullptr; }

 private:
  // The area for gigantic pages that `pfn` is in; null if it is in none.
  CmaArea* AreaOf(Pfn pfn) const;
  sim::Task<Pfn> FromCma(sim::Path& path, NodeId node, CpuId cpu);

  MemorySystem& memory_;
  ContigRanges& ranges_;
  CmaAreas& cma_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_CONTIG_GIGANTIC_H_
