#include "workloads/machine_rules.h"

#include <algorithm>
#include <string>
#include <vector>

#include "models/base/types.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

constexpr int64_t kPageSize = 4096;
constexpr int64_t kLargestBlock = kPageSize << kMaxOrder;
constexpr int64_t kMemoryBlock = kPageSize << kMemoryBlockShift;
constexpr int64_t kMaxMemory = int64_t{64} << 40;  // leaves room below kMaxPfn for the hole at 4G

// The size of a field that CheckKnobs has passed.
int64_t SizeOf(const std::string& text) { return ParseSize(text).value_or(0); }

std::string NoSuch(std::string_view what, int count) {
  if (count == 1) return Cat("is a ", what, " that does not exist; expected 0, the only one");
  return Cat("is a ", what, " that does not exist; expected 0 to ", count - 1);
}

absl::Status CheckNodes(const MessageView& view, const Machine& machine) {
  if (machine.node_size() > kMaxNodes) {
    return view.MistakeWithoutValue(
        "node", Cat("is there ", machine.node_size(), " times; expected at most ", kMaxNodes), kMaxNodes);
  }
  int64_t total = 0;
  for (int i = 0; i < machine.node_size(); ++i) {
    const MessageView node = view.Nested("node", i);
    if (!machine.node(i).has_memory()) {
      return node.MistakeWithoutValue("memory", "is missing; expected a size, such as memory: \"64G\"");
    }
    const int64_t memory = SizeOf(machine.node(i).memory());
    if (const std::string problem = NodeMemoryProblem(memory, total); !problem.empty())
      return node.Mistake("memory", problem);
  }
  if (machine.node_size() > 0 && total == 0) {
    return view.Nested("node", 0).Mistake("memory",
                                          "leaves the machine without memory; expected a size such as 64G");
  }
  return absl::OkStatus();
}

absl::Status CheckDistances(const MessageView& view, const Machine& machine, int nodes) {
  if (machine.distance_size() == 0) return absl::OkStatus();
  if (machine.distance_size() != nodes) {
    return view.MistakeWithoutValue(
        "distance", Cat("is there ", machine.distance_size(), " times; expected a row for each of the ",
                        nodes, " nodes"));
  }
  for (int i = 0; i < nodes; ++i) {
    const MessageView row = view.Nested("distance", i);
    const auto& to = machine.distance(i).to();
    if (to.size() != nodes) {
      return row.MistakeWithoutValue(
          "to", Cat("holds ", to.size(), " distances; expected one to each of the ", nodes, " nodes"));
    }
    if (to[i] != 10) return row.Mistake("to", i, "is the distance of a node to itself; expected 10");
  }
  return absl::OkStatus();
}

absl::Status CheckCpus(const MessageView& view, const Machine& machine, int nodes) {
  if (!machine.has_cpus()) return absl::OkStatus();
  const MessageView cpus = view.Nested("cpus");
  std::vector<int> on_node(static_cast<size_t>(nodes));
  for (int cpu = 0; cpu < machine.cpus().node_of_cpu_size(); ++cpu) {
    const int node = machine.cpus().node_of_cpu(cpu);
    if (node < 0 || node >= nodes) return cpus.Mistake("node_of_cpu", cpu, NoSuch("node", nodes));
    ++on_node[static_cast<size_t>(node)];
  }
  for (int node = 0; node < machine.node_size(); ++node) {
    const int count = on_node[static_cast<size_t>(node)];
    if (machine.node(node).has_cpus() && machine.node(node).cpus() != count) {
      return view.Nested("node", node)
          .Mistake("cpus", Cat("is not what machine.cpus says; expected ", count));
    }
  }
  return absl::OkStatus();
}

// The free blocks are given by order and type, by order only, or both, and hold what is free.
absl::Status CheckFreeBlocks(const MessageView& view, const RecordedZone& zone) {
  const auto blocks_of = [](const auto& by_order, int order) {
    return order < by_order.size() ? by_order[order] : uint64_t{0};
  };
  uint64_t pages = 0;
  for (int order = 0; order < kOrders; ++order) {
    uint64_t by_type = 0;
    for (const FreeBlocks& list : zone.free_blocks()) by_type += blocks_of(list.blocks(), order);
    const uint64_t total = blocks_of(zone.free_total(), order);
    if (zone.free_total_size() > order && zone.free_blocks_size() > 0 && total != by_type) {
      return view.Mistake("free_total", order, Cat("is not what free_blocks hold; expected ", by_type));
    }
    pages += (zone.free_blocks_size() > 0 ? by_type : total) << order;
  }
  if (pages == zone.free()) return absl::OkStatus();
  return view.Mistake("free", Cat("is not what the free blocks hold; expected ", pages));
}

absl::Status CheckZone(const MessageView& view, const RecordedZone& zone, const MachineLimits& limits) {
  for (const std::string_view field : {"node", "name", "start_pfn", "spanned", "present", "managed"}) {
    const auto* descriptor = RecordedZone::descriptor()->FindFieldByName(std::string(field));
    if (!zone.GetReflection()->HasField(zone, descriptor)) {
      return view.MistakeWithoutValue(field, "is missing; expected what /proc/zoneinfo says of the zone");
    }
  }
  if (zone.node() < 0 || zone.node() >= limits.nodes)
    return view.Mistake("node", NoSuch("node", limits.nodes));
  if (zone.spanned() > kMaxZonePages)
    return view.Mistake("spanned", Cat("is too large; expected at most ", kMaxZonePages));
  if (zone.start_pfn() > kMaxPfn - zone.spanned())
    return view.Mistake("start_pfn",
                        Cat("ends the zone too high; expected at most ", kMaxPfn - zone.spanned()));
  if (zone.present() > zone.spanned())
    return view.Mistake("present", Cat("is more than spanned; expected at most ", zone.spanned()));
  if (zone.managed() > zone.present())
    return view.Mistake("managed", Cat("is more than present; expected at most ", zone.present()));
  if (zone.free() > zone.managed())
    return view.Mistake("free", Cat("is more than managed; expected at most ", zone.managed()));
  if (zone.low() < zone.min())
    return view.Mistake("low", Cat("is below the min watermark; expected at least ", zone.min()));
  if (zone.high() < zone.low())
    return view.Mistake("high", Cat("is below the low watermark; expected at least ", zone.low()));
  for (int i = 0; i < zone.pcp_size(); ++i) {
    const int cpu = zone.pcp(i).cpu();
    if (cpu < 0 || cpu >= limits.cpus)
      return view.Nested("pcp", i).Mistake("cpu", NoSuch("CPU", limits.cpus));
  }
  return CheckFreeBlocks(view, zone);
}

absl::Status CheckZones(const MessageView& view, const Machine& machine, const MachineLimits& limits) {
  for (int i = 0; i < machine.zone_size(); ++i) {
    if (machine.zone(i).node() >= kMaxNodes) {
      return view.Nested("zone", i).Mistake("node", Cat("is too large; expected 0 to ", kMaxNodes - 1));
    }
    const absl::Status status = CheckZone(view.Nested("zone", i), machine.zone(i), limits);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckVirtioMem(const MessageView& view, const VirtioMem& device, int nodes) {
  if (!device.has_node()) return view.MistakeWithoutValue("node", "is missing; expected the device's node");
  if (!device.has_max())
    return view.MistakeWithoutValue("max", "is missing; expected a size, such as max: \"1G\"");
  if (device.node() < 0 || device.node() >= nodes) return view.Mistake("node", NoSuch("node", nodes));
  if (SizeOf(device.max()) == 0 || SizeOf(device.max()) % kMemoryBlock != 0)
    return view.Mistake("max", "is no multiple of 128M, the size of a memory block; expected such as 1G");
  if (SizeOf(device.plugged()) % kMemoryBlock != 0)
    return view.Mistake("plugged",
                        "is no multiple of 128M, the size of a memory block; expected such as 512M");
  if (SizeOf(device.plugged()) > SizeOf(device.max())) {
    return view.Mistake("plugged", Cat("is more than max; expected at most ", device.max()));
  }
  return absl::OkStatus();
}

absl::Status CheckHugePages(const MessageView& view, const HugePages& pages, int nodes) {
  if (pages.has_node() && (pages.node() < 0 || pages.node() >= nodes))
    return view.Mistake("node", NoSuch("node", nodes));
  if (!pages.has_size()) return view.MistakeWithoutValue("size", "is missing; expected 2M or 1G");
  const int64_t size = SizeOf(pages.size());
  if (size != int64_t{2} << 20 && size != int64_t{1} << 30)
    return view.Mistake("size", "is no huge page; expected 2M or 1G");
  const int64_t free = pages.has_free() ? pages.free() : pages.nr();
  if (free > pages.nr()) return view.Mistake("free", Cat("is more than nr; expected at most ", pages.nr()));
  if (pages.surplus() > pages.nr())
    return view.Mistake("surplus", Cat("is more than nr; expected at most ", pages.nr()));
  for (const std::string_view field : {"reserved", "overcommit"}) {
    const auto* descriptor = HugePages::descriptor()->FindFieldByName(std::string(field));
    if (pages.has_node() && pages.GetReflection()->HasField(pages, descriptor))
      return view.Mistake(field, "is given of a node; expected it in the entry without a node");
  }
  if (pages.overcommit() > 0 && size == int64_t{1} << 30)
    return view.Mistake("overcommit", "is given of gigantic pages, which have none; expected 0");
  return absl::OkStatus();
}

// Entries of one size: none twice, and that of the whole machine is the sum of the nodes'.
absl::Status CheckPool(const MessageView& view, const Machine& machine, int64_t size) {
  HugePages sum;
  int whole = -1;
  std::vector<int> seen;
  for (int i = 0; i < machine.hugepages_size(); ++i) {
    const HugePages& entry = machine.hugepages(i);
    if (SizeOf(entry.size()) != size) continue;
    const int node = entry.has_node() ? entry.node() : -1;
    if (std::find(seen.begin(), seen.end(), node) != seen.end())
      return view.MistakeWithoutValue("hugepages", "is given twice of one size and node; expected it once",
                                      i);
    seen.push_back(node);
    if (node < 0) {
      whole = i;
      continue;
    }
    sum.set_nr(sum.nr() + entry.nr());
    sum.set_free(sum.free() + (entry.has_free() ? entry.free() : entry.nr()));
    sum.set_surplus(sum.surplus() + entry.surplus());
  }
  if (whole < 0) return absl::OkStatus();
  const HugePages& entry = machine.hugepages(whole);
  const MessageView place = view.Nested("hugepages", whole);
  const bool by_node = seen.size() > 1;
  const int64_t free = by_node ? sum.free() : entry.has_free() ? entry.free() : entry.nr();
  if (entry.reserved() > free)
    return place.Mistake("reserved", Cat("is more than are free; expected at most ", free));
  if (!by_node) return absl::OkStatus();
  const auto differs = [](int64_t nodes) {
    return Cat("is not the sum of the nodes' entries; expected ", nodes);
  };
  if (entry.has_nr() && entry.nr() != sum.nr()) return place.Mistake("nr", differs(sum.nr()));
  if (entry.has_free() && entry.free() != sum.free()) return place.Mistake("free", differs(sum.free()));
  if (entry.has_surplus() && entry.surplus() != sum.surplus())
    return place.Mistake("surplus", differs(sum.surplus()));
  return absl::OkStatus();
}

absl::Status CheckPools(const MessageView& view, const Machine& machine, int nodes) {
  for (int i = 0; i < machine.hugepages_size(); ++i) {
    const absl::Status status = CheckHugePages(view.Nested("hugepages", i), machine.hugepages(i), nodes);
    if (!status.ok()) return status;
  }
  absl::Status status = CheckPool(view, machine, int64_t{2} << 20);
  if (status.ok()) status = CheckPool(view, machine, int64_t{1} << 30);
  return status;
}

}  // namespace

std::string NodeMemoryProblem(int64_t memory, int64_t& total) {
  if (memory % kLargestBlock != 0)
    return "is not a multiple of 4M, the largest buddy block; expected a size such as 64G";
  if (memory > kMaxZonePages * kPageSize) return "is too large; expected at most 8T";
  total += memory;
  if (total <= kMaxMemory) return "";
  return Cat("makes the machine larger than ", SizeText(kMaxMemory), "; expected less");
}

absl::Status CheckMachineSource(const MessageView& view) {
  constexpr std::string_view kSources[] = {"node", "zone", "lstopo_file", "boot_state_file", "snapshot_file"};
  constexpr std::string_view kExpected =
      "expected exactly one of node, zone, lstopo_file, boot_state_file, snapshot_file";
  const google::protobuf::Message& machine = view.message();
  std::string_view found;
  for (std::string_view source : kSources) {
    const auto* field = machine.GetDescriptor()->FindFieldByName(std::string(source));
    const bool set = field->is_repeated() ? machine.GetReflection()->FieldSize(machine, field) > 0
                                          : machine.GetReflection()->HasField(machine, field);
    if (!set) continue;
    if (!found.empty())
      return view.MistakeWithoutValue(source, Cat("is given beside ", found, "; ", kExpected));
    found = source;
  }
  if (found.empty()) return view.MistakeWithoutValue("node", Cat("is missing; ", kExpected));
  return absl::OkStatus();
}

bool IsDescribed(const Machine& machine) { return machine.node_size() > 0 || machine.zone_size() > 0; }

MachineLimits LimitsOf(const Machine& machine) {
  MachineLimits limits = {machine.node_size(), 0};
  for (const Machine::Node& node : machine.node()) limits.cpus += node.cpus();
  for (const RecordedZone& zone : machine.zone()) {
    limits.nodes = std::max(limits.nodes, std::min(zone.node(), kMaxNodes - 1) + 1);
    for (const PcpList& pcp : zone.pcp())
      limits.cpus = std::max(limits.cpus, std::min(pcp.cpu(), kMaxCpus - 1) + 1);
  }
  if (machine.has_cpus()) limits.cpus = machine.cpus().node_of_cpu_size();
  return limits;
}

absl::Status CheckMachine(const MessageView& view, const Machine& whole) {
  const MachineLimits limits = LimitsOf(whole);
  const auto& machine = static_cast<const Machine&>(view.message());
  absl::Status status = CheckNodes(view, machine);
  if (status.ok()) status = CheckZones(view, machine, limits);
  if (status.ok()) status = CheckDistances(view, machine, limits.nodes);
  if (status.ok()) status = CheckCpus(view, machine, limits.nodes);
  if (status.ok() && limits.cpus == 0) {
    status = view.MistakeWithoutValue("cpus", "leaves the machine without a CPU; expected at least one");
  }
  if (status.ok() && machine.has_virtio_mem()) {
    status = CheckVirtioMem(view.Nested("virtio_mem"), machine.virtio_mem(), limits.nodes);
  }
  if (status.ok() && machine.has_disk() && SizeOf(machine.disk()) < kPageSize)
    status = view.Mistake("disk", "is too small for a file system; expected a size such as 8G");
  if (status.ok() && machine.has_kernel()) status = CheckKernel(view.Nested("kernel"), limits.nodes);
  if (status.ok()) status = CheckPools(view, machine, limits.nodes);
  if (status.ok() && machine.has_min_free_kbytes() && whole.zone_size() == 0) {
    status = view.Mistake("min_free_kbytes",
                          "is of a machine whose zones are recorded; expected kernel.min_free_kbytes");
  }
  return status;
}

absl::Status CheckKernel(const MessageView& view, int nodes) {
  const auto& kernel = static_cast<const KernelKnobs&>(view.message());
  const MessageView cma = view.Nested("cma");
  for (int i = 0; nodes > 0 && i < kernel.cma().area_size(); ++i) {
    const int node = kernel.cma().area(i).node();
    if (node < 0 || node >= nodes) return cma.Nested("area", i).Mistake("node", NoSuch("node", nodes));
  }
  for (int i = 0; nodes > 0 && i < kernel.cma().hugetlb_size(); ++i) {
    const int node = kernel.cma().hugetlb(i).node();
    if (node < 0 || node >= nodes) return cma.Nested("hugetlb", i).Mistake("node", NoSuch("node", nodes));
  }
  if (kernel.cma().has_built() && !kernel.cma().built() &&
      kernel.cma().area_size() + kernel.cma().hugetlb_size() > 0) {
    return cma.Mistake("built", "is said beside CMA areas, which need it; expected true");
  }
  const int ratios = kernel.lowmem_reserve_ratio_size();
  if (ratios == 0 || ratios == kZoneTypes) return absl::OkStatus();
  return view.MistakeWithoutValue(
      "lowmem_reserve_ratio",
      Cat("holds ", ratios, " values; expected ", kZoneTypes, ", for DMA, DMA32, Normal and Movable"));
}

Machine Completed(Machine from_file, const Machine& scenario) {
  Overlay(scenario, from_file);
  from_file.clear_lstopo_file();
  from_file.clear_boot_state_file();
  from_file.clear_snapshot_file();
  return from_file;
}

}  // namespace numasim::workloads
