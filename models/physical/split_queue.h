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
  // Who splits pages takes them off, but they count as queued until they are split or freed: nobody else
  // finds them, and nothing queues them again.
  struct Batch {
    std::vector<Pfn> pages;
    uint64_t taken = 0;  // what their turns are meanwhile: no other batch has it
  };

  // Whether somebody could take one.
  bool empty() const { return pages_.empty(); }
  // Pages that somebody has taken included.
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
  // So many at most, the first ones, the last of these first: each is moved to the head of a list.
  Batch Take(int64_t most) {
    Batch batch{.pages = {}, .taken = next_turn_++};
    batch.pages.reserve(static_cast<size_t>(std::min(most, std::ssize(pages_))));
    auto next = pages_.begin();
    for (; next != pages_.end() && std::ssize(batch.pages) < most; ++next) {
      turns_[next->second.value] = batch.taken;
      batch.pages.push_back(next->second);
    }
    pages_.erase(pages_.begin(), next);
    std::ranges::reverse(batch.pages);
    return batch;
  }
  // Those of it that are still queued come last from now on. One that was freed meanwhile, and that is queued
  // again as another page, stays where it is.
  void PutBack(const Batch& batch) {
    for (const Pfn page : batch.pages) {
      const auto found = turns_.find(page.value);
      if (found == turns_.end() || found->second != batch.taken) continue;
      found->second = next_turn_;
      pages_.emplace(next_turn_++, page);
    }
  }
  // All of them, by number.
  std::vector<Pfn> Pages() const {
    std::vector<Pfn> pages;
    pages.reserve(turns_.size());
    for (const auto& [page, turn] : turns_) pages.emplace_back(page);
    std::ranges::sort(pages, {}, &Pfn::value);
    return pages;
  }

 private:
  absl::btree_map<uint64_t, Pfn> pages_;           // by turn, less those that are taken
  absl::flat_hash_map<uint64_t, uint64_t> turns_;  // by page
  uint64_t next_turn_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_SPLIT_QUEUE_H_
