// KernelConfig: the kernel's knobs as the models read them. Made once from the scenario's kernel section,
// whose names, units and defaults are in proto/scenario.proto; no model compares texts, and none needs the
// format.
#ifndef NUMASIM_MODELS_BASE_KERNEL_CONFIG_H_
#define NUMASIM_MODELS_BASE_KERNEL_CONFIG_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "models/base/types.h"

namespace numasim {

class KernelKnobs;
class HugetlbKnobs;

// THP settings (transparent_hugepage/...). The global LP has the original; each node has a copy that faults
// read, sent to it like a cache line that changed.
struct ThpSettings {
  enum class Enabled : uint8_t { kNever, kMadvise, kAlways };
  // Whether faults wait for compaction, wake kswapd, or take what there is (vma_thp_gfp_mask).
  enum class Defrag : uint8_t { kNever, kMadvise, kDeferMadvise, kDefer, kAlways };
  Enabled enabled = Enabled::kAlways;
  bool any() const { return enabled != Enabled::kNever; }  // hugepage_flags_enabled()
  // shmem_enabled, which is two settings: of the kernel's own mount, and what overrules every mount.
  enum class ShmemHuge : uint8_t { kNever, kAlways, kWithinSize, kAdvise };
  enum class ShmemOverride : uint8_t { kNone, kDeny, kForce };
  ShmemHuge shmem = ShmemHuge::kNever;
  ShmemOverride shmem_override = ShmemOverride::kNone;
  // One of the six words that the knob takes (shmem_enabled_store).
  void SetShmemEnabled(std::string_view value);
  Defrag defrag = Defrag::kMadvise;
  bool use_zero_page = true;
};
// "never", "madvise" or "always".
ThpSettings::Enabled ParseThpEnabled(std::string_view value);
// "never", "madvise", "defer+madvise", "defer" or "always".
ThpSettings::Defrag ParseThpDefrag(std::string_view value);

// Who has a reference to the huge zero page: each mapping of it (from 3.8 on), each address space that ever
// mapped it (since 4.9), or nobody: it stays once it is allocated.
enum class ZeroPageRefs : uint8_t { kMapping, kMm, kNone };

// Behaviours of HugeTLB that a scenario can set to what they were before Linux 5.13.
struct HugetlbBehaviour {
  explicit HugetlbBehaviour(const HugetlbKnobs& knobs);
  bool irq_frees_in_workqueue;  // else at once, under an irq-safe hugetlb_lock
  bool shrinks_locked;          // else in batches, without hugetlb_lock
  bool resizes_race;            // else one after another, by a mutex for each size
};

// Settings of /proc/sys/vm that nodes read as they do ThpSettings; of the watermarks, what the reserves do
// not compute.
struct VmSettings {
  int64_t max_map_count;         // VMAs of a process
  int extfrag_threshold;         // up to this fragmentation index a zone is not compacted
  int overcommit_memory;         // 0: guess, 1: always
  int watermark_boost_factor;    // how far mixed pageblocks raise watermarks, in 1/10000 of the high one
  int compaction_proactiveness;  // from 0, kcompactd compacts on request only, to 100
};

struct KernelConfig {
  KernelConfig();  // the defaults
  explicit KernelConfig(const KernelKnobs& kernel);

  std::optional<int64_t> min_free_kbytes;
  int watermark_scale_factor;  // in 1/10000 of the zone
  int pcp_high_fraction;       // percpu_pagelist_high_fraction
  PerZoneType<int32_t> lowmem_reserve_ratio;
  VmSettings vm;
  ThpSettings thp;
  ZeroPageRefs zero_page_refs;
  bool pte_mapped_thp_retry;  // khugepaged tries pte-mapped huge pages of files again, since 5.4
  HugetlbBehaviour hugetlb;
  bool contig_hugetlb_fails;  // alloc_contig_range() fails at any huge page, as before 5.13
  bool cma_lock_is_mutex;     // as before 5.13
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_KERNEL_CONFIG_H_
