// ThpPage: how often an anonymous transparent huge page is mapped (compound_mapcount and the _mapcount of its
// parts, mm/rmap.c, Linux 6.1). A view of a zone's FrameStore, on the LP of the zone's node.
//
// A PMD maps the whole page, base entries map parts of it, and both may at once: a parent maps it by a PMD
// still while its child, which wrote to a part, maps the others apart. The page is one block of order 9 all
// the time, until it is split for good. FrameOwner::mapcount counts PMDs; the parts have counts of their own
// from the first time that a PMD was split, kept where the frames of a broken-up pageblock have theirs.
//
//   page_mapcount(part) = PMDs + its own        mapped: PMDs + all of the parts' > 0
//
// Where a PMD is split by somebody else than its process, that process may take parts away before the count
// of the split is here. So a part's count may be below 0 for a moment; as long as the PMD counts, the page
// stays.
#ifndef NUMASIM_MODELS_PHYSICAL_THP_PAGE_H_
#define NUMASIM_MODELS_PHYSICAL_THP_PAGE_H_

#include <cstdint>
#include <span>

#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/physical/frame_store.h"

namespace numasim {

class ThpPage {
 public:
  static constexpr int kOrder = kPageblockOrder;

  // `frame` is of a block of that order that is allocated, at its head or inside.
  ThpPage(FrameStore& frames, FrameIndex frame) : frames_(frames), head_(frame >> kOrder << kOrder) {}
  // Whether an allocated frame, mapped by a base entry, is part of such a page.
  static bool Holds(const FrameStore& frames, FrameIndex frame) { return !frames.IsSplit(frame); }
  // compound_head(): the page itself, or the huge page that it is part of.
  static Folio WholeOf(const FrameStore& frames, Folio page) {
    const FrameIndex frame = frames.Index(page.head());
    if (page.order() != 0 || !Holds(frames, frame)) return page;
    return Folio(frames.PfnOf(frame >> kOrder << kOrder), kOrder);
  }

  FrameIndex head() const { return head_; }
  FrameOwner& owner() const { return frames_.owner(head_, kOrder); }
  int64_t pmds() const { return static_cast<int64_t>(owner().mapcount); }  // compound_mapcount()
  bool mapped() const { return total_mapcount() > 0; }
  int64_t total_mapcount() const {
    return pmds() + (frames_.has_parts(head_) ? frames_.part_mappings(head_) : 0);
  }
  // folio_mapped() of an allocated block of any order.
  static bool Mapped(const FrameStore& frames, FrameIndex frame, int order) {
    const bool parts = order == kOrder && frames.has_parts(frame) && frames.part_mappings(frame) > 0;
    return parts || frames.owner(frame, order).mapcount > 0;
  }
  int64_t mapcount(FrameIndex part) const {  // page_mapcount()
    return pmds() + (frames_.has_parts(head_) ? frames_.part_mapcount(part) : 0);
  }
  // How many of its frames something maps.
  int64_t MappedParts() const { return MappedParts(frames_, head_); }
  static int64_t MappedParts(const FrameStore& frames, FrameIndex head);

  // page_dup_rmap() of a base entry.
  void DupPart(FrameIndex part) const { ChangePart(part, 1); }
  // page_remove_rmap() of a PMD, and of a base entry: whether that was the last that mapped the part, so that
  // the page is to be split when memory is short (deferred_split_huge_page).
  void RemovePmd() const;
  bool RemovePart(FrameIndex part) const;
  // So many PMDs more, or less, and so many base entries of each part; `parts` may be empty.
  void ChangeMappings(int64_t pmds, std::span<const int32_t> parts) const;
  // __split_huge_pmd_locked(): one PMD less, each part is mapped once more. Whether it is to be split, which
  // it is where parts were taken away before.
  bool SplitPmd() const;

  // __split_huge_page(): no PMD maps it and nothing holds it; it becomes base pages. Those of anonymous
  // memory have each its own count, and those that nothing maps are for the caller to free; those of a file
  // have the reference of the page cache each, as the huge page had.
  void SplitIntoPages() const;

 private:
  static constexpr uint64_t kMaxMapcount = (1 << 15) - 1;

  void ChangePart(FrameIndex part, int32_t by) const;
  void MakeParts() const;

  FrameStore& frames_;
  FrameIndex head_;
};

// Whether a block of that order with this owner is a transparent huge page of anonymous memory, or of a file.
inline bool IsAnonThp(const FrameOwner& owner, int order) {
  return order == ThpPage::kOrder && owner.kind == FrameOwner::kAnon;
}
inline bool IsShmemThp(const FrameOwner& owner, int order) {
  return order == ThpPage::kOrder && owner.kind == FrameOwner::kShmem;
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_THP_PAGE_H_
