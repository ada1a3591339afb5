// PagesToDrop: pages that are to be dropped one after another, looked at as runs in which each page is just
// below the one before, as munmap gives them back. A view: what it is made of must outlive it.
#ifndef NUMASIM_MODELS_PHYSICAL_PAGES_TO_DROP_H_
#define NUMASIM_MODELS_PHYSICAL_PAGES_TO_DROP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "models/base/folio.h"

namespace numasim {

class PagesToDrop {
 public:
  // In this order.
  explicit PagesToDrop(std::span<const Folio> pages) : pages_(pages) {}
  // From the last page of the last run back.
  explicit PagesToDrop(std::span<const FolioRun> runs) : runs_(runs) { Enter(); }

  bool empty() const { return pages_.empty() && left_ == 0; }
  Folio front() const { return left_ > 0 ? runs_.back().at(left_ - 1) : pages_.front(); }
  // How many pages, `most` (at least 1) at most, from front(), a single frame, on are such, each just below
  // the one before.
  size_t RunDown(size_t most) const {
    if (left_ > 0) return std::min<size_t>(most, left_);
    most = std::min(most, pages_.size());
    const Pfn first = pages_.front().head();
    size_t count = 1;
    while (count < most && pages_[count] == Folio(first + -static_cast<int64_t>(count))) ++count;
    return count;
  }
  // `count` of them, which a run has, are dropped.
  void Skip(size_t count) {
    if (left_ == 0) {
      pages_ = pages_.subspan(count);
      return;
    }
    left_ -= static_cast<uint32_t>(count);
    if (left_ > 0) return;
    runs_ = runs_.first(runs_.size() - 1);
    Enter();
  }

 private:
  void Enter() { left_ = runs_.empty() ? 0 : runs_.back().count; }

  std::span<const Folio> pages_;
  std::span<const FolioRun> runs_;
  uint32_t left_ = 0;  // of the last run; 0: it is made of pages
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_PAGES_TO_DROP_H_
