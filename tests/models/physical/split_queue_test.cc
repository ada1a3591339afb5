#include "models/physical/split_queue.h"

#include <initializer_list>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/base/types.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Pfn kA{512}, kB{1024}, kC{1536}, kD{2048};

SplitQueue QueueOf(std::initializer_list<Pfn> pages) {
  SplitQueue queue;
  for (const Pfn page : pages) queue.Add(page);
  return queue;
}

TEST(SplitQueueTest, GivesTheFirstTheLastOfThemFirst) {
  SplitQueue queue = QueueOf({kC, kA, kB});
  EXPECT_FALSE(queue.Add(kA)) << "it keeps its turn";
  EXPECT_THAT(queue.Take(2).pages, ElementsAre(kA, kC));
  EXPECT_THAT(queue.Take(2).pages, ElementsAre(kB));
  EXPECT_THAT(queue.Take(2).pages, IsEmpty());
}

TEST(SplitQueueTest, WhatIsTakenCountsAsQueuedAndNobodyElseFindsIt) {
  SplitQueue queue = QueueOf({kA, kB});
  const SplitQueue::Batch batch = queue.Take(1);
  EXPECT_EQ(queue.size(), 2);
  EXPECT_TRUE(queue.Has(kA));
  EXPECT_FALSE(queue.Add(kA));
  EXPECT_THAT(queue.Take(2).pages, ElementsAre(kB));
  EXPECT_TRUE(queue.empty());
  EXPECT_THAT(queue.Pages(), ElementsAre(kA, kB));
  queue.PutBack(batch);
  EXPECT_FALSE(queue.empty());
  EXPECT_THAT(queue.Take(2).pages, ElementsAre(kA));
}

TEST(SplitQueueTest, WhatIsPutBackComesLastIfItIsStillThere) {
  SplitQueue queue = QueueOf({kA, kB, kC, kD});
  const SplitQueue::Batch batch = queue.Take(3);
  queue.Remove(kB);
  EXPECT_EQ(queue.size(), 3);
  queue.PutBack(batch);
  EXPECT_THAT(queue.Take(1).pages, ElementsAre(kD));
  EXPECT_THAT(queue.Take(1).pages, ElementsAre(kC));
  EXPECT_THAT(queue.Take(1).pages, ElementsAre(kA));
}

// It was freed, and its frames are another page, which somebody else has taken, or nobody.
TEST(SplitQueueTest, APageThatIsQueuedAgainIsAnother) {
  for (const bool taken : {false, true}) {
    SplitQueue queue = QueueOf({kA, kB});
    const SplitQueue::Batch batch = queue.Take(1);
    queue.Remove(kA);
    EXPECT_TRUE(queue.Add(kA));
    if (taken) EXPECT_THAT(queue.Take(2).pages, ElementsAre(kA, kB));
    queue.PutBack(batch);
    EXPECT_EQ(queue.empty(), taken);
    if (!taken) EXPECT_THAT(queue.Take(2).pages, ElementsAre(kA, kB));
  }
}

}  // namespace
}  // namespace numasim
