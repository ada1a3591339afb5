// Where the memory of a recorded zone lies. The zones are those of recordings of Linux 6.1.
#include "models/physical/layout.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "models/base/problem_list.h"
#include "models/physical/boot.h"
#include "models/physical/zone.h"
#include "models/physical/zone_check.h"
#include "proto/scenario.pb.h"
#include "sim/engine.h"
#include "sim/locks.h"
#include "tests/models/recordings.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

constexpr int64_t kGiB = (int64_t{1} << 30) >> kPageShift;

// A machine of two nodes of 4 GiB, on which a 1 GiB page could be had twice on node 1 and never on node 0.
constexpr const char* kNode0Dma32 = R"(
    node: 0 name: 'DMA32' start_pfn: 4096 spanned: 1044480 present: 520160 managed: 492458
    pcp { cpu: 0 count: 145 } pcp { cpu: 1 count: 2002 }
    free_blocks { type: 'Unmovable' blocks: [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0] }
    free_blocks { type: 'Movable' blocks: [1, 1, 1, 2, 1, 1, 2, 1, 2, 2, 476] }
    pageblocks { type: 'Unmovable' count: 2 } pageblocks { type: 'Movable' count: 1014 })";
constexpr const char* kNode0Normal = R"(
    node: 0 name: 'Normal' start_pfn: 1048576 spanned: 524288 present: 524288 managed: 507794
    pcp { cpu: 0 count: 1328 } pcp { cpu: 1 count: 191 }
    free_blocks { type: 'Unmovable' blocks: [1, 1, 3, 0, 1, 0, 0, 1, 0, 1, 0] }
    free_blocks { type: 'Movable' blocks: [0, 1, 1, 0, 1, 0, 1, 0, 0, 0, 488] }
    free_blocks { type: 'Reclaimable' blocks: [1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0] }
    pageblocks { type: 'Unmovable' count: 43 } pageblocks { type: 'Movable' count: 979 }
    pageblocks { type: 'Reclaimable' count: 2 })";
constexpr const char* kNode1Normal = R"(
    node: 1 name: 'Normal' start_pfn: 1572864 spanned: 1048576 present: 1048576 managed: 1031375
    pcp { cpu: 0 count: 766 } pcp { cpu: 1 count: 269 }
    free_blocks { type: 'Unmovable' blocks: [0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0] }
    free_blocks { type: 'Movable' blocks: [0, 1, 1, 1, 0, 0, 1, 1, 0, 1, 997] }
    free_blocks { type: 'Reclaimable' blocks: [1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0] }
    pageblocks { type: 'Unmovable' count: 46 } pageblocks { type: 'Movable' count: 1996 }
    pageblocks { type: 'Reclaimable' count: 6 })";
// The top of a node with movablecore=.
constexpr const char* kMovable = R"(
    node: 1 name: 'Movable' start_pfn: 393216 spanned: 131040 present: 131040 managed: 126321
    pcp { cpu: 0 count: 0 } pcp { cpu: 1 count: 147 }
    free_blocks { type: 'Unmovable' blocks: [0, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0] }
    free_blocks { type: 'Movable' blocks: [0, 1, 0, 0, 1, 0, 1, 1, 1, 0, 122] }
    pageblocks { type: 'Unmovable' count: 10 } pageblocks { type: 'Movable' count: 246 })";
// What a virtio-mem device has plugged.
constexpr const char* kDevice = R"(
    node: 1 name: 'Movable' start_pfn: 1048576 spanned: 131072 present: 131072 managed: 131072
    free_blocks { type: 'Movable' blocks: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128] }
    pageblocks { type: 'Movable' count: 256 })";

RecordedZone Parsed(const char* text) {
  RecordedZone zone;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &zone));
  return zone;
}

// A recorded zone after boot, by itself.
class BootedZone {
 public:
  explicit BootedZone(const RecordedZone& recorded, std::optional<MemoryDevice> device = {}) {
    auto extents = RecordedZones({recorded});
    EXPECT_TRUE(extents.ok()) << extents.status();
    if (device) {
      EXPECT_EQ(AddDevice(*device, true, *extents), absl::OkStatus());
    }
    zone_ = std::make_unique<Zone>(extents->front(), 64,
                                   std::make_unique<sim::SpinLock>(engine_, engine_.AddLp("node"), "lock"));
    EXPECT_EQ(BootRecorded(*zone_, recorded), absl::OkStatus());
    ProblemList problems;
    CheckZone(*zone_, problems, [](Pfn, int, const FrameOwner&) {});
    EXPECT_THAT(std::move(problems).Take(), IsEmpty());
  }
  Zone& zone() { return *zone_; }

  FrameStore::Head At(Pfn pfn) const { return zone_->frames().Find(zone_->frames().Index(pfn)); }
  int64_t Count(Pfn begin, Pfn end, FrameKind kind) const {
    int64_t pages = 0;
    for (; begin < end; begin = begin + 1) pages += At(begin).kind == kind ? 1 : 0;
    return pages;
  }
  // Whether nothing in the GiB from there on is the kernel's or reserved.
  bool GiBIsMovable(Pfn begin) const {
    return Count(begin, begin + kGiB, FrameKind::kUnmanaged) == 0 &&
           Count(begin, begin + kGiB, FrameKind::kAllocated) == 0;
  }

 private:
  sim::Engine engine_{sim::Engine::Options{}};
  std::unique_ptr<Zone> zone_;
};

void ExpectReservedAtTop(const RecordedZone& recorded) {
  BootedZone booted(recorded);
  const BootMemory memory = BootMemoryOf(booted.zone().extent());
  const Pfn top = memory.begin + static_cast<int64_t>(recorded.managed());
  EXPECT_EQ(booted.Count(top, memory.present_end, FrameKind::kUnmanaged), memory.present_end - top);
  EXPECT_EQ(booted.Count(memory.begin, top, FrameKind::kUnmanaged), 0);
}

// Save in the one block that reserved memory cuts off, nothing used lies above the first free block of 4 MiB.
void ExpectUsedAtLowEnd(const RecordedZone& recorded) {
  BootedZone booted(recorded);
  const Zone& zone = booted.zone();
  FrameIndex largest = kNilFrame;
  for (int type = 0; type < kMigratetypes; ++type) {
    zone.buddy().ForEachFree(kMaxOrder, static_cast<Migratetype>(type),
                             [&](FrameIndex frame) { largest = std::min(largest, frame); });
  }
  if (largest == kNilFrame) return;
  const Pfn begin = zone.frames().PfnOf(largest);
  const Pfn end = begin + (zone.buddy().blocks(kMaxOrder) << kMaxOrder);
  EXPECT_EQ(booted.Count(begin, end, FrameKind::kFree), end - begin);
  // What the free blocks leave is less than one more of them.
  const int64_t low = begin - BootMemoryOf(zone.extent()).begin;
  const int64_t above = static_cast<int64_t>(recorded.managed()) - low - (end - begin);
  EXPECT_LT(above, int64_t{1} << kMaxOrder);
}

void ExpectListsRise(const RecordedZone& recorded) {
  BootedZone booted(recorded);
  for (int order = 0; order < kOrders; ++order) {
    for (int type = 0; type < kMigratetypes; ++type) {
      std::vector<FrameIndex> list;
      booted.zone().buddy().ForEachFree(order, static_cast<Migratetype>(type),
                                        [&](FrameIndex frame) { list.push_back(frame); });
      EXPECT_TRUE(std::is_sorted(list.begin(), list.end())) << order;
    }
  }
}

class RecordedLayoutTest : public ::testing::TestWithParam<std::string> {};

TEST_P(RecordedLayoutTest, ReservedMemoryIsAtTheTop) {
  for (const RecordedZone& zone : RecordedMachine(GetParam()).recorded_zones) ExpectReservedAtTop(zone);
}
TEST_P(RecordedLayoutTest, UsedMemoryIsAtTheLowEnd) {
  for (const RecordedZone& zone : RecordedMachine(GetParam()).recorded_zones) ExpectUsedAtLowEnd(zone);
}
TEST_P(RecordedLayoutTest, FreeListsAreInRisingOrder) {
  for (const RecordedZone& zone : RecordedMachine(GetParam()).recorded_zones) ExpectListsRise(zone);
}
INSTANTIATE_TEST_SUITE_P(Recordings, RecordedLayoutTest, ::testing::ValuesIn(RecordingNames()),
                         [](const auto& info) { return info.param; });

TEST(LayoutTest, TheSameHoldsForLargerZonesAndForZoneMovable) {
  for (const char* zone : {kNode0Dma32, kNode0Normal, kNode1Normal, kMovable, kDevice}) {
    ExpectReservedAtTop(Parsed(zone));
    ExpectUsedAtLowEnd(Parsed(zone));
    ExpectListsRise(Parsed(zone));
  }
}

TEST(LayoutTest, GigabytesAreFreeOfTheKernelWhereTheRecordedKernelFoundThem) {
  BootedZone dma32(Parsed(kNode0Dma32));
  EXPECT_FALSE(dma32.GiBIsMovable(Pfn{1 * kGiB}));
  BootedZone normal0(Parsed(kNode0Normal));
  EXPECT_FALSE(normal0.GiBIsMovable(Pfn{4 * kGiB}));
  EXPECT_FALSE(normal0.GiBIsMovable(Pfn{5 * kGiB}));
  BootedZone normal1(Parsed(kNode1Normal));
  EXPECT_FALSE(normal1.GiBIsMovable(Pfn{6 * kGiB}));
  EXPECT_TRUE(normal1.GiBIsMovable(Pfn{7 * kGiB}));
  EXPECT_TRUE(normal1.GiBIsMovable(Pfn{8 * kGiB}));
  EXPECT_FALSE(normal1.GiBIsMovable(Pfn{9 * kGiB}));
}

TEST(LayoutTest, TheFirstMiBIsTheFirmwares) {
  // As every recorded PC: 3,840 managed frames from 1 MiB on.
  BootedZone booted(Parsed(R"(
      node: 0 name: 'DMA' start_pfn: 1 spanned: 4095 present: 3998 managed: 3840
      free_blocks { type: 'Movable' blocks: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3] })"));
  EXPECT_EQ(booted.Count(Pfn{1}, Pfn{256}, FrameKind::kUnmanaged), 255);
  EXPECT_EQ(booted.Count(Pfn{256}, Pfn{4096}, FrameKind::kUnmanaged), 0);
  const BootMemory memory = BootMemoryOf(booted.zone().extent());
  EXPECT_EQ(memory.begin, Pfn{256});
  EXPECT_EQ(memory.present_end, Pfn{4096});
  EXPECT_EQ(memory.low_holes, 97);
}

TEST(LayoutTest, UsedMemoryOfZoneMovableIsMovableAndNobodysWhoIsSimulated) {
  BootedZone booted(Parsed(kMovable));
  int64_t pages = 0;
  ProblemList problems;
  const ZoneCensus census = CheckZone(booted.zone(), problems, [&](Pfn, int order, const FrameOwner& owner) {
    EXPECT_EQ(order, 0);
    EXPECT_EQ(static_cast<int>(owner.kind), FrameOwner::kAnon);
    EXPECT_EQ(static_cast<int>(owner.object), kBootUser);
    EXPECT_EQ(static_cast<int>(owner.mapcount), 1);
    ++pages;
  });
  EXPECT_EQ(census.kernel, 0);
  EXPECT_EQ(pages, 126321 - booted.zone().buddy().free_pages() - 147);
}

TEST(LayoutTest, ReservedPageblocksOfZoneMovableHaveTheTypesThatItsOwnDoNot) {
  // 4,719 reserved pages at the top are nine pageblocks and a part.
  BootedZone booted(Parsed(kMovable));
  const FrameStore& frames = booted.zone().frames();
  for (int block = 1; block <= 9; ++block) {
    EXPECT_EQ(frames.pageblock_type(frames.Index(Pfn{524288} + -block * kPageblockPages)),
              Migratetype::kUnmovable)
        << block;
  }
}

TEST(LayoutTest, PluggedMemoryIsTheTopOfTheRecordedZone) {
  const MemoryDevice device{NodeId{1}, ZoneType::kMovable, kGiB, kGiB / 2};
  BootedZone booted(Parsed(kDevice), device);
  const Zone& zone = booted.zone();
  EXPECT_EQ(zone.extent().hot.start, Pfn{4 * kGiB});
  EXPECT_EQ(zone.extent().spanned, 0);
  EXPECT_EQ(zone.managed(), kGiB / 2);
  EXPECT_EQ(zone.present(), kGiB / 2);
  EXPECT_EQ(booted.Count(Pfn{4 * kGiB}, Pfn{4 * kGiB} + kGiB / 2, FrameKind::kFree), kGiB / 2);
  EXPECT_EQ(booted.Count(Pfn{4 * kGiB} + kGiB / 2, Pfn{5 * kGiB}, FrameKind::kUnmanaged), kGiB / 2);
}

TEST(LayoutTest, NothingIsReservedInMemoryThatADevicePlugs) {
  // node 1 of above, but the highest GiB of it is a device's.
  RecordedZone recorded = Parsed(kNode1Normal);
  const MemoryDevice device{NodeId{1}, ZoneType::kNormal, 2 * kGiB, kGiB};
  BootedZone booted(recorded, device);
  const Pfn plugged{9 * kGiB};
  EXPECT_EQ(booted.zone().extent().hot.start, plugged);
  EXPECT_TRUE(booted.GiBIsMovable(plugged));
  EXPECT_FALSE(booted.GiBIsMovable(plugged + -kGiB));
  EXPECT_EQ(booted.Count(plugged + -17201, plugged, FrameKind::kUnmanaged), 17201);
  ExpectListsRise(recorded);
}

TEST(LayoutTest, BlocksThatOnlyReservedMemoryCanKeepApartStillFit) {
  // Two blocks of order 9 need two blocks of 4 MiB, of which only one and a half are managed.
  BootedZone booted(Parsed(R"(
      node: 0 name: 'Normal' start_pfn: 1048576 spanned: 4096 present: 4096 managed: 1056
      free_blocks { type: 'Movable' blocks: [0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0] })"));
  EXPECT_EQ(booted.zone().buddy().blocks(9), 2);
  EXPECT_EQ(booted.zone().managed(), 1056);
}

}  // namespace
}  // namespace numasim
