#include "models/address_space/page_table.h"

#include <utility>

#include "sim/check.h"

namespace numasim {

PageTable::~PageTable() {
  for (const auto& [key, upper] : puds_) {
    if (!upper.is_table()) continue;
    PmdTable* const pmd = upper.table<PmdTable>();
    for (const Entry entry : pmd->entries) {
      if (entry.is_table()) delete entry.table<PteTable>();
    }
    delete pmd;
  }
}

void PageTable::AddPmd(Vpn vpn, Pfn frame) {
  Entry& slot = puds_[vpn.value >> kPmdTableShift];
  NUMASIM_CHECK(slot.none());
  auto* const pmd = new PmdTable;
  pmd->frame = frame;
  slot = Entry(pmd);
  ++tables_;
  ++generation_;
}

PteTable& PageTable::AddTable(Vpn vpn, Pfn frame) {
  PmdTable* const pmd = FindPmd(vpn);
  NUMASIM_CHECK(pmd != nullptr);
  Entry& slot = pmd->entries[IndexInPmd(vpn)];
  NUMASIM_CHECK(slot.none());
  auto* const table = new PteTable;
  table->frame = frame;
  slot = Entry(table);
  ++pmd->used;
  ++tables_;
  ++generation_;
  return *table;
}

// The order in which the kernel's circular list gives tables back: the last one first, then from the first
// on.
void PageTable::PmdTable::Deposit(Pfn table) {
  if (deposited != kNoPfn) more_deposited.push_back(deposited);
  deposited = table;
}

Pfn PageTable::PmdTable::Withdraw() {
  const Pfn table = deposited;
  NUMASIM_CHECK(table != kNoPfn);
  deposited = more_deposited.empty() ? kNoPfn : more_deposited.front();
  if (!more_deposited.empty()) more_deposited.pop_front();
  return table;
}

void PageTable::SetThp(Vpn first, Entry entry, Pfn table) {
  PmdTable* const pmd = FindPmd(first);
  NUMASIM_CHECK(pmd != nullptr && pmd->entries[IndexInPmd(first)].none());
  SetHuge(first, kPteTableShift, entry);
  pmd->Deposit(table);
  huge_zero_pages_ += entry.zero_page();
  ++tables_;
}

Pfn PageTable::TakeThp(Vpn first) {
  PmdTable* const pmd = FindPmd(first);
  NUMASIM_CHECK(pmd != nullptr);
  huge_zero_pages_ -= pmd->entries[IndexInPmd(first)].zero_page();
  SetHuge(first, kPteTableShift, Entry());
  --tables_;
  return pmd->Withdraw();
}

void PageTable::SplitThp(Vpn first) {
  const Entry* const leaf = FindHuge(first, kPteTableShift);
  NUMASIM_CHECK(leaf != nullptr);
  const Entry whole = *leaf;
  PteTable& table = AddTable(first, TakeThp(first));
  if (whole.zero_page()) {
    table.entries.fill(whole);
    return;
  }
  for (uint64_t i = 0; i < kPtesPerTable; ++i)
    table.entries[i] = whole.WithPfn(whole.pfn() + static_cast<int64_t>(i));
}

Pfn PageTable::RemoveTable(Vpn first) {
  PmdTable* const pmd = FindPmd(first);
  NUMASIM_CHECK(pmd != nullptr && pmd->entries[IndexInPmd(first)].is_table());
  Entry& slot = pmd->entries[IndexInPmd(first)];
  auto* const table = slot.table<PteTable>();
  const Pfn frame = table->frame;
  delete table;
  slot = Entry();
  --pmd->used;
  --tables_;
  ++generation_;
  return frame;
}

Entry* PageTable::FindHuge(Vpn first, int order) {
  Entry* entry = nullptr;
  if (order == kPmdTableShift) {
    const auto found = puds_.find(first.value >> kPmdTableShift);
    if (found != puds_.end()) entry = &found->second;
  } else if (PmdTable* const pmd = FindPmd(first); pmd != nullptr) {
    entry = &pmd->entries[IndexInPmd(first)];
  }
  return entry != nullptr && entry->is_leaf() ? entry : nullptr;
}

void PageTable::SetHuge(Vpn first, int order, Entry entry) {
  NUMASIM_CHECK_EQ(first.value % (uint64_t{1} << order), uint64_t{0});
  if (order == kPmdTableShift) {
    const auto found = puds_.find(first.value >> kPmdTableShift);
    const bool there = found != puds_.end();
    NUMASIM_CHECK(!there || found->second.is_leaf());
    huge_pages_ += (entry.none() ? 0 : 1) - (there ? 1 : 0);
    if (!entry.none()) {
      puds_[first.value >> kPmdTableShift] = entry;
    } else if (there) {
      puds_.erase(found);
    }
    return;
  }
  PmdTable* const pmd = FindPmd(first);
  NUMASIM_CHECK(pmd != nullptr);
  Entry& slot = pmd->entries[IndexInPmd(first)];
  NUMASIM_CHECK(!slot.is_table());
  const int change = (entry.none() ? 0 : 1) - (slot.none() ? 0 : 1);
  huge_pages_ += change;
  pmd->used += change;
  slot = entry;
}

int64_t PageTable::CountAnonIn(Vpn begin, Vpn end, Pfn from, Pfn to) const {
  constexpr uint64_t kAnonPage = Entry::kPresent | Entry::kAnon;
  const auto frames = static_cast<uint64_t>(to - from);
  int64_t count = 0;
  const bool all = ForEachUpper(begin, end, [&](Vpn first, const Entry& upper, int) {
    if (!upper.is_table()) return false;
    const std::array<Entry, kPtesPerTable>& entries = upper.table<PteTable>()->entries;
    const uint64_t last = std::min(kPtesPerTable, static_cast<uint64_t>(end - first));
    // Without branches: there are many of them.
    bool other = false;
    for (uint64_t i = begin > first ? static_cast<uint64_t>(begin - first) : 0; i < last; ++i) {
      const uint64_t bits = entries[i].bits_;
      const bool anon = (bits & (kAnonPage | Entry::kMigration | Entry::kZeroPage)) == kAnonPage;
      const bool here = (bits >> Entry::kFlagBits) - from.value < frames;
      const bool none = bits == 0;
      other |= !((anon & here) | none | (entries[i] == Entry::ZeroPage()));
      count += none ? 0 : 1;
    }
    return !other;
  });
  return all ? count : -1;
}

void PageTable::TakeHuge(Vpn begin, Vpn end, std::vector<Pfn>& pages) {
  if (huge_pages_ == 0) return;
  // In two steps, as taking an entry of the PUD away would end the walk over them.
  std::vector<std::pair<Vpn, int>> taken;
  ForEachUpper(begin, end, [&](Vpn first, const Entry& entry, int order) {
    if (entry.is_table() || first < begin) return true;
    if (entry.present()) pages.push_back(entry.pfn());
    taken.emplace_back(first, order);
    return true;
  });
  for (const auto& [first, order] : taken) SetHuge(first, order, Entry());
}

std::vector<Folio> PageTable::FreeRange(Vpn floor, Vpn ceiling) {
  std::vector<Folio> frames;
  for (auto it = puds_.lower_bound(floor.value >> kPmdTableShift); it != puds_.end();) {
    const Vpn pmd_first{it->first << kPmdTableShift};
    if (pmd_first >= ceiling) break;
    if (!it->second.is_table()) {  // a huge page on the edge of the range
      ++it;
      continue;
    }
    PmdTable* const pmd = it->second.table<PmdTable>();
    for (uint64_t i = 0; i < kEntriesPerPmd; ++i) {
      const Vpn first = pmd_first + static_cast<int64_t>(i << kPteTableShift);
      const bool inside = first >= floor && first + static_cast<int64_t>(kPtesPerTable) <= ceiling;
      if (!pmd->entries[i].is_table() || !inside) continue;
      auto* const table = pmd->entries[i].table<PteTable>();
      frames.emplace_back(table->frame);
      delete table;
      pmd->entries[i] = Entry();
      --pmd->used;
      --tables_;
    }
    const bool whole = pmd_first >= floor && pmd_first + (int64_t{1} << kPmdTableShift) <= ceiling;
    if (!whole) {
      ++it;
      continue;
    }
    NUMASIM_CHECK_EQ(pmd->used, 0);
    frames.emplace_back(pmd->frame);
    --tables_;
    if (last_ == pmd) last_key_ = ~uint64_t{0};
    delete pmd;
    it = puds_.erase(it);
  }
  if (!frames.empty()) ++generation_;
  return frames;
}

}  // namespace numasim
