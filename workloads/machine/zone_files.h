// The three files in which /proc shows zones and their free lists, read together so that they agree.
#ifndef NUMASIM_WORKLOADS_MACHINE_ZONE_FILES_H_
#define NUMASIM_WORKLOADS_MACHINE_ZONE_FILES_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/scenario.pb.h"
#include "workloads/machine/proc_files.h"
#include "workloads/machine/system_files.h"

namespace numasim::workloads {

inline constexpr absl::string_view kZoneinfo = "/proc/zoneinfo";
inline constexpr absl::string_view kBuddyinfo = "/proc/buddyinfo";
inline constexpr absl::string_view kPagetypeinfo = "/proc/pagetypeinfo";

// The three files about zones, read one right after the other.
struct ZoneFiles {
  std::vector<RecordedZone> zones;
  FreeBlocksByZone free_total;
  std::optional<Pagetypeinfo> pagetypes;  // nothing without the permission to read it
};

// Reads them one right after the other, again where two of them differ.
absl::StatusOr<ZoneFiles> ReadZoneFiles(const SystemFiles& system);

// Whether buddyinfo and pagetypeinfo agree on the free blocks of every zone.
bool TypesAddUp(const ZoneFiles& files);

// Sets what the zone, which has the machine's number of its node, has in free blocks and pageblocks. An error
// names the file that lacks the zone.
absl::Status SetFreeBlocks(const SystemFiles& system, const ZoneFiles& files, RecordedZone& zone);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_ZONE_FILES_H_
