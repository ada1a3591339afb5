// Zone: one zone of a node (struct zone, Linux 6.1): frames, buddy free lists, each CPU's PCP lists,
// watermarks and counters. Owned by its Node, lives on the node's LP; every function must be called there.
//
// The functions here compute and change state but take no simulated time; PageAllocator pays for them and
// holds `lock` where the kernel holds zone->lock.
#ifndef NUMASIM_MODELS_PHYSICAL_ZONE_H_
#define NUMASIM_MODELS_PHYSICAL_ZONE_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/base/types.h"
#include "models/physical/alloc_flags.h"
#include "models/physical/buddy.h"
#include "models/physical/frame_store.h"
#include "models/physical/pcp.h"
#include "proto/counters.h"
#include "sim/locks.h"

namespace numasim {

class Lru;

// Counts blocks, one after another, whose struct page is not near that of the one before: the CPU waits for
// memory there, while of neighbours the prefetcher has the next line by then. `last` is where the CPU was,
// and is then.
class FarBlocks {
 public:
  explicit FarBlocks(FrameIndex& last) : last_(last) {}

  void Add(FrameIndex first, uint32_t neighbours = 1) {
    const FrameIndex near = first / kNear;
    const FrameIndex last = (first + neighbours - 1) / kNear;
    count_ += static_cast<int>(last - near) + (near != last_ / kNear ? 1 : 0);
    last_ = first + neighbours - 1;
  }
  int count() const { return count_; }

 private:
  static constexpr FrameIndex kNear = kPageSize / 64;  // struct pages in a page

  FrameIndex& last_;
  int count_ = 0;
};

struct Watermarks {
  int64_t min = 0, low = 0, high = 0;  // pages
  int64_t Of(AllocFlags alloc_flags) const {
    if (alloc_flags.Has(kAllocWmarkLow)) return low;
    return alloc_flags.Has(kAllocWmarkHigh) ? high : min;
  }
  bool operator==(const Watermarks&) const = default;
};

class Zone {
 public:
  // The address range of a device that plugs and unplugs memory (virtio-mem). Lies above all other memory.
  struct HotRange {
    Pfn start;
    int64_t pages = 0;    // what it may grow to; 0: there is none
    int64_t plugged = 0;  // at boot, from `start` on
    Pfn end() const { return start + pages; }
  };
  // Where the zone lies and what it had at boot.
  struct Extent {
    NodeId node;
    ZoneType type;
    Pfn start;
    int64_t spanned = 0;  // pages from first to last, 0 where all memory is the device's
    int64_t present = 0;  // less holes
    int64_t managed = 0;  // less what boot reserved
    HotRange hot = {};    // not counted in the three above
    Pfn end() const { return hot.pages > 0 ? hot.end() : start + spanned; }
  };
  // What an allocation from the PCP lists did, so that its time can be paid.
  struct PcpResult {
    FrameIndex frame = kNilFrame;
    int refilled = 0;  // blocks taken from the buddy
    int far = 0;       // of these, whose struct page is not near that of the one before
  };
  // What a PCP list gave back to the buddy; mostly nothing.
  struct Drained {
    int64_t pages = 0;
    int64_t blocks = 0;  // in so many
    int64_t far = 0;     // as above
  };

  // `cpus` is the number of CPUs of the whole machine: each has PCP lists here.
  Zone(const Extent& extent, int cpus, std::unique_ptr<sim::SpinLock> lock);

  const Extent& extent() const { return extent_; }
  NodeId node() const { return extent_.node; }
  ZoneType type() const { return extent_.type; }
  // Pages that are there now, less what boot reserved. Without any the zone is not in the kernel's zonelists.
  int64_t present() const { return present_; }
  int64_t managed() const { return managed_; }
  std::string Name() const;  // "node0.DMA32"
  FrameStore& frames() { return frames_; }
  const FrameStore& frames() const { return frames_; }
  Buddy& buddy() { return buddy_; }
  const Buddy& buddy() const { return buddy_; }
  sim::SpinLock& lock() { return *lock_; }
  const sim::SpinLock& lock() const { return *lock_; }
  // Called with `lock` held: whether another CPU had it the last time, so that its line is in that one's
  // cache.
  bool LockMoves(CpuId cpu) {
    const CpuId last = std::exchange(last_locked_, cpu);
    return last != cpu && last.value >= 0;
  }
  PcpLists& pcp(CpuId cpu) { return pcp_.At(cpu); }
  const PcpLists& pcp(CpuId cpu) const { return pcp_.At(cpu); }
  int NextUsedPcp(int cpu) const { return pcp_.NextUsed(cpu); }
  int cpus() const { return pcp_.cpus(); }

  // Its node's; null on a machine without a disk.
  Lru* lru() const { return lru_; }
  void SetLru(Lru* lru) { lru_ = lru; }

  // As the reserves set them (_watermark[]).
  Watermarks& watermarks() { return watermarks_; }
  const Watermarks& watermarks() const { return watermarks_; }
  // From the reserves: others than before begin without a boost, as setup_per_zone_wmarks() leaves them.
  void SetWatermarks(const Watermarks& watermarks) {
    if (watermarks != watermarks_) watermark_boost_ = 0;
    watermarks_ = watermarks;
  }
  // What is kept in fact (wmark_pages): the one that the flags ask for, raised by the boost.
  int64_t Mark(AllocFlags alloc_flags) const { return watermarks_.Of(alloc_flags) + watermark_boost_; }
  // By how much watermarks are raised since pageblocks were mixed, so that kswapd makes room before more are.
  int64_t watermark_boost() const { return watermark_boost_; }
  void LowerBoost(int64_t pages) { watermark_boost_ -= std::min(watermark_boost_, pages); }
  void SetBoostFactor(int factor) { boost_factor_ = factor; }  // vm.watermark_boost_factor
  // Whether an allocation that may wake kswapd has raised them since the last call (ZONE_BOOSTED_WATERMARK).
  bool TakeBoosted() { return std::exchange(boosted_, false); }
  bool boosted() const { return boosted_; }
  // lowmem_reserve[]: pages kept from requests that could have used a higher zone, by the highest zone they
  // allow.
  PerZoneType<int64_t>& lowmem_reserve() { return lowmem_reserve_; }
  const PerZoneType<int64_t>& lowmem_reserve() const { return lowmem_reserve_; }

  // zone_watermark_fast(): whether the zone may serve the request at its watermark.
  bool WatermarkOk(int order, ZoneType highest, AllocFlags alloc_flags) const;
  // __zone_watermark_ok(): the same above any mark, if so many pages were free.
  bool WatermarkOk(int64_t mark, int order, ZoneType highest, AllocFlags alloc_flags, int64_t free) const;

  // --- with the PCP lists of a CPU (rmqueue_pcplist, free_unref_page) ---
  // Whether AllocPcp would have to refill, that is, needs `lock`.
  bool PcpNeedsRefill(CpuId cpu, int order, Migratetype type) const {
    return pcp(cpu).lists[PcpLists::ListOf(order, type)].empty();
  }
  PcpResult AllocPcp(CpuId cpu, int order, Migratetype type, AllocFlags alloc_flags);
  // How many blocks AllocPcp gives without a refill.
  int64_t PcpBlocks(CpuId cpu, int order, Migratetype type) const {
    return pcp(cpu).lists[PcpLists::ListOf(order, type)].size();
  }
  // What AllocPcp of order 0 does, `count` times, where as many are there: f(first, count) for those that
  // follow one another.
  template <typename F>
  void AllocPcpPages(CpuId cpu, Migratetype type, int64_t count, F f);
  // The block must be allocated.
  Drained FreePcp(CpuId cpu, FrameIndex frame, int order);
  // Whether FreePcp of this block would give pages back, that is, needs `lock`.
  bool PcpWillDrain(CpuId cpu, FrameIndex frame, int order) const {
    if (frames_.pageblock_type(frame) == Migratetype::kIsolate) return true;
    const PcpLists& pcp_lists = pcp(cpu);
    const bool free_high = pcp_lists.free_factor != 0 && order > 0 && order <= kCostlyOrder;
    return free_high || pcp_lists.count + (1 << order) >= pcp_lists.high;
  }
  // drain_pages_zone(): gives all of a CPU's pages back.
  Drained DrainPcp(CpuId cpu);
  // pcp->high and batch of every CPU; while the lists are disabled they hold nothing, and what is set here
  // counts when they are enabled again (zone_pcp_disable, zone_pcp_enable).
  void SetPcpLimits(int32_t high, int32_t batch);
  void DisablePcp();
  void EnablePcp();

  // --- straight from and to the buddy (rmqueue_buddy, free_one_page) ---
  FrameIndex AllocBuddy(int order, Migratetype type, AllocFlags alloc_flags);
  void FreeBuddy(FrameIndex frame, int order);

  // split_page(), once: an allocated block that nothing holds becomes two of half its size, with the same
  // owner.
  void Halve(FrameIndex frame, int order);

  // --- references to allocated blocks beyond their mappings: pins, and isolation for migration ---
  void TakeRef(FrameIndex frame, int order);  // get_page()
  // put_page(): whether nothing refers to the block any more, and it is to be freed.
  bool DropRef(FrameIndex frame, int order);
  int64_t RefsOf(FrameIndex frame, int order) const { return frames_.holds(frame, order).refs; }
  // A block that is being migrated, from or to, has a reference of the migration. Nobody else takes one then,
  // or decides by its count.
  void MarkMigrating(FrameIndex frame, int order, bool migrating);
  bool IsMigrating(FrameIndex frame, int order) const { return frames_.holds(frame, order).migrating; }
  // How many references were dropped so far: as long as this stays the same, a block that was held is held.
  uint64_t refs_dropped() const { return refs_dropped_; }

  // --- memory that comes and goes (mm/memory_hotplug.c) ---
  // online_pages(): [start, start + pages), so far unmanaged, becomes present, managed and free. Whole blocks
  // of the largest order.
  void OnlineBlock(Pfn start, int64_t pages);
  // __offline_isolated_pages() and what follows it: the range, whole pageblocks and all of it free, is
  // managed no more. A free block that sticks out of it is an error of the caller.
  void OfflineRange(Pfn start, int64_t pages);
  // adjust_present_page_count(), adjust_managed_page_count(): only counts.
  void AdjustPresent(int64_t pages) { present_ += pages; }
  void AdjustManaged(int64_t pages) { managed_ += pages; }

  int64_t& counter(ZoneCounter c) { return counters_[c]; }
  int64_t counter(ZoneCounter c) const { return counters_[c]; }
  int64_t unused_pages() const { return buddy_.free_pages() + counter(PCP_PAGES); }  // free or on PCP lists
  // Where the value of a counter is kept, for sampling.
  const int64_t* counter_ref(ZoneCounter c) const;

 private:
  PcpResult Refill(PcpLists& pcp, FrameRing& ring, int order, Migratetype type, AllocFlags alloc_flags);
  Drained BulkFree(PcpLists& pcp, int32_t pages, int first_list);
  void BoostWatermark(int64_t mixings, AllocFlags alloc_flags);

  const Extent extent_;
  int64_t present_, managed_;
  FrameStore frames_;
  Buddy buddy_;
  PcpTable pcp_;
  int32_t pcp_high_ = 0;
  int32_t pcp_batch_ = 1;
  bool pcp_disabled_ = false;
  uint64_t refs_dropped_ = 0;
  Lru* lru_ = nullptr;
  Watermarks watermarks_;
  int64_t watermark_boost_ = 0;  // pages
  int boost_factor_ = 0;         // how far it may go, in 1/10000 of the high watermark
  bool boosted_ = false;
  PerZoneType<int64_t> lowmem_reserve_ = {};
  std::array<int64_t, ZoneCounter_ARRAYSIZE> counters_ = {};
  std::unique_ptr<sim::SpinLock> lock_;
  CpuId last_locked_{-1};
};

// ---- the hot paths, inline ----

inline bool Zone::WatermarkOk(int order, ZoneType highest, AllocFlags alloc_flags) const {
  return WatermarkOk(Mark(alloc_flags), order, highest, alloc_flags, buddy_.free_pages());
}

inline bool Zone::WatermarkOk(int64_t mark, int order, ZoneType highest, AllocFlags alloc_flags,
                              int64_t free) const {
  const int64_t reserve = lowmem_reserve_[highest];
  // What is free in CMA areas is of use for movable memory only (__zone_watermark_unusable_free).
  if (!alloc_flags.Has(kAllocCma)) free -= buddy_.cma_pages();
  if (order == 0 && free > mark + reserve) return true;
  if (alloc_flags.Has(kAllocMinReserve)) mark -= mark / 2;
  if (free - ((int64_t{1} << order) - 1) <= mark + reserve) return false;
  if (order == 0) return true;
  for (int o = order; o <= kMaxOrder; ++o) {
    for (int type = 0; type < kPcpMigratetypes; ++type) {
      if (!buddy_.list(o, static_cast<Migratetype>(type)).empty()) return true;
    }
    if (alloc_flags.Has(kAllocCma) && !buddy_.list(o, Migratetype::kCma).empty()) return true;
  }
  return false;
}

inline Zone::PcpResult Zone::AllocPcp(CpuId cpu, int order, Migratetype type, AllocFlags alloc_flags) {
  PcpLists& lists = pcp(cpu);
  FrameRing& ring = lists.lists[PcpLists::ListOf(order, type)];
  lists.free_factor >>= 1;
  PcpResult result;
  if (ring.empty()) {
    result = Refill(lists, ring, order, type, alloc_flags);
    if (ring.empty()) return result;
  }
  result.frame = ring.PopFront() >> order << order;
  lists.count -= 1 << order;
  counters_[PCP_PAGES] -= 1 << order;
  frames_.SetHead(result.frame, FrameKind::kAllocated, order);
  counters_[PGALLOC] += int64_t{1} << order;
  return result;
}

template <typename F>
void Zone::AllocPcpPages(CpuId cpu, Migratetype type, int64_t count, F f) {
  PcpLists& lists = pcp(cpu);
  FrameRing& ring = lists.lists[PcpLists::ListOf(0, type)];
  NUMASIM_CHECK_LE(count, int64_t{ring.size()});
  lists.free_factor >>= std::min(count, int64_t{PcpLists::kMaxFreeFactor});
  lists.count -= static_cast<int32_t>(count);
  counters_[PCP_PAGES] -= count;
  counters_[PGALLOC] += count;
  while (count > 0) {
    const FrameIndex first = ring.front();
    const uint32_t run = ring.PopRun(static_cast<uint32_t>(count));
    frames_.SetSingles(first, run, FrameKind::kAllocated);
    f(first, run);
    count -= run;
  }
}

inline Zone::Drained Zone::FreePcp(CpuId cpu, FrameIndex frame, int order) {
  NUMASIM_CHECK_EQ(int{frames_.state(frame, order)}, int{FrameStore::Code(FrameKind::kAllocated, order)});
  Migratetype type = frames_.pageblock_type(frame);
  if (static_cast<int>(type) >= kPcpMigratetypes) {
    if (type == Migratetype::kIsolate) {
      FreeBuddy(frame, order);
      return {.pages = int64_t{1} << order, .blocks = 1};
    }
    type = Migratetype::kMovable;
  }
  PcpLists& lists = pcp(cpu);
  const int list = PcpLists::ListOf(order, type);
  if (order == 0) {
    frames_.small_state(frame) = FrameStore::Code(FrameKind::kPcp, 0);
    frames_.PrefetchWord(frame);  // for when the lists give it back to the buddy
  } else {
    frames_.SetHead(frame, FrameKind::kPcp, order);
  }
  lists.lists[list].PushFront(PcpLists::Entry(frame, order, type));
  lists.count += 1 << order;
  counters_[PCP_PAGES] += 1 << order;
  // free_unref_page_commit()
  const bool free_high = lists.free_factor != 0 && order > 0 && order <= kCostlyOrder;
  const int32_t high = free_high ? 0 : lists.high;
  if (lists.count < high) return {};
  return BulkFree(lists, lists.PagesToFree(free_high), list);
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_ZONE_H_
