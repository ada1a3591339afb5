// VMAs: placing, splitting and removing them.
#include "models/address_space/address_space.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

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
  std::vector<std::pair<int64_t, int64_t>> Split(int64_t begin, int64_t end, bool* whole = nullptr) {
    std::vector<std::pair<int64_t, int64_t>> seen;
    const bool covered = space_.ForEachSplit(
        At(begin), At(end), [&](Vma& vma) { seen.emplace_back(vma.start - Vpn{kGiB}, vma.end - Vpn{kGiB}); });
    if (whole != nullptr) *whole = covered;
    return seen;
  }

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
  EXPECT_THAT(Split(10, 20), ElementsAre(Pair(10, 20)));
  EXPECT_THAT(Vmas(), ElementsAre(Pair(0, 10), Pair(10, 20), Pair(20, 100)));
  for (int64_t page = 0; page < 100; ++page) {
    EXPECT_EQ(space_.Find(At(page))->IndexOf(At(page)), 7 + static_cast<uint64_t>(page));
    EXPECT_EQ(space_.Find(At(page))->file, FileId{4});
  }
}

TEST_F(AddressSpaceTest, PrivateMemoryIsAtItsOwnAddress) {
  space_.Map({}, 100);
  Split(30, 40);
  for (int64_t page : {0, 29, 30, 39, 40, 99})
    EXPECT_EQ(space_.Find(At(page))->IndexOf(At(page)), At(page).value);
}

TEST_F(AddressSpaceTest, ForEachSplitTellsOfHoles) {
  space_.Map({}, 100);
  space_.Remove(At(40), At(60));
  bool whole = false;
  EXPECT_THAT(Split(0, 40, &whole), ElementsAre(Pair(0, 40)));
  EXPECT_TRUE(whole);
  EXPECT_THAT(Split(30, 70, &whole), ElementsAre(Pair(30, 40), Pair(60, 70)));
  EXPECT_FALSE(whole);
  Split(60, 120, &whole);  // beyond the end
  EXPECT_FALSE(whole);
  EXPECT_THAT(Split(45, 55, &whole), IsEmpty());
  EXPECT_FALSE(whole);
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
