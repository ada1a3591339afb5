// Boot: the zones of a machine and which of their frames are free when the simulation starts. Called once,
// before the engine runs.
//
// A described machine boots empty: every managed frame is free. A recorded one starts as it was found: as
// many free blocks of each order and type as /proc showed, and as many pages on PCP lists, at plausible
// addresses, since /proc does not say which.
#ifndef NUMASIM_MODELS_PHYSICAL_BOOT_H_
#define NUMASIM_MODELS_PHYSICAL_BOOT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/base/huge_size.h"
#include "models/base/memory_device.h"
#include "models/physical/layout.h"
#include "models/physical/reserves.h"
#include "models/physical/zone.h"

namespace numasim {

class RecordedZone;

// Where the zones of a described machine lie: node after node from address 0, with a PC's hole below 4 GiB,
// DMA below 16 MiB, DMA32 below 4 GiB, Normal above, and `movablecore_pages` in equal parts at the tops of
// the nodes as Movable, which the field or boot argument `movablecore_where` says. `node_pages` is the memory
// of each node in pages; nodes without memory have no zones.
absl::StatusOr<std::vector<Zone::Extent>> DescribedZones(
    const std::vector<int64_t>& node_pages, int64_t movablecore_pages,
    const std::string& movablecore_where = "movablecore");

// The extents of recorded zones, checked.
absl::StatusOr<std::vector<Zone::Extent>> RecordedZones(const std::vector<RecordedZone>& recorded);

// Adds the address range of a device's memory to the zone that takes it, which is made if there is none: from
// the first GiB boundary on that is above 4 GiB and above all zones. Where `recorded`, memory that is plugged
// is already counted in the zone, as the highest of it.
absl::Status AddDevice(const MemoryDevice& device, bool recorded, std::vector<Zone::Extent>& zones);

// The huge pages of each recorded zone: those of a node (`pages`, by size) are in its highest zones, as far
// as these have room for them beside what was recorded as free. `where` is the field that says how many there
// are.
struct NodeHugePages {
  NodeId node;
  HugeSize size = HugeSize::k2M;
  int64_t pages = 0;
  std::string where;
};
absl::StatusOr<std::vector<HugePageCounts>> ShareHugePages(const std::vector<RecordedZone>& recorded,
                                                           const std::vector<Zone::Extent>& extents,
                                                           const std::vector<NodeHugePages>& nodes);

// Makes all managed frames and what is plugged of a device free.
void BootEmpty(Zone& zone);

// Makes free what was recorded as free, `huge` pages HugeTLB's, and the rest allocated to the kernel.
absl::Status BootRecorded(Zone& zone, const RecordedZone& recorded, const HugePageCounts& huge = {});

// What was recorded of the zones' watermarks, lowmem reserves and PCP limits, in the place of what was
// computed (`settings`, by zone). `watermarks`: those of a zone without any are zero; else they are left.
std::vector<Reserves::ZoneSettings> RecordedSettings(const std::vector<RecordedZone>& recorded,
                                                     bool watermarks, const std::vector<Zone*>& zones,
                                                     std::vector<Reserves::ZoneSettings> settings);

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_BOOT_H_
