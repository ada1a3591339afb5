// Pages to be dropped, as they are given or as runs from the end: the same pages one by one and run by run.
#include "models/physical/pages_to_drop.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/physical/pcp.h"
#include "sim/random.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint64_t> OneByOne(PagesToDrop pages) {
  std::vector<uint64_t> all;
  for (; !pages.empty(); pages.Skip(1)) all.push_back(pages.front().head().value);
  return all;
}

// The lengths of the runs, of at most `most` pages.
std::vector<size_t> RunByRun(PagesToDrop pages, size_t most) {
  std::vector<size_t> lengths;
  while (!pages.empty()) {
    lengths.push_back(pages.RunDown(most));
    pages.Skip(lengths.back());
  }
  return lengths;
}

TEST(PagesToDropTest, PagesInTheOrderGiven) {
  std::vector<Folio> pages;
  for (const uint64_t pfn : {9, 8, 7, 20, 6, 5, 21, 22}) pages.emplace_back(Pfn{pfn});
  EXPECT_THAT(OneByOne(PagesToDrop(pages)), ElementsAre(9, 8, 7, 20, 6, 5, 21, 22));
  EXPECT_THAT(RunByRun(PagesToDrop(pages), 100), ElementsAre(3, 1, 2, 1, 1));
  EXPECT_THAT(RunByRun(PagesToDrop(pages), 2), ElementsAre(2, 1, 1, 2, 1, 1));
  EXPECT_THAT(OneByOne(PagesToDrop(std::span<const Folio>())), IsEmpty());
}

TEST(PagesToDropTest, RunsFromTheEnd) {
  const std::vector<FolioRun> runs = {
      {Folio(Pfn{100}), 3}, {Folio(Pfn{50}), 1}, {Folio(Pfn{512}, 9), 1}, {Folio(Pfn{60}), 4}};
  EXPECT_THAT(OneByOne(PagesToDrop(runs)), ElementsAre(63, 62, 61, 60, 512, 50, 102, 101, 100));
  const std::vector<FolioRun> single = {{Folio(Pfn{100}), 3}, {Folio(Pfn{50}), 1}, {Folio(Pfn{60}), 4}};
  EXPECT_THAT(RunByRun(PagesToDrop(single), 100), ElementsAre(4, 1, 3));
  EXPECT_THAT(RunByRun(PagesToDrop(single), 3), ElementsAre(3, 1, 1, 3));
  EXPECT_THAT(OneByOne(PagesToDrop(std::span<const FolioRun>())), IsEmpty());
}

// Runs at either end of a ring are as so many single frames.
TEST(FrameRingTest, RunsAreAsSingleFrames) {
  sim::RandomStream random(7, "frame_ring");
  FrameRing ring, expected;
  for (int step = 0; step < 20'000; ++step) {
    const auto first = static_cast<FrameIndex>(random.Uniform(1'000'000));
    const auto count = static_cast<uint32_t>(1 + random.Uniform(70));
    switch (random.Uniform(4)) {
      case 0:
        ring.PushFrontRun(first, count);
        for (uint32_t i = count; i-- > 0;) expected.PushFront(first + i);
        break;
      case 1:
        ring.PushBackRun(first, count);
        for (uint32_t i = 0; i < count; ++i) expected.PushBack(first + i);
        break;
      default:
        for (uint32_t i = 0; i < count && !expected.empty(); ++i)
          ASSERT_EQ(ring.PopFront(), expected.PopFront());
    }
    ASSERT_EQ(ring.size(), expected.size());
    for (uint32_t i = 0; i < ring.size(); i += 7) ASSERT_EQ(ring.FromBack(i), expected.FromBack(i));
  }
}

}  // namespace
}  // namespace numasim
