#include "workloads/host_need.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace numasim::workloads {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();
constexpr int64_t kGiB = int64_t{1} << 30;

MachineConfig MachineOf(int nodes, int64_t bytes_each, size_t cpus) {
  MachineConfig machine;
  for (int n = 0; n < nodes; ++n) machine.nodes.push_back({bytes_each / kPageSize});
  machine.node_of_cpu.resize(cpus);
  return machine;
}

LoadedScenario Streams(int copies) {
  LoadedScenario scenario;
  scenario.scripts.push_back({.name = "s"});
  scenario.scripts.back().copies = copies;
  return scenario;
}

TEST(HostNeedTest, GrowsWithMemoryCpusAndStreams) {
  const HostNeed small = EstimateHostNeed(MachineOf(1, 1 * kGiB, 1), Streams(1));
  const HostNeed memory = EstimateHostNeed(MachineOf(2, 512 * kGiB, 1), Streams(1));
  EXPECT_EQ(memory.broken_up, 1024 * small.broken_up);
  EXPECT_GT(memory.at_start, small.at_start);
  EXPECT_GT(EstimateHostNeed(MachineOf(1, 1 * kGiB, 1000), Streams(1)).at_start, small.at_start);
  EXPECT_GT(EstimateHostNeed(MachineOf(1, 1 * kGiB, 1), Streams(1000)).at_start, small.at_start);
}

// The zones that a machine was recorded with count, with what its device may plug.
TEST(HostNeedTest, RecordedZonesAndDevicesCount) {
  MachineConfig machine = MachineOf(1, 0, 1);
  const int64_t none = EstimateHostNeed(machine, Streams(1)).broken_up;
  machine.recorded_zones.emplace_back().set_spanned(1000);
  machine.memory_device = MemoryDevice{NodeId{0}};
  machine.memory_device->pages = 24;
  EXPECT_EQ(none, 0);
  EXPECT_EQ(EstimateHostNeed(machine, Streams(1)).broken_up,
            EstimateHostNeed(MachineOf(1, 1024 * kPageSize, 1), Streams(1)).broken_up);
}

TEST(HostNeedTest, WhatTheHostCannotGiveIsRefusedWithBothNumbers) {
  const HostNeed need = {.at_start = 3 * kGiB, .address_space = 20 * kGiB, .broken_up = 16 * kGiB};
  EXPECT_TRUE(CheckHostNeed(need, {.resident = 3 * kGiB, .address_space = 20 * kGiB}).ok());
  EXPECT_EQ(
      CheckHostNeed(need, {.resident = 2 * kGiB, .address_space = kUnlimited}).message(),
      "machine: simulating it takes about 3.0 GiB of memory to begin with, and this host has 2.0 GiB free; "
      "expected smaller nodes, fewer CPUs or fewer copies");
  EXPECT_EQ(CheckHostNeed(need, {.resident = kUnlimited, .address_space = 512 << 20}).message(),
            "machine: simulating it takes about 20.0 GiB of address space, and this process has 512 MiB left "
            "(ulimit -v); expected smaller nodes, or a larger limit");
  EXPECT_THAT(BrokenUpWarning(need, {.resident = 4 * kGiB, .address_space = kUnlimited}),
              HasSubstr("takes up to 19.0 GiB, and this host has 4.0 GiB free"));
}

}  // namespace
}  // namespace numasim::workloads
