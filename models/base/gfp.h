// What a caller of the page allocator asks for (gfp_t), and what follows from it.
#ifndef NUMASIM_MODELS_BASE_GFP_H_
#define NUMASIM_MODELS_BASE_GFP_H_

#include "models/base/flags.h"
#include "models/base/types.h"

namespace numasim {

using GfpFlags = Flags<struct GfpKind>;

// The flags that change what the models do. The names are the kernel's.
inline constexpr GfpFlags kGfpDma = GfpFlags::Bit(0);
inline constexpr GfpFlags kGfpDma32 = GfpFlags::Bit(1);
inline constexpr GfpFlags kGfpHighmem = GfpFlags::Bit(2);
inline constexpr GfpFlags kGfpMovable = GfpFlags::Bit(3);
inline constexpr GfpFlags kGfpReclaimable = GfpFlags::Bit(4);
inline constexpr GfpFlags kGfpHigh = GfpFlags::Bit(5);  // __GFP_HIGH: may use half of the min reserve
inline constexpr GfpFlags kGfpDirectReclaim = GfpFlags::Bit(6);
inline constexpr GfpFlags kGfpKswapdReclaim = GfpFlags::Bit(7);
inline constexpr GfpFlags kGfpThisNode = GfpFlags::Bit(8);  // __GFP_THISNODE: the preferred node or nothing
inline constexpr GfpFlags kGfpNoWarn = GfpFlags::Bit(9);
inline constexpr GfpFlags kGfpRetryMayfail = GfpFlags::Bit(10);
inline constexpr GfpFlags kGfpNoRetry = GfpFlags::Bit(11);
inline constexpr GfpFlags kGfpComp = GfpFlags::Bit(12);

inline constexpr GfpFlags kGfpReclaim = kGfpDirectReclaim | kGfpKswapdReclaim;
inline constexpr GfpFlags kGfpKernel = kGfpReclaim;
inline constexpr GfpFlags kGfpHighuser = kGfpReclaim | kGfpHighmem;
inline constexpr GfpFlags kGfpHighuserMovable = kGfpHighuser | kGfpMovable;
// GFP_TRANSHUGE_LIGHT, GFP_TRANSHUGE
inline constexpr GfpFlags kGfpTranshugeLight = kGfpHighmem | kGfpMovable | kGfpComp | kGfpNoWarn;
inline constexpr GfpFlags kGfpTranshuge = kGfpTranshugeLight | kGfpDirectReclaim;

// gfp_migratetype() of Linux 6.1.
constexpr Migratetype GfpMigratetype(GfpFlags gfp) {
  if (gfp.Has(kGfpMovable)) return Migratetype::kMovable;
  if (gfp.Has(kGfpReclaimable)) return Migratetype::kReclaimable;
  return Migratetype::kUnmovable;
}

// gfp_zone() of Linux 6.1 on x86-64, where __GFP_HIGHMEM alone means ZONE_NORMAL.
constexpr ZoneType GfpZone(GfpFlags gfp) {
  if (gfp.Has(kGfpDma)) return ZoneType::kDma;
  if (gfp.Has(kGfpDma32)) return ZoneType::kDma32;
  if (gfp.Has(kGfpMovable | kGfpHighmem)) return ZoneType::kMovable;
  return ZoneType::kNormal;
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_GFP_H_
