// What the allocator's slow path asks for and in which order (__alloc_pages_slowpath, Linux 6.1).
#include "models/physical/pressure.h"

#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/physical/page_allocator.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

// Writes down what it is called for. By itself it never helps.
class Recorder : public Pressure {
 public:
  void WakeKswapds(sim::Path&, const AllocRequest&) override { calls.push_back("kswapd"); }
  sim::Task<CompactResult> DirectCompact(sim::Path&, const AllocRequest&, CompactPriority priority) override {
    constexpr const char* kNames[] = {"compact full", "compact light", "compact async"};
    calls.push_back(kNames[static_cast<int>(priority)]);
    co_return compacted;
  }
  sim::Task<int64_t> DirectReclaim(sim::Path& path, const AllocRequest&) override {
    calls.push_back("reclaim");
    if (free) co_await free(path);
    co_return reclaimed;
  }
  sim::Task<bool> EnoughToReclaim(sim::Path&, const AllocRequest&, bool for_compaction) override {
    calls.push_back(for_compaction ? "enough to compact?" : "enough?");
    co_return enough-- > 0;
  }
  sim::Task<OomAnswer> OutOfMemory(sim::Path& path, const AllocRequest&) override {
    calls.push_back("oom");
    if (kill) co_await kill(path);
    co_return kill ? OomAnswer::kRetry : OomAnswer::kNobody;
  }

  CompactResult compacted = CompactResult::kComplete;
  int64_t reclaimed = 0;
  int enough = 0;  // so many times there is enough to reclaim
  std::function<sim::Task<void>(sim::Path&)> free, kill;
  std::vector<std::string> calls;
};

// Two nodes of 32 MiB with nothing free above the min watermark.
class PressureTest : public ::testing::Test {
 protected:
  PressureTest() : machine_(DescribedMachine({32 * kMiB, 32 * kMiB})) {
    for (Pfn pfn; (pfn = machine_.Alloc(Request(kGfpKernel | kGfpNoWarn, 0))) != kNoPfn;) {
      pages_.emplace_back(pfn);
    }
    machine_.kernel().allocator().SetPressure(&recorder_);
  }
  static AllocRequest Request(GfpFlags gfp, int order) {
    AllocRequest request;
    request.gfp = gfp;
    request.order = order;
    request.preferred = NodeId{0};
    request.cpu = CpuId{0};
    request.owner = FrameOwner{FrameOwner::kKernel, 1, 0, 0};
    return request;
  }
  // The calls for a request that fails.
  std::vector<std::string> CallsFor(GfpFlags gfp, int order) {
    recorder_.calls.clear();
    EXPECT_EQ(machine_.Alloc(Request(gfp, order)), kNoPfn);
    return recorder_.calls;
  }
  // Gives pages back, as reclaim or an exit would.
  sim::Task<void> GiveBack(sim::Path& path, size_t count) {
    const std::vector<Folio> some(pages_.end() - static_cast<std::ptrdiff_t>(count), pages_.end());
    pages_.resize(pages_.size() - count);
    co_await machine_.kernel().allocator().Release(path, CpuId{0}, some);
  }

  TestMachine machine_;
  Recorder recorder_;
  std::vector<Folio> pages_;
};

TEST_F(PressureTest, NothingIsCalledWhereThereIsMemory) {
  machine_.Release(CpuId{0}, pages_);
  EXPECT_NE(machine_.Alloc(Request(kGfpKernel, 0)), kNoPfn);
  EXPECT_THAT(recorder_.calls, ElementsAre());
}

TEST_F(PressureTest, AKernelPageReclaimsAndKills) {
  EXPECT_THAT(CallsFor(kGfpKernel, 0), ElementsAre("kswapd", "kswapd", "reclaim", "enough?", "oom"));
}

TEST_F(PressureTest, AKernelBlockCompactsBeforeAndAfterReclaim) {
  EXPECT_THAT(CallsFor(kGfpKernel, 2),
              ElementsAre("kswapd", "compact async", "kswapd", "reclaim", "compact light", "enough?", "oom"));
}

TEST_F(PressureTest, ASmallMovableBlockReclaimsFirst) {
  EXPECT_THAT(CallsFor(kGfpHighuserMovable, 2),
              ElementsAre("kswapd", "kswapd", "reclaim", "compact light", "enough?", "oom"));
}

TEST_F(PressureTest, WhoMayNotSleepOnlyWakesKswapd) {
  EXPECT_THAT(CallsFor(kGfpKswapdReclaim, 0), ElementsAre("kswapd", "kswapd"));
  EXPECT_THAT(CallsFor(GfpFlags(), 0), ElementsAre());
}

TEST_F(PressureTest, NoRetryGoesRoundOnce) {
  recorder_.reclaimed = 32;
  recorder_.enough = 100;
  EXPECT_THAT(CallsFor(kGfpKernel | kGfpNoRetry, 0), ElementsAre("kswapd", "kswapd", "reclaim"));
  EXPECT_THAT(CallsFor(kGfpKernel | kGfpNoRetry, 2),
              ElementsAre("kswapd", "compact async", "kswapd", "reclaim", "compact light"));
}

TEST_F(PressureTest, ACostlyBlockGoesRoundOnceUnlessItIsToBeTriedHard) {
  recorder_.enough = 100;
  EXPECT_THAT(CallsFor(kGfpKernel, 4),
              ElementsAre("kswapd", "compact async", "kswapd", "reclaim", "compact light"));
}

TEST_F(PressureTest, RetryMayfailGoesRoundSixteenTimesAndNeverKills) {
  recorder_.enough = 100;
  std::vector<std::string> expected = {"kswapd", "compact async"};
  for (int round = 0; round < 17; ++round) {
    for (const char* call : {"kswapd", "reclaim", "compact light"}) expected.push_back(call);
    if (round < 16) expected.push_back("enough?");
  }
  EXPECT_THAT(CallsFor(kGfpHighuserMovable | kGfpRetryMayfail, kPageblockOrder), ElementsAreArray(expected));
  recorder_.enough = 0;
  EXPECT_THAT(CallsFor(kGfpKernel | kGfpRetryMayfail, 0),
              ElementsAre("kswapd", "kswapd", "reclaim", "enough?"));
}

TEST_F(PressureTest, AHugePageOfThisNodeOnlyCompacts) {
  const GfpFlags local = kGfpHighuserMovable | kGfpNoRetry | kGfpThisNode;
  for (const CompactResult result : {CompactResult::kSkipped, CompactResult::kDeferred,
                                     CompactResult::kWithdrawn, CompactResult::kComplete}) {
    recorder_.compacted = result;
    EXPECT_THAT(CallsFor(local, kPageblockOrder), ElementsAre("kswapd", "compact async"));
  }
}

TEST_F(PressureTest, AHugePageOfAnyNodeReclaimsUnlessCompactionHasNothingToWorkWith) {
  const GfpFlags anywhere = kGfpHighuserMovable | kGfpNoRetry;
  recorder_.compacted = CompactResult::kSkipped;
  EXPECT_THAT(CallsFor(anywhere, kPageblockOrder), ElementsAre("kswapd", "compact async"));
  recorder_.compacted = CompactResult::kWithdrawn;
  EXPECT_THAT(CallsFor(anywhere, kPageblockOrder),
              ElementsAre("kswapd", "compact async", "kswapd", "reclaim", "compact async"));
}

TEST_F(PressureTest, CompactionIsTriedHarderWhileReclaimMakesProgress) {
  recorder_.reclaimed = 32;
  EXPECT_THAT(CallsFor(kGfpHighuserMovable, 1),
              ElementsAre("kswapd", "kswapd", "reclaim", "compact light", "enough?",  //
                          "kswapd", "reclaim", "compact full", "enough?", "oom"));
  recorder_.compacted = CompactResult::kSkipped;
  EXPECT_THAT(CallsFor(kGfpHighuserMovable, 1), ElementsAre("kswapd", "kswapd", "reclaim", "compact light",
                                                            "enough?", "enough to compact?", "oom"));
}

TEST_F(PressureTest, WhatReclaimFreesServesTheRequest) {
  recorder_.reclaimed = 1024;
  recorder_.free = [this](sim::Path& path) { return GiveBack(path, 1024); };
  EXPECT_NE(machine_.Alloc(Request(kGfpKernel, 0)), kNoPfn);
  EXPECT_THAT(recorder_.calls, ElementsAre("kswapd", "kswapd", "reclaim"));
}

TEST_F(PressureTest, AfterAKillTheRequestTriesAgain) {
  recorder_.kill = [this](sim::Path& path) { return GiveBack(path, 1024); };
  EXPECT_NE(machine_.Alloc(Request(kGfpKernel, 0)), kNoPfn);
  EXPECT_THAT(recorder_.calls, ElementsAre("kswapd", "kswapd", "reclaim", "enough?", "oom", "kswapd"));
}

TEST_F(PressureTest, NobodyIsKilledForALowZone) {
  AllocRequest low = Request(kGfpKernel | kGfpDma, 0);
  while (machine_.Alloc(low) != kNoPfn) recorder_.calls.clear();
  EXPECT_THAT(recorder_.calls, ElementsAre("kswapd", "kswapd", "reclaim", "enough?"));
}

}  // namespace
}  // namespace numasim
