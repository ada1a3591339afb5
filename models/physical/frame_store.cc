#include "models/physical/frame_store.h"

#include <bit>
#include <cstring>

#include "models/physical/reserved_memory.h"
#include "sim/check.h"

namespace numasim {
namespace {

constexpr int64_t kLargestBlock = int64_t{1} << kMaxOrder;
// From this size on a table that is written as a whole has the host's huge pages: a part of one that is left
// over counts little.
constexpr size_t kLarge = size_t{4} << 20;

// Up to this size a table that is written here and there has them, too. A page of the host's for each place
// that is used could take all of a larger one: 1.3 GiB, where 1 TiB is mapped by transparent huge pages, and
// their page tables lie 2 GiB apart.
constexpr size_t kDense = size_t{256} << 20;

}  // namespace

const int64_t FrameStore::kBytesPerPageblock = sizeof(Pageblock);
const int64_t FrameStore::kBytesPerFrame = sizeof(Word) + sizeof(uint8_t);

FrameStore::FrameStore(Pfn start, int64_t pages) : start_(start), pages_(pages) {
  NUMASIM_CHECK(pages > 0);
  base_ = Pfn{start.value / kLargestBlock * kLargestBlock};
  const int64_t covered = (start + pages - base_ + kLargestBlock - 1) / kLargestBlock * kLargestBlock;
  NUMASIM_CHECK(covered < int64_t{kNilFrame});
  pageblocks_ = static_cast<uint32_t>(covered >> kPageblockOrder);
  blocks_ = static_cast<Pageblock*>(
      ReserveMemory(pageblocks_ * sizeof(Pageblock), pageblocks_ * sizeof(Pageblock) >= kLarge));
  const bool dense = static_cast<size_t>(covered) * sizeof(Word) <= kDense;
  words_ = static_cast<Word*>(ReserveMemory(static_cast<size_t>(covered) * sizeof(Word), dense));
  states_ = static_cast<uint8_t*>(ReserveMemory(static_cast<size_t>(covered), dense));
  holds_ = static_cast<PageHolds*>(ReserveMemory(static_cast<size_t>(covered) * sizeof(PageHolds), false));
}

FrameStore::~FrameStore() {
  ReturnMemory(blocks_, pageblocks_ * sizeof(Pageblock));
  ReturnMemory(words_, frames() * sizeof(Word));
  ReturnMemory(states_, frames());
  ReturnMemory(holds_, frames() * sizeof(PageHolds));
}

// A state byte has its highest bit set where a free block begins, and nowhere else: eight are looked at at
// once.
FrameIndex FrameStore::FirstFree(FrameIndex frame) const {
  NUMASIM_DCHECK(IsSplit(frame));
  static_assert(std::endian::native == std::endian::little);
  constexpr uint64_t kFreeBits = 0x8080808080808080;
  constexpr FrameIndex kWord = sizeof(uint64_t);
  const FrameIndex end = ((frame >> kPageblockOrder) + 1) << kPageblockOrder;
  for (; frame < end && frame % kWord != 0; ++frame) {
    if (KindOf(states_[frame]) == FrameKind::kFree) return frame;
  }
  for (; frame < end; frame += kWord) {
    uint64_t word;
    memcpy(&word, &states_[frame], kWord);
    if ((word & kFreeBits) != 0)
      return frame + static_cast<FrameIndex>(std::countr_zero(word & kFreeBits)) / 8;
  }
  return end;
}

FrameStore::Head FrameStore::Find(FrameIndex frame) const {
  for (int order = kMaxOrder; order >= kPageblockOrder; --order) {
    const FrameIndex head = frame >> order << order;
    const uint8_t state = blocks_[head >> kPageblockOrder].state;
    if (KindOf(state) == FrameKind::kSplit) continue;
    if (OrderOf(state) >= order || order == kPageblockOrder) return {head, KindOf(state), OrderOf(state)};
  }
  for (int order = kPageblockOrder - 1; order > 0; --order) {
    const FrameIndex head = frame >> order << order;
    if (OrderOf(states_[head]) >= order) return {head, KindOf(states_[head]), OrderOf(states_[head])};
  }
  return {frame, KindOf(states_[frame]), OrderOf(states_[frame])};
}

size_t FrameStore::ResidentBytes() const {
  return ResidentOf(blocks_, pageblocks_ * sizeof(Pageblock)) + ResidentOf(words_, frames() * sizeof(Word)) +
         ResidentOf(states_, frames()) + ResidentOf(holds_, frames() * sizeof(PageHolds));
}

}  // namespace numasim
