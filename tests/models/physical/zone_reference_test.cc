// PCP lists beside a slow reference: whatever short cuts the zone takes in refilling and draining, the pages
// that come out and the lists that are left must be those of the kernel's rules, applied page by page.
#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "models/base/problem_list.h"
#include "models/physical/zone.h"
#include "models/physical/zone_check.h"
#include "sim/engine.h"
#include "sim/locks.h"
#include "sim/random.h"
#include "tests/models/physical/reference.h"

namespace numasim {
namespace {

constexpr int kCpus = 2;
constexpr Migratetype kTypes[] = {Migratetype::kUnmovable, Migratetype::kMovable, Migratetype::kReclaimable};
using Page = ReferenceBuddy::Page;

// struct per_cpu_pages, from the kernel's rules (mm/page_alloc.c, Linux 6.1).
class ReferencePcp {
 public:
  ReferencePcp(ReferenceBuddy& buddy, int high, int batch) : buddy_(buddy), high_(high), batch_(batch) {}

  // rmqueue_pcplist(); the pages are not on the LRU until `Own`.
  Page Alloc(int order, Migratetype type) {
    free_factor_ /= 2;
    std::deque<Entry>& list = lists_[Index(order, type)];
    if (list.empty()) {
      const int want = batch_ > 1 ? std::max(batch_ >> order, 2) : batch_;
      for (int i = 0; i < want; ++i) {
        const Page page = buddy_.Take(order, type, false, false);
        if (page == ReferenceBuddy::kNone) break;
        list.push_back({page, order, type});
        count_ += 1 << order;
      }
    }
    if (list.empty()) return ReferenceBuddy::kNone;
    const Page page = list.front().page;
    list.pop_front();
    count_ -= 1 << order;
    return page;
  }

  void Free(Page page, int order) {
    const Migratetype type = buddy_.PageblockType(page);
    const size_t index = Index(order, type);
    lists_[index].push_front({page, order, type});
    count_ += 1 << order;
    const bool free_high = free_factor_ > 0 && order > 0 && order <= 3;
    if (count_ < (free_high ? 0 : high_)) return;
    GiveBack(free_high ? count_ : Quota(), index);
  }

  void Drain() { GiveBack(count_, 0); }
  int count() const { return count_; }

 private:
  struct Entry {
    Page page;
    int order;
    Migratetype type;
  };

  static size_t Index(int order, Migratetype type) {
    return order == kPageblockOrder ? 12 : static_cast<size_t>(order) * 3 + static_cast<size_t>(type);
  }
  int Quota() {
    if (high_ < batch_) return 1;
    const int most = high_ - batch_;
    const int pages = batch_ << free_factor_;
    if (pages < most && free_factor_ < 5) ++free_factor_;
    return std::min(std::max(pages, batch_), most);
  }
  // Page by page from the tails, list after list.
  void GiveBack(int pages, size_t index) {
    pages = std::min(pages, count_);
    for (; pages > 0; index = (index + 1) % lists_.size()) {
      std::deque<Entry>& list = lists_[index];
      while (pages > 0 && !list.empty()) {
        const Entry entry = list.back();
        list.pop_back();
        pages -= 1 << entry.order;
        count_ -= 1 << entry.order;
        buddy_.Free(entry.page, entry.order, entry.type, false);
      }
    }
  }

  ReferenceBuddy& buddy_;
  int high_, batch_;
  int count_ = 0;
  int free_factor_ = 0;
  std::array<std::deque<Entry>, 13> lists_;
};

struct Limits {
  int high, batch;
};

class ZoneAgainstReference : public ::testing::TestWithParam<Limits> {
 protected:
  static constexpr int64_t kPages = int64_t{8} << kMaxOrder;
  static constexpr int64_t kStart = 1 << 15;

  ZoneAgainstReference()
      : engine_({}),
        lp_(engine_.AddLp("node0")),
        zone_({NodeId{0}, ZoneType::kDma32, Pfn{kStart}, kPages, kPages, kPages}, kCpus,
              std::make_unique<sim::SpinLock>(engine_, lp_, "lock")),
        buddy_(kStart, kStart + kPages),
        map_(Pfn{kStart}, Pfn{kStart + kPages}),
        random_(11, "zone") {
    FrameStore& frames = zone_.frames();
    for (FrameIndex f = 0; f < frames.frames(); f += 1u << kMaxOrder) {
      frames.set_pageblock_type(f, Migratetype::kMovable);
      frames.set_pageblock_type(f + static_cast<FrameIndex>(kPageblockPages), Migratetype::kMovable);
      zone_.buddy().Free(f, kMaxOrder, Migratetype::kMovable, true);
      buddy_.Free(kStart + f, kMaxOrder, Migratetype::kMovable, true);
      EXPECT_EQ(map_.Free(frames.PfnOf(f), kMaxOrder), "");
    }
    for (int cpu = 0; cpu < kCpus; ++cpu) {
      pcp_.emplace_back(buddy_, GetParam().high, GetParam().batch);
      zone_.pcp(CpuId{cpu}).high = GetParam().high;
      zone_.pcp(CpuId{cpu}).batch = GetParam().batch;
    }
  }

  bool Take(int order, Migratetype type, CpuId cpu) {
    FrameIndex frame = kNilFrame;
    Page page = ReferenceBuddy::kNone;
    if (PcpLists::Allowed(order)) {
      frame = zone_.AllocPcp(cpu, order, type, {}).frame;
      page = pcp_[static_cast<size_t>(cpu.value)].Alloc(order, type);
    } else {
      frame = zone_.AllocBuddy(order, type, {});
      page = buddy_.Take(order, type, false, false);
    }
    EXPECT_EQ(frame == kNilFrame, page == ReferenceBuddy::kNone);
    if (frame == kNilFrame || page == ReferenceBuddy::kNone) return false;
    EXPECT_EQ(kStart + frame, page);
    EXPECT_EQ(map_.Allocate(zone_.frames().PfnOf(frame), order), "");
    const bool movable = type == Migratetype::kMovable;
    zone_.frames().owner(frame, order) =
        FrameOwner{movable ? FrameOwner::kAnon : FrameOwner::kKernel, 1, 0, 0};
    if (movable) buddy_.Own(page, order);
    blocks_.push_back({frame, order});
    return true;
  }

  void Give(size_t i, CpuId cpu) {
    const Block block = blocks_[i];
    blocks_[i] = blocks_.back();
    blocks_.pop_back();
    const Page page = kStart + block.frame;
    buddy_.Disown(page);
    if (PcpLists::Allowed(block.order)) {
      zone_.FreePcp(cpu, block.frame, block.order);
      pcp_[static_cast<size_t>(cpu.value)].Free(page, block.order);
    } else {
      zone_.FreeBuddy(block.frame, block.order);
      buddy_.Free(page, block.order, buddy_.PageblockType(page), false);
    }
    EXPECT_EQ(map_.Free(zone_.frames().PfnOf(block.frame), block.order), "");
  }

  void CompareAll() {
    ProblemList problems;
    const ZoneCensus census = CheckZone(zone_, problems, [](Pfn, int, const FrameOwner&) {});
    ASSERT_EQ(std::move(problems).Take(), std::vector<std::string>());
    ASSERT_EQ(census.free + census.pcp, map_.free());
    for (int cpu = 0; cpu < kCpus; ++cpu) {
      ASSERT_EQ(zone_.pcp(CpuId{cpu}).count, pcp_[static_cast<size_t>(cpu)].count());
    }
    for (int order = 0; order < kOrders; ++order) {
      for (Migratetype type : kTypes) {
        std::vector<Page> pages;
        zone_.buddy().ForEachFree(order, type, [&](FrameIndex f) { pages.push_back(kStart + f); });
        ASSERT_EQ(pages, buddy_.ListOf(order, type)) << "order " << order;
      }
    }
  }

  struct Block {
    FrameIndex frame;
    int order;
  };
  sim::Engine engine_;
  sim::LpId lp_;
  Zone zone_;
  ReferenceBuddy buddy_;
  std::vector<ReferencePcp> pcp_;
  FrameMap map_;
  sim::RandomStream random_;
  std::vector<Block> blocks_;
};

TEST_P(ZoneAgainstReference, GivesTheSamePages) {
  constexpr int kRounds = 4'000;
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    // Runs of one kind of request, as programs make them: they fill PCP lists, and freed in order, whole
    // blocks.
    const int run = 1 + static_cast<int>(random_.Uniform(uint64_t{1} << random_.Uniform(11)));
    const CpuId cpu{static_cast<int32_t>(random_.Uniform(kCpus))};
    const Migratetype type = kTypes[random_.Uniform(3)];
    const int order = random_.Uniform(3) != 0 ? 0 : static_cast<int>(random_.Uniform(kOrders));
    switch (random_.Uniform(5)) {
      case 0:
      case 1:
        for (int i = 0; i < run && Take(order, type, cpu) && !HasFailure(); ++i) {
        }
        break;
      case 2:  // last allocated first
        for (int i = 0; i < run && !blocks_.empty(); ++i) Give(blocks_.size() - 1, cpu);
        break;
      case 3:  // first allocated first
        std::reverse(blocks_.begin(), blocks_.end());
        for (int i = 0; i < run && !blocks_.empty(); ++i) Give(blocks_.size() - 1, cpu);
        break;
      default:
        for (int i = 0; i < run && !blocks_.empty(); ++i) Give(random_.Uniform(blocks_.size()), cpu);
    }
    if (random_.Uniform(64) == 0) {
      zone_.DrainPcp(cpu);
      pcp_[static_cast<size_t>(cpu.value)].Drain();
    }
    if (round % 16 == 0) CompareAll();
  }
  EXPECT_GT(buddy_.steals(), 100);
  while (!blocks_.empty() && !HasFailure()) Give(blocks_.size() - 1, CpuId{0});
  for (int cpu = 0; cpu < kCpus; ++cpu) {
    zone_.DrainPcp(CpuId{cpu});
    pcp_[static_cast<size_t>(cpu)].Drain();
  }
  CompareAll();
  EXPECT_EQ(zone_.buddy().free_pages(), kPages);
}

constexpr Limits kLimits[] = {{1000, 63}, {378, 63}, {60, 31}, {12, 3}, {4, 1}, {0, 1}};
INSTANTIATE_TEST_SUITE_P(Limits, ZoneAgainstReference, ::testing::ValuesIn(kLimits), [](const auto& info) {
  return "High" + std::to_string(info.param.high) + "Batch" + std::to_string(info.param.batch);
});

}  // namespace
}  // namespace numasim
