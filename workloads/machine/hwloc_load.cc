#include "workloads/machine/hwloc_load.h"

#include <hwloc.h>
#include <hwloc/distances.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "models/base/types.h"
#include "workloads/machine/child_process.h"
#include "workloads/operations.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

constexpr unsigned kPatience = 60;  // seconds; the largest machines take a second
constexpr uint64_t kLargestNode = static_cast<uint64_t>(kMaxZonePages) * kPageSize;

struct TopologyDestroyer {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using HwlocTopology = std::unique_ptr<hwloc_topology, TopologyDestroyer>;

// CPUs of this node that no earlier node has claimed. hwloc gives a node without CPUs (HBM in flat mode) the
// CPUs that are near it; Linux puts those CPUs on the ordinary node, which has the lower number.
absl::StatusOr<std::vector<int>> UnclaimedCpus(hwloc_obj_t node, std::map<int, int>& node_of_cpu) {
  // -1 also stands for a set without an end.
  const int last = hwloc_bitmap_last(node->cpuset);
  if (!hwloc_bitmap_iszero(node->cpuset) && (last < 0 || last >= kMaxCpus)) {
    return absl::InvalidArgumentError(absl::StrCat("NUMANode ", node->os_index, ": its cpuset goes up to ",
                                                   last < 0 ? "infinity" : absl::StrCat("CPU ", last),
                                                   "; expected CPUs from 0 to ", kMaxCpus - 1));
  }
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
    if (type.size != kPageSize && type.count > 0) pages[type.size] = type.count;
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

// What of the loaded topology is used.
absl::StatusOr<Topology> Extract(hwloc_topology_t topology) {
  const std::vector<hwloc_obj_t> nodes = NumaNodesByOsIndex(topology);
  if (nodes.empty()) return absl::InvalidArgumentError("has no NUMA node");
  if (nodes.size() > static_cast<size_t>(kMaxNodes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", nodes.size(), " NUMA nodes; expected at most ", kMaxNodes));
  }
  Topology result;
  std::map<int, int> node_of_cpu;
  for (hwloc_obj_t node : nodes) {
    absl::StatusOr<std::vector<int>> cpus = UnclaimedCpus(node, node_of_cpu);
    if (!cpus.ok()) return cpus.status();
    const uint64_t memory = node->attr->numanode.local_memory;
    if (memory > kLargestNode) {
      return absl::InvalidArgumentError(absl::StrCat("NUMANode ", node->os_index, ": local_memory: '", memory,
                                                     "' is too large; expected at most ",
                                                     SizeText(static_cast<int64_t>(kLargestNode))));
    }
    result.nodes.push_back({.os_index = static_cast<int>(node->os_index),
                            .memory_bytes = memory,
                            .huge_pages = HugePagesOf(node),
                            .cpus = *std::move(cpus)});
  }
  result.distances = SlitDistances(topology, nodes);
  return result;
}

// The way from the child to the parent: numbers, each list after its length.
std::string Encode(const Topology& topology) {
  std::string text = absl::StrCat(topology.nodes.size());
  for (const TopologyNode& node : topology.nodes) {
    absl::StrAppend(&text, " ", node.os_index, " ", node.memory_bytes, " ", node.huge_pages.size());
    for (const auto& [size, count] : node.huge_pages) absl::StrAppend(&text, " ", size, " ", count);
    absl::StrAppend(&text, " ", node.cpus.size());
    for (const int cpu : node.cpus) absl::StrAppend(&text, " ", cpu);
  }
  absl::StrAppend(&text, " ", topology.distances.size());
  for (const std::vector<int>& row : topology.distances) {
    for (const int distance : row) absl::StrAppend(&text, " ", distance);
  }
  return text;
}

Topology Decode(const std::string& text) {
  std::istringstream in(text);
  const auto next = [&in] {
    uint64_t number = 0;
    in >> number;
    return static_cast<int64_t>(number);
  };
  Topology topology;
  topology.nodes.resize(static_cast<size_t>(next()));
  for (TopologyNode& node : topology.nodes) {
    node.os_index = static_cast<int>(next());
    node.memory_bytes = static_cast<uint64_t>(next());
    for (int64_t sizes = next(); sizes > 0; --sizes) {
      const auto size = static_cast<uint64_t>(next());
      node.huge_pages[size] = static_cast<uint64_t>(next());
    }
    node.cpus.resize(static_cast<size_t>(next()));
    for (int& cpu : node.cpus) cpu = static_cast<int>(next());
  }
  topology.distances.resize(static_cast<size_t>(next()));
  for (std::vector<int>& row : topology.distances) {
    row.resize(topology.nodes.size());
    for (int& distance : row) distance = static_cast<int>(next());
  }
  return topology;
}

// Loads from what `set_source` names, in this process.
absl::StatusOr<std::string> LoadHere(const std::function<int(hwloc_topology_t)>& set_source) {
  setenv("HWLOC_XML_VERBOSE", "1", 1);  // it says on standard error what it does not like
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return absl::InternalError("hwloc cannot be initialised");
  const HwlocTopology topology(raw);
  hwloc_topology_set_flags(raw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
  if (set_source(raw) != 0 || hwloc_topology_load(raw) != 0) return absl::InternalError("it refuses it");
  const absl::StatusOr<Topology> extracted = Extract(raw);
  if (!extracted.ok()) return extracted.status();
  return Encode(*extracted);
}

absl::StatusOr<Topology> LoadApart(const std::string& name, const std::string& expected,
                                   const std::function<int(hwloc_topology_t)>& set_source) {
  const ChildResult result = RunInChild([&] { return LoadHere(set_source); }, kPatience);
  if (result.made.ok()) return Decode(*result.made);
  const std::string message(result.made.status().message());
  if (absl::IsInvalidArgument(result.made.status()))
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", message));
  return absl::InvalidArgumentError(absl::StrCat(name, ": not a topology that hwloc can load: ", message,
                                                 FirstComplaint(result), "; expected ", expected));
}

}  // namespace

absl::StatusOr<Topology> LoadXmlTopology(const std::string& name, const std::string& text) {
  return LoadApart(name, "what `lstopo FILE.xml` writes", [&text](hwloc_topology_t topology) {
    const int size = static_cast<int>(text.size()) + 1;  // hwloc wants the terminating null to be counted
    return hwloc_topology_set_xmlbuffer(topology, text.c_str(), size);
  });
}

absl::StatusOr<Topology> LoadThisMachinesTopology(const std::string& name) {
  return LoadApart(name, "a readable /sys/devices/system; --topology takes a file of lstopo instead",
                   [](hwloc_topology_t) { return 0; });
}

}  // namespace numasim::workloads
