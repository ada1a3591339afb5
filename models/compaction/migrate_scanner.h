// The migrate scanner of compaction: looks for pages that can move, from the low end of a zone up
// (isolate_migratepages, mm/compaction.c, Linux 6.1). Functions on a CompactControl, on the LP of its zone's
// node; they take no time, but count in it what was looked at.
#ifndef NUMASIM_MODELS_COMPACTION_MIGRATE_SCANNER_H_
#define NUMASIM_MODELS_COMPACTION_MIGRATE_SCANNER_H_

#include "models/compaction/compact_control.h"

namespace numasim {

// Isolates pages of the next suitable pageblock, a cluster of 32 at most as a rule, into control.pages. False
// where there were none: the scan is not over by that.
bool IsolateForMigration(CompactControl& control);

}  // namespace numasim

#endif  // NUMASIM_MODELS_COMPACTION_MIGRATE_SCANNER_H_
