// ResvMap: a set of huge page indices as ranges (struct resv_map, mm/hugetlb.c of Linux 6.1). A file has one:
// the pages that were ever reserved or allocated for it. A private mapping that reserves has one too, shared
// by the parts it is split into, and there it means the opposite: the pages that have used up their
// reservation. Contents are touched on the global LP only.
#ifndef NUMASIM_MODELS_HUGETLB_RESV_MAP_H_
#define NUMASIM_MODELS_HUGETLB_RESV_MAP_H_

#include <cstdint>

#include "absl/container/btree_map.h"

namespace numasim {

class ResvMap {
 public:
  static constexpr uint64_t kEnd = ~uint64_t{0};

  // How many of [from, to) are in the set (region_count).
  int64_t Count(uint64_t from, uint64_t to) const;
  // How many are not (region_chg).
  int64_t Missing(uint64_t from, uint64_t to) const {
    return static_cast<int64_t>(to - from) - Count(from, to);
  }
  // Adds [from, to). Returns how many were not there before (region_add).
  int64_t Add(uint64_t from, uint64_t to);
  // Takes [from, to) out; `to` may be kEnd. Returns how many were there (region_del).
  int64_t Delete(uint64_t from, uint64_t to);

  bool empty() const { return regions_.empty(); }

 private:
  using Regions = absl::btree_map<uint64_t, uint64_t>;  // disjoint and not adjacent: from -> to
  // The first region that ends behind `from`.
  Regions::const_iterator FirstBehind(uint64_t from) const;

  Regions regions_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_HUGETLB_RESV_MAP_H_
