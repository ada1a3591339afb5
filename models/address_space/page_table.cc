#include "models/address_space/page_table.h"

#include "sim/check.h"

namespace numasim {

void PageTable::AddPmd(Vpn vpn, Pfn frame) {
  auto& slot = pmds_[vpn.value >> kPmdTableShift];
  NUMASIM_CHECK(slot == nullptr);
  slot = std::make_unique<PmdTable>();
  slot->frame = frame;
  ++tables_;
}

PteTable& PageTable::AddTable(Vpn vpn, Pfn frame) {
  PmdTable* pmd = FindPmd(vpn);
  NUMASIM_CHECK(pmd != nullptr);
  auto& slot = pmd->tables[(vpn.value >> kPteTableShift) % kTablesPerPmd];
  NUMASIM_CHECK(slot == nullptr);
  slot = std::make_unique<PteTable>();
  slot->frame = frame;
  ++pmd->used;
  ++tables_;
  return *slot;
}

std::vector<Pfn> PageTable::FreeRange(Vpn floor, Vpn ceiling) {
  std::vector<Pfn> frames;
  for (auto it = pmds_.lower_bound(floor.value >> kPmdTableShift); it != pmds_.end();) {
    const Vpn pmd_first{it->first << kPmdTableShift};
    if (pmd_first >= ceiling) break;
    PmdTable& pmd = *it->second;
    for (uint64_t i = 0; i < kTablesPerPmd; ++i) {
      const Vpn first = pmd_first + static_cast<int64_t>(i << kPteTableShift);
      if (pmd.tables[i] == nullptr || first < floor || first + static_cast<int64_t>(kPtesPerTable) > ceiling)
        continue;
      frames.push_back(pmd.tables[i]->frame);
      pmd.tables[i].reset();
      --pmd.used;
      --tables_;
    }
    const bool whole = pmd_first >= floor && pmd_first + (int64_t{1} << kPmdTableShift) <= ceiling;
    if (!whole) {
      ++it;
      continue;
    }
    NUMASIM_CHECK_EQ(pmd.used, 0);
    frames.push_back(pmd.frame);
    --tables_;
    if (last_ == it->second.get()) last_key_ = ~uint64_t{0};
    it = pmds_.erase(it);
  }
  return frames;
}

}  // namespace numasim
