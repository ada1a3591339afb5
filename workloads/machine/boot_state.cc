#include "workloads/machine/boot_state.h"

#include <algorithm>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "models/base/huge_size.h"
#include "models/base/types.h"
#include "workloads/kernel_args.h"
#include "workloads/operations.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using nlohmann::json;

constexpr int64_t kMostListEntries = 4096;  // zones, CPUs of a zone and the like

// What is wrong with a recording, thrown from deep inside it and caught in ParseBootState.
struct Mistake : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A value of the recording that knows where it is. Each getter throws a Mistake that names the place, the
// value and what would be right.
class Field {
 public:
  Field(const json& value, std::string place) : value_(value), place_(std::move(place)) {}

  Field At(const std::string& key) const {
    if (!value_.is_object()) Fail("an object");
    const auto found = value_.find(key);
    if (found == value_.end()) throw Mistake(absl::StrCat(Below(key), ": is missing"));
    return {*found, Below(key)};
  }
  bool Has(const std::string& key) const { return value_.is_object() && value_.contains(key); }

  std::vector<Field> List(int64_t most = kMostListEntries) const {
    if (!value_.is_array() || static_cast<int64_t>(value_.size()) > most)
      Fail(absl::StrCat("a list of at most ", most));
    std::vector<Field> out;
    for (size_t i = 0; i < value_.size(); ++i) out.emplace_back(value_[i], absl::StrCat(place_, "[", i, "]"));
    return out;
  }
  std::vector<std::pair<std::string, Field>> Entries() const {
    if (!value_.is_object()) Fail("an object");
    std::vector<std::pair<std::string, Field>> out;
    for (const auto& [key, value] : value_.items()) out.emplace_back(key, Field(value, Below(key)));
    return out;
  }

  int64_t Number(int64_t least, int64_t most) const {
    const bool fits = value_.is_number_integer() &&
                      (!value_.is_number_unsigned() || value_.get<uint64_t>() <= static_cast<uint64_t>(most));
    if (!fits || value_.get<int64_t>() < least || value_.get<int64_t>() > most)
      Fail(absl::StrCat("a whole number from ", least, " to ", most));
    return value_.get<int64_t>();
  }
  std::string Text() const {
    if (!value_.is_string()) Fail("a text");
    return value_.get<std::string>();
  }

  [[noreturn]] void Fail(const std::string& expected) const {
    const std::string text = value_.is_string() ? value_.get<std::string>()
                                                : value_.dump(-1, ' ', true, json::error_handler_t::replace);
    throw Mistake(absl::StrCat(place_.empty() ? "the file" : place_, ": ", Quoted(text),
                               " is wrong; expected ", expected));
  }
  const json& value() const { return value_; }

 private:
  std::string Below(const std::string& key) const {
    return place_.empty() ? key : absl::StrCat(place_, ".", key);
  }

  const json& value_;
  std::string place_;
};

uint64_t Pages(const Field& field) { return static_cast<uint64_t>(field.Number(0, kMaxZonePages)); }

uint64_t Blocks(const Field& field) { return static_cast<uint64_t>(field.Number(0, kMaxZonePages)); }

int Node(const Field& field) { return static_cast<int>(field.Number(0, kMaxNodes - 1)); }

int Small(const Field& field) {
  return static_cast<int>(field.Number(0, std::numeric_limits<int32_t>::max()));
}

void ReadZone(const Field& from, RecordedZone& zone) {
  zone.set_node(Node(from.At("node")));
  zone.set_name(from.At("zone").Text());
  if (std::find(std::begin(kZoneNames), std::end(kZoneNames), zone.name()) == std::end(kZoneNames))
    from.At("zone").Fail("DMA, DMA32, Normal or Movable");
  zone.set_start_pfn(static_cast<uint64_t>(from.At("start_pfn").Number(0, kMaxPfn)));
  zone.set_spanned(Pages(from.At("spanned")));
  zone.set_present(Pages(from.At("present")));
  zone.set_managed(Pages(from.At("managed")));
  zone.set_free(Pages(from.At("free")));
  zone.set_min(Pages(from.At("min")));
  zone.set_low(Pages(from.At("low")));
  zone.set_high(Pages(from.At("high")));
  if (zone.present() > zone.spanned())
    from.At("present").Fail(absl::StrCat("at most ", zone.spanned(), ", as spanned"));
  if (zone.managed() > zone.present())
    from.At("managed").Fail(absl::StrCat("at most ", zone.present(), ", as present"));
  if (zone.free() > zone.managed())
    from.At("free").Fail(absl::StrCat("at most ", zone.managed(), ", as managed"));
  for (const Field& pages : from.At("protection").List()) zone.add_protection(Pages(pages));
  for (const Field& pcp : from.At("pcp").List()) {
    PcpList& list = *zone.add_pcp();
    list.set_cpu(static_cast<int>(pcp.At("cpu").Number(0, kMaxCpus - 1)));
    list.set_count(static_cast<int>(pcp.At("count").Number(0, static_cast<int64_t>(zone.managed()))));
    list.set_high(Small(pcp.At("high")));
    list.set_batch(Small(pcp.At("batch")));
  }
}

RecordedZone* FindZone(Machine& machine, const Field& entry) {
  const int node = Node(entry.At("node"));
  const std::string name = entry.At("zone").Text();
  for (RecordedZone& zone : *machine.mutable_zone()) {
    if (zone.node() == node && zone.name() == name) return &zone;
  }
  return nullptr;
}

void ReadFreeBlocks(const Field& counters, Machine& machine) {
  for (const Field& entry : counters.At("buddyinfo").List()) {
    RecordedZone* zone = FindZone(machine, entry);
    if (zone == nullptr) continue;
    for (const Field& blocks : entry.At("free").List(kOrders)) zone->add_free_total(Blocks(blocks));
  }
  if (counters.Has("free_by_type")) {
    for (const Field& entry : counters.At("free_by_type").List()) {
      RecordedZone* zone = FindZone(machine, entry);
      if (zone == nullptr) continue;
      FreeBlocks& list = *zone->add_free_blocks();
      list.set_type(entry.At("type").Text());
      for (const Field& blocks : entry.At("free").List(kOrders)) list.add_blocks(Blocks(blocks));
    }
  }
  if (!counters.Has("blocks_by_type")) return;
  // Without CMA: Unmovable, Movable, Reclaimable, HighAtomic, Isolate.
  static constexpr const char* kTypes[] = {"Unmovable", "Movable", "Reclaimable", "HighAtomic", "Isolate"};
  for (const Field& entry : counters.At("blocks_by_type").List()) {
    RecordedZone* zone = FindZone(machine, entry);
    if (zone == nullptr) continue;
    size_t type = 0;
    for (const Field& count : entry.At("blocks").List()) {
      if (type >= std::size(kTypes)) break;
      PageblockCount& pageblocks = *zone->add_pageblocks();
      pageblocks.set_type(kTypes[type++]);
      pageblocks.set_count(Blocks(count));
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

void ReadCpus(const Field& counters, int nodes, Machine& machine) {
  std::map<int64_t, int> node_of_cpu;
  for (const auto& [name, list] : counters.At("cpulist").Entries()) {
    const auto node = ParseCount(name, 0, nodes - 1);
    if (!node.ok()) list.Fail(absl::StrCat("a node from 0 to ", nodes - 1, " as its key"));
    const std::vector<std::string> parts = absl::StrSplit(list.Text(), ',', absl::SkipWhitespace());
    for (const std::string& part : parts) {
      const std::vector<std::string> ends = absl::StrSplit(part, '-');
      const auto first = ParseCount(ends.front(), 0, kMaxCpus - 1);
      const auto last = ParseCount(ends.back(), 0, kMaxCpus - 1);
      if (!first.ok() || !last.ok() || ends.size() > 2) list.Fail("a list of CPUs such as 0-3,8");
      for (int64_t cpu = *first; cpu <= *last; ++cpu) node_of_cpu[cpu] = static_cast<int>(*node);
    }
  }
  if (node_of_cpu.empty()) counters.At("cpulist").Fail("a CPU on at least one node");
  int64_t next = 0;
  for (const auto& [cpu, node] : node_of_cpu) {
    if (cpu != next++)
      counters.At("cpulist").Fail(absl::StrCat("CPUs without a gap; CPU ", next - 1, " is on no node"));
    machine.mutable_cpus()->add_node_of_cpu(node);
  }
}

void ReadDistances(const Field& rows, Machine& machine) {
  const auto nodes = static_cast<int64_t>(rows.Entries().size());
  for (int64_t n = 0; n < nodes; ++n) {
    auto& row = *machine.add_distance();
    const Field from = rows.At(std::to_string(n));
    for (const Field& distance : from.List()) row.add_to(static_cast<int>(distance.Number(10, 254)));
    if (row.to_size() != nodes) from.Fail(absl::StrCat("a distance to each of the ", nodes, " nodes"));
  }
}

// "1:1G:512M": node, what it may grow to, what it has at boot.
void ReadVirtioMem(const Field& from, Machine& machine) {
  const std::vector<std::string> parts = absl::StrSplit(from.Text(), ':');
  const auto node = ParseCount(parts[0], 0, std::max(0, machine.distance_size() - 1));
  if (parts.size() != 3 || !node.ok() || !ParseSize(parts[1]).ok() || !ParseSize(parts[2]).ok())
    from.Fail("NODE:MAX:PLUGGED, such as 1:1G:512M, of a node that exists");
  machine.mutable_virtio_mem()->set_node(static_cast<int>(*node));
  machine.mutable_virtio_mem()->set_max(parts[1]);
  machine.mutable_virtio_mem()->set_plugged(parts[2]);
}

void ReadDisk(const Field& from, Machine& machine) {
  if (!ParseSize(from.Text()).ok()) from.Fail("the size of the disk, such as 8G");
  machine.set_disk(from.Text());
}

// The pools, by size: of the machine, and of each node.
void ReadPools(const Field& hugetlb, Machine& machine) {
  for (const auto& [size, places] : hugetlb.Entries()) {
    if (std::find(std::begin(kHugeSizeNames), std::end(kHugeSizeNames), size) == std::end(kHugeSizeNames))
      places.Fail("a size of huge pages, 2M or 1G, as its key");
    for (const auto& [place, values] : places.Entries()) {
      const auto number = [&values = values](const char* name) {
        return values.At(name).Number(0, kMaxZonePages);
      };
      HugePages& pool = *machine.add_hugepages();
      pool.set_size(size);
      pool.set_nr(number("nr_hugepages"));
      pool.set_free(number("free_hugepages"));
      pool.set_surplus(number("surplus_hugepages"));
      if (pool.free() > pool.nr())
        values.At("free_hugepages").Fail(absl::StrCat("at most ", pool.nr(), ", as nr_hugepages"));
      if (place == "global") {
        pool.set_reserved(number("resv_hugepages"));
        pool.set_overcommit(number("nr_overcommit_hugepages"));
        continue;
      }
      const auto node = ParseCount(place.rfind("node", 0) == 0 ? place.substr(4) : place, 0,
                                   std::max(0, machine.distance_size() - 1));
      if (!node.ok())
        values.Fail(absl::StrCat("global, or a node from node0 to node", machine.distance_size() - 1,
                                 ", as its key"));
      pool.set_node(static_cast<int>(*node));
    }
  }
}

void CheckNumbers(const Field& object, int64_t most) {
  for (const auto& [name, value] : object.Entries()) value.Number(0, most);
}

// The counters that conforming moves on from must be numbers, with room to count on.
void CheckCounters(const Field& counters) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 2;
  for (const char* flat : {"vmstat", "meminfo"}) {
    if (!counters.Has(flat)) continue;
    CheckNumbers(counters.At(flat), kMost);
  }
  for (const char* by_node : {"numastat", "node_meminfo"}) {
    if (!counters.Has(by_node)) continue;
    for (const auto& [node, values] : counters.At(by_node).Entries()) CheckNumbers(values, kMost);
  }
  if (!counters.Has("hugetlb")) return;
  for (const auto& [size, places] : counters.At("hugetlb").Entries()) {
    for (const auto& [place, values] : places.Entries()) CheckNumbers(values, kMost);
  }
}

void Read(const json& root, BootState& state) {
  const Field steps = Field(root, "").At("steps");
  if (!steps.value().is_array() || steps.value().empty())
    steps.Fail("a list that begins with the state after boot");
  const Field counters = Field(steps.value()[0], "steps[0]").At("counters");
  Machine& machine = state.machine;
  ReadDistances(counters.At("distance"), machine);
  for (const Field& zone : counters.At("zoneinfo").List()) ReadZone(zone, *machine.add_zone());
  if (machine.zone().empty()) counters.At("zoneinfo").Fail("at least one zone");
  ReadFreeBlocks(counters, machine);
  for (RecordedZone& zone : *machine.mutable_zone()) Reconcile(zone);
  machine.set_min_free_kbytes(counters.At("min_free_kbytes").Number(0, kMaxZonePages));
  if (counters.Has("cmdline")) machine.set_kernel_args(counters.At("cmdline").Text());
  // Recorded kernels are Debian's. THP had its effect on min_free_kbytes already.
  const KernelArgs args = ParseKernelArgs(machine.kernel_args(), machine.distance_size());
  machine.mutable_kernel()->mutable_thp()->set_enabled(args.thp_enabled.value_or(Thp().enabled()));
  if (counters.Has("hugetlb")) ReadPools(counters.At("hugetlb"), machine);
  if (Field(root, "").Has("machine") && Field(root, "").At("machine").Has("virtio_mem"))
    ReadVirtioMem(Field(root, "").At("machine").At("virtio_mem"), machine);
  if (Field(root, "").Has("machine") && Field(root, "").At("machine").Has("disk"))
    ReadDisk(Field(root, "").At("machine").At("disk"), machine);
  CheckCounters(counters);
  state.counters = counters.value();
  ReadCpus(counters, machine.distance_size(), machine);
}

// A recording is a few levels deep; what is deeper would take the stack of whoever prints it.
json ParseJson(const std::string& text) {
  constexpr int kMostLevels = 32;
  return json::parse(text, [](int depth, json::parse_event_t, const json&) {
    if (depth > kMostLevels) throw Mistake(absl::StrCat("is nested more than ", kMostLevels, " levels deep"));
    return true;
  });
}

// nlohmann's words without its own number of the error, and without a piece of the file, which may be any
// file.
std::string ReasonOf(const json::exception& error) {
  std::string reason = error.what();
  if (const size_t end = reason.find("] "); end != std::string::npos) reason.erase(0, end + 2);
  if (const size_t piece = reason.find("; last read: "); piece != std::string::npos) reason.erase(piece);
  return reason;
}

}  // namespace

absl::StatusOr<BootState> ParseBootState(const std::string& name, const std::string& text) {
  BootState state;
  try {
    Read(ParseJson(text), state);
  } catch (const Mistake& mistake) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", mistake.what(), " (a recorded boot state: its machine and step 0)"));
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", ReasonOf(error), "; expected the JSON of a recorded boot state"));
  }
  return state;
}

}  // namespace numasim::workloads
