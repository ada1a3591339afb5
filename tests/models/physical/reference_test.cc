// The real allocator beside the slow references, under random allocations and frees.
#include "tests/models/physical/reference.h"

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "models/physical/buddy.h"
#include "models/physical/frame_store.h"
#include "sim/random.h"

namespace numasim {
namespace {

constexpr Migratetype kTypes[] = {Migratetype::kUnmovable, Migratetype::kMovable, Migratetype::kReclaimable};

struct Shape {
  const char* name;
  Pfn start;
  int64_t pages;
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

struct Block {
  FrameIndex frame;
  int order;
  Migratetype type;
};

// Small orders more often than large ones, as programs ask.
int AnyOrder(sim::RandomStream& random) {
  int order = 0;
  while (order < kMaxOrder && random.Uniform(5) >= 3) ++order;
  return random.Uniform(64) == 0 ? static_cast<int>(random.Uniform(kOrders)) : order;
}

class BuddyAgainstReference : public ::testing::TestWithParam<Shape> {
 protected:
  BuddyAgainstReference()
      : start_(GetParam().start),
        end_(start_ + GetParam().pages),
        store_(start_, GetParam().pages),
        buddy_(store_),
        reference_(static_cast<int64_t>(start_.value), static_cast<int64_t>(end_.value)),
        map_(start_, end_),
        random_(7, GetParam().name) {
    for (FrameIndex f = 0; f < store_.frames(); f += kPageblockPages)
      store_.set_pageblock_type(f, Migratetype::kMovable);
    for (Pfn pfn = start_; pfn < end_;) {
      int order = std::min(pfn.value == 0 ? kMaxOrder : __builtin_ctzll(pfn.value), kMaxOrder);
      while (pfn + (int64_t{1} << order) > end_) --order;
      Give({store_.Index(pfn), order, Migratetype::kMovable}, Migratetype::kMovable, true);
      pfn = pfn + (int64_t{1} << order);
    }
  }

  // Takes a block from all of them; false if there is none. Answers that differ are failures.
  bool Take(int order, Migratetype type, bool no_fragment) {
    const bool movable = type == Migratetype::kMovable;
    const FrameIndex frame = buddy_.Take(order, type, kAllocNoFragment.If(no_fragment));
    const ReferenceBuddy::Page page = reference_.Take(order, type, no_fragment, movable);
    if (frame == kNilFrame) {
      EXPECT_EQ(page, ReferenceBuddy::kNone);
      return false;
    }
    store_.SetHead(frame, FrameKind::kAllocated, order);
    store_.owner(frame, order) = FrameOwner{movable ? FrameOwner::kAnon : FrameOwner::kKernel, 0, 0, 0};
    EXPECT_EQ(static_cast<int64_t>(store_.PfnOf(frame).value), page);
    EXPECT_EQ(map_.Allocate(store_.PfnOf(frame), order), "");
    blocks_.push_back({frame, order, type});
    return true;
  }

  void Give(const Block& block, Migratetype type, bool to_tail) {
    buddy_.Free(block.frame, block.order, type, to_tail);
    reference_.Free(static_cast<int64_t>(store_.PfnOf(block.frame).value), block.order, type, to_tail);
    EXPECT_EQ(map_.Free(store_.PfnOf(block.frame), block.order), "");
  }
  void GiveAny() {
    const size_t i = random_.Uniform(blocks_.size());
    const Block block = blocks_[i];
    blocks_[i] = blocks_.back();
    blocks_.pop_back();
    // Mostly as its pageblock says; pages that waited on a PCP list come back with what the pageblock was
    // then.
    const bool stale = random_.Uniform(8) == 0;
    Give(block, stale ? block.type : store_.pageblock_type(block.frame), random_.Uniform(16) == 0);
  }

  void CompareAll() {
    for (int order = 0; order < kOrders; ++order) {
      for (Migratetype type : kTypes) ASSERT_EQ(ListOf(order, type), reference_.ListOf(order, type));
    }
    for (Pfn pfn = start_; pfn < end_; pfn = pfn + 1) {
      if (pfn != start_ && pfn.value % kPageblockPages != 0) continue;
      ASSERT_EQ(store_.pageblock_type(store_.Index(pfn)),
                reference_.PageblockType(static_cast<int64_t>(pfn.value)));
    }
    ASSERT_EQ(buddy_.free_pages(), map_.free());
    ASSERT_EQ(buddy_.counters().pageblock_steals, reference_.pageblocks_changed());
  }
  std::vector<int64_t> ListOf(int order, Migratetype type) const {
    std::vector<int64_t> pages;
    buddy_.ForEachFree(order, type,
                       [&](FrameIndex f) { pages.push_back(static_cast<int64_t>(store_.PfnOf(f).value)); });
    return pages;
  }

  const Pfn start_, end_;
  FrameStore store_;
  Buddy buddy_;
  ReferenceBuddy reference_;
  FrameMap map_;
  sim::RandomStream random_;
  std::vector<Block> blocks_;
};

TEST_P(BuddyAgainstReference, GivesTheSameAnswers) {
  constexpr int kSteps = 1'000'000;
  constexpr int kCompareEvery = 10'000;
  int64_t refused = 0;
  for (int step = 0; step < kSteps && !HasFailure(); ++step) {
    // Between nearly empty and full: in full memory, types take from each other.
    const int64_t wanted_free = GetParam().pages * ((step / 20'000) % 4) / 8;
    const bool take = blocks_.empty() ||
                      (buddy_.free_pages() > wanted_free ? random_.Uniform(4) != 0 : random_.Uniform(4) == 0);
    if (!take) {
      GiveAny();
    } else if (!Take(AnyOrder(random_), kTypes[random_.Uniform(3)], random_.Uniform(8) == 0)) {
      ++refused;
    }
    if (step % kCompareEvery == 0) CompareAll();
  }
  CompareAll();
  EXPECT_GT(refused, 0);
  EXPECT_GT(reference_.steals(), 100);
  EXPECT_GT(reference_.pageblocks_changed(), 100);
  while (!blocks_.empty() && !HasFailure()) GiveAny();
  CompareAll();
  EXPECT_EQ(buddy_.free_pages(), GetParam().pages);
}

constexpr Shape kShapes[] = {
    {"Aligned", Pfn{1 << 15}, int64_t{16} << kMaxOrder},
    // As ZONE_DMA begins: at pfn 1.
    {"FromFrameOne", Pfn{1}, (int64_t{4} << kMaxOrder) - 1},
    // Neither end at a pageblock.
    {"Ragged", Pfn{(1 << 15) + 300}, (int64_t{5} << kMaxOrder) + 77},
};
INSTANTIATE_TEST_SUITE_P(Shapes, BuddyAgainstReference, ::testing::ValuesIn(kShapes),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace numasim
