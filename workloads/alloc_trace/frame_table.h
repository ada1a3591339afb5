// FrameTable: which block of the simulated machine stands for a block that is allocated in a trace. An open
// hash table, as a trace has millions of blocks and each event looks one up. Belongs to an AllocReplay.
#ifndef NUMASIM_WORKLOADS_ALLOC_TRACE_FRAME_TABLE_H_
#define NUMASIM_WORKLOADS_ALLOC_TRACE_FRAME_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/base/types.h"

namespace numasim::workloads {

class FrameTable {
 public:
  struct Block {
    Pfn pfn = {};  // of the simulated machine; kNoPfn: it had none to give
    int order = 0;
    friend bool operator==(const Block&, const Block&) = default;
  };

  FrameTable();

  size_t size() const { return size_; }
  // What stands for the block that begins at `traced`.
  std::optional<Block> Find(Pfn traced) const;
  // `traced` must not be there yet.
  void Insert(Pfn traced, Block block);
  // It must be there.
  void Erase(Pfn traced);
  // For a look at it soon.
  void Prefetch(Pfn traced) const { __builtin_prefetch(&slots_[HomeOf(traced)]); }

 private:
  struct Slot {
    uint64_t key = kEmpty;  // the traced block's first frame and order
    uint64_t pfn = 0;
  };
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  static constexpr int kOrderBits = 4;
  static constexpr int kGroupBits = 3;

  static Pfn TracedOf(const Slot& slot) { return Pfn{slot.key >> kOrderBits}; }
  // Frames that follow one another are used together. So groups of eight of them are spread, by the upper
  // bits of a product (Fibonacci hashing), and their frames lie side by side: two cache lines.
  size_t HomeOf(Pfn traced) const {
    constexpr uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;
    const uint64_t group = ((traced.value >> kGroupBits) * kGoldenRatio) >> shift_;
    return static_cast<size_t>(group << kGroupBits | (traced.value & ((uint64_t{1} << kGroupBits) - 1)));
  }
  size_t Next(size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
  // The slot that has it, or the empty one where it would go.
  size_t PlaceOf(Pfn traced) const;
  void Grow();

  std::vector<Slot> slots_;  // a power of two, less than half of them used
  int shift_;                // takes a product's upper bits, as many as number the groups
  size_t size_ = 0;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_ALLOC_TRACE_FRAME_TABLE_H_
