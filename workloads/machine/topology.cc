#include "workloads/machine/topology.h"

#include <hwloc.h>
#include <hwloc/distances.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "workloads/machine/system_files.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

constexpr uint64_t kBasePageBytes = 4096;
constexpr uint64_t kLargestBlockBytes = uint64_t{4} << 20;
constexpr uint64_t kSmallHugePageBytes = uint64_t{2} << 20;
constexpr uint64_t kGiganticPageBytes = uint64_t{1} << 30;
constexpr uint64_t kStructPageBytes = 64;
constexpr int kLocalDistance = 10;   // LOCAL_DISTANCE
constexpr int kRemoteDistance = 20;  // REMOTE_DISTANCE

struct TopologyDestroyer {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using HwlocTopology = std::unique_ptr<hwloc_topology, TopologyDestroyer>;

// CPUs of this node that no earlier node has claimed. hwloc gives a node without CPUs (HBM in flat mode) the
// CPUs that are near it; Linux puts those CPUs on the ordinary node, which has the lower number.
std::vector<int> UnclaimedCpus(hwloc_obj_t node, std::map<int, int>& node_of_cpu) {
  std::vector<int> cpus;
  for (int cpu = hwloc_bitmap_first(node->cpuset); cpu >= 0; cpu = hwloc_bitmap_next(node->cpuset, cpu)) {
    if (node_of_cpu.emplace(cpu, static_cast<int>(node->os_index)).second) cpus.push_back(cpu);
  }
  return cpus;
}

// How many pages of which size there are, other than base pages.
std::map<uint64_t, uint64_t> HugePagesOf(hwloc_obj_t node) {
  std::map<uint64_t, uint64_t> pages;
  for (unsigned i = 0; i < node->attr->numanode.page_types_len; ++i) {
    const auto& type = node->attr->numanode.page_types[i];
    if (type.size != kBasePageBytes && type.count > 0) pages[type.size] = type.count;
  }
  return pages;
}

std::vector<hwloc_obj_t> NumaNodesByOsIndex(hwloc_topology_t topology) {
  std::vector<hwloc_obj_t> nodes;
  for (hwloc_obj_t node = nullptr;
       (node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node)) != nullptr;) {
    nodes.push_back(node);
  }
  std::sort(nodes.begin(), nodes.end(), [](auto* a, auto* b) { return a->os_index < b->os_index; });
  return nodes;
}

// The kernel's SLIT distances between all `nodes`, or nothing if hwloc has no full matrix of them.
std::vector<std::vector<int>> SlitDistances(hwloc_topology_t topology,
                                            const std::vector<hwloc_obj_t>& nodes) {
  if (nodes.size() == 1) return {{10}};
  unsigned count = 1;
  hwloc_distances_s* matrix = nullptr;
  if (hwloc_distances_get_by_name(topology, "NUMALatency", &count, &matrix, 0) != 0 || count == 0) return {};
  std::vector<std::vector<int>> rows(nodes.size(), std::vector<int>(nodes.size(), 0));
  bool complete = true;
  for (size_t from = 0; from < nodes.size(); ++from) {
    for (size_t to = 0; to < nodes.size(); ++to) {
      hwloc_uint64_t there = 0;
      hwloc_uint64_t back = 0;
      complete &= hwloc_distances_obj_pair_values(matrix, nodes[from], nodes[to], &there, &back) == 0;
      rows[from][to] = static_cast<int>(there);
    }
  }
  hwloc_distances_release(topology, matrix);
  return complete ? rows : std::vector<std::vector<int>>{};
}

// Loads a topology that was initialised and given its source.
absl::StatusOr<Topology> Load(hwloc_topology_t topology, const std::string& source) {
  hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
  if (hwloc_topology_load(topology) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": not a topology that hwloc can load; expected what `lstopo FILE.xml` writes"));
  }
  const std::vector<hwloc_obj_t> nodes = NumaNodesByOsIndex(topology);
  if (nodes.empty()) return absl::InvalidArgumentError(absl::StrCat(source, ": has no NUMA node"));
  Topology result;
  std::map<int, int> node_of_cpu;
  for (hwloc_obj_t node : nodes) {
    result.nodes.push_back({.os_index = static_cast<int>(node->os_index),
                            .memory_bytes = node->attr->numanode.local_memory,
                            .huge_pages = HugePagesOf(node),
                            .cpus = UnclaimedCpus(node, node_of_cpu)});
  }
  result.distances = SlitDistances(topology, nodes);
  return result;
}

absl::StatusOr<HwlocTopology> NewTopology() {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) return absl::InternalError("hwloc cannot be initialised");
  return HwlocTopology(topology);
}

// The memory of the node before the kernel took its struct pages off, see ParseLstopoMachine.
uint64_t InstalledBytes(uint64_t local_memory) {
  if (local_memory % kLargestBlockBytes == 0) return local_memory;
  const uint64_t pages_kept =
      kBasePageBytes / kStructPageBytes;  // one page of struct pages for so many pages
  const uint64_t with_struct_pages = local_memory / (pages_kept - 1) * pages_kept;
  return (with_struct_pages + kLargestBlockBytes - 1) / kLargestBlockBytes * kLargestBlockBytes;
}

// hwloc knows how many huge pages a node has, not how many of them are free.
absl::Status AddPools(const std::string& name, const TopologyNode& node, int number, Machine& machine) {
  for (const auto& [size, count] : node.huge_pages) {
    if ((size != kSmallHugePageBytes && size != kGiganticPageBytes) || count > node.memory_bytes / size) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": NUMANode ", node.os_index, ": page_type: ", count, " pages of ", size,
          " bytes; expected pages of 2097152 or 1073741824 bytes, and no more than its memory holds"));
    }
    HugePages& pool = *machine.add_hugepages();
    pool.set_node(number);
    pool.set_size(SizeText(static_cast<int64_t>(size)));
    pool.set_nr(static_cast<int64_t>(count));
  }
  return absl::OkStatus();
}

// True if CPUs 0..n-1 are on the nodes in ascending order, so that the count on each node says it all.
bool NumberedNodeByNode(const std::vector<int>& node_of_cpu) {
  return std::is_sorted(node_of_cpu.begin(), node_of_cpu.end());
}

}  // namespace

absl::StatusOr<Topology> ReadTopologyXml(const std::string& path) {
  const absl::StatusOr<std::string> text = SystemFiles("").Read(path);
  if (!text.ok()) return text.status();
  return ParseTopologyXml(path, *text);
}

absl::StatusOr<Topology> ParseTopologyXml(const std::string& name, const std::string& text) {
  absl::StatusOr<HwlocTopology> topology = NewTopology();
  if (!topology.ok()) return topology.status();
  const int size = static_cast<int>(text.size()) + 1;  // hwloc wants the terminating null to be counted
  if (hwloc_topology_set_xmlbuffer(topology->get(), text.c_str(), size) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": not an hwloc XML file; expected what `lstopo FILE.xml` writes"));
  }
  return Load(topology->get(), name);
}

absl::StatusOr<Topology> ReadThisMachinesTopology() {
  absl::StatusOr<HwlocTopology> topology = NewTopology();
  if (!topology.ok()) return topology.status();
  return Load(topology->get(), "this machine");
}

std::vector<int> NodeOfCpu(const Topology& topology) {
  std::map<int, int> node_of_cpu;
  for (size_t node = 0; node < topology.nodes.size(); ++node) {
    for (int cpu : topology.nodes[node].cpus) node_of_cpu.emplace(cpu, static_cast<int>(node));
  }
  std::vector<int> result;
  result.reserve(node_of_cpu.size());
  for (const auto& [cpu, node] : node_of_cpu) result.push_back(node);
  return result;
}

std::vector<int> OsCpus(const Topology& topology) {
  std::vector<int> cpus;
  for (const TopologyNode& node : topology.nodes) cpus.insert(cpus.end(), node.cpus.begin(), node.cpus.end());
  std::sort(cpus.begin(), cpus.end());
  return cpus;
}

void SetDistances(const Topology& topology, Machine& machine) {
  for (size_t from = 0; from < topology.nodes.size(); ++from) {
    Machine::DistanceRow& row = *machine.add_distance();
    for (size_t to = 0; to < topology.nodes.size(); ++to) {
      const int by_default = from == to ? kLocalDistance : kRemoteDistance;
      row.add_to(topology.distances.empty() ? by_default : topology.distances[from][to]);
    }
  }
}

void SetNodeOfCpu(const Topology& topology, Machine& machine) {
  const std::vector<int> node_of_cpu = NodeOfCpu(topology);
  machine.mutable_cpus()->mutable_node_of_cpu()->Assign(node_of_cpu.begin(), node_of_cpu.end());
}

absl::StatusOr<Machine> ParseLstopoMachine(const std::string& name, const std::string& text) {
  const absl::StatusOr<Topology> topology = ParseTopologyXml(name, text);
  if (!topology.ok()) return topology.status();
  Machine machine;
  uint64_t total_bytes = 0;
  for (const TopologyNode& node : topology->nodes) {
    if (node.memory_bytes % kBasePageBytes != 0) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": NUMANode ", node.os_index, ": local_memory: \"",
                                                     node.memory_bytes,
                                                     "\" is not a multiple of the base page, 4096 bytes"));
    }
    Machine::Node& simulated = *machine.add_node();
    simulated.set_memory(SizeText(static_cast<int64_t>(InstalledBytes(node.memory_bytes))));
    simulated.set_cpus(static_cast<int>(node.cpus.size()));
    if (absl::Status status = AddPools(name, node, machine.node_size() - 1, machine); !status.ok())
      return status;
    total_bytes += node.memory_bytes;
  }
  if (total_bytes == 0)
    return absl::InvalidArgumentError(absl::StrCat(name, ": no NUMANode has local_memory"));
  SetDistances(*topology, machine);
  if (!NumberedNodeByNode(NodeOfCpu(*topology))) SetNodeOfCpu(*topology, machine);
  return machine;
}

}  // namespace numasim::workloads
