// Where the zones of a machine lie and what is free in them when the simulation starts.
#include "models/physical/boot.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/base/problem_list.h"
#include "models/physical/layout.h"
#include "models/physical/zone.h"
#include "models/physical/zone_check.h"
#include "proto/scenario.pb.h"
#include "sim/engine.h"
#include "sim/locks.h"
#include "tests/models/recordings.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kMiB = (int64_t{1} << 20) >> kPageShift;  // in pages
constexpr int64_t kGiB = kMiB << 10;
constexpr uint64_t k16MiB = 16 * kMiB;
constexpr uint64_t k2GiB = 2 * kGiB;
constexpr uint64_t k4GiB = 4 * kGiB;

// A zone by itself.
class ZoneAlone {
 public:
  ZoneAlone(const Zone::Extent& extent, int cpus)
      : engine_({}),
        zone_(extent, cpus, std::make_unique<sim::SpinLock>(engine_, engine_.AddLp("node"), "lock")) {}
  Zone& zone() { return zone_; }
  // Checks the zone and counts its pages.
  ZoneCensus Census() {
    ProblemList problems;
    const ZoneCensus census = CheckZone(zone_, problems, [](Pfn, int, const FrameOwner&) {});
    EXPECT_THAT(std::move(problems).Take(), IsEmpty());
    return census;
  }

 private:
  sim::Engine engine_;
  Zone zone_;
};

struct Span {
  int node;
  ZoneType type;
  uint64_t start, end;
  bool operator==(const Span&) const = default;
};
void PrintTo(const Span& span, std::ostream* out) {
  *out << "node" << span.node << "." << kZoneNames[span.type] << " [" << span.start << ", " << span.end
       << ")";
}

std::vector<Span> Described(const std::vector<int64_t>& node_pages, int64_t movablecore = 0) {
  auto zones = DescribedZones(node_pages, movablecore);
  EXPECT_TRUE(zones.ok()) << zones.status();
  std::vector<Span> spans;
  for (const Zone::Extent& e : *zones) {
    spans.push_back({e.node.value, e.type, e.start.value, (e.start + e.spanned).value});
  }
  return spans;
}

TEST(DescribedZonesTest, DmaEndsAt16MiBAndBeginsAtFrameOne) {
  EXPECT_THAT(Described({kGiB}), ElementsAre(Span{0, ZoneType::kDma, 1, k16MiB},
                                             Span{0, ZoneType::kDma32, k16MiB, static_cast<uint64_t>(kGiB)}));
}

TEST(DescribedZonesTest, MemoryUpTo2816MiBLiesBelowTheHole) {
  EXPECT_THAT(Described({2816 * kMiB}), ElementsAre(Span{0, ZoneType::kDma, 1, k16MiB},
                                                    Span{0, ZoneType::kDma32, k16MiB, 2816 * kMiB}));
}

TEST(DescribedZonesTest, LargerMachinesHaveAHoleFrom2GiBTo4GiB) {
  // The first 2 GiB are below the hole, the rest follows above it.
  EXPECT_THAT(Described({3 * kGiB, 5 * kGiB}),
              ElementsAre(Span{0, ZoneType::kDma, 1, k16MiB}, Span{0, ZoneType::kDma32, k16MiB, k2GiB},
                          Span{0, ZoneType::kNormal, k4GiB, k4GiB + kGiB},
                          Span{1, ZoneType::kNormal, k4GiB + kGiB, k4GiB + 6 * kGiB}));
}

TEST(DescribedZonesTest, ANodeThatEndsAtTheHoleLeavesTheNextAllNormal) {
  EXPECT_THAT(Described({2 * kGiB, 2 * kGiB}),
              ElementsAre(Span{0, ZoneType::kDma, 1, k16MiB}, Span{0, ZoneType::kDma32, k16MiB, k2GiB},
                          Span{1, ZoneType::kNormal, k4GiB, k4GiB + 2 * kGiB}));
}

TEST(DescribedZonesTest, NodesWithoutMemoryHaveNoZones) {
  EXPECT_THAT(Described({0, 512 * kMiB, 0, 512 * kMiB}),
              ElementsAre(Span{1, ZoneType::kDma, 1, k16MiB}, Span{1, ZoneType::kDma32, k16MiB, 512 * kMiB},
                          Span{3, ZoneType::kDma32, 512 * kMiB, 1024 * kMiB}));
}

TEST(DescribedZonesTest, MovablecoreIsSharedOutToTheTopsOfTheNodes) {
  EXPECT_THAT(Described({kGiB, kGiB}, kGiB),
              ElementsAre(Span{0, ZoneType::kDma, 1, k16MiB}, Span{0, ZoneType::kDma32, k16MiB, 512 * kMiB},
                          Span{0, ZoneType::kMovable, 512 * kMiB, 1024 * kMiB},
                          Span{1, ZoneType::kDma32, 1024 * kMiB, 1536 * kMiB},
                          Span{1, ZoneType::kMovable, 1536 * kMiB, 2048 * kMiB}));
}

TEST(DescribedZonesTest, WrongSizesAreErrorsThatNameTheField) {
  EXPECT_THAT(std::string(DescribedZones({kGiB + 1}, 0).status().message()),
              HasSubstr("machine.node[0].memory"));
  EXPECT_THAT(std::string(DescribedZones({0, 0}, 0).status().message()), HasSubstr("no node has memory"));
  EXPECT_THAT(std::string(DescribedZones({kGiB}, kGiB).status().message()), HasSubstr("movablecore"));
}

TEST(DescribedZonesTest, OnlyTheMemmapAndTheFirmwaresHoleAreNotManaged) {
  const auto zones = DescribedZones({4 * kGiB}, 0);
  ASSERT_TRUE(zones.ok());
  for (const Zone::Extent& e : *zones) {
    // 64 bytes of struct page a frame: one page for 64.
    EXPECT_EQ(e.managed, e.present - (e.present + 63) / 64);
    EXPECT_EQ(e.present, e.type == ZoneType::kDma ? e.spanned - 97 : e.spanned);
  }
}

TEST(BootEmptyTest, AllManagedFramesAreFreeInBlocksAsLargeAsCanBe) {
  const auto zones = DescribedZones({256 * kMiB}, 0);
  ASSERT_TRUE(zones.ok());
  for (const Zone::Extent& extent : *zones) {
    ZoneAlone alone(extent, 2);
    BootEmpty(alone.zone());
    const ZoneCensus census = alone.Census();
    EXPECT_EQ(census.free, extent.managed);
    EXPECT_EQ(census.managed(), extent.managed);
    // Two free blocks of an order are at most where the zone's two ends do not line up.
    for (int order = 0; order < kMaxOrder; ++order) EXPECT_LE(alone.zone().buddy().blocks(order), 2) << order;
    EXPECT_EQ(alone.zone().buddy().list(kMaxOrder, Migratetype::kMovable).count(),
              static_cast<uint32_t>(alone.zone().buddy().blocks(kMaxOrder)));
  }
}

TEST(BootEmptyTest, LowAddressesAreUsedFirst) {
  ZoneAlone alone({NodeId{0}, ZoneType::kNormal, Pfn{1 << 20}, 64 * kMiB, 64 * kMiB, 64 * kMiB}, 1);
  BootEmpty(alone.zone());
  EXPECT_EQ(alone.zone().frames().PfnOf(alone.zone().AllocBuddy(0, Migratetype::kMovable, {})), Pfn{1 << 20});
  EXPECT_EQ(alone.zone().frames().PfnOf(alone.zone().AllocBuddy(0, Migratetype::kMovable, {})),
            Pfn{(1 << 20) + 1});
}

// ---- recorded machines ----

class BootRecordedTest : public ::testing::TestWithParam<std::string> {
 protected:
  BootRecordedTest()
      : config_(RecordedMachine(GetParam())), extents_(RecordedZones(config_.recorded_zones)) {}
  int cpus() const { return static_cast<int>(config_.node_of_cpu.size()); }

  MachineConfig config_;
  absl::StatusOr<std::vector<Zone::Extent>> extents_;
};

TEST_P(BootRecordedTest, FreeBlocksOfEachOrderAndTypeAreAsRecorded) {
  ASSERT_TRUE(extents_.ok()) << extents_.status();
  for (size_t i = 0; i < extents_->size(); ++i) {
    const RecordedZone& recorded = config_.recorded_zones[i];
    ZoneAlone alone((*extents_)[i], cpus());
    ASSERT_TRUE(BootRecorded(alone.zone(), recorded).ok());
    ASSERT_FALSE(recorded.free_blocks().empty());
    int64_t free = 0;
    for (const FreeBlocks& list : recorded.free_blocks()) {
      const auto type = static_cast<Migratetype>(
          std::find(std::begin(kMigratetypeNames), std::end(kMigratetypeNames), list.type()) -
          std::begin(kMigratetypeNames));
      for (int order = 0; order < kOrders; ++order) {
        EXPECT_EQ(alone.zone().buddy().list(order, type).count(), list.blocks(order))
            << recorded.name() << " of node " << recorded.node() << ", order " << order << " " << list.type();
        free += static_cast<int64_t>(list.blocks(order)) << order;
      }
    }
    EXPECT_EQ(alone.zone().buddy().free_pages(), free);
    EXPECT_EQ(alone.Census().free, free);
  }
}

TEST_P(BootRecordedTest, PcpListsHoldAsManyPagesAsRecorded) {
  ASSERT_TRUE(extents_.ok()) << extents_.status();
  for (size_t i = 0; i < extents_->size(); ++i) {
    const RecordedZone& recorded = config_.recorded_zones[i];
    ZoneAlone alone((*extents_)[i], cpus());
    ASSERT_TRUE(BootRecorded(alone.zone(), recorded).ok());
    int64_t pages = 0;
    for (const PcpList& pcp : recorded.pcp()) {
      EXPECT_EQ(alone.zone().pcp(CpuId{pcp.cpu()}).count, pcp.count());
      pages += pcp.count();
    }
    EXPECT_EQ(alone.Census().pcp, pages);
  }
}

TEST_P(BootRecordedTest, AllElseThatIsManagedIsTheKernelsOrInZoneMovableItsUsers) {
  ASSERT_TRUE(extents_.ok()) << extents_.status();
  for (size_t i = 0; i < extents_->size(); ++i) {
    ZoneAlone alone((*extents_)[i], cpus());
    ASSERT_TRUE(BootRecorded(alone.zone(), config_.recorded_zones[i]).ok());
    const ZoneCensus census = alone.Census();
    const bool movable = (*extents_)[i].type == ZoneType::kMovable;
    EXPECT_EQ(census.kernel, movable ? 0 : census.allocated);
    EXPECT_EQ(census.managed(), (*extents_)[i].managed);
    EXPECT_EQ(alone.zone().managed(), (*extents_)[i].managed);
    EXPECT_EQ(alone.zone().present(), (*extents_)[i].present);
  }
}

TEST_P(BootRecordedTest, PageblocksOfEachTypeAreAsRecorded) {
  ASSERT_TRUE(extents_.ok()) << extents_.status();
  for (size_t i = 0; i < extents_->size(); ++i) {
    const RecordedZone& recorded = config_.recorded_zones[i];
    ZoneAlone alone((*extents_)[i], cpus());
    ASSERT_TRUE(BootRecorded(alone.zone(), recorded).ok());
    std::map<std::string, int64_t> blocks;
    const FrameStore& frames = alone.zone().frames();
    // Holes of whole pageblocks, which /proc/pagetypeinfo leaves out, are at the top.
    const Pfn end = BootMemoryOf((*extents_)[i]).present_end;
    for (FrameIndex f = 0; frames.PfnOf(f) < end; f += kPageblockPages) {
      ++blocks[kMigratetypeNames[frames.pageblock_type(f)]];
    }
    for (const PageblockCount& count : recorded.pageblocks()) {
      EXPECT_EQ(blocks[count.type()], static_cast<int64_t>(count.count()))
          << recorded.name() << " of node " << recorded.node() << ", " << count.type();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Recordings, BootRecordedTest, ::testing::ValuesIn(RecordingNames()),
                         [](const auto& info) { return info.param; });

RecordedZone SmallZone() {
  RecordedZone zone;
  zone.set_node(0);
  zone.set_name("Normal");
  zone.set_start_pfn(1 << 20);
  zone.set_spanned(4096);
  zone.set_present(4096);
  zone.set_managed(4000);
  return zone;
}

TEST(RecordedZonesTest, WrongZonesAreErrorsThatNameThem) {
  RecordedZone zone = SmallZone();
  zone.set_name("HighMem");
  EXPECT_THAT(std::string(RecordedZones({zone}).status().message()), HasSubstr("'HighMem' is no zone"));
  zone = SmallZone();
  zone.set_managed(5000);
  EXPECT_THAT(std::string(RecordedZones({zone}).status().message()), HasSubstr("managed 5000"));
}

TEST(BootRecordedErrorsTest, MoreFreeBlocksThanTheZoneHoldsAreAnError) {
  RecordedZone recorded = SmallZone();
  auto* list = recorded.add_free_blocks();
  list->set_type("Movable");
  for (int order = 0; order < kOrders; ++order) list->add_blocks(order == kMaxOrder ? 5 : 0);
  ZoneAlone alone((*RecordedZones({recorded}))[0], 1);
  EXPECT_THAT(std::string(BootRecorded(alone.zone(), recorded).message()), HasSubstr("do not fit"));
}

TEST(BootRecordedErrorsTest, PcpListsOfCpusThatDoNotExistAreAnError) {
  RecordedZone recorded = SmallZone();
  auto* pcp = recorded.add_pcp();
  pcp->set_cpu(3);
  pcp->set_count(1);
  ZoneAlone alone((*RecordedZones({recorded}))[0], 2);
  EXPECT_THAT(std::string(BootRecorded(alone.zone(), recorded).message()),
              HasSubstr("pcp.cpu 3 does not exist"));
}

TEST(BootRecordedErrorsTest, MorePcpPagesThanAreLeftAreAnError) {
  RecordedZone recorded = SmallZone();
  auto* pcp = recorded.add_pcp();
  pcp->set_cpu(0);
  pcp->set_count(4097);
  ZoneAlone alone((*RecordedZones({recorded}))[0], 1);
  EXPECT_THAT(std::string(BootRecorded(alone.zone(), recorded).message()), HasSubstr("pages on PCP lists"));
}

}  // namespace
}  // namespace numasim
