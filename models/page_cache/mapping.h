// Mapping: the pages of a file that are in memory, by page offset, and which processes map the file (struct
// address_space with its i_pages and i_mmap, Linux 6.1). Owned by its file, on one LP, the file's home: that
// of the node where the file was made (ShmemFiles), or the global one (HugetlbFiles). Pure state.
//
// An offset counts pages of the size that the file has: huge ones on hugetlbfs. A file of base pages may have
// transparent huge pages among them, of order 9 and at multiples of 512.
#ifndef NUMASIM_MODELS_PAGE_CACHE_MAPPING_H_
#define NUMASIM_MODELS_PAGE_CACHE_MAPPING_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "models/base/folio.h"
#include "models/base/types.h"

namespace numasim {

class Mapping {
 public:
  static constexpr auto kHugePages = static_cast<uint64_t>(kPageblockPages);
  struct Page {
    uint64_t index;
    Pfn pfn;
  };
  struct Mapper {
    uint64_t number;
    uint16_t process;  // its id
  };

  // The page at an offset, or the part of a huge page there; kNoPfn if there is none.
  Pfn Lookup(uint64_t index) const;
  // The first frame of the huge page that the offset is in; kNoPfn if it is in none.
  Pfn LookupHuge(uint64_t index) const {
    if (huge_.empty()) return kNoPfn;
    const auto found = huge_.find(index / kHugePages);
    return found == huge_.end() ? kNoPfn : found->second;
  }
  // The pages from `first` on, as many as `pages` has room for, with kNoPfn where there is none or it is
  // locked: what a fault looks up around it at once (next_uptodate_page).
  void LookupRange(uint64_t first, std::span<Pfn> pages) const;
  // There must be no page at the offset; what is remembered of one that was there is forgotten.
  void Insert(uint64_t index, Pfn pfn);
  // Whether there is any page in [from, to).
  bool AnyIn(uint64_t from, uint64_t to) const;
  // There must be no page at any of the 512 offsets from `first` on.
  void InsertHuge(uint64_t first, Pfn head);
  // The huge page there becomes base pages (xas_split).
  void SplitHuge(uint64_t first);
  // Puts `to` in the place of `from`; false where the file has no such page (any more). A huge page is named
  // by its first offset, here and where pages are locked.
  bool Replace(uint64_t index, Pfn from, Pfn to);
  // There must be a page at the offset.
  void Erase(uint64_t index);

  // What is left of a base page that reclaim took (a shadow entry, mm/workingset.c): when it was evicted, by
  // the clock of its node's LRU lists, and whether it had been active there (PG_workingset).
  struct Shadow {
    NodeId node;
    uint64_t age;
    bool in_workingset;
  };
  // There must be a page at the offset.
  void Evict(uint64_t index, Shadow shadow);
  std::optional<Shadow> ShadowAt(uint64_t index) const;
  // Pages whose shadow is left.
  int64_t shadows() const { return shadows_; }
  void ForgetShadows();
  // From now on, while there is no shadow yet, `gauge` counts the nodes of 64 offsets that have shadows and
  // no page (workingset_update_node). It must outlive the mapping.
  void CountShadowNodes(int64_t& gauge) { shadow_nodes_ = &gauge; }

  // Processes may map the base pages that are there of [first, first + count) from now on, as a fault looks
  // them up; who takes one of them asks their page tables until they are known to map it no more.
  void NoteMapped(uint64_t first, uint64_t count);
  void NoteUnmapped(uint64_t index);
  bool MaybeMapped(uint64_t index) const {
    const Leaf* const leaf = mapped() ? FindLeaf(index) : nullptr;
    return leaf != nullptr && (leaf->mapped & BitOf(index)) != 0;
  }
  // Takes the pages that lie wholly in [from, to) away and returns them by offset.
  std::vector<Folio> TakeRange(uint64_t from, uint64_t to);
  // Takes all pages away and returns them by offset.
  std::vector<Folio> TakeAll();

  // folio_trylock() and folio_unlock() of the page `pfn`: faults wait for it, and nobody else takes or
  // replaces it. False where the file does not have that page at the offset, or somebody has locked it. A
  // migration that has replaced it has the new one locked, too, until it unlocks the old one.
  bool Lock(uint64_t index, Pfn pfn);
  void Unlock(uint64_t index, Pfn pfn);
  bool IsLocked(uint64_t index) const {
    if (!any_locked()) return false;
    return IsCollapsing(index) || locked_.contains(index) ||
           (LookupHuge(index) != kNoPfn && locked_.contains(index / kHugePages * kHugePages));
  }
  // A huge page comes in the place of the base pages and holes of the 512 offsets from `first` on: they are
  // all locked until EndCollapse(), as is the huge page that is there then. False, and nothing is locked,
  // where one of them is already.
  bool BeginCollapse(uint64_t first);
  void EndCollapse(uint64_t first) { collapsing_.erase(first / kHugePages); }
  bool IsCollapsing(uint64_t index) const {
    return !collapsing_.empty() && collapsing_.contains(index / kHugePages);
  }
  // Whether that is so for any of [from, to).
  bool AnyCollapsing(uint64_t from, uint64_t to) const;

  // The page with the least offset from `index` on. A walk that is interrupted goes on behind the offset of
  // the page that was last.
  std::optional<Page> FirstFrom(uint64_t index) const;
  // Calls f(first index, first frame) for each huge page, by offset.
  template <typename F>
  void ForEachHuge(F f) const {
    for (const auto& [number, head] : huge_) f(number * kHugePages, head);
  }
  int64_t huge_pages() const { return static_cast<int64_t>(huge_.size()); }
  // Calls f(index, pfn) for each page that is no part of a huge one, by offset.
  template <typename F>
  void ForEachPage(F f) const {
    for (const auto& [chunk, leaf] : leaves_) {
      for (uint64_t left = leaf->present; left != 0; left &= left - 1) {
        const auto slot = static_cast<uint64_t>(__builtin_ctzll(left));
        f(chunk * kLeafPages + slot, leaf->pages[slot]);
      }
    }
  }
  int64_t pages() const { return pages_; }  // parts of huge ones among them

  // The process maps the file; it may have done so already.
  void AddMapper(uint16_t process);
  // It maps it no more; it must have done so.
  void DropMapper(uint16_t process);
  bool mapped() const { return !mappers_.empty(); }
  int64_t mappers() const { return static_cast<int64_t>(mappers_.size()); }
  // The mapper with the least number from `number` on. Numbers grow with each mapper that comes, so a walk
  // that is interrupted goes on behind the last number, and meets also those that came meanwhile.
  std::optional<Mapper> MapperFrom(uint64_t number) const;
  // Calls f(process id) for each mapper, the oldest first.
  template <typename F>
  void ForEachMapper(F f) const {
    for (const auto& [number, process] : mappers_) f(process);
  }

 private:
  friend class MappingPeer;  // tests plant damage
  friend class MappingCheck;

  // Pages of a file are close together, so a leaf holds as many as a node of the kernel's xarray
  // (XA_CHUNK_SIZE), and a page costs little more than its frame number. 16 pages from a multiple of 16 on,
  // what a fault looks up, are always in one leaf.
  static constexpr uint64_t kLeafPages = 64;
  struct Leaf {
    // A bit for each slot; at least one of all that are present or a shadow.
    uint64_t present = 0;  // has a page
    uint64_t shadow = 0;   // has what is left of one, packed into the number in place of the frame's
    uint64_t mapped = 0;   // has a page that a process may map
    std::array<Pfn, kLeafPages> pages;

    bool empty() const { return (present | shadow) == 0; }
    bool only_shadows() const { return present == 0 && shadow != 0; }
  };
  static constexpr uint64_t BitOf(uint64_t index) { return uint64_t{1} << index % kLeafPages; }
  Leaf* FindLeaf(uint64_t index) const {
    return last_ != nullptr && last_chunk_ == index / kLeafPages ? last_ : SearchLeaf(index);
  }
  Leaf* SearchLeaf(uint64_t index) const;
  using Leaves = absl::btree_map<uint64_t, std::unique_ptr<Leaf>>;  // by offset / kLeafPages
  Leaves::iterator EraseLeaf(Leaves::iterator leaf) {
    last_ = nullptr;
    return leaves_.erase(leaf);
  }
  void TakeBase(uint64_t from, uint64_t to, std::vector<Folio>& taken);
  void AddShadowNodes(int64_t nodes) {
    if (shadow_nodes_ != nullptr) *shadow_nodes_ += nodes;
  }
  bool any_locked() const { return !locked_.empty() || !collapsing_.empty(); }

  Leaves leaves_;
  // The leaf that was looked up last, null after one was erased: readers and reclaim come page by page.
  mutable Leaf* last_ = nullptr;
  mutable uint64_t last_chunk_ = 0;
  absl::btree_map<uint64_t, Pfn> huge_;  // by offset / 512
  int64_t pages_ = 0;
  int64_t shadows_ = 0;
  int64_t* shadow_nodes_ = nullptr;
  absl::flat_hash_map<uint64_t, Pfn> locked_;               // the page that was locked, by offset
  absl::btree_set<uint64_t> collapsing_;                    // by offset / 512
  absl::btree_map<uint64_t, uint16_t> mappers_;             // by number
  absl::flat_hash_map<uint16_t, uint64_t> mapper_numbers_;  // by process
  uint64_t next_mapper_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PAGE_CACHE_MAPPING_H_
