#include "models/address_space/address_space.h"

#include <algorithm>
#include <utility>

#include "sim/check.h"

namespace numasim {
namespace {

constexpr int kLeastOrder = kPageblockOrder;                  // the alignment where all gigabytes are taken
constexpr int64_t kAlignment = int64_t{1} << kPmdTableShift;  // 1 GiB
// FrameOwner::index can tell pages apart up to here: 4 TiB.
constexpr uint64_t kEndOfSpace = uint64_t{1} << 30;

bool SameAttributes(const Vma& a, const Vma& b) {
  return a.access == b.access && a.policy == b.policy && a.thp == b.thp && a.locked == b.locked;
}

// is_mergeable_anon_vma() for an area with this anon_vma and a VMA beside it. As in 6.1, a VMA without one
// does not take in an area that has one.
bool AnonVmaFits(uint32_t anon_vma, const Vma& beside) {
  const bool singular = beside.anon_vma != 0 && !beside.anon_inherited;
  return anon_vma == beside.anon_vma || ((anon_vma == 0 || beside.anon_vma == 0) && singular);
}

// Whether an area with the attributes of `wanted`, that adjoins `beside` and whose page at `at` would be its
// page too, can become part of it (can_vma_merge_before, can_vma_merge_after). Mappings lie apart in the
// kernel and stay what they are; here they may adjoin.
bool Fits(const Vma& wanted, const Vma& beside, Vpn at) {
  return SameAttributes(wanted, beside) && wanted.mapping == beside.mapping && !beside.hugetlb() &&
         wanted.IndexOf(at) == beside.IndexOf(at) && AnonVmaFits(wanted.anon_vma, beside);
}

}  // namespace

// ---- where mappings go ----

void AddressSpace::MakeRooms() {
  constexpr Vpn kEnd{kEndOfSpace};
  rooms_.emplace(Rooms{RoomIndex(kPmdTableShift, kEnd), RoomIndex(kLeastOrder, kEnd)});
  Vpn end = kStartOfSpace;
  for (const auto& [start, vma] : vmas_) {
    GapChanged(end, vma.start, true);
    end = vma.end;
  }
  GapChanged(end, kEnd, true);
}

void AddressSpace::GapChanged(Vpn begin, Vpn end, bool gap) {
  if (begin >= end) return;
  for (RoomIndex* const index : {&rooms_->gigabytes, &rooms_->pageblocks}) {
    gap ? index->Add(begin, end) : index->Forget(begin, end);
  }
}

AddressSpace::Gap AddressSpace::GapBelow(Vmas::const_iterator next) const {
  Gap gap{kStartOfSpace, next == vmas_.end() ? Vpn{kEndOfSpace} : next->second.start};
  if (next != vmas_.begin()) gap.floor = std::prev(next)->second.end;
  return gap;
}

Vpn AddressSpace::Place(int64_t pages, uint8_t order) {
  const int64_t room = (pages + kAlignment - 1) / kAlignment * kAlignment;
  if (next_.value <= kEndOfSpace && static_cast<uint64_t>(room) <= kEndOfSpace - next_.value) {
    return std::exchange(next_, next_ + room);
  }
  if (!rooms_.has_value()) MakeRooms();
  std::optional<Vpn> start = rooms_->gigabytes.FirstWith(pages);
  if (!start.has_value() && order <= kLeastOrder) start = rooms_->pageblocks.FirstWith(pages);
  return start.value_or(kNoRoom);
}

Vpn AddressSpace::Map(Vma vma, int64_t pages) {
  NUMASIM_CHECK(pages > 0);
  if (static_cast<uint64_t>(pages) > kEndOfSpace) return kNoRoom;
  vma.start = Place(pages, vma.huge.order);
  if (vma.start == kNoRoom) return kNoRoom;
  vma.end = vma.start + pages;
  if (vma.anonymous()) vma.pgoff = vma.start.value;
  vma.mapping = next_mapping_++;
  if (rooms_.has_value()) {
    const Gap gap = GapBelow(vmas_.lower_bound(vma.start.value));
    GapChanged(gap.floor, gap.ceiling, false);
    GapChanged(gap.floor, vma.start, true);
    GapChanged(vma.end, gap.ceiling, true);
  }
  Insert(vma);
  return vma.start;
}

// ---- VMAs and what is known of them ----

void AddressSpace::Insert(const Vma& vma) {
  const bool added = vmas_.emplace(vma.start.value, vma).second;
  NUMASIM_CHECK(added);
  ++generation_;
  if (!vma.anonymous()) of_files_.emplace(vma.hugetlb(), vma.file.value, vma.start.value);
}

AddressSpace::Vmas::iterator AddressSpace::Erase(Vmas::iterator it) {
  const Vma& vma = it->second;
  if (!vma.anonymous()) of_files_.erase({vma.hugetlb(), vma.file.value, vma.start.value});
  ++generation_;
  return vmas_.erase(it);
}

void AddressSpace::SetFile(Vma& vma, FileId file) {
  NUMASIM_CHECK(vma.anonymous() || vma.file == file);
  vma.file = file;
  if (!vma.anonymous()) of_files_.emplace(vma.hugetlb(), vma.file.value, vma.start.value);
}

// Moves its lower end. `vma` is at another place then.
void AddressSpace::SetStart(Vma& vma, Vpn start) {
  Vma moved = vma;
  moved.pgoff += start.value - vma.start.value;
  moved.start = start;
  Erase(vmas_.find(vma.start.value));
  Insert(moved);
}

Vpn AddressSpace::MappedUntil(Vpn begin, Vpn end) const {
  Vpn reach = begin;
  for (const Vma* vma = Find(reach); vma != nullptr && reach < end; vma = Find(reach)) reach = vma->end;
  return std::min(reach, end);
}

const Vma* AddressSpace::Find(Vpn vpn) const {
  auto it = vmas_.upper_bound(vpn.value);
  if (it == vmas_.begin()) return nullptr;
  --it;
  return vpn < it->second.end ? &it->second : nullptr;
}

const Vma* AddressSpace::FindFrom(Vpn vpn) const {
  if (const Vma* const holder = Find(vpn); holder != nullptr) return holder;
  const auto next = vmas_.lower_bound(vpn.value);
  return next == vmas_.end() ? nullptr : &next->second;
}

bool AddressSpace::CutsHugePage(Vpn vpn) const {
  const Vma* const vma = Find(vpn);
  return vma != nullptr && vma->CutsHugePage(vpn);
}

void AddressSpace::SplitAt(Vpn vpn) {
  Vma* const low = Find(vpn);
  if (low == nullptr || low->start == vpn) return;
  if (!low->hugetlb()) CutPmd(vpn);
  Vma high = *low;
  high.start = vpn;
  high.pgoff = low->IndexOf(vpn);
  low->end = vpn;
  Insert(high);
}

void AddressSpace::CutPmd(Vpn vpn) {
  const Vpn first{vpn.value / kPtesPerTable * kPtesPerTable};
  if (first != vpn) SplitPmd(first);
}

void AddressSpace::SplitPmd(Vpn first) {
  const Entry* const leaf = page_table_.FindHuge(first, kPteTableShift);
  if (leaf == nullptr) return;
  ++pmd_splits_.count;
  const Entry entry = *leaf;
  if (entry.zero_page() || entry.anon()) {
    page_table_.SplitThp(first);
    if (entry.anon() && entry.present()) pmd_splits_.anon.push_back(Folio(entry.pfn(), kPteTableShift));
    return;
  }
  page_table_.SetHuge(first, kPteTableShift, Entry());
  if (entry.present()) pmd_splits_.file.push_back(Folio(entry.pfn(), kPteTableShift));
}

std::vector<Vma> AddressSpace::Remove(Vpn begin, Vpn end) {
  SplitAt(begin);
  SplitAt(end);
  std::vector<Vma> removed;
  auto it = vmas_.lower_bound(begin.value);
  while (it != vmas_.end() && it->second.start < end) {
    if (rooms_.has_value()) {
      // The gaps on both sides and the VMA between them become one gap.
      const Gap below = GapBelow(it);
      const Gap above = GapBelow(std::next(it));
      GapChanged(below.floor, below.ceiling, false);
      GapChanged(above.floor, above.ceiling, false);
      GapChanged(below.floor, above.ceiling, true);
    }
    removed.push_back(it->second);
    it = Erase(it);
  }
  return removed;
}

AddressSpace::Gap AddressSpace::GapAround(Vpn begin, Vpn end) const {
  Gap gap{Vpn{0}, Vpn{kEndOfSpace}};
  auto it = vmas_.lower_bound(end.value);
  if (it != vmas_.end()) gap.ceiling = it->second.start;
  it = vmas_.lower_bound(begin.value);
  if (it != vmas_.begin()) gap.floor = std::prev(it)->second.end;
  return gap;
}

void AddressSpace::CopyVmasFrom(const AddressSpace& parent) {
  vmas_ = parent.vmas_;
  ++generation_;
  of_files_ = parent.of_files_;
  next_ = parent.next_;
  next_mapping_ = parent.next_mapping_;
  rooms_.reset();
  for (auto& [start, vma] : vmas_) {
    vma.locked = false;
    if (vma.anon_vma == 0) continue;
    // anon_vma_fork(): one for each VMA, also where those of the parent share theirs.
    vma.anon_vma = next_anon_vma_++;
    vma.anon_inherited = true;
  }
}

// ---- changing parts of VMAs ----

AddressSpace::Changed AddressSpace::Change(Vpn begin, Vpn end, int64_t max_map_count,
                                           const std::function<void(Vma&)>& f) {
  Changed changed;
  changed.until = begin;
  while (changed.until < end) {
    const Vma* vma = Find(changed.until);
    if (vma == nullptr) {
      changed.whole = false;
      const auto next = vmas_.lower_bound(changed.until.value);
      if (next == vmas_.end() || next->second.start >= end) break;
      vma = &next->second;
      changed.until = vma->start;
    }
    const Vpn part_end = std::min(vma->end, end);
    changed.refusal = ChangePart(changed.until, part_end, max_map_count, f);
    if (changed.refusal != Refusal::kNone) return changed;
    changed.until = part_end;
  }
  changed.until = end;
  return changed;
}

// mprotect_fixup(), madvise_update_vma(), mbind_range(): [begin, end) is in one VMA. A split that succeeded
// stays where the second is refused.
AddressSpace::Refusal AddressSpace::ChangePart(Vpn begin, Vpn end, int64_t max_map_count,
                                               const std::function<void(Vma&)>& f) {
  Vma& vma = *Find(begin);
  Vma wanted = vma;
  f(wanted);
  if (SameAttributes(wanted, vma) || MergePart(vma, begin, end, wanted)) return Refusal::kNone;
  const Vma before = vma;
  for (const Vpn cut : {begin, end}) {
    if (cut == before.start || cut == before.end) continue;
    if (map_count() >= max_map_count) return Refusal::kTooMany;
    if (before.CutsHugePage(cut)) return Refusal::kCutsHugePage;
    SplitAt(cut);
  }
  f(*Find(begin));
  return Refusal::kNone;
}

// vma_merge(): [begin, end) of `vma`, which is to have the attributes of `wanted`, becomes part of the VMA
// below or above, or of both with each other. False if it cannot.
bool AddressSpace::MergePart(Vma& vma, Vpn begin, Vpn end, const Vma& wanted) {
  Vma* const below = begin == vma.start ? Find(begin + -1) : nullptr;
  Vma* const above = end == vma.end ? Find(end) : nullptr;
  const bool into_below = below != nullptr && Fits(wanted, *below, begin);
  const bool into_above = above != nullptr && Fits(wanted, *above, end);
  if (!into_below && !into_above) return false;
  const Vpn vma_start = vma.start;
  const bool all_of_vma = begin == vma.start && end == vma.end;
  const bool both = into_below && into_above &&
                    (below->anon_vma == 0 || above->anon_vma == 0 || below->anon_vma == above->anon_vma);
  if (both) {
    Vma whole = *below;
    whole.end = above->end;
    if (whole.anon_vma == 0) whole.anon_vma = above->anon_vma;
    for (const Vpn part : {below->start, vma_start, above->start}) Erase(vmas_.find(part.value));
    Insert(whole);
    return true;
  }
  // One grows by what the other loses.
  CutPmd(into_below ? end : begin);
  if (into_below) {
    below->end = end;
    ++generation_;
    all_of_vma ? static_cast<void>(Erase(vmas_.find(vma_start.value))) : SetStart(vma, end);
  } else {
    const Vpn above_start = above->start;
    if (all_of_vma) {
      Erase(vmas_.find(vma_start.value));
    } else {
      vma.end = begin;
    }
    SetStart(vmas_.find(above_start.value)->second, begin);
  }
  return true;
}

// find_mergeable_anon_vma(): that of a neighbour which differs in what it allows at most, so that the two can
// become one again; else a new one.
uint32_t AddressSpace::FindAnonVma(const Vma& vma) {
  const auto usable = [&vma](const Vma* beside, Vpn at) {
    return beside != nullptr && beside->anon_vma != 0 && !beside->anon_inherited &&
           beside->mapping == vma.mapping && beside->policy == vma.policy && beside->thp == vma.thp &&
           beside->IndexOf(at) == vma.IndexOf(at);
  };
  const Vma* const above = Find(vma.end);
  if (usable(above, vma.end)) return above->anon_vma;
  const Vma* const below = Find(vma.start + -1);
  if (usable(below, vma.start)) return below->anon_vma;
  return next_anon_vma_++;
}

}  // namespace numasim
