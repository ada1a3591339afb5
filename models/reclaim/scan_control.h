// ScanControl: what one effort to reclaim wants, may do, and has done so far (struct scan_control,
// mm/vmscan.c, Linux 6.1). A value on the stack of who makes the effort.
#ifndef NUMASIM_MODELS_RECLAIM_SCAN_CONTROL_H_
#define NUMASIM_MODELS_RECLAIM_SCAN_CONTROL_H_

#include <cstdint>

#include "models/base/types.h"

namespace numasim {

struct ScanControl {
  static constexpr int kFirstPriority = 12;  // DEF_PRIORITY: a list is looked at in parts of 1/4096 at first
  static constexpr int64_t kCluster = 32;    // SWAP_CLUSTER_MAX

  int order = 0;                          // of the block that is wanted
  ZoneType highest = ZoneType::kMovable;  // reclaim_idx: pages of higher zones would not help
  int priority = kFirstPriority;          // the lower, the harder it tries
  int64_t to_reclaim = kCluster;
  bool kswapd = false;
  CpuId cpu;  // on whose PCP lists pages come free

  int64_t scanned = 0;
  int64_t reclaimed = 0;
  bool may_deactivate = false;      // DEACTIVATE_FILE
  bool force_deactivate = false;    // as all else was in vain
  bool skipped_deactivate = false;  // and it was not allowed
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_RECLAIM_SCAN_CONTROL_H_
