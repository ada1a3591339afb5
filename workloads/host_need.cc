#include "workloads/host_need.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "models/hugetlb/huge_pages.h"
#include "models/physical/frame_store.h"
#include "workloads/generate/distribution_text.h"
#include "workloads/generate/slab_objects.h"
#include "workloads/integer_math.h"

namespace numasim::workloads {
namespace {

// Measured; see HostNeedTest.
constexpr int64_t kProgram = int64_t{24} << 20;
constexpr int64_t kProgramSpace = int64_t{64} << 20;
constexpr int64_t kPerCpu = 2048;     // a Cpu, its name and locks, and its lists once used
constexpr int64_t kPerStream = 1536;  // a runner and its path

int64_t PagesOf(const MachineConfig& machine) {
  int64_t pages = machine.memory_device ? machine.memory_device->pages : 0;
  for (const MachineConfig::NodeConfig& node : machine.nodes) pages += node.pages;
  for (const RecordedZone& zone : machine.recorded_zones) pages += static_cast<int64_t>(zone.spanned());
  return pages;
}

std::string Gigabytes(int64_t bytes) {
  return bytes < int64_t{1} << 30 ? absl::StrFormat("%.0f MiB", static_cast<double>(bytes) / 0x1p20)
                                  : absl::StrFormat("%.1f GiB", static_cast<double>(bytes) / 0x1p30);
}

}  // namespace

HostNeed EstimateHostNeed(const MachineConfig& machine, const LoadedScenario& scenario) {
  const int64_t pages = PagesOf(machine);
  const int64_t pageblocks = pages / kPageblockPages + 1;
  int64_t streams = 0;
  for (const LoadedScript& script : scenario.scripts) streams += script.copies;
  HostNeed need;
  need.broken_up = pages * FrameStore::kBytesPerFrame;
  for (const ChurnPlan& plan : scenario.churns) {
    need.broken_up += (InProportion(pages, plan.fill, kWholeShare) >> plan.order) * int64_t{sizeof(Pfn)};
  }
  for (const SlabPlan& plan : scenario.slabs)
    need.broken_up += (pages >> plan.order) * SlabObjects::kBytesPerSlab;
  need.at_start = kProgram + pageblocks * FrameStore::kBytesPerPageblock +
                  static_cast<int64_t>(machine.node_of_cpu.size()) * kPerCpu + streams * kPerStream;
  need.address_space =
      kProgramSpace + need.at_start + need.broken_up + pageblocks * static_cast<int64_t>(sizeof(HugePage));
  return need;
}

absl::Status CheckHostNeed(const HostNeed& need, const sim::HostMemory& host) {
  if (need.at_start > host.resident) {
    return absl::ResourceExhaustedError(
        absl::StrCat("machine: simulating it takes about ", Gigabytes(need.at_start),
                     " of memory to begin with, and this host has ", Gigabytes(host.resident),
                     " free; expected smaller nodes, fewer CPUs or fewer copies"));
  }
  if (need.address_space > host.address_space) {
    return absl::ResourceExhaustedError(
        absl::StrCat("machine: simulating it takes about ", Gigabytes(need.address_space),
                     " of address space, and this process has ", Gigabytes(host.address_space),
                     " left (ulimit -v); expected smaller nodes, or a larger limit"));
  }
  return absl::OkStatus();
}

std::string BrokenUpWarning(const HostNeed& need, const sim::HostMemory& host) {
  return absl::StrCat("machine: with all its memory in single pages, simulating it takes up to ",
                      Gigabytes(need.at_start + need.broken_up), ", and this host has ",
                      Gigabytes(host.resident), " free; the run ends where that is used up");
}

}  // namespace numasim::workloads
