#include "workloads/machine/zone_files.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace numasim::workloads {
namespace {

// How often the free lists are read again when two files about them differ.
constexpr int kConsistentReadTries = 10;

bool IsCapped(const PagetypeRow& row) {
  return std::find(row.capped.begin(), row.capped.end(), true) != row.capped.end();
}

// Free blocks by order over all migratetypes.
std::vector<uint64_t> SumOverTypes(const std::vector<PagetypeRow>& rows) {
  std::vector<uint64_t> sums;
  for (const PagetypeRow& row : rows) {
    sums.resize(std::max(sums.size(), row.free_blocks.size()));
    for (size_t order = 0; order < row.free_blocks.size(); ++order) sums[order] += row.free_blocks[order];
  }
  return sums;
}

// The kernel counts no more than 100,000 blocks of a type. buddyinfo has the sum over types: what is left of
// it after the other types goes to the first capped one.
void ResolveCapped(const std::vector<uint64_t>& totals, std::vector<PagetypeRow>& rows) {
  const std::vector<uint64_t> known = SumOverTypes(rows);
  for (size_t order = 0; order < std::min(known.size(), totals.size()); ++order) {
    if (totals[order] <= known[order]) continue;
    for (PagetypeRow& row : rows) {
      if (order >= row.capped.size() || !row.capped[order]) continue;
      row.free_blocks[order] += totals[order] - known[order];
      break;
    }
  }
}

// Adds what there is of a migratetype; a type that a zone does not have is not mentioned.
void AddType(const PagetypeRow& row, RecordedZone& zone) {
  if (std::any_of(row.free_blocks.begin(), row.free_blocks.end(),
                  [](uint64_t count) { return count != 0; })) {
    FreeBlocks& blocks = *zone.add_free_blocks();
    blocks.set_type(row.type);
    blocks.mutable_blocks()->Assign(row.free_blocks.begin(), row.free_blocks.end());
  }
  if (row.pageblocks != 0) {
    PageblockCount& count = *zone.add_pageblocks();
    count.set_type(row.type);
    count.set_count(row.pageblocks);
  }
}

absl::StatusOr<ZoneFiles> ReadZoneFilesOnce(const SystemFiles& system) {
  const absl::StatusOr<std::string> zoneinfo = system.Read(kZoneinfo);
  const absl::StatusOr<std::string> buddyinfo = system.Read(kBuddyinfo);
  const absl::StatusOr<std::string> pagetypeinfo = system.Read(kPagetypeinfo);
  if (!zoneinfo.ok()) return zoneinfo.status();
  if (!buddyinfo.ok()) return buddyinfo.status();
  ZoneFiles files;
  absl::StatusOr<std::vector<RecordedZone>> zones = ParseZoneinfo(*zoneinfo, system.PathOf(kZoneinfo));
  if (!zones.ok()) return zones.status();
  files.zones = *std::move(zones);
  absl::StatusOr<FreeBlocksByZone> totals = ParseBuddyinfo(*buddyinfo, system.PathOf(kBuddyinfo));
  if (!totals.ok()) return totals.status();
  files.free_total = *std::move(totals);
  // Only root may read it, and it is not everywhere.
  if (absl::IsPermissionDenied(pagetypeinfo.status()) || absl::IsNotFound(pagetypeinfo.status()))
    return files;
  if (!pagetypeinfo.ok()) return pagetypeinfo.status();
  absl::StatusOr<Pagetypeinfo> types = ParsePagetypeinfo(*pagetypeinfo, system.PathOf(kPagetypeinfo));
  if (!types.ok()) return types.status();
  for (auto& [key, rows] : types->zones) {
    if (std::any_of(rows.begin(), rows.end(), IsCapped)) ResolveCapped(files.free_total[key], rows);
  }
  files.pagetypes = *std::move(types);
  return files;
}

}  // namespace

bool TypesAddUp(const ZoneFiles& files) {
  if (!files.pagetypes.has_value()) return true;
  return std::all_of(files.free_total.begin(), files.free_total.end(), [&](const auto& entry) {
    const auto rows = files.pagetypes->zones.find(entry.first);
    return rows == files.pagetypes->zones.end() || SumOverTypes(rows->second) == entry.second;
  });
}

absl::StatusOr<ZoneFiles> ReadZoneFiles(const SystemFiles& system) {
  absl::StatusOr<ZoneFiles> files = ReadZoneFilesOnce(system);
  for (int tries = 1; tries < kConsistentReadTries && files.ok() && !TypesAddUp(*files); ++tries) {
    files = ReadZoneFilesOnce(system);
  }
  return files;
}

absl::Status SetFreeBlocks(const SystemFiles& system, const ZoneFiles& files, RecordedZone& zone) {
  const ZoneKey key(zone.node(), zone.name());
  const auto totals = files.free_total.find(key);
  if (totals == files.free_total.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(system.PathOf(kBuddyinfo), ": has no line for node ", key.first, ", zone ", key.second));
  }
  std::vector<uint64_t> free_total = totals->second;
  if (files.pagetypes.has_value()) {
    const auto rows = files.pagetypes->zones.find(key);
    if (rows == files.pagetypes->zones.end()) {
      return absl::InvalidArgumentError(absl::StrCat(system.PathOf(kPagetypeinfo), ": has no lines for node ",
                                                     key.first, ", zone ", key.second));
    }
    for (const PagetypeRow& row : rows->second) AddType(row, zone);
    free_total = SumOverTypes(rows->second);
  }
  zone.mutable_free_total()->Assign(free_total.begin(), free_total.end());
  // zoneinfo's own value lags behind the lists by up to each CPU's stat threshold.
  uint64_t free_pages = 0;
  for (size_t order = 0; order < free_total.size(); ++order) free_pages += free_total[order] << order;
  zone.set_free(free_pages);
  return absl::OkStatus();
}

}  // namespace numasim::workloads
