// HugePageStore: what struct page says of every huge page, in use or free. Owned by HugetlbPool, lives on the
// global LP; all of it is under hugetlb_lock.
//
// One entry for every 2 MiB of physical address space, in memory that is reserved at once but only used where
// it is written, so any page is found in O(1). The entry of a huge page's first frame speaks for the page;
// the other 511 entries of a 1 GiB page only say that they are inside one. Free pages are linked through
// their entries: any of them can be taken out of the middle of its free list.
#ifndef NUMASIM_MODELS_HUGETLB_HUGE_PAGES_H_
#define NUMASIM_MODELS_HUGETLB_HUGE_PAGES_H_

#include <cstddef>
#include <cstdint>

#include "models/base/huge_size.h"
#include "models/base/types.h"
#include "models/hugetlb/subpool.h"
#include "sim/check.h"

namespace numasim {

struct HugeFile;

enum class HugePageState : uint8_t {
  kNone = 0,  // no huge page begins here
  kInside,    // part of a 1 GiB page that begins before it
  kUsed,      // somebody holds it: mappings, a page cache, references, or a path that is about to map it
  kFreeing,   // counted in nr_hugepages, held by nobody, not on a free list yet: fresh, or being freed
  kFree,      // on its node's free list (HPageFreed)
};

struct HugePage {
  struct Links {
    uint32_t next, prev;  // numbers of entries
  };

  uint32_t mapcount = 0;
  uint32_t refs = 0;  // beyond mappings and page cache: pins, isolation
  union {
    Subpool* subpool = nullptr;
    Links links;  // of a page on a free list, which belongs to no subpool
  };
  // The file that its mappings are of, also where it is private, and where in it, in huge pages (a file of
  // 2^63 bytes has 2^42). This is how its mappings are found; null for a page that has none and is in no page
  // cache.
  HugeFile* file = nullptr;
  uint64_t index : 42 = 0;
  bool cached : 1 = false;           // in the file's page cache
  bool isolated : 1 = false;         // taken for migration, with a reference; not HPageMigratable meanwhile
  bool locked : 1 = false;           // PG_locked, of who moves the page or takes it out of its file
  bool anon : 1 = false;             // PageAnon: belongs to private mappings
  bool restore_reserve : 1 = false;  // HPageRestoreReserve: took a reservation, not yet installed
  bool temporary : 1 = false;        // HPageTemporary: leaves the pool when freed
  HugePageState state = HugePageState::kNone;
  HugeSize size = HugeSize::k2M;

  // Whether anything that is counted holds it (page_count).
  bool Held() const { return mapcount > 0 || refs > 0 || cached; }
  // HPageMigratable: it is where its user wants it, and nobody moves it already.
  bool Migratable() const { return (mapcount > 0 || cached) && !isolated; }
};
static_assert(sizeof(HugePage) == 32);  // two in a cache line

class HugePageStore {
  static constexpr uint32_t kNil = ~uint32_t{0};

 public:
  // hugepage_freelists[node] of one size.
  struct List {
    uint32_t head = kNil;
    int64_t size = 0;
  };

  // For frames below `end`.
  explicit HugePageStore(Pfn end);
  ~HugePageStore();
  HugePageStore(const HugePageStore&) = delete;
  HugePageStore& operator=(const HugePageStore&) = delete;

  // The page that begins at `head`; it must be one (any state but kNone and kInside).
  HugePage& At(Pfn head) {
    HugePage& page = entry(head);
    NUMASIM_CHECK(page.state >= HugePageState::kUsed);
    return page;
  }
  const HugePage& At(Pfn head) const { return const_cast<HugePageStore*>(this)->At(head); }
  // The same, in use.
  HugePage& Used(Pfn head) {
    HugePage& page = entry(head);
    NUMASIM_CHECK(page.state == HugePageState::kUsed);
    return page;
  }
  const HugePage& Used(Pfn head) const { return const_cast<HugePageStore*>(this)->Used(head); }
  // Null where no huge page begins at `pfn`.
  const HugePage* Find(Pfn pfn) const;
  HugePage* Find(Pfn pfn) {
    return const_cast<HugePage*>(static_cast<const HugePageStore*>(this)->Find(pfn));
  }
  // The head of the huge page that covers `pfn`, whatever its state; kNoPfn if none does. O(1).
  Pfn HeadOf(Pfn pfn) const;

  // A page of the buddy's or of a contiguous range becomes a huge page: kFreeing.
  void Add(Pfn head, HugeSize size);
  // It is none any more. It must be kFreeing.
  void Remove(Pfn head);
  // kFreeing -> kUsed, with nothing left over from an earlier use.
  HugePage& Use(Pfn head);
  // kUsed -> kFreeing. Nothing may hold it.
  void Unuse(Pfn head);

  // kFreeing -> kFree, at the head of the list (enqueue_huge_page).
  void Push(List& list, Pfn head);
  // kFree -> kFreeing, from anywhere in the list.
  void TakeOut(List& list, Pfn head);
  // The page at the list's head; kNoPfn if it is empty.
  static Pfn First(const List& list) { return PfnOrNone(list.head); }
  // Neighbours of a free page on its list; kNoPfn at the ends.
  Pfn Next(Pfn head) const { return PfnOrNone(entry(head).links.next); }
  Pfn Previous(Pfn head) const { return PfnOrNone(entry(head).links.prev); }

  Pfn end() const { return PfnOf(static_cast<uint32_t>(count_)); }
  int64_t used() const { return used_; }
  int64_t freeing() const { return freeing_; }

 private:
  friend class HugePageStorePeer;  // plants damage in tests

  static Pfn PfnOf(uint32_t number) { return Pfn{uint64_t{number} << kPageblockOrder}; }
  static Pfn PfnOrNone(uint32_t number) { return number == kNil ? kNoPfn : PfnOf(number); }
  static uint32_t NumberOf(Pfn pfn) { return static_cast<uint32_t>(pfn.value >> kPageblockOrder); }
  HugePage& entry(Pfn head) {
    NUMASIM_DCHECK(head.value % kPageblockPages == 0 && NumberOf(head) < count_);
    return entries_[NumberOf(head)];
  }
  const HugePage& entry(Pfn head) const { return const_cast<HugePageStore*>(this)->entry(head); }
  // Gives the entries behind the head of a gigantic page their state.
  void MarkInside(Pfn head, HugeSize size, HugePageState state);

  size_t count_;
  HugePage* entries_;
  int64_t used_ = 0;
  int64_t freeing_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_HUGETLB_HUGE_PAGES_H_
