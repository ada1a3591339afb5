// Watermarks, reserves and PCP limits: against what real kernels computed for themselves, and by formula.
#include "models/physical/reserves.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "proto/scenario.pb.h"
#include "tests/models/recordings.h"

namespace numasim {
namespace {

constexpr ZoneType kTypes[] = {ZoneType::kDma, ZoneType::kDma32, ZoneType::kNormal, ZoneType::kMovable};

ZoneType TypeOf(const std::string& name) {
  for (ZoneType type : kTypes) {
    if (name == kZoneNames[type]) return type;
  }
  ADD_FAILURE() << "no zone is named " << name;
  return ZoneType::kNormal;
}

Reserves MakeReserves(const MachineConfig& config, const KernelConfig& kernel = {}) {
  std::vector<Reserves::ZoneShape> shapes;
  for (const RecordedZone& zone : config.recorded_zones) {
    int cpus = 0;
    for (NodeId home : config.node_of_cpu) cpus += home.value == zone.node() ? 1 : 0;
    shapes.push_back({NodeId{zone.node()}, TypeOf(zone.name()), static_cast<int64_t>(zone.managed()), cpus});
  }
  return Reserves(shapes, static_cast<int>(config.node_of_cpu.size()), kernel);
}

class RecordedReservesTest : public ::testing::TestWithParam<std::string> {};
class WholeNodeReservesTest : public RecordedReservesTest {};

// The recordings show the zones' sizes at the end of boot. The kernel computed its reserves before it gave
// the memory of the initrd and of its own start-up code back, about 2,000 pages of node 0 and what lies at
// the top of memory. How large a zone was then can be told from the protection of the zones below it, which
// are a 256th of it and of it with those above it; where that allows the size at the end of boot, it was
// that.
MachineConfig AsOfTheComputation(MachineConfig config) {
  constexpr uint64_t kRatio = 256;
  std::vector<RecordedZone>& zones = config.recorded_zones;
  for (size_t i = 1; i < zones.size(); ++i) {
    if (zones[i].node() != zones[i - 1].node() || zones[i - 1].name() == "Normal") continue;
    const int type = static_cast<int>(TypeOf(zones[i].name()));
    const uint64_t managed = zones[i].managed();
    uint64_t least = static_cast<uint64_t>(zones[i - 1].protection(type)) * kRatio;
    uint64_t most = least + kRatio - 1;
    if (i + 1 < zones.size() && zones[i + 1].node() == zones[i].node()) {
      // With the zone above, which is as large as it is at the end of boot.
      const int above = static_cast<int>(TypeOf(zones[i + 1].name()));
      const uint64_t both = static_cast<uint64_t>(zones[i - 1].protection(above)) * kRatio;
      if (both > zones[i + 1].managed() + least) least = both - zones[i + 1].managed();
      most = std::min(most, both + kRatio - 1 - zones[i + 1].managed());
    }
    if (least <= managed && managed <= most) continue;
    EXPECT_LE(least, most);
    EXPECT_LT(most, managed);
    EXPECT_LT(managed - most, 2500u);
    zones[i].set_managed((least + most) / 2);
  }
  return config;
}

// The batch is a power of two, so it may jump where the memory is a little less or more.
void ExpectBatches(const Reserves& reserves, const MachineConfig& config) {
  for (size_t i = 0; i < config.recorded_zones.size(); ++i) {
    for (const PcpList& pcp : config.recorded_zones[i].pcp()) {
      EXPECT_EQ(reserves.settings()[i].pcp_batch, pcp.batch()) << "zone " << i;
    }
  }
}

void ExpectNear(const Reserves& reserves, const MachineConfig& config, double share) {
  const auto near = [share](int64_t ours, int64_t recorded) {
    EXPECT_NEAR(static_cast<double>(ours), static_cast<double>(recorded),
                std::fmax(1.0, share * static_cast<double>(recorded)));
  };
  near(reserves.min_free_kbytes(), *config.min_free_kbytes);
  for (size_t i = 0; i < config.recorded_zones.size(); ++i) {
    const RecordedZone& zone = config.recorded_zones[i];
    const Reserves::ZoneSettings& settings = reserves.settings()[i];
    SCOPED_TRACE("node" + std::to_string(zone.node()) + "." + zone.name());
    near(settings.watermarks.min, static_cast<int64_t>(zone.min()));
    near(settings.watermarks.low, static_cast<int64_t>(zone.low()));
    near(settings.watermarks.high, static_cast<int64_t>(zone.high()));
    ASSERT_FALSE(zone.pcp().empty());
    for (const PcpList& pcp : zone.pcp()) near(settings.pcp_high, pcp.high());
  }
}

// The recorded kernels booted with transparent_hugepage=always.
TEST_P(RecordedReservesTest, WatermarksAreTheKernelsForTheMemoryItHadThen) {
  const MachineConfig config = AsOfTheComputation(RecordedMachine(GetParam()));
  Reserves reserves = MakeReserves(config);
  reserves.Boot();
  reserves.ThpChanged(true);
  ExpectNear(reserves, config,
             0.002);  // for the 128 pages that the protection leaves open, and what other nodes gave back
  ExpectBatches(reserves, config);
}

TEST_P(WholeNodeReservesTest, WatermarksAreWithinTwoPercentForTheMemoryAtTheEndOfBoot) {
  const MachineConfig config = RecordedMachine(GetParam());
  Reserves reserves = MakeReserves(config);
  reserves.Boot();
  reserves.ThpChanged(true);
  ExpectNear(reserves, config, 0.02);
}

// Given the min_free_kbytes that the kernel had, what is left of the difference is that of the zones' shares.
TEST_P(RecordedReservesTest, LowAndHighFollowFromMinExactly) {
  const MachineConfig config = RecordedMachine(GetParam());
  for (const RecordedZone& zone : config.recorded_zones) {
    const int64_t min = static_cast<int64_t>(zone.min());
    // watermark_scale_factor 10 of 10,000 is less than a quarter of min on machines this small.
    EXPECT_EQ(static_cast<int64_t>(zone.low()), min + min / 4);
    EXPECT_EQ(static_cast<int64_t>(zone.high()), min + 2 * (min / 4));
  }
  Reserves reserves = MakeReserves(config);
  reserves.Boot();
  reserves.SetMinFreeKbytes(*config.min_free_kbytes);
  for (const Reserves::ZoneSettings& settings : reserves.settings()) {
    const Watermarks& marks = settings.watermarks;
    EXPECT_EQ(marks.low, marks.min + marks.min / 4);
    EXPECT_EQ(marks.high, marks.min + 2 * (marks.min / 4));
  }
}

TEST_P(RecordedReservesTest, LowmemReservesAreTheKernels) {
  const MachineConfig config = AsOfTheComputation(RecordedMachine(GetParam()));
  Reserves reserves = MakeReserves(config);
  reserves.Boot();
  for (size_t i = 0; i < config.recorded_zones.size(); ++i) {
    const RecordedZone& zone = config.recorded_zones[i];
    for (int type = 0; type < kZoneTypes; ++type) {
      EXPECT_EQ(reserves.settings()[i].lowmem_reserve[static_cast<size_t>(type)], zone.protection(type))
          << zone.name() << " protection " << type;
    }
  }
}

// A GiB, less what boot reserves.
constexpr int64_t kLeastNode = (int64_t{1} << (30 - kPageShift)) * 9 / 10;

// The sizes that the protection leaves open are a larger share of a smaller node than the bounds above allow:
// those hold for nodes of a GiB and more, and for the smaller ones named here.
std::vector<std::string> RecordingsToCompare() {
  const std::set<std::string> smaller = {"hugetlb_exhaust_node", "hugetlb_global_round_robin",
                                         "hugetlb_mempolicy_resize", "numa_fallback_order",
                                         "numa_interleave"};
  std::vector<std::string> names = RecordingNames();
  std::erase_if(names, [&](const std::string& name) {
    if (smaller.contains(name)) return false;
    std::map<int, int64_t> managed;
    for (const RecordedZone& zone : RecordedMachine(name).recorded_zones)
      managed[zone.node()] += static_cast<int64_t>(zone.managed());
    return std::any_of(managed.begin(), managed.end(),
                       [](const auto& node) { return node.second < kLeastNode; });
  });
  return names;
}

INSTANTIATE_TEST_SUITE_P(Recordings, RecordedReservesTest, ::testing::ValuesIn(RecordingsToCompare()),
                         [](const auto& info) { return info.param; });

// What was given back is up to two percent of a node. Of a zone that movablecore= has cut down it is more.
std::vector<std::string> RecordingsOfWholeNodes() {
  std::vector<std::string> names = RecordingsToCompare();
  std::erase_if(names, [](const std::string& name) { return RecordedMachine(name).movablecore_pages > 0; });
  return names;
}

INSTANTIATE_TEST_SUITE_P(Recordings, WholeNodeReservesTest, ::testing::ValuesIn(RecordingsOfWholeNodes()),
                         [](const auto& info) { return info.param; });

// ---- by formula ----

constexpr int64_t kGiB = int64_t{1} << (30 - kPageShift);  // in pages

Reserves OneZone(int64_t managed, int cpus = 1, const KernelConfig& kernel = {}) {
  return Reserves({{NodeId{0}, ZoneType::kNormal, managed, cpus}}, cpus, kernel);
}

TEST(ReservesTest, MinFreeIsTheRootOfSixteenTimesTheMemory) {
  for (int64_t gib : {1, 4, 16, 64}) {
    Reserves reserves = OneZone(gib * kGiB);
    reserves.Boot();
    const double kbytes = static_cast<double>(gib * kGiB * 4);
    EXPECT_EQ(reserves.min_free_kbytes(), static_cast<int64_t>(std::sqrt(kbytes * 16)));
  }
}

TEST(ReservesTest, MinFreeIsAtLeast128AndAtMost262144Kbytes) {
  Reserves tiny = OneZone(64);
  tiny.Boot();
  EXPECT_EQ(tiny.min_free_kbytes(), 128);
  Reserves huge = OneZone(int64_t{8192} * kGiB);
  huge.Boot();
  EXPECT_EQ(huge.min_free_kbytes(), 262144);
}

TEST(ReservesTest, ThpWantsElevenPageblocksAZoneButAtMostATwentiethOfMemory) {
  Reserves roomy = OneZone(4 * kGiB);
  roomy.Boot();
  roomy.ThpChanged(true);
  EXPECT_EQ(roomy.min_free_kbytes(), 11 * kPageblockPages * 4);
  Reserves small = OneZone(32 * kPageblockPages);
  small.Boot();
  const int64_t buffer = 32 * kPageblockPages - small.settings()[0].watermarks.high;
  small.ThpChanged(true);
  EXPECT_EQ(small.min_free_kbytes(), buffer / 20 * 4);
}

TEST(ReservesTest, SwitchingThpOffGoesBackToTheComputedValue) {
  Reserves reserves = OneZone(4 * kGiB);
  reserves.Boot();
  reserves.ThpChanged(true);
  const int64_t high = reserves.settings()[0].watermarks.high;
  reserves.ThpChanged(false);
  // calculate_min_free_kbytes() leaves out what is below the high watermark of that moment.
  const double kbytes = static_cast<double>((4 * kGiB - high) * 4);
  EXPECT_EQ(reserves.min_free_kbytes(), static_cast<int64_t>(std::sqrt(kbytes * 16)));
}

TEST(ReservesTest, ScaleFactorWidensTheGapsBetweenWatermarks) {
  Reserves reserves = OneZone(16 * kGiB);
  reserves.Boot();
  reserves.SetWatermarkScaleFactor(200);  // 2%
  const Watermarks& marks = reserves.settings()[0].watermarks;
  EXPECT_EQ(marks.low - marks.min, 16 * kGiB * 2 / 100);
  EXPECT_EQ(marks.high - marks.low, marks.low - marks.min);
}

TEST(ReservesTest, WatermarksAreSharedOutByManagedPages) {
  Reserves reserves({{NodeId{0}, ZoneType::kNormal, 3 * kGiB, 1}, {NodeId{1}, ZoneType::kNormal, kGiB, 1}}, 2,
                    KernelConfig());
  reserves.Boot();
  reserves.SetMinFreeKbytes(65536);
  EXPECT_EQ(reserves.settings()[0].watermarks.min, 16384 * 3 / 4);
  EXPECT_EQ(reserves.settings()[1].watermarks.min, 16384 / 4);
}

TEST(ReservesTest, LowmemReserveIsAShareOfTheZonesAbove) {
  Reserves reserves({{NodeId{0}, ZoneType::kDma, 4000, 1},
                     {NodeId{0}, ZoneType::kDma32, 512'000, 1},
                     {NodeId{0}, ZoneType::kNormal, 1'024'000, 1},
                     {NodeId{1}, ZoneType::kNormal, 4'096'000, 1}},
                    2, KernelConfig());
  reserves.Boot();
  const auto& dma = reserves.settings()[0].lowmem_reserve;
  EXPECT_EQ(dma[0], 0);
  EXPECT_EQ(dma[1], 512'000 / 256);
  EXPECT_EQ(dma[2], (512'000 + 1'024'000) / 256);
  EXPECT_EQ(dma[3], dma[2]);
  const auto& dma32 = reserves.settings()[1].lowmem_reserve;
  EXPECT_EQ(dma32[1], 0);
  EXPECT_EQ(dma32[2], 1'024'000 / 256);  // of its own node only
  EXPECT_EQ(reserves.settings()[3].lowmem_reserve[3], 0);
}

TEST(ReservesTest, BatchIsAPowerOfTwoLessOneUpTo63) {
  // A quarter of a thousandth of the zone, rounded to a power of two as the kernel does.
  const struct {
    int64_t managed;
    int batch;
  } kCases[] = {{3840, 1},       {8 << 10, 1}, {16 << 10, 3},  {64 << 10, 15},
                {128 << 10, 31}, {kGiB, 63},   {64 * kGiB, 63}};
  for (const auto& c : kCases) {
    Reserves reserves = OneZone(c.managed);
    reserves.Boot();
    EXPECT_EQ(reserves.settings()[0].pcp_batch, c.batch) << c.managed << " pages";
  }
}

TEST(ReservesTest, PcpHighIsTheLowWatermarkSharedByTheNodesCpus) {
  Reserves four = OneZone(16 * kGiB, 4);
  four.Boot();
  EXPECT_EQ(four.settings()[0].pcp_high, four.settings()[0].watermarks.low / 4);
  // At least four batches.
  Reserves many = OneZone(kGiB, 1000);
  many.Boot();
  EXPECT_EQ(many.settings()[0].pcp_high, 4 * 63);
}

TEST(ReservesTest, PcpHighOfANodeWithoutCpusIsSharedByAll) {
  Reserves reserves(
      {{NodeId{0}, ZoneType::kNormal, 16 * kGiB, 8}, {NodeId{1}, ZoneType::kNormal, 16 * kGiB, 0}}, 8,
      KernelConfig());
  reserves.Boot();
  EXPECT_EQ(reserves.settings()[1].pcp_high, reserves.settings()[1].watermarks.low / 8);
}

TEST(ReservesTest, HighFractionIsOfManagedPages) {
  Reserves reserves = OneZone(16 * kGiB, 4);
  reserves.Boot();
  reserves.SetPcpHighFraction(8);
  EXPECT_EQ(reserves.settings()[0].pcp_high, 16 * kGiB / 8 / 4);
  reserves.SetPcpHighFraction(0);
  EXPECT_EQ(reserves.settings()[0].pcp_high, reserves.settings()[0].watermarks.low / 4);
}

// ---- memory that comes and goes ----

// As recorded: two nodes of 1 GiB, and 512 MiB of a device in node 1's ZONE_MOVABLE.
class ManagedChangedTest : public ::testing::Test {
 protected:
  static constexpr int64_t kPlugged = 131072;
  static constexpr size_t kNode1Dma32 = 2;
  static constexpr size_t kDevice = 3;

  static Reserves Make(const KernelConfig& kernel = {}) {
    Reserves reserves({{NodeId{0}, ZoneType::kDma, 3840, 1},
                       {NodeId{0}, ZoneType::kDma32, 242524, 1},
                       {NodeId{1}, ZoneType::kDma32, 240817, 1},
                       {NodeId{1}, ZoneType::kMovable, kPlugged, 1}},
                      2, kernel);
    reserves.Boot();
    return reserves;
  }
  static int64_t Sum(const Reserves& reserves) {
    int64_t pages = 0;
    for (const auto& zone : reserves.settings()) pages += zone.watermarks.min;
    return pages;
  }
};

TEST_F(ManagedChangedTest, LowerZonesProtectThemselvesFromWhatIsThereNow) {
  Reserves reserves = Make();
  constexpr auto kMovable = static_cast<size_t>(ZoneType::kMovable);
  EXPECT_EQ(reserves.settings()[kNode1Dma32].lowmem_reserve[kMovable], kPlugged / 256);  // 512, as recorded
  reserves.ManagedChanged(kDevice, -kPlugged / 2, false);
  EXPECT_EQ(reserves.settings()[kNode1Dma32].lowmem_reserve[kMovable], kPlugged / 512);
  reserves.ManagedChanged(kDevice, -kPlugged / 2, false);
  EXPECT_EQ(reserves.settings()[kNode1Dma32].lowmem_reserve[kMovable], 0);
}

TEST_F(ManagedChangedTest, MinFreeIsSharedOutAmongTheZonesThatHaveMemory) {
  Reserves reserves = Make();
  reserves.ManagedChanged(kDevice, -kPlugged, true);
  const int64_t pages = reserves.min_free_kbytes() / 4;
  const int64_t all = 3840 + 242524 + 240817;
  EXPECT_EQ(reserves.settings()[kDevice].watermarks.min, 0);
  EXPECT_EQ(reserves.settings()[kDevice].watermarks.high, 0);
  EXPECT_EQ(reserves.settings()[kNode1Dma32].watermarks.min, pages * 240817 / all);
  EXPECT_LE(pages - Sum(reserves), 3);
}

TEST_F(ManagedChangedTest, WithThpThereIsRoomForEachTypeInEachKernelZone) {
  // 3 zones below ZONE_MOVABLE, 11 pageblocks each: 67,584 kB, as recorded with and without the device.
  Reserves reserves = Make();
  reserves.ManagedChanged(kDevice, -kPlugged, true);
  EXPECT_EQ(reserves.min_free_kbytes(), 3 * 11 * 512 * 4);
}

TEST_F(ManagedChangedTest, WithoutThpMinFreeFollowsTheKernelsMemory) {
  Reserves reserves = Make();
  int64_t above_high = 240000;
  reserves.ManagedChanged(kNode1Dma32, above_high - 240817, false);
  for (size_t zone : {size_t{0}, size_t{1}, kNode1Dma32}) {
    // What is above the high watermarks of before.
    if (zone != kNode1Dma32) above_high += reserves.zones()[zone].managed;
    above_high -= Make().settings()[zone].watermarks.high;
  }
  EXPECT_EQ(reserves.min_free_kbytes(),
            static_cast<int64_t>(std::sqrt(static_cast<double>(above_high * 4 * 16))));
}

TEST_F(ManagedChangedTest, WhatTheUserSetStaysWhereItIsMore) {
  KernelConfig kernel;
  kernel.min_free_kbytes = 200000;
  Reserves reserves = Make(kernel);
  reserves.ManagedChanged(kDevice, -kPlugged, false);
  EXPECT_EQ(reserves.min_free_kbytes(), 200000);
}

TEST_F(ManagedChangedTest, PcpListsFollowTheZone) {
  Reserves reserves = Make();
  // zone_batchsize(): half a thousandth and a half, rounded down to a power of two, less one: 31, as
  // recorded.
  EXPECT_EQ(reserves.settings()[kDevice].pcp_batch, 31);
  EXPECT_EQ(reserves.settings()[kDevice].pcp_high, reserves.settings()[kDevice].watermarks.low);
  reserves.ManagedChanged(kDevice, -kPlugged / 2, false);
  EXPECT_EQ(reserves.settings()[kDevice].pcp_batch, 31 / 2);
  EXPECT_EQ(reserves.settings()[kDevice].pcp_high, reserves.settings()[kDevice].watermarks.low);
}

}  // namespace
}  // namespace numasim
