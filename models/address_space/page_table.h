// PageTable: a process's page tables, down to the PTE, with the frames that the tables themselves take. Owned
// by its AddressSpace, lives on that one's LP. Pure state: whoever adds a table has allocated its frame
// first.
//
// Levels follow x86-64: a PTE table maps 2 MiB, a PMD table 1 GiB. PUD and PGD are counted with the process.
#ifndef NUMASIM_MODELS_ADDRESS_SPACE_PAGE_TABLE_H_
#define NUMASIM_MODELS_ADDRESS_SPACE_PAGE_TABLE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/btree_map.h"
#include "models/base/types.h"

namespace numasim {

// One entry. Zero is "none".
class Pte {
 public:
  enum Flag : uint64_t {
    kPresent = 1,
    kWritable = 2,
    kZeroPage = 4,  // maps the zero page; has no frame of its own
    kAnon = 8,      // an anonymous page: unmapping drops a reference
  };
  constexpr Pte() = default;
  constexpr Pte(Pfn pfn, uint64_t flags) : bits_(pfn.value << kFlagBits | flags) {}
  constexpr bool none() const { return bits_ == 0; }
  constexpr bool writable() const { return bits_ & kWritable; }
  constexpr bool zero_page() const { return bits_ & kZeroPage; }
  constexpr bool anon() const { return bits_ & kAnon; }
  constexpr Pfn pfn() const { return Pfn{bits_ >> kFlagBits}; }
  constexpr Pte WithPfn(Pfn pfn) const { return Pte(pfn, bits_ & ((uint64_t{1} << kFlagBits) - 1)); }
  constexpr Pte WithWritable(bool writable) const {
    Pte pte = *this;
    pte.bits_ = writable ? bits_ | kWritable : bits_ & ~uint64_t{kWritable};
    return pte;
  }

 private:
  static constexpr int kFlagBits = 8;
  uint64_t bits_ = 0;
};

inline constexpr int kPteTableShift = 9;   // pages that a PTE table maps
inline constexpr int kPmdTableShift = 18;  // pages that a PMD table maps
inline constexpr uint64_t kPtesPerTable = uint64_t{1} << kPteTableShift;

struct PteTable {
  Pfn frame;  // where the table itself is
  std::array<Pte, kPtesPerTable> pte;
};

class PageTable {
 public:
  // The PTE table for `vpn`; null if there is none.
  PteTable* Find(Vpn vpn) const {
    PmdTable* pmd = FindPmd(vpn);
    return pmd == nullptr ? nullptr : pmd->tables[(vpn.value >> kPteTableShift) % kTablesPerPmd].get();
  }
  bool HasPmd(Vpn vpn) const { return FindPmd(vpn) != nullptr; }
  void AddPmd(Vpn vpn, Pfn frame);
  PteTable& AddTable(Vpn vpn, Pfn frame);  // its PMD table must be there

  // Calls f(first vpn of the table, PteTable&) for each PTE table that maps part of [begin, end), in order.
  template <typename F>
  void ForEachTable(Vpn begin, Vpn end, F f) const;

  // Calls f(first vpn of the table, frame, PTE tables in it) for each PMD table, in order.
  template <typename F>
  void ForEachPmd(F f) const {
    for (const auto& [key, pmd] : pmds_) f(Vpn{key << kPmdTableShift}, pmd->frame, pmd->used);
  }

  // Takes away the PTE tables that lie wholly inside [floor, ceiling), and the PMD tables that do
  // (free_pgd_range). Returns their frames in the order in which the kernel frees them.
  std::vector<Pfn> FreeRange(Vpn floor, Vpn ceiling);

  int64_t tables() const { return tables_; }

 private:
  friend class PageTablePeer;  // tests plant damage

  static constexpr uint64_t kTablesPerPmd = uint64_t{1} << (kPmdTableShift - kPteTableShift);
  struct PmdTable {
    Pfn frame;
    int used = 0;
    std::array<std::unique_ptr<PteTable>, kTablesPerPmd> tables;
  };

  PmdTable* FindPmd(Vpn vpn) const {
    const uint64_t key = vpn.value >> kPmdTableShift;
    if (key == last_key_) return last_;
    const auto found = pmds_.find(key);
    if (found == pmds_.end()) return nullptr;
    last_key_ = key;
    return last_ = found->second.get();
  }

  absl::btree_map<uint64_t, std::unique_ptr<PmdTable>> pmds_;
  int64_t tables_ = 0;  // of both levels
  mutable uint64_t last_key_ = ~uint64_t{0};
  mutable PmdTable* last_ = nullptr;
};

template <typename F>
void PageTable::ForEachTable(Vpn begin, Vpn end, F f) const {
  for (auto it = pmds_.lower_bound(begin.value >> kPmdTableShift); it != pmds_.end(); ++it) {
    const uint64_t pmd_first = it->first << kPmdTableShift;
    if (pmd_first >= end.value) return;
    uint64_t i = begin.value > pmd_first ? (begin.value - pmd_first) >> kPteTableShift : 0;
    for (; i < kTablesPerPmd; ++i) {
      const Vpn first{pmd_first + (i << kPteTableShift)};
      if (first >= end) return;
      if (it->second->tables[i] != nullptr) f(first, *it->second->tables[i]);
    }
  }
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_ADDRESS_SPACE_PAGE_TABLE_H_
