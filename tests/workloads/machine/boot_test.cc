// A recorded machine in the models: what a snapshot says of the free lists is what the simulation starts
// with.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "models/base/machine_config.h"
#include "models/physical/memory_system.h"
#include "proto/scenario.pb.h"
#include "sim/engine.h"
#include "workloads/machine/snapshot.h"

namespace numasim::workloads {
namespace {

MachineConfig ConfigOf(const Machine& machine) {
  MachineConfig config;
  config.nodes.resize(static_cast<size_t>(machine.distance_size()));
  for (int node : machine.cpus().node_of_cpu()) config.node_of_cpu.push_back(NodeId{node});
  for (const Machine::DistanceRow& row : machine.distance()) {
    config.distance.emplace_back(row.to().begin(), row.to().end());
  }
  config.recorded_zones.assign(machine.zone().begin(), machine.zone().end());
  config.min_free_kbytes = machine.min_free_kbytes();
  return config;
}

TEST(BootTest, SimulatedFreeListsAreTheRecordedOnes) {
  const std::string data =
      absl::StrCat(std::getenv("TEST_SRCDIR"), "/numasim/tests/workloads/machine/testdata/");
  const absl::StatusOr<Snapshot> snapshot =
      TakeSnapshot({.root = data + "two_nodes", .topology_xml = data + "two_nodes.xml"});
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  sim::Engine engine(sim::Engine::Options{});
  const auto system = MemorySystem::Create(engine, ConfigOf(snapshot->machine),
                                           KernelConfig(snapshot->machine.kernel()), Costs());
  ASSERT_TRUE(system.ok()) << system.status();
  ASSERT_EQ((*system)->zones().size(), static_cast<size_t>(snapshot->machine.zone_size()));
  for (int z = 0; z < snapshot->machine.zone_size(); ++z) {
    const RecordedZone& recorded = snapshot->machine.zone(z);
    const Zone& zone = *(*system)->zones()[static_cast<size_t>(z)];
    EXPECT_EQ(zone.Name(), absl::StrCat("node", recorded.node(), ".", recorded.name()));
    EXPECT_EQ(zone.watermarks().low, static_cast<int64_t>(recorded.low())) << zone.Name();
    for (int order = 0; order < recorded.free_total_size(); ++order) {
      EXPECT_EQ(zone.buddy().blocks(order), static_cast<int64_t>(recorded.free_total(order)))
          << zone.Name() << " order " << order;
    }
  }
}

}  // namespace
}  // namespace numasim::workloads
