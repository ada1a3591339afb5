// PageTable: a process's page tables, from the PUD down, with the frames that the tables themselves take.
// Owned by its AddressSpace, lives on that one's LP. Pure state: whoever adds a table has allocated its frame
// first.
//
// Levels follow x86-64, with the same entry at each:
//
//   order 18   PUD   1 GiB an entry: none, a huge page of 1 GiB, or a PMD table
//   order 9    PMD   2 MiB an entry: none, a huge page of 2 MiB, or a PTE table
//   order 0    PTE   4 KiB an entry: none, or a page
//
// With an anonymous transparent huge page, or the huge zero page, comes a PTE table that is deposited under
// its PMD table, so that to split the mapping takes no memory (pgtable_trans_huge_deposit).
//
// The PUD and PGD tables themselves are counted with the process.
//
// No pointer to an entry or a table is valid after a suspension: others (a migration, a truncation) may have
// been here. Ask again, or keep a Cursor.
#ifndef NUMASIM_MODELS_ADDRESS_SPACE_PAGE_TABLE_H_
#define NUMASIM_MODELS_ADDRESS_SPACE_PAGE_TABLE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <new>
#include <span>
#include <type_traits>
#include <vector>

#include "absl/container/btree_map.h"
#include "models/address_space/table_pool.h"
#include "models/base/folio.h"
#include "models/base/types.h"
#include "sim/check.h"

namespace numasim {

// One entry. Zero is "none".
class Entry {
 public:
  friend bool operator==(Entry, Entry) = default;
  enum Flag : uint64_t {
    kPresent = 1,
    kWritable = 2,
    kAnon = 4,  // not of HugeTLB: anonymous, unmapping drops a reference
    kExclusive =
        64,     // of a transparent huge page or a part of it: no other process maps it (PageAnonExclusive)
    kOld = 128  // of a page of a disk's file: not accessed since reclaim looked at it (the CPU sets accessed)
  };
  constexpr Entry() = default;
  constexpr Entry(Pfn pfn, uint64_t flags) : bits_(pfn.value << kFlagBits | flags) {}
  // A read-only map of the zero page, which has no frame here.
  static constexpr Entry ZeroPage() {
    Entry entry;
    entry.bits_ = kPresent | kZeroPage;
    return entry;
  }
  // Of a page of anonymous memory that has just been faulted in by a write.
  static constexpr Entry NewAnon(Pfn pfn) { return Entry(pfn, kPresent | kWritable | kAnon); }
  constexpr bool none() const { return bits_ == 0; }
  // Of the upper levels: a table of the level below, or a page.
  bool is_table() const { return bits_ & kTable; }
  bool is_leaf() const { return bits_ != 0 && !is_table(); }
  // Neither none nor a migration entry: an access finds the page.
  constexpr bool present() const { return bits_ & kPresent; }
  constexpr bool writable() const { return (bits_ & (kPresent | kWritable)) == (kPresent | kWritable); }
  constexpr bool zero_page() const { return bits_ & kZeroPage; }
  constexpr bool anon() const { return bits_ & kAnon; }
  constexpr bool old() const { return bits_ & kOld; }
  constexpr Entry WithOld(bool old) const {
    Entry entry = *this;
    entry.bits_ = old ? bits_ | kOld : bits_ & ~uint64_t{kOld};
    return entry;
  }
  constexpr bool exclusive() const { return bits_ & kExclusive; }
  // What it maps begins here; not of the zero page.
  constexpr Pfn pfn() const { return Pfn{bits_ >> kFlagBits}; }
  // The same of a page so many behind: of the n-th entry of a run.
  constexpr Entry Next(int64_t n) const { return WithPfn(pfn() + n); }
  constexpr Entry WithPfn(Pfn pfn) const { return Entry(pfn, bits_ & ((uint64_t{1} << kFlagBits) - 1)); }
  // A migration entry (make_readable_migration_entry, make_writable_migration_entry): the page that it
  // mapped is being moved, and who comes here waits. It keeps what the entry allowed, but is no mapping.
  constexpr bool migrating() const { return bits_ & kMigration; }
  constexpr Entry ToMigration() const {
    Entry entry;
    entry.bits_ = (bits_ & ~uint64_t{kPresent}) | kMigration;
    return entry;
  }
  // remove_migration_pte(): a mapping again, of the page's new place or of its old one.
  constexpr Entry FromMigration(Pfn pfn) const {
    Entry entry = WithPfn(pfn);
    entry.bits_ = (entry.bits_ & ~kMigration) | kPresent;
    return entry;
  }
  // Of a page that another process maps from now on too: read-only for both.
  constexpr Entry Shared() const {
    Entry entry = *this;
    entry.bits_ = bits_ & ~(uint64_t{kWritable} | kExclusive);
    return entry;
  }
  constexpr Entry WithWritable(bool writable) const {
    Entry entry = *this;
    entry.bits_ = writable ? bits_ | kWritable : bits_ & ~uint64_t{kWritable};
    return entry;
  }

 private:
  friend class PageTable;
  friend class PageTablePeer;  // tests plant damage

  static constexpr int kFlagBits = 8;
  static constexpr uint64_t kZeroPage = 8;
  static constexpr uint64_t kTable = 16;  // with the address of a table, whose low bits are zero
  static constexpr uint64_t kMigration = 32;

  explicit Entry(const void* table) : bits_(reinterpret_cast<uintptr_t>(table) | kTable) {}
  template <typename Table>
  Table* table() const {
    return reinterpret_cast<Table*>(bits_ & ~kTable);
  }

  uint64_t bits_ = 0;
};

inline constexpr int kPteTableShift = 9;   // pages that a PTE table maps
inline constexpr int kPmdTableShift = 18;  // pages that a PMD table maps
inline constexpr uint64_t kPtesPerTable = uint64_t{1} << kPteTableShift;

struct alignas(64) PteTable {
  Pfn frame;  // where the table itself is
  std::array<Entry, kPtesPerTable> entries;

  static void* operator new(size_t bytes) { return TablePool::Allocate(bytes); }
  static void* operator new(size_t bytes, std::align_val_t) { return TablePool::Allocate(bytes); }
  static void operator delete(void* table) { TablePool::Free(table); }
  static void operator delete(void* table, std::align_val_t) { TablePool::Free(table); }
};

class PageTable {
 public:
  PageTable() = default;
  PageTable(const PageTable&) = delete;
  PageTable& operator=(const PageTable&) = delete;
  ~PageTable();

  // The PTE table for `vpn`; null if there is none.
  PteTable* Find(Vpn vpn) const {
    const PmdTable* const pmd = FindPmd(vpn);
    if (pmd == nullptr) return nullptr;
    const Entry entry = pmd->entries[IndexInPmd(vpn)];
    return entry.is_table() ? entry.table<PteTable>() : nullptr;
  }
  // The entry of a base page; null if there is no table for it.
  Entry* FindEntry(Vpn vpn) const {
    PteTable* const table = Find(vpn);
    return table == nullptr ? nullptr : &table->entries[vpn.value % kPtesPerTable];
  }
  bool HasPmd(Vpn vpn) const { return FindPmd(vpn) != nullptr; }
  void AddPmd(Vpn vpn, Pfn frame);
  PteTable& AddTable(Vpn vpn, Pfn frame);  // its PMD table must be there, without a huge page in that place

  // The entry of a huge page of this order (9, 18) that begins at `first`; null if there is none.
  Entry* FindHuge(Vpn first, int order);
  const Entry* FindHuge(Vpn first, int order) const {
    return const_cast<PageTable*>(this)->FindHuge(first, order);
  }
  // Puts a huge page there, or with a none entry takes it away. For order 9 the PMD table must be there.
  void SetHuge(Vpn first, int order, Entry entry);

  // Calls f(vpn, Entry&, order) for each page of [begin, end) that is mapped, in order: base pages in it
  // and huge pages that begin in it. Where f returns a bool, false ends the walk, and the entry it was
  // called with is where to go on. f may change the entry of a base page as it likes, that of a huge page
  // too, but takes it away by TakeThp() or SetHuge() only, and none of 1 GiB. Returns the page where it
  // ended: `end`, or f's last.
  template <typename F>
  Vpn Walk(Vpn begin, Vpn end, F f);
  template <typename F>
  Vpn Walk(Vpn begin, Vpn end, F f) const {
    return const_cast<PageTable*>(this)->Walk(
        begin, end, [&](Vpn vpn, const Entry& entry, int order) { return f(vpn, entry, order); });
  }
  // The same, with as many base entries at once as are of one page table, follow one another, and map pages
  // that do, alike: f(vpn of the first, std::span<Entry>, order), huge pages one by one. f returns how many
  // of them it is done with; fewer than there are end the walk.
  template <typename F>
  Vpn WalkRuns(Vpn begin, Vpn end, F f);

  // --- transparent huge pages of anonymous memory, and the huge zero page ---
  // Maps one where nothing is, with its table deposited.
  void SetThp(Vpn first, Entry entry, Pfn table);
  // Takes one away that is there. Returns the frame of a deposited table, not of that one as a rule.
  Pfn TakeThp(Vpn first);
  // __split_huge_pmd_locked(): base entries of its parts in its place.
  void SplitThp(Vpn first);
  // Takes a PTE table away with all it maps (pmdp_collapse_flush). Returns its frame.
  Pfn RemoveTable(Vpn first);
  // Calls f(frame) for each deposited table.
  template <typename F>
  void ForEachDeposit(F f) const {
    for (const auto& [key, entry] : puds_) {
      if (!entry.is_table()) continue;
      const PmdTable& pmd = *entry.template table<PmdTable>();
      if (pmd.deposited != kNoPfn) f(pmd.deposited);
      for (const Pfn frame : pmd.more_deposited) f(frame);
    }
  }

  // Takes the huge pages that begin in [begin, end) away, and migration entries of such. Appends what they
  // mapped to `pages`, in order.
  void TakeHuge(Vpn begin, Vpn end, std::vector<Pfn>& pages);

  // Calls visit(first vpn, Entry&, order) for each entry of the upper levels that is not none and touches
  // [begin, end), but for PMD tables, which are entered; false ends it. Returns whether it came to the end.
  template <typename F>
  bool ForEachUpper(Vpn begin, Vpn end, F visit) const;
  // Calls f(first vpn of the table, PteTable&) for each PTE table that maps part of [begin, end), in order.
  template <typename F>
  void ForEachTable(Vpn begin, Vpn end, F f) const;

  // Calls f(first vpn of the table, frame, entries of it that are not none) for each PMD table, in order.
  template <typename F>
  void ForEachPmd(F f) const {
    for (const auto& [key, entry] : puds_) {
      if (!entry.is_table()) continue;
      const PmdTable& pmd = *entry.template table<PmdTable>();
      f(Vpn{key << kPmdTableShift}, pmd.frame, pmd.used);
    }
  }

  // Takes away the PTE tables that lie wholly inside [floor, ceiling), and the PMD tables that do
  // (free_pgd_range). No huge page may be left there. Returns their frames in the order in which the kernel
  // frees them.
  std::vector<Folio> FreeRange(Vpn floor, Vpn ceiling);

  // How many entries [begin, end) has, where each maps a base page of anonymous memory with a frame in
  // [from, to), or the zero page; -1 where one does not.
  int64_t CountAnonIn(Vpn begin, Vpn end, Pfn from, Pfn to) const;

  int64_t tables() const { return tables_; }
  int64_t huge_pages() const { return huge_pages_; }
  int64_t huge_zero_pages() const { return huge_zero_pages_; }  // PMDs that map the huge zero page
  // Changes whenever a table comes or goes.
  uint64_t generation() const { return generation_; }

 private:
  friend class PageTablePeer;  // tests plant damage

  static constexpr uint64_t kEntriesPerPmd = uint64_t{1} << (kPmdTableShift - kPteTableShift);
  struct alignas(64) PmdTable {
    Pfn frame;
    int used = 0;                    // entries that are not none
    Pfn deposited = kNoPfn;          // the table that is withdrawn next (pmd_huge_pte)
    std::deque<Pfn> more_deposited;  // those behind it
    std::array<Entry, kEntriesPerPmd> entries;

    void Deposit(Pfn table);
    Pfn Withdraw();
  };

  static uint64_t IndexInPmd(Vpn vpn) { return (vpn.value >> kPteTableShift) % kEntriesPerPmd; }
  PmdTable* FindPmd(Vpn vpn) const {
    const uint64_t key = vpn.value >> kPmdTableShift;
    if (key == last_key_) return last_;
    const auto found = puds_.find(key);
    if (found == puds_.end() || !found->second.is_table()) return nullptr;
    last_key_ = key;
    return last_ = found->second.table<PmdTable>();
  }
  template <typename F>
  static bool Visit(F& f, Vpn vpn, Entry& entry, int order) {
    if constexpr (std::is_void_v<decltype(f(vpn, entry, order))>) {
      f(vpn, entry, order);
      return true;
    } else {
      return f(vpn, entry, order);
    }
  }

  absl::btree_map<uint64_t, Entry> puds_;  // by number of the GiB; never none
  int64_t tables_ = 0;                     // of both levels
  int64_t huge_pages_ = 0;
  int64_t huge_zero_pages_ = 0;
  uint64_t generation_ = 0;
  mutable uint64_t last_key_ = ~uint64_t{0};
  mutable PmdTable* last_ = nullptr;
};

// Where the entry of a base page is, kept over suspensions: it looks the table up anew only for another
// table or after one has come or gone. The PageTable must outlive it.
class Cursor {
 public:
  explicit Cursor(const PageTable& tables) : tables_(tables) {}

  // Null if there is no table for it. Valid until the next suspension.
  Entry* Find(Vpn vpn) {
    const uint64_t number = vpn.value >> kPteTableShift;
    if (number != number_ || generation_ != tables_.generation()) {
      table_ = tables_.Find(vpn);
      number_ = number;
      generation_ = tables_.generation();
    }
    return table_ == nullptr ? nullptr : &table_->entries[vpn.value % kPtesPerTable];
  }

 private:
  const PageTable& tables_;
  PteTable* table_ = nullptr;
  uint64_t number_ = ~uint64_t{0};
  uint64_t generation_ = 0;
};

template <typename F>
bool PageTable::ForEachUpper(Vpn begin, Vpn end, F visit) const {
  auto& puds = const_cast<PageTable*>(this)->puds_;
  for (auto it = puds.lower_bound(begin.value >> kPmdTableShift); it != puds.end(); ++it) {
    const uint64_t pud_first = it->first << kPmdTableShift;
    if (pud_first >= end.value) return true;
    if (!it->second.is_table()) {
      if (!visit(Vpn{pud_first}, it->second, kPmdTableShift)) return false;
      continue;
    }
    PmdTable& pmd = *it->second.template table<PmdTable>();
    uint64_t i = begin.value > pud_first ? (begin.value - pud_first) >> kPteTableShift : 0;
    for (; i < kEntriesPerPmd; ++i) {
      const Vpn first{pud_first + (i << kPteTableShift)};
      if (first >= end) return true;
      if (!pmd.entries[i].none() && !visit(first, pmd.entries[i], kPteTableShift)) return false;
    }
  }
  return true;
}

template <typename F>
Vpn PageTable::Walk(Vpn begin, Vpn end, F f) {
  Vpn ended = end;
  ForEachUpper(begin, end, [&](Vpn first, Entry& upper, int order) {
    if (!upper.is_table()) {
      if (first < begin || Visit(f, first, upper, order)) return true;
      ended = first;
      return false;
    }
    PteTable& table = *upper.template table<PteTable>();
    const uint64_t from = begin > first ? static_cast<uint64_t>(begin - first) : 0;
    const uint64_t to = std::min(kPtesPerTable, static_cast<uint64_t>(end - first));
    for (uint64_t i = from; i < to; ++i) {
      if (table.entries[i].none()) continue;
      const Vpn vpn = first + static_cast<int64_t>(i);
      if (Visit(f, vpn, table.entries[i], 0)) continue;
      ended = vpn;
      return false;
    }
    return true;
  });
  return ended;
}

template <typename F>
Vpn PageTable::WalkRuns(Vpn begin, Vpn end, F f) {
  Vpn ended = end;
  ForEachUpper(begin, end, [&](Vpn first, Entry& upper, int order) {
    if (!upper.is_table()) {
      if (first < begin || f(first, std::span(&upper, 1), order) == 1) return true;
      ended = first;
      return false;
    }
    std::array<Entry, kPtesPerTable>& entries = upper.template table<PteTable>()->entries;
    const uint64_t to = std::min(kPtesPerTable, static_cast<uint64_t>(end - first));
    for (uint64_t i = begin > first ? static_cast<uint64_t>(begin - first) : 0; i < to;) {
      if (entries[i].none()) {
        ++i;
        continue;
      }
      // A run of the zero page, which has no frame, is one entry.
      uint64_t run_end = i + 1;
      const Entry entry = entries[i];
      while (run_end < to && entries[run_end] == entry.Next(static_cast<int64_t>(run_end - i))) ++run_end;
      const uint64_t done = f(first + static_cast<int64_t>(i), std::span(&entries[i], run_end - i), 0);
      i += done;
      if (i == run_end) continue;
      ended = first + static_cast<int64_t>(i);
      return false;
    }
    return true;
  });
  return ended;
}

template <typename F>
void PageTable::ForEachTable(Vpn begin, Vpn end, F f) const {
  ForEachUpper(begin, end, [&](Vpn first, Entry& upper, int) {
    if (upper.is_table()) f(first, *upper.template table<PteTable>());
    return true;
  });
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_ADDRESS_SPACE_PAGE_TABLE_H_
