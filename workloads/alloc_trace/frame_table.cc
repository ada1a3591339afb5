#include "workloads/alloc_trace/frame_table.h"

#include <utility>

#include "sim/check.h"

namespace numasim::workloads {
namespace {

constexpr int kFirstBits = 12;

}  // namespace

FrameTable::FrameTable() : slots_(size_t{1} << kFirstBits), shift_(64 - (kFirstBits - kGroupBits)) {}

size_t FrameTable::PlaceOf(Pfn traced) const {
  size_t at = HomeOf(traced);
  while (slots_[at].key != kEmpty && TracedOf(slots_[at]) != traced) at = Next(at);
  return at;
}

std::optional<FrameTable::Block> FrameTable::Find(Pfn traced) const {
  const Slot& slot = slots_[PlaceOf(traced)];
  if (slot.key == kEmpty) return std::nullopt;
  return Block{Pfn{slot.pfn}, static_cast<int>(slot.key & ((uint64_t{1} << kOrderBits) - 1))};
}

void FrameTable::Insert(Pfn traced, Block block) {
  if (2 * (size_ + 1) >= slots_.size()) Grow();
  Slot& slot = slots_[PlaceOf(traced)];
  NUMASIM_CHECK_EQ(slot.key, kEmpty);
  slot = {traced.value << kOrderBits | static_cast<uint64_t>(block.order), block.pfn.value};
  ++size_;
}

// Linear probing without marks: entries behind the gap that could not be found over it move into it.
void FrameTable::Erase(Pfn traced) {
  size_t gap = PlaceOf(traced);
  NUMASIM_CHECK(slots_[gap].key != kEmpty);
  for (size_t at = Next(gap); slots_[at].key != kEmpty; at = Next(at)) {
    const size_t mask = slots_.size() - 1;
    const size_t home = HomeOf(TracedOf(slots_[at]));
    // How far each is from its home, round the table's end.
    if (((at - home) & mask) < ((at - gap) & mask)) continue;
    slots_[gap] = slots_[at];
    gap = at;
  }
  slots_[gap].key = kEmpty;
  --size_;
}

void FrameTable::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  --shift_;
  for (const Slot& slot : old) {
    if (slot.key != kEmpty) slots_[PlaceOf(TracedOf(slot))] = slot;
  }
}

}  // namespace numasim::workloads
