// Whether a node is compacted though nobody asks for it (the fragmentation scores of mm/compaction.c, Linux
// 6.1). Functions of what is free, for the node's LP.
#ifndef NUMASIM_MODELS_COMPACTION_PROACTIVE_H_
#define NUMASIM_MODELS_COMPACTION_PROACTIVE_H_

#include "models/physical/node.h"
#include "models/physical/zone.h"

namespace numasim {

// fragmentation_score_node(): which share of what is free is in blocks below a huge page, in percent, each
// zone by its part of the node.
int FragmentationScore(const Node& node);

// should_proactive_compact_node(): the score is above the upper mark, and kswapd, which changes it, sleeps.
bool ShouldCompactProactively(const Node& node);

// Whether a proactive compaction of the zone has reached its end: its own score is not above the lower mark.
bool CompactedEnough(const Node& node, const Zone& zone);

}  // namespace numasim

#endif  // NUMASIM_MODELS_COMPACTION_PROACTIVE_H_
