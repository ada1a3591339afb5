// Slow and plain stand-ins that run beside the real page allocator in tests. Values on the stack of a test.
//
// FrameMap knows of each frame only whether it is in use, and refuses what no allocator may do.
// ReferenceBuddy is the buddy allocator once more, from the kernel's rules (mm/page_alloc.c, Linux 6.1), with
// a std::list for each free list and a std::map of free blocks: it shares neither code nor storage with the
// real one, and must give the same answers.
#ifndef NUMASIM_TESTS_MODELS_PHYSICAL_REFERENCE_H_
#define NUMASIM_TESTS_MODELS_PHYSICAL_REFERENCE_H_

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/base/types.h"

namespace numasim {

class FrameMap {
 public:
  // Frames [begin, end) can be allocated; all are in use at first.
  FrameMap(Pfn begin, Pfn end) : begin_(begin), used_(static_cast<size_t>(end - begin), true) {}

  // Each returns what is wrong with taking or giving back the block, or an empty string.
  std::string Allocate(Pfn block, int order) { return Set(block, order, true); }
  std::string Free(Pfn block, int order) { return Set(block, order, false); }
  int64_t free() const { return std::count(used_.begin(), used_.end(), false); }

 private:
  std::string Set(Pfn block, int order, bool used) {
    const int64_t pages = int64_t{1} << order;
    if (block.value % static_cast<uint64_t>(pages) != 0) {
      return absl::StrCat("pfn ", block.value, " is not aligned to order ", order);
    }
    const int64_t first = block - begin_;
    if (first < 0 || first + pages > static_cast<int64_t>(used_.size())) {
      return absl::StrCat("pfn ", block.value, " of order ", order, " is not inside the zone");
    }
    for (int64_t i = first; i < first + pages; ++i) {
      if (used_[static_cast<size_t>(i)] == used) {
        return absl::StrCat("pfn ", begin_.value + static_cast<uint64_t>(i), " of the block at pfn ",
                            block.value, used ? " is in use already" : " is free already");
      }
      used_[static_cast<size_t>(i)] = used;
    }
    return "";
  }

  Pfn begin_;
  std::vector<bool> used_;
};

class ReferenceBuddy {
 public:
  using Page = int64_t;  // a pfn
  static constexpr Page kNone = -1;

  // The zone spans [begin, end); all pageblocks are movable, nothing is free.
  ReferenceBuddy(Page begin, Page end) : begin_(begin), end_(end) {
    for (Page block = begin / kPageblockPages; block <= (end - 1) / kPageblockPages; ++block) {
      pageblocks_[block] = Migratetype::kMovable;
    }
  }

  Migratetype PageblockType(Page page) const { return pageblocks_.at(page / kPageblockPages); }

  // Takes a block; `movable` says whether its pages will be on an LRU list.
  Page Take(int order, Migratetype type, bool no_fragment, bool movable) {
    Page page = TakeOwn(order, type);
    if (page == kNone && Steal(order, type, no_fragment)) page = TakeOwn(order, type);
    if (page != kNone && movable) Own(page, order);
    return page;
  }
  // From now on the block's pages are, or are not, on an LRU list.
  void Own(Page page, int order) { lru_[page] = order; }
  void Disown(Page page) { lru_.erase(page); }

  void Free(Page page, int order, Migratetype type, bool to_tail) {
    Disown(page);
    for (; order < kMaxOrder; ++order) {
      const Page buddy = BuddyOf(page, order);
      const auto found = free_.find(buddy);
      if (found == free_.end() || found->second.order != order) break;
      if (order >= kPageblockOrder && !MayMerge(type, PageblockType(buddy))) break;
      Unlist(buddy);
      page = std::min(page, buddy);
    }
    // Likely to be merged again soon: the rest of the next larger block is free but for this one's buddy.
    if (!to_tail && order < kMaxOrder - 1) {
      const Page larger = page / (Page{2} << order) * (Page{2} << order);
      const auto found = free_.find(BuddyOf(larger, order + 1));
      to_tail = found != free_.end() && found->second.order == order + 1;
    }
    List(page, order, type, to_tail);
  }

  // The free blocks of a list, from its head on.
  std::vector<Page> ListOf(int order, Migratetype type) const {
    const auto found = lists_.find({order, type});
    if (found == lists_.end()) return {};
    return {found->second.begin(), found->second.end()};
  }
  int64_t pageblocks_changed() const { return pageblocks_changed_; }
  int64_t steals() const { return steals_; }

 private:
  struct FreeBlock {
    int order;
    Migratetype type;
    std::list<Page>::iterator place;
  };

  static Page BuddyOf(Page page, int order) {
    const Page size = Page{1} << order;
    return page / size % 2 == 0 ? page + size : page - size;
  }
  static bool MayMerge(Migratetype a, Migratetype b) {
    const auto common = [](Migratetype t) {
      return t == Migratetype::kMovable || t == Migratetype::kUnmovable || t == Migratetype::kReclaimable;
    };
    return a == b || (common(a) && common(b));
  }

  void List(Page page, int order, Migratetype type, bool to_tail) {
    std::list<Page>& list = lists_[{order, type}];
    const auto place = list.insert(to_tail ? list.end() : list.begin(), page);
    free_[page] = {order, type, place};
  }
  void Unlist(Page page) {
    const auto found = free_.find(page);
    lists_[{found->second.order, found->second.type}].erase(found->second.place);
    free_.erase(found);
  }
  // To the tail of the list of another type.
  void Move(Page page, Migratetype type) {
    const int order = free_.at(page).order;
    Unlist(page);
    List(page, order, type, true);
  }

  Page TakeOwn(int order, Migratetype type) {
    for (int found = order; found <= kMaxOrder; ++found) {
      const std::list<Page>& list = lists_[{found, type}];
      if (list.empty()) continue;
      const Page page = list.front();
      Unlist(page);
      while (found > order) {
        --found;
        List(page + (Page{1} << found), found, type, false);
      }
      return page;
    }
    return kNone;
  }

  // The first page of the list of order `order` that a request of `type` would steal from; kNone if all are
  // empty.
  Page Victim(int order, Migratetype type) {
    const std::vector<Migratetype> from =
        type == Migratetype::kUnmovable ? std::vector{Migratetype::kReclaimable, Migratetype::kMovable}
        : type == Migratetype::kMovable ? std::vector{Migratetype::kReclaimable, Migratetype::kUnmovable}
                                        : std::vector{Migratetype::kUnmovable, Migratetype::kMovable};
    for (Migratetype other : from) {
      const std::list<Page>& list = lists_[{order, other}];
      if (!list.empty()) return list.front();
    }
    return kNone;
  }

  bool Steal(int order, Migratetype type, bool no_fragment) {
    const int least = no_fragment && order < kPageblockOrder ? int{kPageblockOrder} : order;
    int largest = kMaxOrder;
    while (largest >= least && Victim(largest, type) == kNone) --largest;
    if (largest < least) return false;
    ++steals_;
    const bool whole = type != Migratetype::kMovable || largest >= kPageblockOrder / 2;
    if (whole) {
      StealPageblock(Victim(largest, type), type);
      return true;
    }
    int smallest = order;
    while (Victim(smallest, type) == kNone) ++smallest;
    // A block this small never lets a movable request have the pageblock.
    Move(Victim(smallest, type), type);
    return true;
  }

  void StealPageblock(Page page, Migratetype type) {
    const int order = free_.at(page).order;
    if (order >= kPageblockOrder) {
      for (Page p = page; p < page + (Page{1} << order); p += kPageblockPages) SetPageblock(p, type);
      Move(page, type);
      return;
    }
    const Migratetype before = PageblockType(page);
    Page first = page / kPageblockPages * kPageblockPages;
    const Page end = first + kPageblockPages;
    if (first < begin_) first = page;  // move_freepages_block() then begins at the page itself
    if (end > end_) {                  // and refuses a pageblock that the zone does not hold to its end
      Move(page, type);
      return;
    }
    std::vector<Page> blocks;
    int64_t moved = 0;
    for (auto it = free_.lower_bound(first); it != free_.end() && it->first < end; ++it) {
      blocks.push_back(it->first);
      moved += int64_t{1} << it->second.order;
    }
    int64_t movable = 0;
    for (auto it = lru_.lower_bound(first); it != lru_.end() && it->first < end; ++it) {
      movable += int64_t{1} << it->second;
    }
    for (Page block : blocks) Move(block, type);
    int64_t alike = 0;
    if (type == Migratetype::kMovable) {
      alike = movable;
    } else if (before == Migratetype::kMovable) {
      alike = kPageblockPages - moved - movable;
    }
    if (moved + alike >= kPageblockPages / 2) SetPageblock(page, type);
  }
  void SetPageblock(Page page, Migratetype type) {
    pageblocks_[page / kPageblockPages] = type;
    ++pageblocks_changed_;
  }

  Page begin_, end_;
  std::map<Page, Migratetype> pageblocks_;                        // by number
  std::map<Page, FreeBlock> free_;                                // by first page
  std::map<std::pair<int, Migratetype>, std::list<Page>> lists_;  // by order and type
  std::map<Page, int> lru_;  // allocated blocks that count as movable: their order
  int64_t pageblocks_changed_ = 0;
  int64_t steals_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_TESTS_MODELS_PHYSICAL_REFERENCE_H_
