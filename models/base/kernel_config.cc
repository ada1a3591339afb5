#include "models/base/kernel_config.h"

#include "proto/scenario.pb.h"

namespace numasim {
namespace {

// Those that `kernel` does not give are the kernel's own.
PerZoneType<int32_t> LowmemReserveRatio(const KernelKnobs& kernel) {
  PerZoneType<int32_t> ratios = {256, 256, 32, 0};
  for (int i = 0; i < kernel.lowmem_reserve_ratio_size() && i < kZoneTypes; ++i)
    ratios[i] = kernel.lowmem_reserve_ratio(i);
  return ratios;
}

ZeroPageRefs ParseZeroPageRefs(std::string_view value) {
  if (value == "mapping") return ZeroPageRefs::kMapping;
  return value == "none" ? ZeroPageRefs::kNone : ZeroPageRefs::kMm;
}

}  // namespace

ThpSettings::Enabled ParseThpEnabled(std::string_view value) {
  if (value == "never") return ThpSettings::Enabled::kNever;
  return value == "madvise" ? ThpSettings::Enabled::kMadvise : ThpSettings::Enabled::kAlways;
}

// "deny" and "force" leave what the mount had.
void ThpSettings::SetShmemEnabled(std::string_view value) {
  shmem_override = value == "deny"    ? ShmemOverride::kDeny
                   : value == "force" ? ShmemOverride::kForce
                                      : ShmemOverride::kNone;
  if (shmem_override != ShmemOverride::kNone) return;
  shmem = value == "always"        ? ShmemHuge::kAlways
          : value == "within_size" ? ShmemHuge::kWithinSize
          : value == "advise"      ? ShmemHuge::kAdvise
                                   : ShmemHuge::kNever;
}

ThpSettings::Defrag ParseThpDefrag(std::string_view value) {
  using Defrag = ThpSettings::Defrag;
  if (value == "always") return Defrag::kAlways;
  if (value == "defer") return Defrag::kDefer;
  if (value == "defer+madvise") return Defrag::kDeferMadvise;
  return value == "madvise" ? Defrag::kMadvise : Defrag::kNever;
}

HugetlbBehaviour::HugetlbBehaviour(const HugetlbKnobs& knobs)
    : irq_frees_in_workqueue(knobs.irq_free() == "workqueue"),
      shrinks_locked(knobs.shrink() == "locked"),
      resizes_race(knobs.resize() == "racing") {}

KernelConfig::KernelConfig() : KernelConfig(KernelKnobs()) {}

KernelConfig::KernelConfig(const KernelKnobs& kernel)
    : watermark_scale_factor(kernel.watermark_scale_factor()),
      pcp_high_fraction(kernel.percpu_pagelist_high_fraction()),
      lowmem_reserve_ratio(LowmemReserveRatio(kernel)),
      vm{.max_map_count = kernel.max_map_count(),
         .extfrag_threshold = kernel.extfrag_threshold(),
         .overcommit_memory = kernel.overcommit_memory(),
         .watermark_boost_factor = kernel.watermark_boost_factor(),
         .compaction_proactiveness = kernel.compaction_proactiveness()},
      thp{.enabled = ParseThpEnabled(kernel.thp().enabled()),
          .defrag = ParseThpDefrag(kernel.thp().defrag()),
          .use_zero_page = kernel.thp().use_zero_page()},
      zero_page_refs(ParseZeroPageRefs(kernel.thp().zero_page_refs())),
      pte_mapped_thp_retry(kernel.thp().pte_mapped() == "retry"),
      hugetlb(kernel.hugetlb()),
      contig_hugetlb_fails(kernel.contig().hugetlb() == "fail"),
      cma_lock_is_mutex(kernel.cma().lock() == "mutex") {
  thp.SetShmemEnabled(kernel.thp().shmem_enabled());
  if (kernel.has_min_free_kbytes()) min_free_kbytes = kernel.min_free_kbytes();
}

}  // namespace numasim
