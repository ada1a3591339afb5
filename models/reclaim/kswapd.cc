#include "models/reclaim/kswapd.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "models/compaction/suitability.h"
#include "models/physical/zone_costs.h"
#include "models/reclaim/zone_balance.h"

namespace numasim {
namespace {

// While kswapd works, PCP lists hold at most four batches (ZONE_RECLAIM_ACTIVE, nr_pcp_high): what it frees
// is to be seen by the watermarks. Limits that are written meanwhile stay.
class ReclaimActive {
 public:
  ReclaimActive(const Node& node, ZoneType highest) {
    for (Zone& zone : ManagedZones(node, highest)) {
      for (int cpu = zone.NextUsedPcp(0); cpu < zone.cpus(); cpu = zone.NextUsedPcp(cpu + 1))
        Limit(zone.pcp(CpuId{cpu}));
    }
  }
  ReclaimActive(const ReclaimActive&) = delete;
  ReclaimActive& operator=(const ReclaimActive&) = delete;
  ~ReclaimActive() {
    for (const Limited& limited : lists_) {
      if (limited.lists->high == limited.limit) limited.lists->high = limited.before;
    }
  }

 private:
  struct Limited {
    PcpLists* lists;
    int32_t before, limit;
  };
  void Limit(PcpLists& lists) {
    const int32_t limit = std::min(lists.batch * 4, lists.high);
    lists_.push_back({&lists, lists.high, limit});
    lists.high = limit;
  }
  std::vector<Limited> lists_;
};

}  // namespace

void Kswapds::WakeUp(sim::Path& path, Node& node, const Want& want) {
  State& state = StateOf(node);
  state.order = std::max(state.order, want.order);
  state.highest = std::max(state.highest.value_or(want.highest), want.highest);
  const bool asleep = !state.awake || state.nap != nullptr;
  if (!asleep) return;
  const bool balanced = ZoneBalance::NodeIsBalanced(node, want.order, want.highest) &&
                        !ZoneBalance::IsBoosted(node, want.highest);
  if (balanced || shrinker_.FailuresOf(node) >= kMostFailures) {
    // There may be enough that is free, but in small blocks, and who wants a large one does not compact.
    if (!want.may_reclaim) kcompactds_.WakeUp(path, node, want.order, want.highest);
    return;
  }
  if (state.nap != nullptr) {
    state.nap->Signal(path);
    return;
  }
  state.awake = true;
  path.Start(node.lp, sim::Duration{0}, absl::StrCat("kswapd", node.id.value),
             [this, &node](sim::Path& thread) { return Thread(thread, node, memory_.CpuForThread(node)); });
}

// prepare_kswapd_sleep(): the node is balanced, or it is of no use to try.
bool Kswapds::MaySleep(const Node& node, int order, ZoneType highest) {
  return shrinker_.FailuresOf(node) >= kMostFailures || ZoneBalance::NodeIsBalanced(node, order, highest);
}

// kswapd(), from when it is woken up until it sleeps for good.
sim::Task<void> Kswapds::Thread(sim::Path& path, Node& node, std::optional<CpuId> cpu) {
  State& state = StateOf(node);
  node.kswapd_runs = true;
  if (cpu.has_value()) co_await memory_.cpu(*cpu).AcquireAwoken(path);
  ZoneType highest = ZoneType::kDma;
  for (bool asleep = false; !asleep;) {
    const int wanted = std::exchange(state.order, 0);
    highest = std::exchange(state.highest, std::nullopt).value_or(highest);
    Sleep sleep{co_await Balance(path, node, cpu.value_or(CpuId{0}), wanted, highest), wanted, highest};
    // It gave up on the order, unless a new request is there.
    if (sleep.order >= wanted) {
      highest = state.highest.value_or(highest);
      sleep = {state.order, state.order, highest};
    }
    asleep = co_await TryToSleep(path, node, cpu, sleep);
  }
  state.awake = false;
  node.kswapd_runs = false;
  if (cpu.has_value()) memory_.cpu(*cpu).Release(path);
}

// kswapd_try_to_sleep(): first for a tenth of a second, to see whether the node stays balanced. What is free
// now is worth another look of compaction. True where it may sleep for good.
sim::Task<bool> Kswapds::TryToSleep(sim::Path& path, Node& node, std::optional<CpuId> cpu,
                                    const Sleep& sleep) {
  State& state = StateOf(node);
  const auto [order, for_others, highest] = sleep;
  if (MaySleep(node, order, highest)) {
    // prepare_to_wait(): who wakes it from here on ends the sleep at once.
    sim::Completion wake(memory_.engine(), node.lp, "kswapd_wait");
    state.nap = &wake;
    co_await compactor_.ResetHints(path, node);
    kcompactds_.WakeUp(path, node, for_others, highest);
    if (cpu.has_value()) memory_.cpu(*cpu).Release(path);
    const bool woken = co_await Nap(path, node, wake);
    if (cpu.has_value()) co_await memory_.cpu(*cpu).AcquireAwoken(path);
    if (woken) {
      state.order = std::max(state.order, order);
      state.highest = state.highest.value_or(highest);
      ++node.counter(KSWAPD_LOW_WMARK_HIT_QUICKLY);
      co_return false;
    }
    if (MaySleep(node, order, highest)) co_return true;
  }
  ++node.counter(KSWAPD_HIGH_WMARK_HIT_QUICKLY);
  co_return false;
}

// schedule_timeout(HZ / 10) on kswapd_wait. Whether it was woken before the time was over.
sim::Task<bool> Kswapds::Nap(sim::Path& path, Node& node, sim::Completion& wake) {
  constexpr sim::Duration kNap = sim::Milliseconds(100);
  State& state = StateOf(node);
  bool timed_out = false;
  const uint64_t nap = ++state.naps;
  path.Start(node.lp, kNap, "kswapd timer", [&state, nap, &timed_out](sim::Path& timer) -> sim::Task<void> {
    if (state.nap == nullptr || state.naps != nap) co_return;  // that nap is over
    timed_out = true;
    state.nap->Signal(timer);
  });
  node.kswapd_runs = false;
  co_await wake.Wait(path);
  node.kswapd_runs = true;
  state.nap = nullptr;
  co_return !timed_out;
}

int64_t Kswapds::HighWatermarks(const Node& node, ZoneType highest) {
  int64_t pages = 0;
  for (const Zone& zone : ManagedZones(node, highest))
    pages += std::max(zone.Mark(kAllocWmarkHigh), ScanControl::kCluster);
  return pages;
}

// balance_pgdat(): the priority rises until a round has looked at as many pages as the high watermarks hold.
// Where the node is balanced but for its boosts, as many pages as these are reclaimed at little effort, and
// then the watermarks are as they were.
// Returns the order that it was for in the end: once enough is free for compaction to make the block, that is
// left to kcompactd.
sim::Task<int> Kswapds::Balance(sim::Path& path, Node& node, CpuId cpu, int order, ZoneType highest) {
  constexpr int kLastBoosted = ScanControl::kFirstPriority - 2;
  ++node.counter(PAGEOUTRUN);
  ScanControl sc;
  sc.order = order;
  sc.highest = highest;
  sc.kswapd = true;
  sc.cpu = cpu;
  PerZoneType<int64_t> boosts = {};
  int64_t boost = 0;  // what is still to be reclaimed for them; 0 too where that does not matter
  for (const Zone& zone : ManagedZones(node, highest)) boost += boosts[zone.type()] = zone.watermark_boost();
  const bool boosted = boost > 0;
  const ReclaimActive active(node, highest);
  bool balanced = false;
  while (sc.priority >= 1) {
    balanced = ZoneBalance::NodeIsBalanced(node, sc.order, highest);
    if (!balanced && boost > 0) {
      boost = 0;
      sc.priority = ScanControl::kFirstPriority;
    }
    if (balanced && boost == 0) break;
    const int64_t before = sc.reclaimed;
    const bool enough = co_await Round(path, node, sc);
    const int64_t reclaimed = sc.reclaimed - before;
    const bool limited = boost > 0 && sc.priority == kLastBoosted;
    boost -= std::min(boost, reclaimed);
    if (boost > 0 && reclaimed == 0) break;
    if ((!enough && !limited) || reclaimed == 0) --sc.priority;
  }
  const bool done = balanced && boost == 0;
  // The kernel would get some of its own memory for a boost, of which there is none here.
  const bool for_boost_alone = balanced && node.lru == nullptr;
  if (!done && sc.reclaimed == 0 && !for_boost_alone) ++shrinker_.FailuresOf(node);
  if (boosted) co_await EndBoosts(path, node, cpu, highest, boosts);
  shrinker_.Snapshot(node);
  co_return sc.order;
}

// kswapd_shrink_node(). Whether it has looked at enough.
sim::Task<bool> Kswapds::Round(sim::Path& path, Node& node, ScanControl& sc) {
  sc.scanned = 0;
  sc.to_reclaim = HighWatermarks(node, sc.highest);
  co_await shrinker_.Shrink(path, node, sc);
  if (sc.order > 0 && sc.reclaimed >= CompactionGap(sc.order)) sc.order = 0;
  // Where nothing is on the lists no time passes, and others must have their turn.
  if (sc.scanned == 0) co_await path.Take(memory_.costs().reclaim_scan);
  co_return sc.scanned >= sc.to_reclaim;
}

// The watermarks fall by what they were raised before the round; there should be room now to compact.
sim::Task<void> Kswapds::EndBoosts(sim::Path& path, Node& node, CpuId cpu, ZoneType highest,
                                   const PerZoneType<int64_t>& boosts) {
  for (Zone& zone : ManagedZones(node, highest)) {
    if (boosts[zone.type()] == 0) continue;
    co_await zone.lock().Acquire(path);
    zone.LowerBoost(boosts[zone.type()]);
    co_await path.Take(LockCost(memory_.costs(), zone, cpu));
    zone.lock().Release(path);
  }
  kcompactds_.WakeUp(path, node, kPageblockOrder, highest);
}

}  // namespace numasim
