// How an allocation goes about a zone (the alloc_flags of mm/internal.h).
#ifndef NUMASIM_MODELS_PHYSICAL_ALLOC_FLAGS_H_
#define NUMASIM_MODELS_PHYSICAL_ALLOC_FLAGS_H_

#include "models/base/flags.h"

namespace numasim {

using AllocFlags = Flags<struct AllocKind>;

// The watermark that the zone has to keep; the min one where no other is asked for.
inline constexpr AllocFlags kAllocWmarkMin;
inline constexpr AllocFlags kAllocWmarkLow = AllocFlags::Bit(0);
inline constexpr AllocFlags kAllocWmarkHigh = AllocFlags::Bit(1);
// ALLOC_NOFRAGMENT: do not break up pageblocks of another type.
inline constexpr AllocFlags kAllocNoFragment = AllocFlags::Bit(2);
inline constexpr AllocFlags kAllocMinReserve = AllocFlags::Bit(3);  // ALLOC_MIN_RESERVE: __GFP_HIGH
// ALLOC_CMA: movable memory, which may lie in CMA areas.
inline constexpr AllocFlags kAllocCma = AllocFlags::Bit(4);
// ALLOC_KSWAPD: kswapd may be woken up for it.
inline constexpr AllocFlags kAllocKswapd = AllocFlags::Bit(5);

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_ALLOC_FLAGS_H_
