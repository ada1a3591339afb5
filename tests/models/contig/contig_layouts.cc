#include "tests/models/contig/contig_layouts.h"

#include <ostream>

namespace numasim {
namespace {

constexpr int64_t kBlock = 128 * kMiB;
constexpr int64_t kGiB = 1024 * kMiB;

}  // namespace

MachineConfig ContigLayout::machine() const {
  MachineConfig config = DescribedMachine(nodes, cpus);
  const NodeId last{static_cast<int32_t>(nodes.size()) - 1};
  config.movablecore_pages = movablecore;
  if (device > 0)
    config.memory_device = MemoryDevice{last, device_zone, device, device / kBlock / 2 * kBlock};
  if (area > 0) config.cma.push_back({"camera", NodeId{0}, area, false, "kernel.cma.area[0]"});
  if (gigantic_area > 0)
    config.cma.push_back({"hugetlb", last, gigantic_area, true, "kernel.cma.hugetlb[0]"});
  config.disk_pages = disk;
  config.offline_patience_ns = 2'000'000;  // some rounds over the block
  return config;
}

workloads::RandomContigOptions ContigLayout::options() const {
  workloads::RandomContigOptions options;
  options.nodes = static_cast<int>(nodes.size());
  options.cpus = cpus * options.nodes;
  options.pool = pool;
  options.gigantic = gigantic;
  options.device = device * kPageSize;
  options.offline_one_in = offline ? 4 : 0;
  if (area > 0) options.areas.push_back("camera");
  options.area_size = area * kPageSize;
  return options;
}

void PrintTo(const ContigLayout& layout, std::ostream* out) { *out << layout.name; }

std::vector<ContigLayout> ContigLayouts() {
  return {
      {.name = "OneNode", .nodes = {512 * kMiB}},
      {.name = "TwoNodes", .nodes = {384 * kMiB, 256 * kMiB}},
      {.name = "Movable", .nodes = {512 * kMiB, 512 * kMiB}, .movablecore = 512 * kMiB},
      {.name = "Device", .nodes = {128 * kMiB, 64 * kMiB}, .device = 512 * kMiB},
      {.name = "DeviceAlone", .nodes = {96 * kMiB}, .device = 384 * kMiB, .offline = false},
      {.name = "MovableDevice",
       .nodes = {128 * kMiB, 64 * kMiB},
       .device = 512 * kMiB,
       .device_zone = ZoneType::kMovable},
      {.name = "Areas", .nodes = {128 * kMiB, 96 * kMiB}, .area = 48 * kMiB, .offline = false},
      {.name = "AreasAndDevice",
       .nodes = {128 * kMiB, 96 * kMiB},
       .device = 256 * kMiB,
       .device_zone = ZoneType::kMovable,
       .area = 32 * kMiB},
      {.name = "LittleMemory",
       .nodes = {64 * kMiB, 32 * kMiB},
       .device = 128 * kMiB,
       .area = 16 * kMiB,
       .pool = 90},
      {.name = "Gigantic",
       .nodes = {2 * kGiB, 3 * kGiB},
       .gigantic = 3,
       .gigantic_area = 2 * kGiB,
       .pool = 400},
  };
}

int64_t ManagedPages(TestMachine& machine) {
  int64_t pages = 0;
  for (const Zone* zone : machine.memory().zones()) pages += zone->managed();
  return pages;
}

}  // namespace numasim
