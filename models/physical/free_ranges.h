// Free ranges of a zone, for boot, which takes them before anything runs (memblock, Linux 6.1).
#ifndef NUMASIM_MODELS_PHYSICAL_FREE_RANGES_H_
#define NUMASIM_MODELS_PHYSICAL_FREE_RANGES_H_

#include <cstdint>

#include "models/base/types.h"
#include "models/physical/zone.h"

namespace numasim {

// One past what the zone has at boot; the rest of its extent is for a device to plug memory into.
inline Pfn BootEnd(const Zone& zone) { return zone.extent().start + zone.extent().spanned; }

// The lowest range of the zone's boot memory at or above `from` that is aligned to `align` pages and all
// free, no part of it in a CMA area; kNoPfn if there is none.
Pfn LowestFree(const Zone& zone, Pfn from, int64_t pages, int64_t align);

// The highest such range.
Pfn HighestFree(const Zone& zone, int64_t pages, int64_t align);

// Makes a free range allocated for `owner`, in blocks of a pageblock. It begins and ends with a block of the
// largest order.
void TakeFree(Zone& zone, Pfn start, int64_t pages, FrameOwner owner);

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_FREE_RANGES_H_
