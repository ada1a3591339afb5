#include "workloads/machine/resolve.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

absl::StatusOr<int64_t> PagesOf(const std::string& field, const std::string& size) {
  auto bytes = ParseSize(size);
  if (!bytes.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": ", Quoted(size), " ", bytes.status().message()));
  }
  return *bytes >> kPageShift;
}

// Its memory goes to ZONE_MOVABLE if the boot arguments say so.
absl::StatusOr<MemoryDevice> DeviceOf(const Machine& machine) {
  MemoryDevice device{NodeId{machine.virtio_mem().node()}};
  auto pages = PagesOf("machine.virtio_mem.max", machine.virtio_mem().max());
  if (!pages.ok()) return pages.status();
  device.pages = *pages;
  pages = PagesOf("machine.virtio_mem.plugged", machine.virtio_mem().plugged());
  if (!pages.ok()) return pages.status();
  device.plugged = *pages;
  for (absl::string_view argument : absl::StrSplit(machine.kernel_args(), ' ')) {
    if (argument == "memhp_default_state=online_movable") device.type = ZoneType::kMovable;
  }
  return device;
}

// movablecore= of the boot arguments; the kernel section's knob wins.
absl::StatusOr<int64_t> MovablecorePages(const Machine& machine, const Kernel& kernel) {
  if (kernel.has_movablecore()) return PagesOf("kernel.movablecore", kernel.movablecore());
  for (absl::string_view argument : absl::StrSplit(machine.kernel_args(), ' ')) {
    if (!absl::ConsumePrefix(&argument, "movablecore=")) continue;
    return PagesOf("machine.kernel_args: movablecore", std::string(argument));
  }
  return 0;
}

}  // namespace

absl::StatusOr<MachineConfig> ResolveMachine(const Machine& machine, const Kernel& kernel) {
  MachineConfig config;
  int nodes = machine.node_size();
  for (const RecordedZone& zone : machine.zone()) {
    nodes = std::max(nodes, zone.node() + 1);
    config.recorded_zones.push_back(zone);
  }
  config.nodes.resize(static_cast<size_t>(nodes));
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
  auto movablecore = MovablecorePages(machine, kernel);
  if (!movablecore.ok()) return movablecore.status();
  config.movablecore_pages = *movablecore;
  if (machine.has_virtio_mem()) {
    auto device = DeviceOf(machine);
    if (!device.ok()) return device.status();
    config.memory_device = *device;
  }
  if (machine.has_min_free_kbytes() && machine.zone_size() > 0)
    config.min_free_kbytes = machine.min_free_kbytes();
  config.recorded_kernel = machine.kernel();
  // MIN_PERCPU_PAGELIST_HIGH_FRACTION
  const int fraction = kernel.percpu_pagelist_high_fraction();
  if (fraction > 0 && fraction < 8) {
    return absl::InvalidArgumentError(absl::StrCat("kernel.percpu_pagelist_high_fraction: ", fraction,
                                                   " is too small; expected 0 or at least 8"));
  }
  return config;
}

}  // namespace numasim::workloads
