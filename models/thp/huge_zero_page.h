// HugeZeroPage: the huge page of zeros that reads of untouched memory map (get_huge_zero_page,
// mm/huge_memory.c, Linux 6.1). Lives on the global LP. Pure state: a path asks here, and allocates or frees
// where the page is.
//
// A reference belongs to each who uses it (ZeroPageRefs), and one to the page itself. Only the shrinker drops
// that one, where it is the last:
//
//   none --Install--> 2 --Get--> 3 .. --Put--> 1 --Shrink--> none
//
// Where references are not counted, it is 1 from Install on.
#ifndef NUMASIM_MODELS_THP_HUGE_ZERO_PAGE_H_
#define NUMASIM_MODELS_THP_HUGE_ZERO_PAGE_H_

#include <cstdint>
#include <utility>

#include "models/base/types.h"
#include "sim/check.h"

namespace numasim {

class HugeZeroPage {
 public:
  explicit HugeZeroPage(bool counted = true) : counted_(counted) {}

  // Takes a reference; false where there is no page.
  bool Get() {
    if (refs_ == 0) return false;
    refs_ += counted_;
    return true;
  }
  // Makes `page` the one that is used, and takes a reference. False where another process was faster: then
  // the reference is to that one's, and `page` is the caller's to free.
  bool Install(Pfn page) {
    if (Get()) return false;
    page_ = page;
    refs_ = counted_ ? 2 : 1;
    return true;
  }
  void Put() {
    NUMASIM_CHECK(counted_);
    NUMASIM_CHECK_LT(int64_t{1}, refs_);
    --refs_;
  }
  // shrink_huge_zero_page_count(): there is one, and nobody maps it.
  bool unused() const { return counted_ && refs_ == 1; }
  // shrink_huge_zero_page_scan(): the page, for the caller to free, where nobody maps it; kNoPfn else.
  Pfn Shrink() {
    if (!unused()) return kNoPfn;
    refs_ = 0;
    return std::exchange(page_, kNoPfn);
  }

  Pfn page() const { return page_; }  // kNoPfn: there is none
  bool counted() const { return counted_; }
  const int64_t& refs() const { return refs_; }

 private:
  bool counted_;
  Pfn page_ = kNoPfn;
  int64_t refs_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_HUGE_ZERO_PAGE_H_
