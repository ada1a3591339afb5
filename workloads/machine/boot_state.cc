#include "workloads/machine/boot_state.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using nlohmann::json;

// Recordings name CPUs per node as a list ("0-3,8") that may be longer than a set of nodes; CPUs beyond this
// are refused.
constexpr int kMaxListedCpus = 4096;

void ReadZones(const json& counters, Machine& machine) {
  for (const json& from : counters.at("zoneinfo")) {
    RecordedZone& zone = *machine.add_zone();
    zone.set_node(from.at("node"));
    zone.set_name(from.at("zone"));
    zone.set_start_pfn(from.at("start_pfn"));
    zone.set_spanned(from.at("spanned"));
    zone.set_present(from.at("present"));
    zone.set_managed(from.at("managed"));
    zone.set_free(from.at("free"));
    zone.set_min(from.at("min"));
    zone.set_low(from.at("low"));
    zone.set_high(from.at("high"));
    for (uint64_t pages : from.at("protection")) zone.add_protection(pages);
    for (const json& pcp : from.at("pcp")) {
      PcpList& list = *zone.add_pcp();
      list.set_cpu(pcp.at("cpu"));
      list.set_count(pcp.at("count"));
      list.set_high(pcp.at("high"));
      list.set_batch(pcp.at("batch"));
    }
  }
}

RecordedZone* FindZone(Machine& machine, const json& entry) {
  for (RecordedZone& zone : *machine.mutable_zone()) {
    if (zone.node() == entry.at("node").get<int>() && zone.name() == entry.at("zone").get<std::string>())
      return &zone;
  }
  return nullptr;
}

void ReadFreeBlocks(const json& counters, Machine& machine) {
  for (const json& entry : counters.at("buddyinfo")) {
    RecordedZone* zone = FindZone(machine, entry);
    if (zone == nullptr) continue;
    for (uint64_t blocks : entry.at("free")) zone->add_free_total(blocks);
  }
  if (counters.contains("free_by_type")) {
    for (const json& entry : counters.at("free_by_type")) {
      RecordedZone* zone = FindZone(machine, entry);
      if (zone == nullptr) continue;
      FreeBlocks& list = *zone->add_free_blocks();
      list.set_type(entry.at("type"));
      for (uint64_t blocks : entry.at("free")) list.add_blocks(blocks);
    }
  }
  if (!counters.contains("blocks_by_type")) return;
  // Without CMA: Unmovable, Movable, Reclaimable, HighAtomic, Isolate.
  static constexpr const char* kTypes[] = {"Unmovable", "Movable", "Reclaimable", "HighAtomic", "Isolate"};
  for (const json& entry : counters.at("blocks_by_type")) {
    RecordedZone* zone = FindZone(machine, entry);
    if (zone == nullptr) continue;
    size_t type = 0;
    for (uint64_t count : entry.at("blocks")) {
      if (type >= std::size(kTypes)) break;
      PageblockCount& pageblocks = *zone->add_pageblocks();
      pageblocks.set_type(kTypes[type++]);
      pageblocks.set_count(count);
    }
  }
}

// pagetypeinfo and buddyinfo are read one after the other while the machine runs: where they disagree by a
// few blocks, buddyinfo decides, and the movable list takes up the difference.
void Reconcile(RecordedZone& zone) {
  if (zone.free_blocks().empty()) return;
  FreeBlocks* movable = nullptr;
  for (FreeBlocks& list : *zone.mutable_free_blocks()) {
    if (list.type() == "Movable") movable = &list;
  }
  if (movable == nullptr) {
    movable = zone.add_free_blocks();
    movable->set_type("Movable");
  }
  for (int order = 0; order < zone.free_total_size(); ++order) {
    uint64_t listed = 0;
    for (const FreeBlocks& list : zone.free_blocks())
      listed += order < list.blocks_size() ? list.blocks(order) : 0;
    while (movable->blocks_size() <= order) movable->add_blocks(0);
    const uint64_t total = zone.free_total(order);
    if (total > listed) movable->set_blocks(order, movable->blocks(order) + total - listed);
    for (uint64_t excess = listed > total ? listed - total : 0; excess > 0;) {
      // Movable blocks go first, then those of the other types in turn.
      FreeBlocks* from = movable->blocks(order) > 0 ? movable : nullptr;
      for (FreeBlocks& list : *zone.mutable_free_blocks()) {
        if (from == nullptr && order < list.blocks_size() && list.blocks(order) > 0) from = &list;
      }
      const uint64_t take = std::min(excess, from->blocks(order));
      from->set_blocks(order, from->blocks(order) - take);
      excess -= take;
    }
  }
}

absl::Status ReadCpus(const json& counters, Machine& machine) {
  std::map<int, int> node_of_cpu;
  for (const auto& [node, list] : counters.at("cpulist").items()) {
    const std::vector<std::string> parts =
        absl::StrSplit(list.get<std::string>(), ',', absl::SkipWhitespace());
    for (const std::string& part : parts) {
      const std::vector<std::string> ends = absl::StrSplit(part, '-');
      auto first = ParseCount(ends.front(), 0, kMaxListedCpus - 1);
      auto last = ParseCount(ends.back(), 0, kMaxListedCpus - 1);
      if (!first.ok() || !last.ok()) {
        return absl::InvalidArgumentError(absl::StrCat("cpulist: ", Quoted(list.get<std::string>()),
                                                       " is no list of CPUs; expected one such as 0-3,8"));
      }
      for (int64_t cpu = *first; cpu <= *last; ++cpu) node_of_cpu[static_cast<int>(cpu)] = std::stoi(node);
    }
  }
  int next = 0;
  for (const auto& [cpu, node] : node_of_cpu) {
    if (cpu != next++)
      return absl::InvalidArgumentError(absl::StrCat("cpulist: CPU ", next - 1, " is on no node"));
    machine.mutable_cpus()->add_node_of_cpu(node);
  }
  return absl::OkStatus();
}

absl::Status Read(const json& root, BootState& state) {
  const json& steps = root.at("steps");
  if (steps.empty())
    return absl::InvalidArgumentError("steps: is empty; expected step 0, the state after boot");
  const json& counters = steps.at(0).at("counters");
  Machine& machine = state.machine;
  for (size_t n = 0; n < counters.at("distance").size(); ++n) {
    auto& row = *machine.add_distance();
    for (int distance : counters.at("distance").at(std::to_string(n))) row.add_to(distance);
  }
  ReadZones(counters, machine);
  ReadFreeBlocks(counters, machine);
  for (RecordedZone& zone : *machine.mutable_zone()) Reconcile(zone);
  machine.set_min_free_kbytes(counters.at("min_free_kbytes").get<int64_t>());
  // Recorded kernels are Debian's, whose THP default had its effect on min_free_kbytes already.
  machine.mutable_kernel()->mutable_thp()->set_enabled(machine.kernel().thp().enabled());
  if (counters.contains("cmdline")) machine.set_kernel_args(counters.at("cmdline").get<std::string>());
  state.counters = counters;
  return ReadCpus(counters, machine);
}

}  // namespace

absl::StatusOr<BootState> ParseBootState(const std::string& name, const std::string& text) {
  BootState state;
  try {
    const json root = json::parse(text);
    absl::Status status = Read(root, state);
    if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat(name, ": ", status.message()));
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", error.what(), "; expected the JSON of a recorded boot state"));
  }
  return state;
}

}  // namespace numasim::workloads
