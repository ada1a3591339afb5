// PcpLists: the per-CPU page lists of one CPU for one zone (struct per_cpu_pages, Linux 6.1). PcpTable: those
// of all CPUs. Owned by the zone, live on the LP of the zone's node.
//
// Lists are by order and migratetype: orders 0 to 3 for each mobile type, and one for pageblock-sized blocks
// of any type. Freed pages go to the front and are taken from there; refills are queued behind; bulk frees
// take from the back.
#ifndef NUMASIM_MODELS_PHYSICAL_PCP_H_
#define NUMASIM_MODELS_PHYSICAL_PCP_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/base/types.h"
#include "models/physical/frame_store.h"
#include "sim/check.h"

namespace numasim {

// A double-ended queue of frames in a ring.
class FrameRing {
 public:
  bool empty() const { return size_ == 0; }
  uint32_t size() const { return size_; }
  void PushFront(FrameIndex frame) {
    if (size_ > mask_ || ring_.empty()) Grow();
    first_ = (first_ - 1) & mask_;
    ring_[first_] = frame;
    ++size_;
  }
  void PushBack(FrameIndex frame) {
    if (size_ > mask_ || ring_.empty()) Grow();
    ring_[(first_ + size_) & mask_] = frame;
    ++size_;
  }
  // [first, first + count), one after another.
  void PushBackRun(FrameIndex first, uint32_t count) {
    while (size_ + count > ring_.size()) Grow();
    for (uint32_t i = 0; i < count; ++i) ring_[(first_ + size_ + i) & mask_] = first + i;
    size_ += count;
  }
  // The same before all others: `first` is the front then.
  void PushFrontRun(FrameIndex first, uint32_t count) {
    while (size_ + count > ring_.size()) Grow();
    first_ = (first_ - count) & mask_;
    for (uint32_t i = 0; i < count; ++i) ring_[(first_ + i) & mask_] = first + i;
    size_ += count;
  }
  FrameIndex PopFront() {
    const FrameIndex frame = ring_[first_];
    first_ = (first_ + 1) & mask_;
    --size_;
    return frame;
  }
  // Takes frames off the front that follow one another, `most` at most. Returns how many; the first was at
  // the front.
  uint32_t PopRun(uint32_t most) {
    most = std::min(most, size_);
    uint32_t count = 1;
    while (count < most && ring_[(first_ + count) & mask_] == ring_[first_] + count) ++count;
    first_ = (first_ + count) & mask_;
    size_ -= count;
    return count;
  }
  FrameIndex front() const { return ring_[first_]; }
  void DropBack(uint32_t count) { size_ -= count; }
  // The frame `i` places from the back.
  FrameIndex FromBack(uint32_t i) const { return ring_[(first_ + size_ - 1 - i) & mask_]; }

 private:
  void Grow() {
    std::vector<FrameIndex> larger(ring_.empty() ? 64 : ring_.size() * 2);
    for (uint32_t i = 0; i < size_; ++i) larger[i] = ring_[(first_ + i) & mask_];
    ring_.swap(larger);
    first_ = 0;
    mask_ = static_cast<uint32_t>(ring_.size()) - 1;
  }

  std::vector<FrameIndex> ring_;
  uint32_t first_ = 0;
  uint32_t size_ = 0;
  uint32_t mask_ = 0;
};

struct PcpLists {
  static constexpr int kLowOrderLists = kPcpMigratetypes * (kCostlyOrder + 1);
  static constexpr int kLists = kLowOrderLists + 1;  // and one for pageblock-sized blocks
  // CONFIG_PCP_BATCH_SCALE_MAX
  static constexpr int kMaxFreeFactor = 5;

  // pcp_allowed_order()
  static constexpr bool Allowed(int order) { return order <= kCostlyOrder || order == kPageblockOrder; }
  static int ListOf(int order, Migratetype type) {
    return order == kPageblockOrder ? kLowOrderLists : order * kPcpMigratetypes + static_cast<int>(type);
  }
  static int OrderOf(int list) { return list == kLowOrderLists ? kPageblockOrder : list / kPcpMigratetypes; }
  // A pageblock-sized entry remembers its type in the bits that its alignment leaves free.
  static FrameIndex Entry(FrameIndex frame, int order, Migratetype type) {
    return order == kPageblockOrder ? frame | static_cast<FrameIndex>(type) : frame;
  }

  std::array<FrameRing, kLists> lists;
  int32_t count = 0;  // pages
  int32_t high = 0;   // pages; at this count a free gives some back to the buddy
  int32_t batch = 1;  // pages
  int32_t free_factor = 0;
  // The block that came from the free lists last, and the one that went there last.
  FrameIndex last_refilled = kNilFrame;
  FrameIndex last_drained = kNilFrame;

  // nr_pcp_free(): how many pages to give back now.
  int32_t PagesToFree(bool free_high) {
    if (free_high) return count;
    if (high < batch) return 1;
    const int32_t most = high - batch;
    int32_t pages = batch << free_factor;
    if (pages < most && free_factor < kMaxFreeFactor) ++free_factor;
    // clamp(pages, batch, most): where the bounds cross, the upper one wins, as the kernel's macro does it.
    if (pages < batch) pages = batch;
    return pages > most ? most : pages;
  }
};

// Most CPUs of a large machine never use most zones: lists are made when first used, for a few CPUs with
// neighbouring numbers together, so that a CPU's lists are found with one look.
class PcpTable {
 public:
  explicit PcpTable(int cpus) : cpus_(cpus), groups_(static_cast<size_t>(cpus + kGroup - 1) / kGroup) {}

  int cpus() const { return cpus_; }
  PcpLists& At(CpuId cpu) {
    std::unique_ptr<Group>& group = groups_[GroupOf(cpu)];
    if (group == nullptr) [[unlikely]] {
      Make(group);
    }
    return (*group)[static_cast<size_t>(cpu.value) % kGroup];
  }
  // Lists that were never used are empty.
  const PcpLists& At(CpuId cpu) const {
    const std::unique_ptr<Group>& group = groups_[GroupOf(cpu)];
    return group == nullptr ? unused_ : (*group)[static_cast<size_t>(cpu.value) % kGroup];
  }
  // The first CPU from this one on whose lists may have pages; cpus() if there is none.
  int NextUsed(int cpu) const;
  void SetLimits(int32_t high, int32_t batch);

 private:
  static constexpr int kGroup = 8;
  using Group = std::array<PcpLists, kGroup>;
  static size_t GroupOf(CpuId cpu) { return static_cast<size_t>(cpu.value) / kGroup; }
  void Make(std::unique_ptr<Group>& group) const;

  int cpus_;
  std::vector<std::unique_ptr<Group>> groups_;
  PcpLists unused_;  // with the limits that new lists begin with
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_PCP_H_
