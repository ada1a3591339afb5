// Where memory may be mapped by transparent huge pages (hugepage_vma_check, transhuge_vma_suitable of
// mm/huge_memory.c, Linux 6.1). Pure functions.
#ifndef NUMASIM_MODELS_THP_THP_ALLOWED_H_
#define NUMASIM_MODELS_THP_THP_ALLOWED_H_

#include "models/address_space/address_space.h"
#include "models/base/kernel_config.h"
#include "models/base/types.h"

namespace numasim {

inline constexpr int64_t kThpPages = kPageblockPages;

// The first page of the aligned 2 MiB that `vpn` is in.
constexpr Vpn ThpStart(Vpn vpn) { return Vpn{vpn.value / kThpPages * kThpPages}; }

// Whether the aligned 2 MiB from `first` on are all of the VMA.
inline bool CoversThp(const Vma& vma, Vpn first) {
  return first >= vma.start && first + kThpPages <= vma.end;
}

// Whether transparent_hugepage/enabled and the VMA's advice let anonymous memory have huge pages.
inline bool ThpEnabled(const ThpSettings& settings, const Vma& vma) {
  if (vma.thp == Vma::ThpAdvice::kNohugepage) return false;
  if (settings.enabled == ThpSettings::Enabled::kAlways) return true;
  return settings.enabled == ThpSettings::Enabled::kMadvise && vma.thp == Vma::ThpAdvice::kHugepage;
}

// transhuge_vma_suitable(): whether a PMD may map what the VMA has in the 2 MiB from `first` on.
inline bool SuitsThp(const Vma& vma, Vpn first) {
  const bool aligned = vma.anonymous() || vma.start.value % kThpPages == vma.pgoff % kThpPages;
  return aligned && CoversThp(vma, first);
}

// shmem_is_huge() without `force`: whether page `index` of a file of so many pages is to be part of a huge
// one.
inline bool ShmemIsHuge(const ThpSettings& settings, bool tmpfs, Vma::ThpAdvice advice, uint64_t index,
                        uint64_t file_pages) {
  if (advice == Vma::ThpAdvice::kNohugepage) return false;
  if (settings.shmem_override == ThpSettings::ShmemOverride::kDeny) return false;
  if (settings.shmem_override == ThpSettings::ShmemOverride::kForce) return true;
  using Huge = ThpSettings::ShmemHuge;
  const Huge mount = tmpfs ? Huge::kAlways : settings.shmem;
  if (mount == Huge::kNever || mount == Huge::kAlways) return mount == Huge::kAlways;
  constexpr auto kPages = static_cast<uint64_t>(kThpPages);
  if (mount == Huge::kWithinSize && index / kPages * kPages + kPages <= file_pages) return true;
  return advice == Vma::ThpAdvice::kHugepage;
}

// shmem_huge_enabled(): whether the settings, which only `enforce` asks for all of, let a VMA of shared
// memory have huge pages.
inline bool ShmemEnabled(const ThpSettings& settings, const Vma& vma, bool enforce) {
  if (enforce) return ShmemIsHuge(settings, vma.tmpfs(), vma.thp, vma.pgoff, vma.file_pages);
  return vma.thp != Vma::ThpAdvice::kNohugepage &&
         settings.shmem_override != ThpSettings::ShmemOverride::kDeny;
}

// hugepage_vma_check(): whether khugepaged, or with `enforce` false MADV_COLLAPSE, may collapse ranges of the
// VMA.
inline bool MayCollapse(const ThpSettings& settings, const Vma& vma, bool enforce) {
  const Vpn last = ThpStart(vma.end);
  if (vma.hugetlb() || vma.disk || last.value < kThpPages || !SuitsThp(vma, last + -kThpPages)) return false;
  if (vma.shmem()) return ShmemEnabled(settings, vma, enforce);
  if (vma.anon_vma == 0) return false;
  return enforce ? ThpEnabled(settings, vma) : vma.thp != Vma::ThpAdvice::kNohugepage;
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_THP_ALLOWED_H_
