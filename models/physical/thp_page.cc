#include "models/physical/thp_page.h"

#include "sim/check.h"

namespace numasim {

void ThpPage::MakeParts() const {
  for (FrameIndex part = head_; part < head_ + kPageblockPages; ++part) frames_.part_mapcount(part) = 0;
  frames_.part_mappings(head_) = 0;
  frames_.set_has_parts(head_, true);
}

void ThpPage::ChangePart(FrameIndex part, int32_t by) const {
  if (!frames_.has_parts(head_)) MakeParts();
  frames_.part_mapcount(part) += by;
  frames_.part_mappings(head_) += by;
}

// A part may be unmapped before it is known here that a PMD which mapped it was split: then its own count is
// negative for a while.
int64_t ThpPage::MappedParts(const FrameStore& frames, FrameIndex head) {
  const auto by_pmd = static_cast<int64_t>(frames.owner(head, kOrder).mapcount);
  if (!frames.has_parts(head)) return by_pmd > 0 ? kPageblockPages : 0;
  int64_t mapped = 0;
  for (FrameIndex part = head; part < head + kPageblockPages; ++part)
    mapped += by_pmd + frames.part_mapcount(part) > 0 ? 1 : 0;
  return mapped;
}

void ThpPage::RemovePmd() const {
  NUMASIM_CHECK(pmds() > 0);
  owner().mapcount = static_cast<uint64_t>(pmds() - 1) & kMaxMapcount;
}

bool ThpPage::RemovePart(FrameIndex part) const {
  ChangePart(part, -1);
  return mapcount(part) == 0;
}

void ThpPage::ChangeMappings(int64_t by, std::span<const int32_t> parts) const {
  NUMASIM_CHECK_GE(pmds() + by, 0);
  owner().mapcount = static_cast<uint64_t>(pmds() + by) & kMaxMapcount;
  FrameIndex part = head_;
  for (const int32_t change : parts) {
    if (change != 0) ChangePart(part, change);
    ++part;
  }
}

bool ThpPage::SplitPmd() const {
  NUMASIM_CHECK(pmds() > 0);
  if (!frames_.has_parts(head_)) MakeParts();
  for (FrameIndex part = head_; part < head_ + kPageblockPages; ++part) ++frames_.part_mapcount(part);
  frames_.part_mappings(head_) += static_cast<int32_t>(kPageblockPages);
  owner().mapcount = static_cast<uint64_t>(pmds() - 1) & kMaxMapcount;
  return MappedParts() < kPageblockPages;
}

void ThpPage::SplitIntoPages() const {
  const FrameOwner whole = owner();
  const bool of_file = whole.kind == FrameOwner::kShmem;
  NUMASIM_CHECK_EQ(static_cast<int>(whole.mapcount), of_file ? 1 : 0);
  NUMASIM_CHECK(!frames_.IsHeld(head_, kOrder));
  if (!of_file && !frames_.has_parts(head_)) MakeParts();
  frames_.set_has_parts(head_, false);
  frames_.ClearHead(head_, kOrder);
  for (FrameIndex i = 0; i < kPageblockPages; ++i) {
    const FrameIndex frame = head_ + i;
    FrameOwner part = whole;
    if (!of_file) part.mapcount = static_cast<uint64_t>(frames_.part_mapcount(frame)) & kMaxMapcount;
    part.index = (whole.index + i) & ((uint64_t{1} << 30) - 1);
    frames_.SetHead(frame, FrameKind::kAllocated, 0);
    frames_.owner(frame, 0) = part;
  }
}

}  // namespace numasim
