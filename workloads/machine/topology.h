// The NUMA layout of a machine as hwloc sees it: which nodes there are, how much memory and which CPUs each
// has, and how far apart they are. It comes from an `lstopo` XML file or from the machine the program runs
// on.
//
// Simulated machines number nodes and CPUs from 0 without holes. A machine with holes (an offline CPU, a node
// number not in use) is renumbered in ascending order of its own numbers; the own numbers stay in
// os_index and cpus.
#ifndef NUMASIM_WORKLOADS_MACHINE_TOPOLOGY_H_
#define NUMASIM_WORKLOADS_MACHINE_TOPOLOGY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/scenario.pb.h"

namespace numasim::workloads {

struct TopologyNode {
  int os_index = 0;           // the operating system's number of the node
  uint64_t memory_bytes = 0;  // hwloc's local_memory: what the kernel manages, without its own image
  std::map<uint64_t, uint64_t> huge_pages;  // how many of which size in bytes
  std::vector<int> cpus;  // the operating system's numbers of the node's CPUs, ascending; may be empty
};

struct Topology {
  std::vector<TopologyNode> nodes;          // ascending by os_index, never empty
  std::vector<std::vector<int>> distances;  // SLIT values by position in nodes; empty if hwloc knows none
};

// Reads an hwloc XML file as `lstopo FILE.xml` writes it, or the text of one. Fails if the file cannot be
// read or is no such file. `name` is what errors call the text.
absl::StatusOr<Topology> ReadTopologyXml(const std::string& path);
absl::StatusOr<Topology> ParseTopologyXml(const std::string& name, const std::string& text);

// Reads the machine the program runs on, including CPUs and nodes that a cpuset forbids to this process.
absl::StatusOr<Topology> ReadThisMachinesTopology();

// Where each CPU is: the position in `nodes` of its node, by position of the CPU in ascending order of os
// numbers. A CPU that several nodes claim (flat HBM next to DRAM) is on the first of them, as in Linux.
std::vector<int> NodeOfCpu(const Topology& topology);

// The operating system's numbers of all CPUs, ascending: the position in this list is the simulated CPU.
std::vector<int> OsCpus(const Topology& topology);

// Fill in the fields of `machine` of the same meaning: `distance`, with the kernel's defaults (10 to itself,
// 20 to others) if hwloc knows none, and `cpus`.
void SetDistances(const Topology& topology, Machine& machine);
void SetNodeOfCpu(const Topology& topology, Machine& machine);

// A machine that boots empty: one `node` for each NUMA node of the file, its huge pages, distances, and
// `cpus` where CPUs are not numbered node by node. This is what a scenario's `lstopo_file` stands for.
//
// On a real machine local_memory is the node's MemTotal: installed memory less one struct page (64 bytes) for
// each base page and less what firmware and kernel image keep. Simulated nodes are given the memory installed
// and take the struct pages off themselves, so MemTotal is scaled by 64/63 and rounded up to 4 MiB, the
// largest buddy block. A local_memory that is a multiple of 4 MiB, as in lstopo's synthetic topologies, is
// the memory installed.
//
// Fails as ParseTopologyXml, and if a node's memory is not a multiple of the 4 KiB base page or no node has
// any.
absl::StatusOr<Machine> ParseLstopoMachine(const std::string& name, const std::string& text);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_TOPOLOGY_H_
