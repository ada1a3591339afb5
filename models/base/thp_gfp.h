// How a fault asks for a transparent huge page (vma_thp_gfp_mask, mm/huge_memory.c, Linux 6.1).
#ifndef NUMASIM_MODELS_BASE_THP_GFP_H_
#define NUMASIM_MODELS_BASE_THP_GFP_H_

#include "models/base/gfp.h"
#include "models/base/kernel_config.h"

namespace numasim {

// `advised`: madvise(MADV_HUGEPAGE).
constexpr GfpFlags ThpGfp(const ThpSettings& settings, bool advised) {
  using Defrag = ThpSettings::Defrag;
  switch (settings.defrag) {
    case Defrag::kAlways:
      return advised ? kGfpTranshuge : kGfpTranshuge | kGfpNoRetry;
    case Defrag::kDefer:
      return kGfpTranshugeLight | kGfpKswapdReclaim;
    case Defrag::kDeferMadvise:
      return kGfpTranshugeLight | (advised ? kGfpDirectReclaim : kGfpKswapdReclaim);
    case Defrag::kMadvise:
      return advised ? kGfpTranshuge : kGfpTranshugeLight;
    case Defrag::kNever:
      break;
  }
  return kGfpTranshugeLight;
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_THP_GFP_H_
