// HugePageTable: a process's page table entries that map HugeTLB pages. Owned by its AddressSpace, lives on
// that one's LP. The page tables that hold them on x86-64 (a PMD table for 2 MiB, the PUD for 1 GiB) are in
// PageTable.
#ifndef NUMASIM_MODELS_ADDRESS_SPACE_HUGE_PAGE_TABLE_H_
#define NUMASIM_MODELS_ADDRESS_SPACE_HUGE_PAGE_TABLE_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "models/base/types.h"

namespace numasim {

struct HugePte {
  Pfn pfn;
  uint8_t order = 0;  // of the page: 9 or 18
  bool writable = false;
};

class HugePageTable {
 public:
  // The entry whose page begins at `first`; null if there is none.
  HugePte* Find(Vpn first) {
    const auto it = entries_.find(first.value);
    return it == entries_.end() ? nullptr : &it->second;
  }
  const HugePte* Find(Vpn first) const { return const_cast<HugePageTable*>(this)->Find(first); }
  void Set(Vpn first, HugePte pte) { entries_[first.value] = pte; }
  // Sets it where there is none; false where there is one, which stays.
  bool Add(Vpn first, HugePte pte) { return entries_.try_emplace(first.value, pte).second; }
  void Clear(Vpn first) { entries_.erase(first.value); }

  // Calls f(first vpn, entry) for each page that begins in [begin, end), in order.
  template <typename F>
  void ForEach(Vpn begin, Vpn end, F f) {
    for (auto it = entries_.lower_bound(begin.value); it != entries_.end() && it->first < end.value; ++it) {
      f(Vpn{it->first}, it->second);
    }
  }
  template <typename F>
  void ForEach(Vpn begin, Vpn end, F f) const {
    const_cast<HugePageTable*>(this)->ForEach(begin, end,
                                              [&](Vpn first, const HugePte& pte) { f(first, pte); });
  }
  // Takes the entries of pages that begin in [begin, end) away. Appends what they mapped to `pages`, in
  // order.
  void Take(Vpn begin, Vpn end, std::vector<Pfn>& pages) {
    auto it = entries_.lower_bound(begin.value);
    while (it != entries_.end() && it->first < end.value) {
      pages.push_back(it->second.pfn);
      it = entries_.erase(it);
    }
  }
  int64_t size() const { return static_cast<int64_t>(entries_.size()); }

 private:
  absl::btree_map<uint64_t, HugePte> entries_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_ADDRESS_SPACE_HUGE_PAGE_TABLE_H_
