// What a pageblock is said to be used for, for every way in which it can be.
#include "models/physical/pageblock_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using enum PageblockUse;

class PageblockUseTest : public testing::Test {
 protected:
  static constexpr FrameIndex kBlock = kPageblockPages;

  void Allocate(FrameIndex frame, int order, FrameOwner::Kind kind) {
    frames_.SetHead(frame, FrameKind::kAllocated, order);
    frames_.owner(frame, order) = {.kind = kind, .mapcount = 0, .object = 0, .index = 0};
  }
  void Free(FrameIndex frame, int order) {
    frames_.SetHead(frame, order, FrameStore::FreeCode(order, Migratetype::kMovable));
  }
  std::vector<std::pair<PageblockUse, int64_t>> Uses() const {
    std::vector<std::pair<PageblockUse, int64_t>> uses;
    for (const PageblockRun& run : PageblockUses(frames_)) uses.emplace_back(run.use, run.count);
    return uses;
  }

  FrameStore frames_{Pfn{0}, 8 * kPageblockPages};
};

TEST_F(PageblockUseTest, NothingIsThereAtFirst) { EXPECT_THAT(Uses(), ElementsAre(Pair(kAbsent, 8))); }

TEST_F(PageblockUseTest, WholeBlocks) {
  Free(0, 10);
  Allocate(2 * kBlock, 9, FrameOwner::kHugetlb);
  Allocate(3 * kBlock, 9, FrameOwner::kAnon);
  Allocate(4 * kBlock, 9, FrameOwner::kShmem);
  Allocate(5 * kBlock, 9, FrameOwner::kKernel);
  Allocate(6 * kBlock, 9, FrameOwner::kOffline);
  frames_.SetHead(7 * kBlock, FrameKind::kPcp, 9);
  EXPECT_THAT(Uses(), ElementsAre(Pair(kFree, 2), Pair(kHugetlb, 1), Pair(kThp, 2), Pair(kUnmovable, 1),
                                  Pair(kAbsent, 1), Pair(kFree, 1)));
}

// A gigantic page is many blocks of the largest order.
TEST_F(PageblockUseTest, BlocksOfTheLargestOrderAreSeveralPageblocks) {
  for (FrameIndex f = 0; f < 8 * kBlock; f += 2 * kBlock) Allocate(f, 10, FrameOwner::kHugetlb);
  EXPECT_THAT(Uses(), ElementsAre(Pair(kHugetlb, 8)));
}

TEST_F(PageblockUseTest, ASplitBlockIsWhatIsInIt) {
  const auto fill = [&](FrameIndex block, FrameOwner::Kind kind) {
    Allocate(block * kBlock, 8, kind);
    Allocate(block * kBlock + kBlock / 2, 8, FrameOwner::kAnon);
  };
  fill(0, FrameOwner::kAnon);
  fill(1, FrameOwner::kPageTable);
  for (FrameIndex block = 2; block < 5; ++block) fill(block, FrameOwner::kShmem);
  Free(2 * kBlock + kBlock / 2, 8);
  // One pinned page among 256.
  for (FrameIndex f = 3 * kBlock; f < 3 * kBlock + kBlock / 2; ++f) Allocate(f, 0, FrameOwner::kAnon);
  frames_.SetHolds(3 * kBlock + 77, 0, {.refs = 1, .migrating = 0});
  Free(4 * kBlock, 8);
  Allocate(4 * kBlock + kBlock / 2, 8, FrameOwner::kKernel);
  EXPECT_THAT(Uses(), ElementsAre(Pair(kMovable, 1), Pair(kUnmovable, 1), Pair(kPartMovable, 1),
                                  Pair(kUnmovable, 1), Pair(kPartUnmovable, 1), Pair(kAbsent, 3)));
}

// As at boot, where the kernel's own frames have no owner.
TEST_F(PageblockUseTest, ReservedFramesStay) {
  Free(kBlock / 2, 8);
  frames_.SetHead(0, FrameKind::kUnmanaged, 0);
  EXPECT_THAT(Uses(), ElementsAre(Pair(kPartUnmovable, 1), Pair(kAbsent, 7)));
}

TEST_F(PageblockUseTest, PagesOnPcpListsAreFree) {
  Allocate(0, 8, FrameOwner::kAnon);
  frames_.SetHead(kBlock / 2, FrameKind::kPcp, 3);
  for (FrameIndex f = kBlock / 2 + 8; f < kBlock; ++f) Allocate(f, 0, FrameOwner::kAnon);
  EXPECT_THAT(Uses(), ElementsAre(Pair(kPartMovable, 1), Pair(kAbsent, 7)));
}

}  // namespace
}  // namespace numasim
