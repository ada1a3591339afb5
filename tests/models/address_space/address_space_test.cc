// VMAs: placing, splitting and removing them.
#include "models/address_space/address_space.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/random.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr uint64_t kGiB = uint64_t{1} << kPmdTableShift;  // in pages

class AddressSpaceTest : public ::testing::Test {
 protected:
  // [start, end) of all VMAs, from 1 GiB on.
  std::vector<std::pair<int64_t, int64_t>> Vmas() const {
    std::vector<std::pair<int64_t, int64_t>> ranges;
    for (const auto& [start, vma] : space_.vmas()) {
      EXPECT_EQ(start, vma.start.value);
      ranges.emplace_back(vma.start - Vpn{kGiB}, vma.end - Vpn{kGiB});
    }
    return ranges;
  }
  static Vpn At(int64_t page) { return Vpn{kGiB} + page; }
  static constexpr int64_t kNoLimit = 1 << 30;
  AddressSpace::Changed Protect(int64_t begin, int64_t end, Access access, int64_t limit = kNoLimit) {
    return space_.Change(At(begin), At(end), limit, [access](Vma& vma) { vma.access = access; });
  }
  void Write(int64_t page) { space_.PrepareAnonVma(*space_.Find(At(page))); }

  AddressSpace space_;
};

TEST_F(AddressSpaceTest, MappingsBeginAtTheNextFreeGigabyte) {
  EXPECT_EQ(space_.Map({}, 1), At(0));
  EXPECT_EQ(space_.Map({}, static_cast<int64_t>(kGiB) + 1), At(static_cast<int64_t>(kGiB)));
  EXPECT_EQ(space_.Map({}, 1), At(3 * static_cast<int64_t>(kGiB)));
}

TEST_F(AddressSpaceTest, AFullAddressSpaceHasNoRoom) {
  // 4 TiB, less the first gigabyte.
  const int64_t all = (int64_t{1} << 30) - static_cast<int64_t>(kGiB);
  EXPECT_EQ(space_.Map({}, all + 1), AddressSpace::kNoRoom);
  EXPECT_EQ(space_.Map({}, all), At(0));
  EXPECT_EQ(space_.Map({}, 1), AddressSpace::kNoRoom);
}

TEST(VmaTest, KnowsWherePagesOfItsFileAre) {
  Vma vma;
  vma.start = Vpn{1000};
  vma.end = Vpn{1010};
  vma.pgoff = 5;
  EXPECT_EQ(vma.AddressOf(4), std::nullopt);
  EXPECT_EQ(vma.AddressOf(5), Vpn{1000});
  EXPECT_EQ(vma.AddressOf(14), Vpn{1009});
  EXPECT_EQ(vma.AddressOf(15), std::nullopt);
  for (Vpn vpn = vma.start; vpn < vma.end; vpn = vpn + 1) EXPECT_EQ(vma.AddressOf(vma.IndexOf(vpn)), vpn);
  EXPECT_EQ(vma.AddressesOf(0, 5).has_value(), false);
  const Vma::Addresses part = *vma.AddressesOf(0, 7);
  EXPECT_EQ(std::pair(part.begin, part.end), std::pair(Vpn{1000}, Vpn{1002}));
}

// Offsets count huge pages.
TEST(VmaTest, KnowsWhereHugePagesOfItsFileAre) {
  Vma vma;
  vma.huge.order = kPageblockOrder;
  vma.start = Vpn{1024};
  vma.end = Vpn{1024 + 4 * 512};
  vma.pgoff = 3 * 512;
  EXPECT_EQ(vma.AddressOf(2), std::nullopt);
  EXPECT_EQ(vma.AddressOf(3), Vpn{1024});
  EXPECT_EQ(vma.AddressOf(6), Vpn{1024 + 3 * 512});
  EXPECT_EQ(vma.AddressOf(7), std::nullopt);
  const Vma::Addresses rest = *vma.AddressesOf(5, ~uint64_t{0});
  EXPECT_EQ(std::pair(rest.begin, rest.end), std::pair(Vpn{2048}, vma.end));
}

TEST_F(AddressSpaceTest, FindKnowsBothEnds) {
  space_.Map({}, 10);
  EXPECT_EQ(space_.Find(At(-1)), nullptr);
  ASSERT_NE(space_.Find(At(0)), nullptr);
  EXPECT_EQ(space_.Find(At(9)), space_.Find(At(0)));
  EXPECT_EQ(space_.Find(At(10)), nullptr);
}

TEST_F(AddressSpaceTest, RemovingTheMiddleLeavesBothEnds) {
  space_.Map({}, 100);
  const std::vector<Vma> removed = space_.Remove(At(20), At(50));
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(removed[0].pages(), 30);
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 20), Pair(50, 100)));
}

TEST_F(AddressSpaceTest, RemovingOverAHoleReturnsThePartsInOrder) {
  space_.Map({}, 100);
  space_.Remove(At(40), At(60));
  const std::vector<Vma> removed = space_.Remove(At(30), At(70));
  ASSERT_EQ(removed.size(), 2u);
  EXPECT_EQ(removed[0].start, At(30));
  EXPECT_EQ(removed[1].end, At(70));
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 30), Pair(70, 100)));
  EXPECT_THAT(space_.Remove(At(30), At(70)), IsEmpty());
}

TEST_F(AddressSpaceTest, SplittingKeepsTheOffsetsInTheFile) {
  Vma shared;
  shared.file = FileId{4};
  shared.pgoff = 7;
  space_.Map(shared, 100);
  Protect(10, 20, Access::kRead);
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 10), Pair(10, 20), Pair(20, 100)));
  for (int64_t page = 0; page < 100; ++page) {
    EXPECT_EQ(space_.Find(At(page))->IndexOf(At(page)), 7 + static_cast<uint64_t>(page));
    EXPECT_EQ(space_.Find(At(page))->file, FileId{4});
  }
}

TEST_F(AddressSpaceTest, PrivateMemoryIsAtItsOwnAddress) {
  space_.Map({}, 100);
  Protect(30, 40, Access::kRead);
  for (int64_t page : {0, 29, 30, 39, 40, 99})
    EXPECT_EQ(space_.Find(At(page))->IndexOf(At(page)), At(page).value);
}

TEST_F(AddressSpaceTest, AChangeGoesOverHolesAndTellsOfThem) {
  space_.Map({}, 100);
  space_.Remove(At(40), At(60));
  EXPECT_TRUE(Protect(0, 40, Access::kRead).whole);
  EXPECT_FALSE(Protect(30, 70, Access::kNone).whole);
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 30), Pair(30, 40), Pair(60, 70), Pair(70, 100)));
  EXPECT_FALSE(Protect(90, 120, Access::kNone).whole);  // beyond the end
  EXPECT_FALSE(Protect(45, 55, Access::kNone).whole);
}

TEST_F(AddressSpaceTest, PartsThatAreAlikeAgainBecomeOne) {
  space_.Map({}, 100);
  Protect(30, 60, Access::kRead);
  Protect(40, 50, Access::kReadWrite);
  Protect(30, 40, Access::kReadWrite);  // into the VMA below and that above
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 50), Pair(50, 60), Pair(60, 100)));
  Protect(50, 55, Access::kReadWrite);  // half of it into that below
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 55), Pair(55, 60), Pair(60, 100)));
  Protect(57, 60, Access::kReadWrite);  // half of it into that above
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 55), Pair(55, 57), Pair(57, 100)));
  EXPECT_EQ(space_.Find(At(57))->pgoff, At(57).value);
  Protect(0, 100, Access::kReadWrite);
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 100)));
}

TEST_F(AddressSpaceTest, MappingsThatAdjoinStayTwo) {
  space_.Map({}, static_cast<int64_t>(kGiB));
  space_.Map({}, 10);
  Protect(0, static_cast<int64_t>(kGiB) + 10, Access::kRead);
  EXPECT_EQ(space_.vmas().size(), 2u);
}

TEST_F(AddressSpaceTest, PartsWithPagesOfDifferentOriginStayTwo) {
  space_.Map({}, 100);
  Protect(50, 100, Access::kRead);
  Write(0);
  AddressSpace child;
  child.CopyVmasFrom(space_);
  Protect(50, 100, Access::kReadWrite);
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 100)));
  child.Change(At(50), At(100), kNoLimit, [](Vma& vma) { vma.access = Access::kReadWrite; });
  EXPECT_EQ(child.vmas().size(), 2u) << "what a child has of its parent takes nothing in";
}

TEST_F(AddressSpaceTest, ASplitBeyondTheLimitIsRefused) {
  space_.Map({}, 100);
  const int64_t now = space_.map_count();
  EXPECT_EQ(now, 1 + AddressSpace::kProgramVmas);
  EXPECT_EQ(Protect(20, 40, Access::kRead, now).refusal, AddressSpace::Refusal::kTooMany);
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 100)));
  EXPECT_EQ(Protect(20, 40, Access::kRead, now + 1).refusal, AddressSpace::Refusal::kTooMany);
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 20), Pair(20, 100))) << "the first split stays";
  EXPECT_EQ(space_.Find(At(20))->access, Access::kReadWrite);
  EXPECT_EQ(Protect(0, 100, Access::kRead, 0).refusal, AddressSpace::Refusal::kNone) << "nothing is split";
}

TEST_F(AddressSpaceTest, FileMappingsAreFoundByTheirFile) {
  Vma shared;
  shared.file = FileId{4};
  space_.Map(shared, 100);
  space_.Map({}, 100);
  space_.Remove(At(40), At(60));
  std::vector<int64_t> starts;
  space_.ForEachOfFile(false, FileId{4}, [&](const Vma& vma) { starts.push_back(vma.start - At(0)); });
  EXPECT_THAT(starts, ElementsAre(0, 60));
  EXPECT_FALSE(space_.MapsFile(true, FileId{4}));
  space_.Remove(At(0), At(100));
  EXPECT_FALSE(space_.MapsFile(false, FileId{4}));
}

// Where a search from the start of the address space finds room first: what the kernel's tree must find too.
class FirstFit {
 public:
  std::optional<uint64_t> Find(const AddressSpace& space, int64_t pages, uint64_t alignment) const {
    uint64_t at = kGiB;
    for (const auto& [start, vma] : space.vmas()) {
      if (start >= at && start - at >= static_cast<uint64_t>(pages)) return at;
      at = std::max(at, (vma.end.value + alignment - 1) / alignment * alignment);
    }
    constexpr uint64_t kEnd = uint64_t{1} << 30;
    if (at <= kEnd && kEnd - at >= static_cast<uint64_t>(pages)) return at;
    return std::nullopt;
  }
};

TEST(PlacingTest, AFullAddressSpaceGivesItsLowestRoom) {
  AddressSpace space;
  const FirstFit reference;
  // Nothing is left behind the last mapping: gaps are what is used from here on.
  space.Map({}, (int64_t{1} << 30) - static_cast<int64_t>(kGiB));
  sim::RandomStream random(1, "placing");
  for (int step = 0; step < 3000; ++step) {
    if (random.Uniform(2) == 0) {
      const auto begin = kGiB + random.Uniform((uint64_t{1} << 30) - 2 * kGiB);
      const uint64_t pages = random.Uniform(4) == 0 ? random.Uniform(3 * kGiB) + 1 : random.Uniform(2000) + 1;
      space.Remove(Vpn{begin}, Vpn{begin} + static_cast<int64_t>(pages));
      continue;
    }
    const auto pages =
        static_cast<int64_t>(random.Uniform(4) == 0 ? random.Uniform(2 * kGiB) + 1 : random.Uniform(600) + 1);
    std::optional<uint64_t> expected = reference.Find(space, pages, kGiB);
    if (!expected.has_value()) expected = reference.Find(space, pages, kPageblockPages);
    ASSERT_EQ(space.Map({}, pages).value, expected.value_or(AddressSpace::kNoRoom.value)) << "step " << step;
  }
}

TEST(PlacingTest, AMillionMappingsFindTheirPlace) {
  AddressSpace space;
  for (uint64_t i = 0; i < 1'000'000; ++i) {
    // A gigabyte each until those are used up, then every 2 MiB from the first gap on.
    const uint64_t gigabytes = (uint64_t{1} << (30 - kPmdTableShift)) - 1;
    const uint64_t n = i - gigabytes;
    const uint64_t expected = i < gigabytes
                                  ? (i + 1) << kPmdTableShift
                                  : ((n / 511 + 1) << kPmdTableShift) + (n % 511 + 1) * kPageblockPages;
    ASSERT_EQ(space.Map({}, 1).value, expected) << i;
  }
}

TEST_F(AddressSpaceTest, TheGapReachesToTheNeighbours) {
  space_.Map({}, 100);
  space_.Remove(At(40), At(60));
  AddressSpace::Gap gap = space_.GapAround(At(40), At(60));
  EXPECT_EQ(gap.floor, At(40));
  EXPECT_EQ(gap.ceiling, At(60));
  space_.Remove(At(60), At(100));
  gap = space_.GapAround(At(60), At(100));
  EXPECT_EQ(gap.floor, At(40));
  EXPECT_EQ(gap.ceiling, Vpn{uint64_t{1} << 30});  // the end of the address space
  space_.Remove(At(0), At(40));
  EXPECT_EQ(space_.GapAround(At(0), At(40)).floor, Vpn{0});
}

TEST_F(AddressSpaceTest, AForkedSpaceHasTheSameVmasAndGoesItsOwnWay) {
  space_.Map({}, 100);
  AddressSpace child;
  child.CopyVmasFrom(space_);
  child.Remove(At(0), At(50));
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 100)));
  EXPECT_EQ(child.Map({}, 1), space_.Map({}, 1));
}

}  // namespace
}  // namespace numasim
