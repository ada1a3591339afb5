#include "models/hotplug/virtio_mem.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "models/physical/isolation.h"
#include "proto/counter_info.h"
#include "sim/check.h"

namespace numasim {
namespace {

constexpr VirtioMemDriver::SubBlocks kAll = ~VirtioMemDriver::SubBlocks{0};
constexpr FrameOwner kUnplugged{FrameOwner::kOffline, 1, 0, 0};
// How often a range of ZONE_MOVABLE is tried before it counts as busy (virtio_mem_fake_offline).
constexpr int kTries = 5;

constexpr VirtioMemDriver::SubBlocks Bits(int first, int count) {
  const VirtioMemDriver::SubBlocks low =
      count == VirtioMemDriver::kSubBlocks ? kAll : (VirtioMemDriver::SubBlocks{1} << count) - 1;
  return low << first;
}

// virtio_mem_online_page(): pages that are not plugged are set aside as their block comes online.
void TakeUnplugged(Zone& zone, Pfn start, int64_t pages) {
  if (pages == 0) return;
  const FrameIndex begin = zone.frames().Index(start);
  const auto end = static_cast<FrameIndex>(begin + pages);
  constexpr FrameIndex kBlock = kPageblockPages;
  IsolateFree(zone, begin, end);
  TakeIsolated(zone, begin, end, kUnplugged);
  for (FrameIndex block = begin; block < end; block += kBlock) {
    UnisolatePageblock(zone, block, Migratetype::kMovable);
  }
  zone.AdjustManaged(-pages);
}

}  // namespace

VirtioMemDriver::VirtioMemDriver(MemorySystem& memory, ContigRanges& ranges, MemoryHotplug& hotplug,
                                 Zone& zone)
    : memory_(memory),
      ranges_(ranges),
      hotplug_(hotplug),
      zone_(zone),
      request_lock_(std::make_unique<sim::Mutex>(memory.engine(), memory.global_lp(), "virtio_mem.wq")),
      lock_(std::make_unique<sim::Mutex>(memory.engine(), memory.global_lp(), "virtio_mem.hotplug_mutex")),
      blocks_(static_cast<size_t>(zone.extent().hot.pages / kMemoryBlockPages)) {
  const int64_t plugged = zone.extent().hot.plugged;
  std::fill_n(blocks_.begin(), plugged / kMemoryBlockPages, kAll);
  counters_[VIRTIO_MEM_PLUGGED] = counters_[VIRTIO_MEM_REQUESTED] = plugged;
  hotplug_.SetDriver(zone_, *lock_);
}

VirtioMemDriver::BlockState VirtioMemDriver::StateOf(size_t block) const {
  const MemoryBlock* const found = memory_.blocks().Find(IdOf(block));
  if (found == nullptr) return BlockState::kNone;
  return found->online ? BlockState::kOnline : BlockState::kOffline;
}

void VirtioMemDriver::SetPlugged(size_t block, int first, int count, bool plugged) {
  const SubBlocks bits = Bits(first, count);
  blocks_[block] = plugged ? blocks_[block] | bits : blocks_[block] & ~bits;
  const int64_t pages = count * kSubBlockPages;
  counters_[VIRTIO_MEM_PLUGGED] += plugged ? pages : -pages;
  counters_[plugged ? VIRTIO_MEM_GIVEN : VIRTIO_MEM_RETURNED] += pages;
}

sim::Task<VirtioMemDriver::Result> VirtioMemDriver::Request(sim::Path& path, CpuId cpu, int64_t pages) {
  const bool valid = pages >= 0 && pages % kSubBlockPages == 0 && pages <= max_pages();
  const sim::LpId home = path.lp();
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  co_await request_lock_->Acquire(path);
  const sim::SimTime began = path.now();
  if (valid) counters_[VIRTIO_MEM_REQUESTED] = pages;
  const int64_t sub_blocks = valid ? (pages - counters_[VIRTIO_MEM_PLUGGED]) / kSubBlockPages : 0;
  Errno error = valid ? Errno::kOk : Errno::kInval;
  if (sub_blocks > 0) {
    counters_[VIRTIO_MEM_ASKED_MORE] += sub_blocks * kSubBlockPages;
    error = co_await Plug(path, sub_blocks);
  } else if (sub_blocks < 0) {
    counters_[VIRTIO_MEM_ASKED_BACK] += -sub_blocks * kSubBlockPages;
    error = co_await Unplug(path, cpu, -sub_blocks);
    counters_[VIRTIO_MEM_UNPLUG_NS] += (path.now() - began).ns;
  }
  counters_[VIRTIO_MEM_NS] += (path.now() - began).ns;
  if (error != Errno::kOk) ++counters_[VIRTIO_MEM_FAILED];
  const int64_t plugged = counters_[VIRTIO_MEM_PLUGGED];
  request_lock_->Release(path);
  co_await path.HopTo(home, memory_.costs().hop);
  co_return Result{error, plugged};
}

// virtio_mem_sbm_unplug_request(): blocks that are offline first, then those that are plugged in part, and
// from the highest down. The lock is free for a moment between two blocks.
sim::Task<Errno> VirtioMemDriver::Unplug(sim::Path& path, CpuId cpu, int64_t sub_blocks) {
  for (const BlockState state : {BlockState::kOffline, BlockState::kOnline}) {
    for (const bool whole : {false, true}) {
      for (size_t block = blocks_.size(); block-- > 0 && sub_blocks > 0;) {
        co_await lock_->Acquire(path);
        Errno error = Errno::kOk;
        if (StateOf(block) == state && (blocks_[block] == kAll) == whole) {
          if (state == BlockState::kOffline) {
            co_await UnplugOffline(path, block, sub_blocks);
          } else {
            error = co_await UnplugFrom(path, cpu, block, sub_blocks);
          }
        }
        lock_->Release(path);
        if (error != Errno::kOk) co_return error;
      }
    }
  }
  co_return sub_blocks > 0 ? Errno::kBusy : Errno::kOk;
}

// virtio_mem_sbm_unplug_any_sb_offline(): runs of plugged sub blocks, from the highest down.
sim::Task<void> VirtioMemDriver::UnplugOffline(sim::Path& path, size_t block, int64_t& sub_blocks) {
  while (sub_blocks > 0 && blocks_[block] != 0) {
    const int end = kSubBlocks - std::countl_zero(blocks_[block]);
    const int run = std::countl_one(blocks_[block] << (kSubBlocks - end));
    const int count = static_cast<int>(std::min<int64_t>(run, sub_blocks));
    co_await path.Take(memory_.costs().virtio_request);
    SetPlugged(block, end - count, count, false);
    sub_blocks -= count;
  }
  if (blocks_[block] == 0) memory_.blocks().Remove(IdOf(block));
}

// virtio_mem_sbm_unplug_any_sb_online(): the whole block at once if it may be, else sub block by sub block
// from the highest down, past those that are busy.
sim::Task<Errno> VirtioMemDriver::UnplugFrom(sim::Path& path, CpuId cpu, size_t block, int64_t& sub_blocks) {
  if (blocks_[block] == kAll && sub_blocks >= kSubBlocks) {
    const ContigResult result = co_await UnplugSubBlocks(path, cpu, block, 0, kSubBlocks);
    if (result.error == Errno::kOk) sub_blocks -= kSubBlocks;
    if (result.error != Errno::kOk && result.error != Errno::kBusy) {
      CountStayed(kSubBlocks, result);
      co_return result.error;
    }
  }
  for (int i = kSubBlocks - 1; i >= 0 && sub_blocks > 0; --i) {
    if (!(blocks_[block] & Bits(i, 1))) continue;
    const ContigResult result = co_await UnplugSubBlocks(path, cpu, block, i, 1);
    if (result.error == Errno::kOk) {
      --sub_blocks;
      continue;
    }
    CountStayed(1, result);
    if (result.error != Errno::kBusy) co_return result.error;
  }
  co_await RemoveIfEmpty(path, cpu, block);
  co_return Errno::kOk;
}

sim::Task<ContigResult> VirtioMemDriver::UnplugSubBlocks(sim::Path& path, CpuId cpu, size_t block, int first,
                                                         int count) {
  const ContigResult result = co_await FakeOffline(path, cpu, StartOf(block, first), count * kSubBlockPages);
  if (result.error != Errno::kOk) co_return result;
  co_await path.Take(memory_.costs().virtio_request);
  SetPlugged(block, first, count, false);
  co_return result;
}

void VirtioMemDriver::CountStayed(int count, const ContigResult& result) {
  const int64_t pages = count * kSubBlockPages;
  counters_[VIRTIO_MEM_STAYED] += pages;
  stayed_[Obstacle::Of(result.user, result.error)] += pages;
}

// virtio_mem_fake_offline(): the memory is allocated, and from then on not the guest's. What it ends with is
// kNoMem, or kBusy with what was in the way at the last try.
sim::Task<ContigResult> VirtioMemDriver::FakeOffline(sim::Path& path, CpuId cpu, Pfn start, int64_t pages) {
  const int tries = zone_.type() == ZoneType::kMovable ? kTries : 1;
  ContigResult result;
  for (int i = 0; i < tries; ++i) {
    result = co_await ranges_.AllocRange(path, cpu, start, pages, Migratetype::kMovable, kUnplugged);
    if (result.error == Errno::kNoMem) co_return result;
    if (result.error != Errno::kOk) continue;
    co_await path.HopTo(memory_.node(zone_.node()).lp, memory_.costs().hop);
    zone_.AdjustManaged(-pages);
    co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
    co_await memory_.SizeChanged(path, zone_, -pages, 0);
    co_return result;
  }
  result.error = Errno::kBusy;
  co_return result;
}

// virtio_mem_sbm_offline_and_remove_mb(), without the lock, as offlining takes it inside its own.
sim::Task<void> VirtioMemDriver::RemoveIfEmpty(sim::Path& path, CpuId cpu, size_t block) {
  if (blocks_[block] != 0) co_return;
  lock_->Release(path);
  co_await hotplug_.Offline(path, cpu, IdOf(block));
  co_await lock_->Acquire(path);
  // By this path, or by who was faster.
  if (StateOf(block) == BlockState::kOffline) memory_.blocks().Remove(IdOf(block));
}

// virtio_mem_sbm_plug_request(): sub blocks of blocks that are online, of those that are not, then new
// blocks, each from the lowest up.
sim::Task<Errno> VirtioMemDriver::Plug(sim::Path& path, int64_t sub_blocks) {
  co_await lock_->Acquire(path);
  for (const BlockState state : {BlockState::kOnline, BlockState::kOffline}) {
    for (size_t block = 0; block < blocks_.size() && sub_blocks > 0; ++block) {
      if (StateOf(block) == state) co_await PlugInto(path, block, sub_blocks);
    }
  }
  lock_->Release(path);
  for (size_t block = 0; block < blocks_.size() && sub_blocks > 0; ++block) {
    if (StateOf(block) == BlockState::kNone) co_await AddBlock(path, block, sub_blocks);
  }
  co_return sub_blocks > 0 ? Errno::kNoSpc : Errno::kOk;
}

// virtio_mem_sbm_plug_any_sb(): runs of unplugged sub blocks, from the lowest up.
sim::Task<void> VirtioMemDriver::PlugInto(sim::Path& path, size_t block, int64_t& sub_blocks) {
  while (sub_blocks > 0 && blocks_[block] != kAll) {
    const int first = std::countr_one(blocks_[block]);
    const int gap = std::min(std::countr_zero(blocks_[block] >> first), kSubBlocks - first);
    const int count = static_cast<int>(std::min<int64_t>(gap, sub_blocks));
    co_await path.Take(memory_.costs().virtio_request);
    SetPlugged(block, first, count, true);
    sub_blocks -= count;
    if (StateOf(block) != BlockState::kOnline) continue;
    co_await FakeOnline(path, StartOf(block, first), count * kSubBlockPages);
  }
}

// virtio_mem_fake_online()
sim::Task<void> VirtioMemDriver::FakeOnline(sim::Path& path, Pfn start, int64_t pages) {
  co_await ranges_.FreeRange(path, start, pages);
  co_await path.HopTo(memory_.node(zone_.node()).lp, memory_.costs().hop);
  zone_.AdjustManaged(pages);
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  co_await memory_.SizeChanged(path, zone_, pages, 0);
}

// virtio_mem_sbm_plug_and_add_mb(): the block comes online with what is plugged of it; the rest of it never
// gets to the buddy allocator.
sim::Task<void> VirtioMemDriver::AddBlock(sim::Path& path, size_t block, int64_t& sub_blocks) {
  const int count = static_cast<int>(std::min<int64_t>(kSubBlocks, sub_blocks));
  const Pfn start = IdOf(block).start();
  const int64_t plugged = count * kSubBlockPages;
  co_await path.Take(memory_.costs().virtio_request);
  co_await hotplug_.lock().Acquire(path);
  memory_.blocks().Add(IdOf(block), zone_);
  co_await path.HopTo(memory_.node(zone_.node()).lp, memory_.costs().hop);
  co_await zone_.lock().Acquire(path);
  zone_.OnlineBlock(start, kMemoryBlockPages);
  TakeUnplugged(zone_, start + plugged, kMemoryBlockPages - plugged);
  co_await path.Take(memory_.costs().isolate_block * (kMemoryBlockPages / kPageblockPages));
  zone_.lock().Release(path);
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  memory_.blocks().SetOnline(IdOf(block), true);
  co_await memory_.SizeChanged(path, zone_, plugged, kMemoryBlockPages);
  SetPlugged(block, 0, count, true);
  hotplug_.CountOnlined(zone_.node());
  sub_blocks -= count;
  hotplug_.lock().Release(path);
}

std::vector<MemorySystem::CounterColumn> VirtioMemDriver::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns;
  for (int c = 0; c < VirtioMemCounter_ARRAYSIZE; ++c) {
    const CounterName info = NameOf(static_cast<VirtioMemCounter>(c));
    columns.push_back(
        {{info.name, info.unit, &counters_[c], memory_.global_lp()}, info.gauge, info.more_is_worse});
  }
  return columns;
}

}  // namespace numasim
