#include "workloads/machine/resolve.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "workloads/kernel_args.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

absl::StatusOr<int64_t> PagesOf(const std::string& field, const std::string& size) {
  auto bytes = ParseSize(size);
  if (!bytes.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": ", Quoted(size), " ", bytes.status().message()));
  }
  if (*bytes % kPageSize != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        field, ": ", Quoted(size), " is no whole number of pages; expected a multiple of ", kPageSize));
  }
  return *bytes >> kPageShift;
}

// Its memory goes to ZONE_MOVABLE if the boot arguments say so.
absl::StatusOr<MemoryDevice> DeviceOf(const Machine& machine, const KernelArgs& args) {
  MemoryDevice device{NodeId{machine.virtio_mem().node()}};
  auto pages = PagesOf("machine.virtio_mem.max", machine.virtio_mem().max());
  if (!pages.ok()) return pages.status();
  device.pages = *pages;
  pages = PagesOf("machine.virtio_mem.plugged", machine.virtio_mem().plugged());
  if (!pages.ok()) return pages.status();
  device.plugged = *pages;
  if (args.memhp_online_movable) device.type = ZoneType::kMovable;
  return device;
}

// movablecore= of the boot arguments; the kernel section's knob wins.
absl::Status AddMovablecore(const KernelKnobs& kernel, const KernelArgs& args, MachineConfig& config) {
  const bool knob = kernel.has_movablecore();
  if (!knob && !args.movablecore.has_value()) return absl::OkStatus();
  config.movablecore_where = knob ? "kernel.movablecore" : "machine.kernel_args: movablecore";
  auto pages = PagesOf(config.movablecore_where, knob ? kernel.movablecore() : *args.movablecore);
  if (pages.ok()) config.movablecore_pages = *pages;
  return pages.status();
}

void AddCma(MachineConfig& config, const std::string& name, int node, int64_t pages, bool hugetlb,
            const std::string& where) {
  config.cma.push_back({name, NodeId{node}, pages, hugetlb, where});
}

// The areas of the kernel section.
absl::Status AddCmaAreas(const CmaKnobs& cma, MachineConfig& config) {
  for (int i = 0; i < cma.area_size(); ++i) {
    const std::string where = absl::StrCat("kernel.cma.area[", i, "]");
    if (cma.area(i).name().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(where, ".name: is missing; expected the area's name"));
    }
    auto pages = PagesOf(absl::StrCat(where, ".size"), cma.area(i).size());
    if (!pages.ok()) return pages.status();
    AddCma(config, cma.area(i).name(), cma.area(i).node(), *pages, false, where);
  }
  for (int i = 0; i < cma.hugetlb_size(); ++i) {
    const std::string where = absl::StrCat("kernel.cma.hugetlb[", i, "]");
    auto pages = PagesOf(absl::StrCat(where, ".size"), cma.hugetlb(i).size());
    if (!pages.ok()) return pages.status();
    AddCma(config, absl::StrCat("hugetlb", cma.hugetlb(i).node()), cma.hugetlb(i).node(), *pages, true,
           where);
  }
  return absl::OkStatus();
}

int64_t RoundUp(int64_t pages, int64_t unit) { return (pages + unit - 1) / unit * unit; }

// cma=SIZE
absl::Status AddCmaArgument(absl::string_view argument, MachineConfig& config) {
  const std::string where = "machine.kernel_args: cma";
  auto pages = PagesOf(where, std::string(argument));
  if (!pages.ok()) return pages.status();
  if (*pages > 0) AddCma(config, "reserved", 0, RoundUp(*pages, kPageblockPages), false, where);
  return absl::OkStatus();
}

// hugetlb_cma=NODE:SIZE[,NODE:SIZE..]
absl::Status AddHugetlbCmaOfNodes(absl::string_view argument, const std::string& where,
                                  MachineConfig& config) {
  for (absl::string_view part : absl::StrSplit(argument, ',')) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(part, absl::MaxSplits(':', 1));
    int node = 0;
    if (!absl::SimpleAtoi(halves.first, &node)) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": ", Quoted(std::string(part)), " is no area; expected NODE:SIZE"));
    }
    auto pages = PagesOf(where, std::string(halves.second));
    if (!pages.ok()) return pages.status();
    AddCma(config, absl::StrCat("hugetlb", node), node, *pages, true, where);
  }
  return absl::OkStatus();
}

// hugetlb_cma=SIZE: gigantic pages are shared out over the nodes (hugetlb_cma_reserve).
absl::Status AddHugetlbCmaArgument(absl::string_view argument, int nodes, MachineConfig& config) {
  constexpr int64_t kGigantic = (int64_t{1} << 30) >> kPageShift;
  const std::string where = "machine.kernel_args: hugetlb_cma";
  if (absl::StrContains(argument, ':')) return AddHugetlbCmaOfNodes(argument, where, config);
  auto pages = PagesOf(where, std::string(argument));
  if (!pages.ok()) return pages.status();
  const int64_t share = RoundUp((*pages + nodes - 1) / nodes, kGigantic);
  int64_t left = *pages;
  for (int node = 0; node < nodes && left > 0; ++node, left -= share) {
    const int64_t size = RoundUp(std::min(share, left), kGigantic);
    AddCma(config, absl::StrCat("hugetlb", node), node, size, true, where);
  }
  return absl::OkStatus();
}

// The areas that boot arguments ask for. A kernel without CMA passes them over, as it does arguments that it
// does not know.
absl::Status AddCmaArguments(const KernelKnobs& kernel, const KernelArgs& args, int nodes,
                             MachineConfig& config, std::vector<std::string>& warnings) {
  const bool built = kernel.cma().built() || !config.cma.empty();
  for (const auto& [name, value] : {std::pair("cma", args.cma), std::pair("hugetlb_cma", args.hugetlb_cma)}) {
    if (built || !value.has_value()) continue;
    warnings.push_back(
        absl::StrCat("machine.kernel_args: ", Quoted(absl::StrCat(name, "=", *value)),
                     " has no effect: the kernel is built without CMA, as Debian's are; expected "
                     "kernel { cma { built: true } } where it is not"));
  }
  if (!built) return absl::OkStatus();
  if (args.cma.has_value()) {
    if (absl::Status status = AddCmaArgument(*args.cma, config); !status.ok()) return status;
  }
  if (!args.hugetlb_cma.has_value()) return absl::OkStatus();
  return AddHugetlbCmaArgument(*args.hugetlb_cma, nodes, config);
}

std::string PoolName(HugeSize size, int node) {
  return absl::StrCat("machine.hugepages of ", kHugeSizeNames[size],
                      node < 0 ? "" : absl::StrCat(" on node ", node));
}

// One entry of machine.hugepages. Without a node it is about all of them.
absl::Status AddPool(const HugePages& entry, int nodes, HugetlbConfig& hugetlb) {
  const HugeSize size = ParseSize(entry.size()).value_or(0) == PagesOf(HugeSize::k1G) * kPageSize
                            ? HugeSize::k1G
                            : HugeSize::k2M;
  HugetlbConfig::Pool& pool = hugetlb.pools[static_cast<size_t>(size)];
  const int node = entry.has_node() ? entry.node() : -1;
  const int64_t free = entry.has_free() ? entry.free() : entry.nr();
  HugetlbConfig::Share share{entry.nr(), entry.nr() - free, entry.surplus(), PoolName(size, node)};
  if (node < 0) {
    pool.all = share;
    pool.reserved = entry.reserved();
    pool.overcommit = entry.overcommit();
    return absl::OkStatus();
  }
  if (node >= nodes) {
    return absl::InvalidArgumentError(
        absl::StrCat(share.where, ": the node does not exist; expected 0 to ", nodes - 1));
  }
  pool.nodes.resize(static_cast<size_t>(nodes));
  pool.nodes[static_cast<size_t>(node)] = share;
  return absl::OkStatus();
}

// What boot is to make of it, after what boot arguments ask for.
absl::Status RequestPool(HugeSize size, bool recorded, HugetlbConfig& hugetlb) {
  HugetlbConfig::Pool& pool = hugetlb.pools[static_cast<size_t>(size)];
  const HugetlbConfig::Share all = pool.all;
  if (!pool.nodes.empty()) {
    pool.all = {};  // the sum of the nodes'
  } else if (recorded && all.pages > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(all.where,
                     ": is stated for the whole machine only, which was recorded; expected an entry "
                     "for each node"));
  }
  if (recorded || (all.pages == 0 && pool.nodes.empty())) return absl::OkStatus();
  const auto& requests = hugetlb.requests;
  if (std::any_of(requests.begin(), requests.end(),
                  [&](const auto& request) { return request.size == size; })) {
    return absl::InvalidArgumentError(absl::StrCat(
        PoolName(size, -1), ": is stated beside hugepages= in machine.kernel_args; expected one of the two"));
  }
  if (pool.nodes.empty()) {
    hugetlb.requests.push_back({size, kNoNode, all.pages, true, all.where});
    return absl::OkStatus();
  }
  for (size_t n = 0; n < pool.nodes.size(); ++n) {
    const HugetlbConfig::Share& share = pool.nodes[n];
    if (share.pages == 0) continue;
    hugetlb.requests.push_back({size, NodeId{static_cast<int32_t>(n)}, share.pages, true, share.where});
  }
  return absl::OkStatus();
}

absl::Status AddPools(const Machine& machine, const KernelArgs& args, int nodes, HugetlbConfig& hugetlb) {
  hugetlb.default_size = args.default_huge_size;
  for (const HugePagesArgument& asked : args.huge_pages) {
    hugetlb.requests.push_back(
        {asked.size, asked.node, asked.pages, false, "machine.kernel_args: hugepages"});
  }
  for (const HugePages& entry : machine.hugepages()) {
    if (absl::Status status = AddPool(entry, nodes, hugetlb); !status.ok()) return status;
  }
  // Gigantic pages first, as the kernel does.
  for (const HugeSize size : {HugeSize::k1G, HugeSize::k2M}) {
    if (absl::Status status = RequestPool(size, machine.zone_size() > 0, hugetlb); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

// A zone's lists have one limit and one batch, as the kernel computes them (zone_set_pageset_high_and_batch).
void WarnOfPcpLimits(const RecordedZone& zone, std::vector<std::string>& warnings) {
  const bool alike = std::all_of(zone.pcp().begin(), zone.pcp().end(), [&](const PcpList& pcp) {
    return pcp.high() == zone.pcp(0).high() && pcp.batch() == zone.pcp(0).batch();
  });
  if (alike) return;
  warnings.push_back(absl::StrCat("machine.zone node", zone.node(), " ", zone.name(),
                                  ": pcp: high or batch differ between CPUs, which has no effect: the first "
                                  "CPU's hold for all"));
}

}  // namespace

absl::StatusOr<MachineConfig> ResolveMachine(const Machine& machine, const KernelKnobs& kernel,
                                             std::vector<std::string>& warnings) {
  MachineConfig config;
  int nodes = machine.node_size();
  for (const RecordedZone& zone : machine.zone()) {
    nodes = std::max(nodes, zone.node() + 1);
    config.recorded_zones.push_back(zone);
    WarnOfPcpLimits(zone, warnings);
  }
  config.nodes.resize(static_cast<size_t>(nodes));
  const KernelArgs args = ParseKernelArgs(machine.kernel_args(), nodes);
  for (const std::string& warning : args.warnings)
    warnings.push_back(absl::StrCat("machine.kernel_args: ", warning));
  for (int n = 0; n < machine.node_size(); ++n) {
    if (!machine.node(n).has_memory()) continue;
    auto pages = PagesOf(absl::StrCat("machine.node[", n, "].memory"), machine.node(n).memory());
    if (!pages.ok()) return pages.status();
    config.nodes[static_cast<size_t>(n)].pages = *pages;
  }
  for (int32_t n : machine.cpus().node_of_cpu()) config.node_of_cpu.push_back(NodeId{n});
  if (config.node_of_cpu.empty()) {
    for (int n = 0; n < nodes; ++n) {
      const int cpus = n < machine.node_size() ? machine.node(n).cpus() : 1;
      config.node_of_cpu.insert(config.node_of_cpu.end(), static_cast<size_t>(cpus), NodeId{n});
    }
  }
  for (const auto& row : machine.distance()) config.distance.emplace_back(row.to().begin(), row.to().end());
  if (absl::Status status = AddMovablecore(kernel, args, config); !status.ok()) return status;
  auto patience = ParseDuration(kernel.contig().offline_patience());
  if (!patience.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("kernel.contig.offline_patience: ", Quoted(kernel.contig().offline_patience()), " ",
                     patience.status().message()));
  }
  config.offline_patience_ns = *patience;
  if (absl::Status status = AddCmaAreas(kernel.cma(), config); !status.ok()) return status;
  if (absl::Status status = AddCmaArguments(kernel, args, nodes, config, warnings); !status.ok())
    return status;
  if (absl::Status status = AddPools(machine, args, nodes, config.hugetlb); !status.ok()) return status;
  if (machine.has_virtio_mem()) {
    auto device = DeviceOf(machine, args);
    if (!device.ok()) return device.status();
    config.memory_device = *device;
  }
  if (machine.has_disk()) {
    auto disk = PagesOf("machine.disk", machine.disk());
    if (!disk.ok()) return disk.status();
    config.disk_pages = *disk;
  }
  if (machine.has_min_free_kbytes() && machine.zone_size() > 0)
    config.min_free_kbytes = machine.min_free_kbytes();
  config.recorded_kernel = KernelConfig(machine.kernel());
  config.thp_recorded = machine.kernel().thp().has_enabled();
  if (machine.zone_size() > 0 && kernel.has_movablecore()) {
    warnings.push_back("kernel.movablecore: has no effect: the zones of this machine are recorded");
  }
  // MIN_PERCPU_PAGELIST_HIGH_FRACTION
  const int fraction = kernel.percpu_pagelist_high_fraction();
  if (fraction > 0 && fraction < 8) {
    return absl::InvalidArgumentError(absl::StrCat("kernel.percpu_pagelist_high_fraction: ", fraction,
                                                   " is too small; expected 0 or at least 8"));
  }
  return config;
}

}  // namespace numasim::workloads
