// Clearing the hints that tell the scanners of compaction which pageblocks to skip
// (__reset_isolation_suitable, mm/compaction.c, Linux 6.1). On the LP of the zone's node.
#ifndef NUMASIM_MODELS_COMPACTION_SKIP_HINTS_H_
#define NUMASIM_MODELS_COMPACTION_SKIP_HINTS_H_

#include <cstdint>

#include "models/compaction/zone_compaction.h"
#include "models/physical/zone.h"

namespace numasim {

// Where a direct compaction went through the zone since the last time: clears the hints of pageblocks that
// have something to move or free again, and lets the scanners begin at the outermost of these. Returns how
// many frames it looked at for that.
int64_t ResetSkipHints(Zone& zone, ZoneCompaction& state);

}  // namespace numasim

#endif  // NUMASIM_MODELS_COMPACTION_SKIP_HINTS_H_
