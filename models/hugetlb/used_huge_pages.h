// UsedHugePages: what struct page says of the huge pages in use, those on no free list. Owned by HugetlbPool,
// lives on the global LP. Looked up by frame only, never walked.
#ifndef NUMASIM_MODELS_HUGETLB_USED_HUGE_PAGES_H_
#define NUMASIM_MODELS_HUGETLB_USED_HUGE_PAGES_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "models/hugetlb/huge_size.h"
#include "models/hugetlb/subpool.h"
#include "models/types.h"
#include "sim/check.h"

namespace numasim {

struct HugeFile;

struct HugePage {
  uint32_t mapcount = 0;
  HugeSize size = HugeSize::k2M;
  bool anon = false;             // PageAnon: belongs to private mappings
  bool restore_reserve = false;  // HPageRestoreReserve: took a reservation, not yet installed
  bool temporary = false;        // HPageTemporary: leaves the pool when freed
  Subpool* subpool = nullptr;
  HugeFile* file = nullptr;  // whose page cache it is in; null: in none
  uint64_t index = 0;        // there
};

class UsedHugePages {
 public:
  HugePage& Add(Pfn pfn, HugeSize size) {
    const auto [it, added] = pages_.try_emplace(pfn.value);
    NUMASIM_CHECK(added);
    it->second.size = size;
    return it->second;
  }
  // The page must be in use. The reference holds until the next Add or Remove.
  HugePage& At(Pfn pfn) {
    const auto it = pages_.find(pfn.value);
    NUMASIM_CHECK(it != pages_.end());
    return it->second;
  }
  const HugePage& At(Pfn pfn) const { return const_cast<UsedHugePages*>(this)->At(pfn); }
  void Remove(Pfn pfn) { NUMASIM_CHECK_EQ(pages_.erase(pfn.value), size_t{1}); }
  const HugePage* Find(Pfn pfn) const {
    const auto it = pages_.find(pfn.value);
    return it == pages_.end() ? nullptr : &it->second;
  }
  int64_t size() const { return static_cast<int64_t>(pages_.size()); }

 private:
  absl::flat_hash_map<uint64_t, HugePage> pages_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_HUGETLB_USED_HUGE_PAGES_H_
