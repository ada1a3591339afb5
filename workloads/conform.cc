#include "workloads/conform.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "models/contig/contig.h"
#include "models/mm/address_space_ops.h"
#include "models/mm/mapped_file_pages.h"
#include "models/physical/memory_system.h"
#include "proto/counter_info.h"
#include "sim/engine.h"
#include "sim/run_control.h"
#include "workloads/machine/resolve.h"
#include "workloads/not_modelled.h"
#include "workloads/recorded_guest.h"
#include "workloads/script_runner.h"

namespace numasim::workloads {
namespace {

using nlohmann::json;

constexpr int64_t kPageKb = kPageSize / 1024;

// What khugepaged scans of the process that is there in every recording, so that its list is never empty: two
// ranges of 2 MiB, one of them a huge page.
constexpr int64_t kKeeperPages = 2 * kPageblockPages;

// The counters as /proc shows them: the recorded ones, moved by what the simulation has counted since.
class CounterView {
 public:
  CounterView(const Kernel& kernel, const ScriptRunner& runner, HugeSize default_huge_size,
              const json& recorded)
      : memory_(kernel.memory()),
        runner_(runner),
        pool_(kernel.pool()),
        thp_(kernel.thp()),
        default_huge_size_(default_huge_size),
        recorded_(recorded) {
    for (int n = 0; n < memory_.node_count(); ++n)
      managed_at_boot_.push_back(ManagedOf(memory_.node(NodeId{n})));
  }

  json Counters() const {
    json out = recorded_;
    for (const char* only_at_boot : {"zoneinfo", "cmdline", "distance", "cpulist", "min_free_kbytes"}) {
      out.erase(only_at_boot);
    }
    NodeCounters(out);
    ZoneCounters(out);
    FreeLists(out);
    HugetlbCounters(out);
    MappedPages(out);
    for (const ThpCounter c : {KHUGEPAGED_PAGES_COLLAPSED, KHUGEPAGED_FULL_SCANS})
      Add(out["vmstat"], NameOf(c).name, thp_.khugepaged().counter(c));
    return out;
  }

 private:
  // Unsigned, as the kernel's are: below zero they wrap round.
  static void Add(json& object, const std::string& key, int64_t delta) {
    if (object.contains(key)) object[key] = object[key].get<uint64_t>() + static_cast<uint64_t>(delta);
  }

  void NodeCounters(json& out) const {
    for (int n = 0; n < memory_.node_count(); ++n) {
      const Node& node = memory_.node(NodeId{n});
      const std::string name = std::to_string(n);
      for (int c = 0; c < NodeCounter_ARRAYSIZE; ++c) {
        const CounterName info = NameOf(static_cast<NodeCounter>(c));
        if (!info.in_kernel) continue;
        const int64_t value = node.counters[static_cast<size_t>(c)];
        Add(out["vmstat"], VmstatName(static_cast<NodeCounter>(c), info), value);
        if (out["numastat"].contains(name)) Add(out["numastat"][name], info.name, value);
      }
      const int64_t anon = node.counters[NR_ANON_PAGES] * kPageKb;
      const int64_t shmem = node.counters[NR_SHMEM] * kPageKb;
      Add(out["meminfo"], "AnonPages", anon);
      Add(out["meminfo"], "Shmem", shmem);
      Add(out["meminfo"], "PageTables", node.counters[NR_PAGE_TABLE_PAGES] * kPageKb);
      const int64_t cached = node.counters[NR_FILE_PAGES] * kPageKb;
      Add(out["meminfo"], "Cached", cached);
      AddLists(out["meminfo"], node);
      if (!out["node_meminfo"].contains(name)) continue;
      Add(out["node_meminfo"][name], "AnonPages", anon);
      Add(out["node_meminfo"][name], "Shmem", shmem);
      Add(out["node_meminfo"][name], "FilePages", cached);
      AddLists(out["node_meminfo"][name], node);
    }
  }

  // What is on the lists: page cache.
  static void AddLists(json& out, const Node& node) {
    const int64_t active = node.counters[NR_ACTIVE_FILE] * kPageKb;
    const int64_t inactive = node.counters[NR_INACTIVE_FILE] * kPageKb;
    Add(out, "Active", active);
    Add(out, "Active(file)", active);
    Add(out, "Inactive", inactive);
    Add(out, "Inactive(file)", inactive);
  }

  // Counted here, between two operations, as no counter is kept of it.
  void MappedPages(json& out) const {
    const std::vector<const Process*> processes = runner_.LiveProcesses();
    const std::vector<int64_t> by_node = MappedFilePages(memory_, processes);
    for (size_t n = 0; n < by_node.size(); ++n) {
      const std::string name = std::to_string(n);
      Add(out["vmstat"], "nr_mapped", by_node[n]);
      Add(out["meminfo"], "Mapped", by_node[n] * kPageKb);
      if (out["node_meminfo"].contains(name)) Add(out["node_meminfo"][name], "Mapped", by_node[n] * kPageKb);
    }
  }

  // /proc/vmstat spells three of numastat's names in its own way.
  static std::string VmstatName(NodeCounter counter, const CounterName& info) {
    switch (counter) {
      case INTERLEAVE_HIT:
        return "numa_interleave";
      case LOCAL_NODE:
        return "numa_local";
      case OTHER_NODE:
        return "numa_other";
      default:
        return info.name;
    }
  }

  static void Set(json& object, const std::string& key, int64_t value) {
    if (object.contains(key)) object[key] = static_cast<uint64_t>(value);
  }

  // The simulated pools begin as the recorded ones were.
  void HugetlbCounters(json& out) const {
    for (int c = 0; c < GlobalCounter_ARRAYSIZE; ++c) {
      const auto counter = static_cast<GlobalCounter>(c);
      Add(out["vmstat"], NameOf(counter).name, pool_.counter(counter));
    }
    int64_t kb = 0;
    for (const HugeSize size : kHugeSizes) {
      const Hstate& h = pool_.hstate(size);
      json& places = out["hugetlb"][kHugeSizeNames[size]];
      for (int c = 0; c < HugetlbCounter_ARRAYSIZE; ++c) {
        const auto counter = static_cast<HugetlbCounter>(c);
        Set(places["global"], NameOf(counter).name, h.counter(counter));
        for (int n = 0; n < h.nodes(); ++n) {
          Set(places[absl::StrCat("node", n)], NameOf(counter).name, h.node(NodeId{n}).counters[counter]);
        }
      }
      Set(places["global"], "nr_hugepages_mempolicy", h.counter(NR_HUGEPAGES));
      kb += h.counter(NR_HUGEPAGES) * (kPageKb << h.order());
    }
    const Hstate& h = pool_.hstate(default_huge_size_);
    Set(out["meminfo"], "HugePages_Total", h.counter(NR_HUGEPAGES));
    Set(out["meminfo"], "HugePages_Free", h.counter(FREE_HUGEPAGES));
    Set(out["meminfo"], "HugePages_Rsvd", h.counter(RESV_HUGEPAGES));
    Set(out["meminfo"], "HugePages_Surp", h.counter(SURPLUS_HUGEPAGES));
    Set(out["meminfo"], "Hugetlb", kb);
  }

  static int64_t ManagedOf(const Node& node) {
    int64_t pages = 0;
    for (const auto& zone : node.zones) pages += zone == nullptr ? 0 : zone->managed();
    return pages;
  }

  void ZoneCounters(json& out) const {
    int64_t free_total = 0;
    for (int n = 0; n < memory_.node_count(); ++n) {
      int64_t free_node = 0;
      for (const auto& zone : memory_.node(NodeId{n}).zones) {
        if (zone == nullptr) continue;
        free_node += zone->buddy().free_pages();
        Add(out["vmstat"], absl::StrCat("pgalloc_", absl::AsciiStrToLower(kZoneNames[zone->type()])),
            zone->counter(PGALLOC));
        for (const ZoneCounter c : {NR_ZONE_INACTIVE_FILE, NR_ZONE_ACTIVE_FILE})
          Add(out["vmstat"], NameOf(c).name, zone->counter(c));
      }
      free_total += free_node;
      const std::string name = std::to_string(n);
      const int64_t more = ManagedOf(memory_.node(NodeId{n})) - managed_at_boot_[static_cast<size_t>(n)];
      Add(out["meminfo"], "MemTotal", more * kPageKb);
      if (!out["node_meminfo"].contains(name)) continue;
      out["node_meminfo"][name]["MemFree"] = free_node * kPageKb;
      Add(out["node_meminfo"][name], "MemTotal", more * kPageKb);
    }
    out["vmstat"]["nr_free_pages"] = free_total;
    out["meminfo"]["MemFree"] = free_total * kPageKb;
  }

  void FreeLists(json& out) const {
    json buddyinfo = json::array();
    json by_type = json::array();
    json pageblocks = json::array();
    for (const Zone* zone : memory_.zones()) {
      if (zone->present() == 0) continue;
      const json where = {{"node", zone->node().value}, {"zone", kZoneNames[zone->type()]}};
      json entry = where;
      for (int order = 0; order < kOrders; ++order) entry["free"].push_back(zone->buddy().blocks(order));
      buddyinfo.push_back(entry);
      for (int type = 0; type < kPcpMigratetypes; ++type) {
        entry = where;
        entry["type"] = kMigratetypeNames[type];
        for (int order = 0; order < kOrders; ++order) {
          entry["free"].push_back(zone->buddy().list(order, static_cast<Migratetype>(type)).count());
        }
        by_type.push_back(entry);
      }
      entry = where;
      entry["blocks"] = PageblocksByType(*zone);
      pageblocks.push_back(entry);
    }
    out["buddyinfo"] = buddyinfo;
    out["free_by_type"] = by_type;
    out["blocks_by_type"] = pageblocks;
  }

  // In the order of a kernel without CMA. Only memory blocks that are online have pageblocks.
  std::vector<int64_t> PageblocksByType(const Zone& zone) const {
    std::vector<int64_t> counts(kMigratetypes - 1, 0);
    const FrameStore& frames = zone.frames();
    for (FrameIndex f = 0; f < frames.frames(); f += kPageblockPages) {
      const Pfn pfn = frames.PfnOf(f);
      if (memory_.ZoneOf(pfn) != &zone || !memory_.blocks().IsOnline(pfn)) continue;
      const Migratetype type = frames.pageblock_type(f);
      if (type == Migratetype::kCma) continue;
      ++counts[type == Migratetype::kIsolate ? counts.size() - 1 : static_cast<size_t>(type)];
    }
    return counts;
  }

  const MemorySystem& memory_;
  const ScriptRunner& runner_;
  const HugetlbPool& pool_;
  const TransparentHugePages& thp_;
  const HugeSize default_huge_size_;
  const json& recorded_;
  std::vector<int64_t> managed_at_boot_;  // by node
};

json ResultJson(const OpResult& result, const MemorySystem& memory, const HugetlbPool& pool,
                sim::Duration took) {
  json out = {{"err", ErrnoName(result.error)}, {"usec", took.ns / 1000}};
  if (result.touch.has_value()) {
    out["ok"] = result.touch->ok;
    out["sigbus"] = result.touch->sigbus;
    out["sigsegv"] = result.touch->sigsegv;
  }
  if (result.moved.has_value()) {
    out["moved"] = result.moved->moved;
    out["not_moved"] = result.moved->not_moved;
  }
  if (result.read.has_value()) out["read_kb"] = *result.read / 1024;
  if (result.plugged.has_value()) out["plugged"] = *result.plugged;
  if (result.block.has_value()) out["block"] = *result.block;
  if (result.offlined.has_value()) out["offlined"] = *result.offlined;
  if (!result.region.has_value()) return out;
  const MappingStats stats = StatsOf(memory, pool, *result.process, *result.region);
  out["rss_kb"] = stats.rss_kb;
  out["anon_kb"] = stats.anon_kb;
  out["private_hugetlb_kb"] = stats.private_hugetlb_kb;
  out["shared_hugetlb_kb"] = stats.shared_hugetlb_kb;
  out["anon_huge_kb"] = stats.anon_huge_kb;
  out["shmem_pmd_kb"] = stats.shmem_pmd_kb;
  for (size_t n = 0; n < stats.node_kb.size(); ++n) {
    if (stats.node_kb[n] != 0) out[absl::StrCat("node", n, "_kb")] = stats.node_kb[n];
  }
  return out;
}

absl::Status Ended(const std::string& place, const std::string& operation, size_t step, size_t steps) {
  return absl::CancelledError(absl::StrCat(place, ": '", operation, "', step ", step, " of ", steps));
}

absl::Status NeverEnds(const sim::Engine& engine, const std::string& place, const std::string& operation) {
  const std::vector<sim::BlockedPath> blocked = engine.blocked_paths();
  return absl::FailedPreconditionError(absl::StrCat(place, ": '", operation, "': never ends: it waits for ",
                                                    blocked.empty() ? "nothing" : blocked.front().waits_for,
                                                    ", begun at ", sim::ToString(engine.now()),
                                                    "; expected an operation that ends"));
}

}  // namespace

absl::StatusOr<Conformance> Conform(const Script& script, const std::string& file, const BootState& boot,
                                    const std::string& boot_file, const std::function<bool()>& ended) {
  const LineName place = [&file](int line) { return absl::StrCat(file, ":", line); };
  const std::string problem = FirstNotModelled(script, place);
  if (!problem.empty()) return absl::UnimplementedError(problem);
  const KernelKnobs& kernel = boot.machine.kernel();
  const Costs costs;
  std::vector<std::string> warnings;
  auto config = ResolveMachine(boot.machine, kernel, warnings);
  const auto in_boot_file = [&boot_file](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat(boot_file, ": ", status.message()));
  };
  if (!config.ok()) return in_boot_file(config.status());
  sim::Engine engine({.threads = 1, .lookahead = costs.hop, .seed = 1});
  auto booted = Kernel::Boot(engine, *config, KernelConfig(kernel), costs, warnings);
  if (!booted.ok()) return in_boot_file(booted.status());
  Kernel& simulated = **booted;
  const std::string lacking = FirstWithoutDevice(script, place, DevicesOf(simulated));
  if (!lacking.empty()) return absl::InvalidArgumentError(lacking);
  simulated.thp().khugepaged().AddForeign(kKeeperPages);
  ScriptRunner runner(simulated, "script", place);
  RecordedGuest guest(simulated);
  // Before the runner and the kernel go, whose state the paths refer to.
  const absl::Cleanup drop = [&engine] { engine.DropPaths(); };
  const HugetlbPool& pool = simulated.pool();
  const CounterView view(simulated, runner, config->hugetlb.default_size, boot.counters);

  engine.SetProgress([&engine, &ended](sim::SimTime, uint64_t) {
    if (ended()) sim::StopRun(engine);
  });
  json steps = json::array();
  steps.push_back({{"step", 0}, {"op", "boot"}, {"result", {{"err", "0"}}}, {"counters", view.Counters()}});
  for (const Op& op : script.ops) {
    const auto ended_here = [&] { return Ended(place(op.line), op.text, steps.size(), script.ops.size()); };
    if (ended()) return ended_here();
    OpResult result;
    bool done = false;
    const sim::SimTime before = engine.now();
    sim::SimTime after = before;
    engine.Start(runner.HomeOf(op), before, place(op.line), [&](sim::Path& path) -> sim::Task<void> {
      result = co_await runner.Perform(path, op);
      co_await guest.Follow(path, op, runner);
      co_await simulated.kcompactds().CatchUp(path);
      after = path.now();
      done = true;
    });
    if (absl::Status status = engine.Run(); !status.ok()) return status;
    if (!done && sim::RunWasStopped(engine)) return ended_here();
    if (!done) return NeverEnds(engine, place(op.line), op.text);
    steps.push_back({{"step", steps.size()},
                     {"op", op.text},
                     {"result", ResultJson(result, simulated.memory(), pool, after - before)},
                     {"counters", view.Counters()}});
  }
  for (std::string& warning : warnings) warning = absl::StrCat(boot_file, ": ", warning);
  return Conformance{{{"kernel", "numasim"}, {"machine", json::object()}, {"steps", std::move(steps)}},
                     std::move(warnings)};
}

}  // namespace numasim::workloads
