#include "models/base/cost_model.h"

#include "proto/scenario.pb.h"

namespace numasim {

Costs::Costs() : Costs(CostModel()) {}

Costs::Costs(const CostModel& m)
    : hop{m.hop_ns()},
      pcp_alloc{m.pcp_alloc_ns()},
      pcp_free{m.pcp_free_ns()},
      buddy_page{m.buddy_page_ns()},
      buddy_miss{m.buddy_miss_ns()},
      buddy_block{m.buddy_block_ns()},
      zone_lock{m.zone_lock_ns()},
      prep_page{m.prep_page_ns()},
      free_tails{m.free_tails_ns()},
      fault{m.fault_ns()},
      clear_page{m.clear_page_ns()},
      copy_page{m.copy_page_ns()},
      map_page{m.map_page_ns()},
      unmap_page{m.unmap_page_ns()},
      fork_page{m.fork_page_ns()},
      touch{m.touch_ns()},
      syscall{m.syscall_ns()},
      vma{m.vma_ns()},
      process{m.process_ns()},
      zonelist{m.zonelist_ns()},
      sysctl{m.sysctl_ns()},
      timeslice{m.timeslice_ns()},
      cache_line{m.cache_line_ns()},
      hugetlb_lock{m.hugetlb_lock_ns()},
      hugetlb_resv{m.hugetlb_resv_ns()},
      hugetlb_work{m.hugetlb_work_ns()},
      pin{m.pin_ns()},
      isolate_block{m.isolate_block_ns()},
      scan_page{m.scan_page_ns()},
      drain_cpu{m.drain_cpu_ns()},
      lru_drain{m.lru_drain_ns()},
      migrate_page{m.migrate_page_ns()},
      cma_bitmap{m.cma_bitmap_ns()},
      virtio_request{m.virtio_request_ns()},
      split_pmd{m.split_pmd_ns()},
      scan_pte{m.scan_pte_ns()},
      cache_lookup{m.cache_lookup_ns()},
      cache_add{m.cache_add_ns()},
      reclaim_scan{m.reclaim_scan_ns()},
      reclaim_page{m.reclaim_page_ns()},
      slab_object{m.slab_object_ns()},
      lru_lock{m.lru_lock_ns()},
      lru_page{m.lru_page_ns()} {}

}  // namespace numasim
