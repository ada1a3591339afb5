// Costs: the scenario's cost model as durations, read from every LP. The defaults and where they come from
// are in proto/scenario.proto.
#ifndef NUMASIM_MODELS_BASE_COST_MODEL_H_
#define NUMASIM_MODELS_BASE_COST_MODEL_H_

#include "sim/time.h"

namespace numasim {

class CostModel;

struct Costs {
  Costs();  // the defaults
  explicit Costs(const CostModel& m);

  sim::Duration hop, pcp_alloc, pcp_free, buddy_page, buddy_miss, buddy_block, zone_lock, prep_page,
      free_tails, fault, clear_page, copy_page, map_page, unmap_page, fork_page, touch, syscall, vma, process,
      zonelist, sysctl, timeslice, cache_line, hugetlb_lock, hugetlb_resv, hugetlb_work, pin, isolate_block,
      scan_page, drain_cpu, lru_drain, migrate_page, cma_bitmap, virtio_request, split_pmd, scan_pte,
      cache_lookup, cache_add, reclaim_scan, reclaim_page, slab_object, lru_lock, lru_page;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_COST_MODEL_H_
