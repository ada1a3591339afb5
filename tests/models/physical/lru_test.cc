// The LRU lists of a node by themselves: the order in which pages leave, and what makes them active.
#include "models/physical/lru.h"

#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/engine.h"
#include "sim/locks.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using List = Lru::List;

class LruTest : public ::testing::Test {
 protected:
  LruTest() {
    const sim::LpId lp = engine_.AddLp("node0");
    for (const auto& [type, start] : {std::pair(ZoneType::kDma32, 0), std::pair(ZoneType::kNormal, 4096)}) {
      Zone::Extent extent{NodeId{0}, type, Pfn{static_cast<uint64_t>(start)}, 4096, 4096, 4096};
      owned_.push_back(
          std::make_unique<Zone>(extent, 1, std::make_unique<sim::SpinLock>(engine_, lp, "zone.lock")));
      zones_[type] = owned_.back().get();
    }
    lru_ = std::make_unique<Lru>(zones_, counters_);
  }

  Lru::Number Page(FrameIndex frame, ZoneType type = ZoneType::kDma32) const {
    return lru_->NumberOf(*zones_[type], frame);
  }
  // Takes all pages of a list, the oldest first.
  std::vector<Lru::Number> Drain(List list) {
    std::vector<Lru::Number> pages;
    for (Lru::Number page = lru_->Oldest(list); page != Lru::kNone; page = lru_->Oldest(list)) {
      lru_->Remove(page);
      pages.push_back(page);
    }
    return pages;
  }

  sim::Engine engine_{{.threads = 1, .lookahead = sim::Nanoseconds(1)}};
  std::vector<std::unique_ptr<Zone>> owned_;
  PerZoneType<Zone*> zones_ = {};
  Lru::Counters counters_ = {};
  std::unique_ptr<Lru> lru_;
};

TEST_F(LruTest, APageKnowsItsZoneAndFrame) {
  const Lru::Page page = lru_->PageOf(Page(7, ZoneType::kNormal));
  EXPECT_EQ(page.zone, zones_[ZoneType::kNormal]);
  EXPECT_EQ(page.frame, 7u);
  EXPECT_EQ(lru_->PageOf(Page(0)).zone, zones_[ZoneType::kDma32]);
}

TEST_F(LruTest, TheOldestLeavesFirst) {
  for (const FrameIndex frame : {3u, 0u, 9u, 5u}) lru_->Add(Page(frame), List::kInactive);
  lru_->Remove(Page(9));
  lru_->Add(Page(2, ZoneType::kNormal), List::kInactive);
  EXPECT_EQ(lru_->size(List::kInactive), 4);
  EXPECT_EQ(lru_->size(List::kInactive, ZoneType::kDma32), 3);
  EXPECT_THAT(Drain(List::kInactive), ElementsAre(Page(3), Page(0), Page(5), Page(2, ZoneType::kNormal)));
  EXPECT_EQ(lru_->size(List::kInactive), 0);
}

TEST_F(LruTest, TheSecondUseMakesAPageActive) {
  for (FrameIndex frame = 0; frame < 3; ++frame) lru_->Add(Page(frame), List::kInactive);
  lru_->MarkAccessed(Page(1));
  EXPECT_TRUE(lru_->IsReferenced(Page(1)));
  EXPECT_EQ(lru_->size(List::kActive), 0);
  lru_->MarkAccessed(Page(1));
  EXPECT_FALSE(lru_->IsReferenced(Page(1)));
  EXPECT_EQ(counters_[PGACTIVATE], 1);
  EXPECT_EQ(lru_->nonresident_age(), 1u);
  EXPECT_THAT(Drain(List::kActive), ElementsAre(Page(1)));
  EXPECT_THAT(Drain(List::kInactive), ElementsAre(Page(0), Page(2)));
}

TEST_F(LruTest, AnIsolatedPageComesBackToTheListThatItWasMadeFor) {
  lru_->Add(Page(4), List::kInactive);
  lru_->Remove(Page(4));
  lru_->Activate(Page(4));
  EXPECT_FALSE(lru_->IsOn(Page(4)));
  lru_->PutBack(Page(4));
  EXPECT_THAT(Drain(List::kActive), ElementsAre(Page(4)));
}

// It would have stayed, had it had the place of an active page.
TEST_F(LruTest, ARefaultIsActiveWithinTheDistanceOfTheActivePages) {
  for (FrameIndex frame = 0; frame < 10; ++frame) lru_->Add(Page(frame), List::kActive);
  const uint64_t evicted = lru_->nonresident_age();
  for (int i = 0; i < 10; ++i) lru_->Age();
  EXPECT_TRUE(lru_->Refault(evicted, false));  // and ages by one
  EXPECT_FALSE(lru_->Refault(evicted, false));
  EXPECT_EQ(counters_[WORKINGSET_REFAULT_FILE], 2);
  EXPECT_EQ(counters_[WORKINGSET_ACTIVATE_FILE], 1);
  EXPECT_EQ(counters_[WORKINGSET_RESTORE_FILE], 0);
}

TEST_F(LruTest, ARefaultIsARestoreWhereThePageWasActiveBeforeAndIsAgain) {
  lru_->Add(Page(0), List::kActive);
  const uint64_t evicted = lru_->nonresident_age();
  lru_->Age();
  EXPECT_TRUE(lru_->Refault(evicted, true));  // and ages by one
  EXPECT_EQ(counters_[WORKINGSET_RESTORE_FILE], 1);
  EXPECT_FALSE(lru_->Refault(evicted, true));  // too far away: only one page is active
  EXPECT_EQ(counters_[WORKINGSET_RESTORE_FILE], 1);
}

TEST_F(LruTest, APageStaysInTheWorkingsetUntilAnotherHasItsPlace) {
  lru_->Add(Page(63), List::kActive);
  lru_->SetInWorkingset(Page(63), true);
  EXPECT_FALSE(lru_->InWorkingset(Page(62)));
  EXPECT_FALSE(lru_->InWorkingset(Page(64)));
  lru_->Remove(Page(63));
  lru_->SetState(Page(5, ZoneType::kNormal), lru_->StateOf(Page(63)));  // it moves there
  EXPECT_TRUE(lru_->InWorkingset(Page(5, ZoneType::kNormal)));
  EXPECT_TRUE(lru_->InWorkingset(Page(63)));
  lru_->Forget(Page(63));
  EXPECT_FALSE(lru_->InWorkingset(Page(63)));
}

}  // namespace
}  // namespace numasim
