// Parsers for the kernel's texts about zones: /proc/zoneinfo, /proc/buddyinfo and /proc/pagetypeinfo, as
// Linux 4.15 and later write them. They work on text that was read elsewhere, so that a file saved from
// another machine is as good.
//
// `file` is the name used in errors, which read "FILE:LINE: FIELD: what is wrong". Lines and fields that
// these parsers do not know are passed over, because kernels add some with every release; a field they need
// must be there and right.
#ifndef NUMASIM_WORKLOADS_MACHINE_PROC_FILES_H_
#define NUMASIM_WORKLOADS_MACHINE_PROC_FILES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/scenario.pb.h"

namespace numasim::workloads {

// A zone by node number and kernel name ("DMA32").
using ZoneKey = std::pair<int, std::string>;

// The zones of /proc/zoneinfo that have memory, in its order, without free blocks. Sizes are in pages.
absl::StatusOr<std::vector<RecordedZone>> ParseZoneinfo(absl::string_view text, absl::string_view file);

// Free blocks by order of each zone.
using FreeBlocksByZone = std::map<ZoneKey, std::vector<uint64_t>>;
absl::StatusOr<FreeBlocksByZone> ParseBuddyinfo(absl::string_view text, absl::string_view file);

// What /proc/pagetypeinfo says of one migratetype in one zone. The kernel stops counting at 100,000 blocks
// and prints
// ">100000": such an order is in `capped`, and free_blocks holds the lower bound.
struct PagetypeRow {
  std::string type;                   // "Unmovable", "Movable", "Reclaimable", "HighAtomic", "CMA", "Isolate"
  std::vector<uint64_t> free_blocks;  // by order
  std::vector<bool> capped;           // by order
  uint64_t pageblocks = 0;
};

struct Pagetypeinfo {
  int pageblock_order = 0;
  std::map<ZoneKey, std::vector<PagetypeRow>> zones;  // types in the kernel's order
};

absl::StatusOr<Pagetypeinfo> ParsePagetypeinfo(absl::string_view text, absl::string_view file);

// The setting in brackets of a sysfs choice such as "always [madvise] never".
absl::StatusOr<std::string> ParseChoice(absl::string_view text, absl::string_view file);

// A whole number alone in a file.
absl::StatusOr<int64_t> ParseNumber(absl::string_view text, absl::string_view file);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_PROC_FILES_H_
