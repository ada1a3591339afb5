#include "models/compaction/proactive.h"

#include <algorithm>
#include <cstdint>

#include "models/base/types.h"
#include "models/compaction/suitability.h"
#include "models/physical/node_zones.h"

namespace numasim {
namespace {

// fragmentation_score_wmark(), the lower one.
int LowerMark(const Node& node) { return std::max(100 - node.vm.compaction_proactiveness, 5); }

}  // namespace

int FragmentationScore(const Node& node) {
  int64_t present = 0;
  for (const Zone& zone : PopulatedZones(node, ZoneType::kMovable)) present += zone.present();
  int score = 0;
  for (const Zone& zone : PopulatedZones(node, ZoneType::kMovable)) {
    const int64_t weighted = zone.present() * UnusableFreePercent(zone, kPageblockOrder);
    score += static_cast<int>(weighted / (present + 1));
  }
  return score;
}

bool ShouldCompactProactively(const Node& node) {
  if (node.vm.compaction_proactiveness == 0 || node.kswapd_runs) return false;
  return FragmentationScore(node) > std::min(LowerMark(node) + 10, 100);
}

bool CompactedEnough(const Node& node, const Zone& zone) {
  return UnusableFreePercent(zone, kPageblockOrder) <= LowerMark(node);
}

}  // namespace numasim
