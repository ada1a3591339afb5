// The zones of a node that a walk over them looks at, from the lowest one up to `highest`. On the LP of the
// node.
#ifndef NUMASIM_MODELS_PHYSICAL_NODE_ZONES_H_
#define NUMASIM_MODELS_PHYSICAL_NODE_ZONES_H_

#include <memory>
#include <ranges>

#include "models/base/types.h"
#include "models/physical/node.h"
#include "models/physical/zone.h"

namespace numasim {

// Those for which has(zone), by type.
template <typename Has>
auto ZonesUpTo(const Node& node, ZoneType highest, Has has) {
  return node.zones | std::views::take(static_cast<int>(highest) + 1) |
         std::views::filter(
             [has](const std::unique_ptr<Zone>& zone) { return zone != nullptr && has(*zone); }) |
         std::views::transform([](const std::unique_ptr<Zone>& zone) -> Zone& { return *zone; });
}

// That have memory which the allocator gives out (for_each_managed_zone_pgdat).
inline auto ManagedZones(const Node& node, ZoneType highest) {
  return ZonesUpTo(node, highest, [](const Zone& zone) { return zone.managed() > 0; });
}

// That have memory at all (populated_zone).
inline auto PopulatedZones(const Node& node, ZoneType highest) {
  return ZonesUpTo(node, highest, [](const Zone& zone) { return zone.present() > 0; });
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_NODE_ZONES_H_
