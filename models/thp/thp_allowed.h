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
constexpr bool CoversThp(const Vma& vma, Vpn first) {
  return first >= vma.start && first + kThpPages <= vma.end;
}

// Whether transparent_hugepage/enabled and the VMA's advice let anonymous memory have huge pages.
constexpr bool ThpEnabled(const ThpSettings& settings, const Vma& vma) {
  if (vma.thp == Vma::ThpAdvice::kNohugepage) return false;
  if (settings.enabled == ThpSettings::Enabled::kAlways) return true;
  return settings.enabled == ThpSettings::Enabled::kMadvise && vma.thp == Vma::ThpAdvice::kHugepage;
}

// Whether khugepaged, or with `enforce` false MADV_COLLAPSE, may collapse ranges of the VMA.
constexpr bool MayCollapse(const ThpSettings& settings, const Vma& vma, bool enforce) {
  if (vma.hugetlb() || !vma.anonymous() || vma.anon_vma == 0) return false;
  const Vpn last = ThpStart(vma.end);
  const bool large = last.value >= kThpPages && CoversThp(vma, last + -kThpPages);
  return large && (enforce ? ThpEnabled(settings, vma) : vma.thp != Vma::ThpAdvice::kNohugepage);
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_THP_ALLOWED_H_
