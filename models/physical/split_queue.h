// SplitQueue: the huge pages of a node that are to be split when memory is short, as some of each is mapped
// no more (struct deferred_split, mm/huge_memory.c, Linux 6.1). Owned by its Node, on that one's LP.
#ifndef NUMASIM_MODELS_PHYSICAL_SPLIT_QUEUE_H_
#define NUMASIM_MODELS_PHYSICAL_SPLIT_QUEUE_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "models/base/types.h"

namespace numasim {

class SplitQueue {
 public:
  bool empty() const { return turns_.empty(); }
  int64_t size() const { return std::ssize(turns_); }
  bool Has(Pfn page) const { return !turns_.empty() && turns_.contains(page.value); }
  // At its end; false where it is there already.
  bool Add(Pfn page) {
    if (!turns_.emplace(page.value, next_turn_).second) return false;
    pages_.emplace(next_turn_++, page);
    return true;
  }
  void Remove(Pfn page) {
    if (turns_.empty()) return;
    const auto found = turns_.find(page.value);
    if (found == turns_.end()) return;
    pages_.erase(found->second);
    turns_.erase(found);
  }
  // Nothing where it is not there.
  void MoveToEnd(Pfn page) {
    if (!Has(page)) return;
    Remove(page);
    Add(page);
  }
  // So many at most, in their order.
  std::vector<Pfn> First(int64_t most) const {
    std::vector<Pfn> pages;
    pages.reserve(static_cast<size_t>(std::min(most, size())));
    for (const auto& [turn, page] : pages_) {
      if (std::ssize(pages) == most) break;
      pages.push_back(page);
    }
    return pages;
  }
  std::vector<Pfn> Pages() const { return First(size()); }

 private:
  absl::btree_map<uint64_t, Pfn> pages_;           // by turn
  absl::flat_hash_map<uint64_t, uint64_t> turns_;  // by page
  uint64_t next_turn_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_SPLIT_QUEUE_H_
