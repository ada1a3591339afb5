#include "models/physical/memory_system.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "models/physical/boot.h"
#include "proto/counter_info.h"
#include "proto/scenario.pb.h"

namespace numasim {
namespace {

constexpr int kLocalDistance = 10;
constexpr int kRemoteDistance = 20;

void AppendZoneColumns(const Zone& zone, sim::LpId lp, std::vector<MemorySystem::CounterColumn>& columns) {
  for (int c = 0; c < ZoneCounter_ARRAYSIZE; ++c) {
    const CounterName info = NameOf(static_cast<ZoneCounter>(c));
    columns.push_back({{absl::StrCat(zone.Name(), ".", info.name), info.unit,
                        zone.counter_ref(static_cast<ZoneCounter>(c)), lp},
                       info.gauge,
                       info.more_is_worse});
  }
  for (int order = 0; order < kOrders; ++order) {
    columns.push_back(
        {{absl::StrCat(zone.Name(), ".free_blocks.order", order), "blocks", &zone.buddy().blocks(order), lp},
         true,
         std::nullopt});
  }
}

std::vector<NodeHugePages> RecordedHugePages(const HugetlbConfig& hugetlb) {
  std::vector<NodeHugePages> pages;
  for (const HugeSize size : kHugeSizes) {
    const auto& nodes = hugetlb.pools[size].nodes;
    for (size_t n = 0; n < nodes.size(); ++n) {
      pages.push_back({NodeId{static_cast<int32_t>(n)}, size, nodes[n].pages, nodes[n].where});
    }
  }
  return pages;
}

// Whether the zone has memory, or a device that may plug some.
bool MayServe(const Zone& zone) { return zone.managed() > 0 || zone.extent().hot.pages > 0; }

}  // namespace

void MemorySystem::LogFailure(sim::Path& path, Failure failure) const {
  failure.nodes = NodeMask(failure.nodes.bits() & all_nodes_.bits());
  path.Log(static_cast<int32_t>(failure.kind), {}, std::move(failure));
}

absl::StatusOr<std::unique_ptr<MemorySystem>> MemorySystem::Create(sim::Engine& engine,
                                                                   const MachineConfig& machine,
                                                                   const KernelConfig& kernel,
                                                                   const Costs& costs) {
  auto system = std::unique_ptr<MemorySystem>(new MemorySystem(engine, kernel, costs));
  if (absl::Status status = system->AddNodesAndCpus(machine); !status.ok()) return status;
  if (absl::Status status = system->BuildDistances(machine); !status.ok()) return status;
  if (absl::Status status = system->BootZones(machine); !status.ok()) return status;
  system->BuildZonelists();
  system->thp_ = kernel.thp;
  system->SetUpReserves(machine, kernel);
  return system;
}

TimedStats MemorySystem::AllTimed() const {
  TimedStats all;
  for (const auto& of_lp : timed_) {
    for (size_t kind = 0; kind < all.size(); ++kind) all[kind].Merge((*of_lp)[kind]);
  }
  return all;
}

absl::Status MemorySystem::BootZones(const MachineConfig& machine) {
  const bool recorded = !machine.recorded_zones.empty();
  std::vector<int64_t> node_pages;
  for (const MachineConfig::NodeConfig& config : machine.nodes) node_pages.push_back(config.pages);
  auto extents = recorded ? RecordedZones(machine.recorded_zones)
                          : DescribedZones(node_pages, machine.movablecore_pages, machine.movablecore_where);
  if (!extents.ok()) return extents.status();
  if (machine.memory_device.has_value()) {
    if (absl::Status status = AddDevice(*machine.memory_device, recorded, *extents); !status.ok())
      return status;
  }
  if (absl::Status status = AddZones(*extents); !status.ok()) return status;
  disk_pages_ = machine.disk_pages;
  if (disk_pages_ > 0) {
    if (absl::Status status = AddLrus(); !status.ok()) return status;
  }
  std::vector<NodeHugePages> pages;
  if (recorded) pages = RecordedHugePages(machine.hugetlb);
  const auto huge = ShareHugePages(machine.recorded_zones, *extents, pages);
  if (!huge.ok()) return huge.status();
  for (size_t i = 0; i < extents->size(); ++i) {
    Zone& zone = *zones_by_index_[i + 1];
    if (i >= machine.recorded_zones.size()) {
      BootEmpty(zone);
    } else if (absl::Status status = BootRecorded(zone, machine.recorded_zones[i], (*huge)[i]);
               !status.ok()) {
      return status;
    }
    managed_pages_ += zone.managed();
    present_pages_[static_cast<size_t>(zone.node().value)] += zone.present();
    if (zone.managed() > 0 || zone.extent().hot.pages > 0) nodes_with_memory_.Set(zone.node());
  }
  blocks_ = std::make_unique<MemoryBlocks>(zones_);
  return absl::OkStatus();
}

absl::Status MemorySystem::AddNodesAndCpus(const MachineConfig& machine) {
  const int count = static_cast<int>(machine.nodes.size());
  if (count < 1 || count > kMaxNodes) {
    return absl::InvalidArgumentError(absl::StrCat("machine: ", count, " nodes; expected 1 to ", kMaxNodes));
  }
  for (int n = 0; n < count; ++n) {
    auto node = std::make_unique<Node>();
    node->id = NodeId{n};
    node->lp = engine_.AddLp(absl::StrCat("node", n));
    all_nodes_.Set(node->id);
    nodes_.push_back(std::move(node));
  }
  global_lp_ = engine_.AddLp("kernel");
  for (int lp = 0; lp <= global_lp_.value; ++lp) timed_.push_back(std::make_unique<TimedStats>());
  node_of_cpu_ = machine.node_of_cpu;
  for (NodeId home : node_of_cpu_) {
    if (home.value >= 0 && home.value < count) continue;
    return absl::InvalidArgumentError(absl::StrCat("machine.cpus.node_of_cpu: node ", home.value,
                                                   " does not exist; expected 0 to ", count - 1));
  }
  if (node_of_cpu_.empty())
    return absl::InvalidArgumentError("machine: no node has a CPU; expected at least one");
  for (size_t c = 0; c < node_of_cpu_.size(); ++c) {
    Node& home = node(node_of_cpu_[c]);
    home.cpus.push_back(CpuId{static_cast<int32_t>(c)});
    cpus_.push_back(std::make_unique<sim::Cpu>(engine_, home.lp, absl::StrCat("cpu", c), costs_.timeslice));
  }
  return absl::OkStatus();
}

absl::Status MemorySystem::AddZones(const std::vector<Zone::Extent>& extents) {
  zones_by_index_.push_back(nullptr);
  for (const Zone::Extent& extent : extents) {
    if (extent.node.value < 0 || extent.node.value >= node_count()) {
      return absl::InvalidArgumentError(absl::StrCat("machine.zone: node ", extent.node.value,
                                                     " does not exist; expected 0 to ", node_count() - 1));
    }
    Node& home = node(extent.node);
    auto& slot = home.zones[extent.type];
    const std::string name = absl::StrCat("node", extent.node.value, ".", kZoneNames[extent.type]);
    if (slot != nullptr)
      return absl::InvalidArgumentError(absl::StrCat("machine.zone ", name, ": given twice"));
    slot = std::make_unique<Zone>(
        extent, cpu_count(), std::make_unique<sim::SpinLock>(engine_, home.lp, absl::StrCat(name, ".lock")));
    zones_by_index_.push_back(slot.get());
  }
  for (const auto& home : nodes_) {
    for (const auto& zone : home->zones) {
      if (zone != nullptr) zones_.push_back(zone.get());
    }
  }
  return BuildZoneIndex();
}

absl::Status MemorySystem::AddLrus() {
  for (const auto& home : nodes_) {
    PerZoneType<Zone*> zones = {};
    int64_t frames = 0;
    for (size_t type = 0; type < kZoneTypes; ++type) {
      zones[type] = home->zones[type].get();
      frames += zones[type] == nullptr ? 0 : int64_t{zones[type]->frames().frames()};
    }
    if (frames >= Lru::kMostFrames)
      return absl::InvalidArgumentError(absl::StrCat("machine: node ", home->id.value, " spans ", frames,
                                                     " pages, too many for a machine with a disk; expected "
                                                     "fewer than ",
                                                     Lru::kMostFrames));
    home->lru = std::make_unique<Lru>(zones, home->counters);
    home->lru_lock = std::make_unique<LruLock>(
        engine_, home->lp, absl::StrCat("node", home->id.value, ".lru_lock"), costs_, cpu_count());
    for (Zone* const zone : zones) {
      if (zone != nullptr) zone->SetLru(home->lru.get());
    }
  }
  return absl::OkStatus();
}

absl::Status MemorySystem::BuildZoneIndex() {
  for (size_t i = 1; i < zones_by_index_.size(); ++i) {
    const Zone::Extent& extent = zones_by_index_[i]->extent();
    absl::Status status = IndexRange(i, extent.start, extent.start + extent.spanned);
    if (status.ok()) status = IndexRange(i, extent.hot.start, extent.hot.end());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status MemorySystem::IndexRange(size_t index, Pfn begin, Pfn end) {
  if (begin == end) return absl::OkStatus();
  const uint64_t last = (end.value - 1) >> kMaxOrder;
  if (last >= zone_of_section_.size()) zone_of_section_.resize(last + 1, 0);
  for (uint64_t s = begin.value >> kMaxOrder; s <= last; ++s) {
    if (zone_of_section_[s] != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("machine.zone ", zones_by_index_[index]->Name(), ": overlaps ",
                       zones_by_index_[zone_of_section_[s]]->Name(),
                       ", or they meet inside a 4M block, at pfn ", s << kMaxOrder));
    }
    zone_of_section_[s] = static_cast<uint16_t>(index);
  }
  return absl::OkStatus();
}

absl::Status MemorySystem::BuildDistances(const MachineConfig& machine) {
  const auto count = nodes_.size();
  distance_.assign(count, std::vector<int>(count, kRemoteDistance));
  for (size_t n = 0; n < count; ++n) distance_[n][n] = kLocalDistance;
  if (machine.distance.empty()) return absl::OkStatus();
  if (machine.distance.size() != count) {
    return absl::InvalidArgumentError(absl::StrCat("machine.distance: ", machine.distance.size(),
                                                   " rows; expected one for each of ", count, " nodes"));
  }
  for (size_t n = 0; n < count; ++n) {
    if (machine.distance[n].size() != count) {
      return absl::InvalidArgumentError(absl::StrCat("machine.distance[", n,
                                                     "]: ", machine.distance[n].size(),
                                                     " entries; expected one for each of ", count, " nodes"));
    }
  }
  distance_ = machine.distance;
  return absl::OkStatus();
}

void MemorySystem::BuildZonelists() {
  std::vector<NodeShape> shapes;
  for (const auto& home : nodes_) {
    const bool memory = std::any_of(home->zones.begin(), home->zones.end(),
                                    [](const auto& z) { return z != nullptr && MayServe(*z); });
    shapes.push_back({memory, !home->cpus.empty()});
  }
  const auto order = FallbackOrder(distance_, shapes);
  zonelists_.resize(nodes_.size());
  for (size_t n = 0; n < nodes_.size(); ++n) {
    for (int highest = 0; highest < kZoneTypes; ++highest) {
      for (NodeId from : order[n]) {
        for (int type = highest; type >= 0; --type) {
          Zone* zone = node(from).zone(static_cast<ZoneType>(type));
          if (zone != nullptr && MayServe(*zone)) zonelists_[n][highest].push_back(zone);
        }
      }
    }
  }
}

void MemorySystem::SetUpReserves(const MachineConfig& machine, const KernelConfig& kernel) {
  std::vector<Reserves::ZoneShape> shapes;
  for (const Zone* zone : zones_) {
    shapes.push_back(
        {zone->node(), zone->type(), zone->managed(), static_cast<int>(node(zone->node()).cpus.size())});
  }
  reserves_ = std::make_unique<Reserves>(std::move(shapes), cpu_count(), kernel);
  reserves_->Boot();
  if (!machine.min_free_kbytes.has_value() && thp_.any()) {
    reserves_->ThpChanged(true);
  }
  if (!machine.recorded_zones.empty()) {
    reserves_->Adopt(machine.min_free_kbytes.value_or(reserves_->min_free_kbytes()),
                     RecordedSettings(machine.recorded_zones, machine.min_free_kbytes.has_value(), zones_,
                                      reserves_->settings()));
    ApplyChangedKnobs(machine, kernel);
  }
  vm_ = kernel.vm;
  const NodeSettings settings = CurrentSettings();
  for (auto& home : nodes_) StoreSettings(*home, settings);
}

// A recorded machine ran with knobs of its own; those that the scenario sets to something else are written
// now.
void MemorySystem::ApplyChangedKnobs(const MachineConfig& machine, const KernelConfig& kernel) {
  const KernelConfig& recorded = machine.recorded_kernel;
  const bool thp_now = thp_.any();
  const bool thp_then = recorded.thp.any();
  if (machine.thp_recorded && thp_now != thp_then) reserves_->ThpChanged(thp_now);
  if (kernel.min_free_kbytes.has_value() && kernel.min_free_kbytes != machine.min_free_kbytes) {
    reserves_->SetMinFreeKbytes(*kernel.min_free_kbytes);
  }
  if (kernel.watermark_scale_factor != recorded.watermark_scale_factor) {
    reserves_->SetWatermarkScaleFactor(kernel.watermark_scale_factor);
  }
  if (kernel.pcp_high_fraction != recorded.pcp_high_fraction) {
    reserves_->SetPcpHighFraction(kernel.pcp_high_fraction);
  }
  if (kernel.lowmem_reserve_ratio != recorded.lowmem_reserve_ratio) reserves_->LowmemReserveRatioWritten();
}

MemorySystem::NodeSettings MemorySystem::CurrentSettings() const {
  return {thp_, managed_pages_, vm_, reserves_->settings()};
}

void MemorySystem::StoreSettings(Node& home, const NodeSettings& settings) {
  home.thp = settings.thp;
  home.total_pages = settings.total_pages;
  home.vm = settings.vm;
  for (size_t i = 0; i < zones_.size(); ++i) {
    if (zones_[i]->node() != home.id) continue;
    const Reserves::ZoneSettings& zone = settings.zones[i];
    zones_[i]->SetWatermarks(zone.watermarks);
    zones_[i]->SetBoostFactor(settings.vm.watermark_boost_factor);
    zones_[i]->lowmem_reserve() = zone.lowmem_reserve;
    zones_[i]->SetPcpLimits(zone.pcp_high, zone.pcp_batch);
  }
}

sim::Task<void> MemorySystem::ApplySettings(sim::Path& path) {
  NUMASIM_CHECK_EQ(path.lp().value, global_lp_.value);
  // Carried by the path: the global LP's own copy may change while it is under way.
  const NodeSettings settings = CurrentSettings();
  for (auto& home : nodes_) {
    co_await path.HopTo(home->lp, costs_.hop);
    StoreSettings(*home, settings);
  }
  co_await path.HopTo(global_lp_, costs_.hop);
}

sim::Task<void> MemorySystem::SizeChanged(sim::Path& path, const Zone& zone, int64_t managed,
                                          int64_t present) {
  NUMASIM_CHECK_EQ(path.lp().value, global_lp_.value);
  const auto found = std::find(zones_.begin(), zones_.end(), &zone);
  managed_pages_ += managed;
  present_pages_[static_cast<size_t>(zone.node().value)] += present;
  reserves_->ManagedChanged(static_cast<size_t>(found - zones_.begin()), managed, thp_.any());
  co_await ApplySettings(path);
}

sim::Task<void> MemorySystem::CondResched(sim::Path& path) {
  const sim::LpId here = path.lp();
  sim::Cpu* const cpu = path.cpu();
  if (cpu == nullptr) {
    co_await path.Take(costs_.hop);
    co_return;
  }
  if (here != cpu->lp()) co_await path.HopTo(cpu->lp(), costs_.hop);
  co_await path.Take(costs_.hop);
  co_await cpu->MaybeYield(path);
  if (here != cpu->lp()) co_await path.HopTo(here, costs_.hop);
}

std::vector<MemorySystem::CounterColumn> MemorySystem::Columns() const {
  std::vector<CounterColumn> columns;
  for (const auto& home : nodes_) {
    for (int c = 0; c < NodeCounter_ARRAYSIZE; ++c) {
      const CounterName info = NameOf(static_cast<NodeCounter>(c));
      columns.push_back(
          {{absl::StrCat("node", home->id.value, ".", info.name), info.unit, &home->counters[c], home->lp},
           info.gauge,
           info.more_is_worse});
    }
    for (const auto& zone : home->zones) {
      if (zone != nullptr) AppendZoneColumns(*zone, home->lp, columns);
    }
  }
  return columns;
}

std::optional<CpuId> MemorySystem::CpuForThread(const Node& node) const {
  if (node.cpus.empty()) return std::nullopt;
  const auto idle =
      std::find_if(node.cpus.begin(), node.cpus.end(), [this](CpuId id) { return !cpu(id).busy(); });
  return idle == node.cpus.end() ? node.cpus.front() : *idle;
}

}  // namespace numasim
