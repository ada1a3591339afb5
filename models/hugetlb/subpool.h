// Subpool: what a hugetlbfs mount may use at most and has reserved at least (struct hugepage_subpool,
// Linux 6.1). Owned by HugetlbFiles, lives on the global LP. Its own spinlock is not simulated: it is never
// held over time.
#ifndef NUMASIM_MODELS_HUGETLB_SUBPOOL_H_
#define NUMASIM_MODELS_HUGETLB_SUBPOOL_H_

#include <cstdint>
#include <optional>

#include "models/base/huge_size.h"

namespace numasim {

// All figures in huge pages.
struct Subpool {
  static constexpr int64_t kNone = -1;

  Subpool(HugeSize page_size, int64_t max_pages, int64_t min_pages)
      : size(page_size), max(max_pages), min(min_pages), reserved(min_pages), had_min(min_pages != kNone) {}

  // Takes `pages` from the subpool. Returns by how many the hstate's reservations must grow; nothing where
  // the mount's size does not allow it (hugepage_subpool_get_pages).
  std::optional<int64_t> Get(int64_t pages) {
    if (max != kNone) {
      if (used + pages > max) return std::nullopt;
      used += pages;
    }
    if (min == kNone || reserved == 0) return pages;
    const int64_t covered = pages < reserved ? pages : reserved;
    reserved -= covered;
    return pages - covered;
  }

  // Gives `pages` back. Returns by how many the hstate's reservations must shrink
  // (hugepage_subpool_put_pages).
  int64_t Put(int64_t pages) {
    int64_t result = pages;
    if (max != kNone) used -= pages;
    if (min != kNone && used < min) {
      result = reserved + pages <= min ? 0 : reserved + pages - min;
      reserved = reserved + pages < min ? reserved + pages : min;
    }
    return result;
  }

  HugeSize size;
  bool mounted = true;
  int64_t max;  // kNone: no limit
  int64_t min;  // kNone: nothing is reserved
  int64_t used = 0;
  int64_t reserved;  // of `min`, not used by pages or reservations of files
  bool had_min;      // also after `min` was given up
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_HUGETLB_SUBPOOL_H_
