#include "models/page_cache/mapping.h"

#include <algorithm>
#include <iterator>

#include "sim/check.h"

namespace numasim {
namespace {

// pack_shadow(): a bit, the node, and the clock above.
uint64_t Packed(Mapping::Shadow shadow) {
  const uint64_t place = shadow.age * kMaxNodes + static_cast<uint64_t>(shadow.node.value);
  return place * 2 + (shadow.in_workingset ? 1 : 0);
}

Mapping::Shadow Unpacked(uint64_t packed) {
  const uint64_t place = packed / 2;
  return {NodeId{static_cast<int32_t>(place % kMaxNodes)}, place / kMaxNodes, packed % 2 != 0};
}

}  // namespace

Mapping::Leaf* Mapping::SearchLeaf(uint64_t index) const {
  const auto found = leaves_.find(index / kLeafPages);
  if (found == leaves_.end()) return nullptr;
  last_ = found->second.get();
  last_chunk_ = index / kLeafPages;
  return last_;
}

Pfn Mapping::Lookup(uint64_t index) const {
  const Leaf* const leaf = FindLeaf(index);
  if (leaf != nullptr && (leaf->present & BitOf(index)) != 0) return leaf->pages[index % kLeafPages];
  const Pfn head = LookupHuge(index);
  return head == kNoPfn ? kNoPfn : head + static_cast<int64_t>(index % kHugePages);
}

void Mapping::LookupRange(uint64_t first, std::span<Pfn> pages) const {
  if (!huge_.empty()) {
    for (Pfn& page : pages) {
      page = IsLocked(first) ? kNoPfn : Lookup(first);
      ++first;
    }
    return;
  }
  const bool locked = any_locked();
  while (!pages.empty()) {
    const uint64_t slot = first % kLeafPages;
    const size_t count = std::min<size_t>(pages.size(), kLeafPages - slot);
    const Leaf* const leaf = FindLeaf(first);
    for (size_t i = 0; i < count; ++i) {
      const bool there = leaf != nullptr && (leaf->present & BitOf(slot + i)) != 0;
      pages[i] = there && !(locked && IsLocked(first + i)) ? leaf->pages[slot + i] : kNoPfn;
    }
    first += count;
    pages = pages.subspan(count);
  }
}

void Mapping::Insert(uint64_t index, Pfn pfn) {
  Leaf* leaf = FindLeaf(index);
  if (leaf == nullptr)
    leaf = leaves_.emplace(index / kLeafPages, std::make_unique<Leaf>()).first->second.get();
  const uint64_t bit = BitOf(index);
  NUMASIM_CHECK_EQ(leaf->present & bit, uint64_t{0});
  if (leaf->only_shadows()) AddShadowNodes(-1);
  leaf->present |= bit;
  leaf->mapped &= ~bit;
  if ((leaf->shadow & bit) != 0) {
    leaf->shadow &= ~bit;
    --shadows_;
  }
  leaf->pages[index % kLeafPages] = pfn;
  ++pages_;
}

bool Mapping::AnyIn(uint64_t from, uint64_t to) const {
  const std::optional<Page> base = FirstFrom(from);
  if (base.has_value() && base->index < to) return true;
  const auto huge = huge_.lower_bound(from / kHugePages);
  return huge != huge_.end() && huge->first * kHugePages < to;
}

void Mapping::InsertHuge(uint64_t first, Pfn head) {
  NUMASIM_CHECK_EQ(first % kHugePages, uint64_t{0});
  NUMASIM_CHECK(!AnyIn(first, first + kHugePages));
  huge_.emplace(first / kHugePages, head);
  pages_ += kPageblockPages;
}

void Mapping::SplitHuge(uint64_t first) {
  const auto found = huge_.find(first / kHugePages);
  NUMASIM_CHECK(found != huge_.end());
  const Pfn head = found->second;
  huge_.erase(found);
  pages_ -= kPageblockPages;
  for (uint64_t i = 0; i < kHugePages; ++i) Insert(first + i, head + static_cast<int64_t>(i));
}

bool Mapping::Replace(uint64_t index, Pfn from, Pfn to) {
  if (Lookup(index) != from) return false;
  if (const auto huge = huge_.find(index / kHugePages); huge != huge_.end()) {
    huge->second = to;
    return true;
  }
  FindLeaf(index)->pages[index % kLeafPages] = to;
  return true;
}

void Mapping::Erase(uint64_t index) {
  const auto found = leaves_.find(index / kLeafPages);
  NUMASIM_CHECK(found != leaves_.end());
  Leaf& leaf = *found->second;
  NUMASIM_CHECK_NE(leaf.present & BitOf(index), uint64_t{0});
  leaf.present &= ~BitOf(index);
  if (leaf.only_shadows()) AddShadowNodes(1);
  if (leaf.empty()) EraseLeaf(found);
  --pages_;
}

void Mapping::Evict(uint64_t index, Shadow shadow) {
  Leaf* const leaf = FindLeaf(index);
  NUMASIM_CHECK(leaf != nullptr && (leaf->present & BitOf(index)) != 0);
  leaf->present &= ~BitOf(index);
  leaf->shadow |= BitOf(index);
  if (leaf->present == 0) AddShadowNodes(1);
  leaf->pages[index % kLeafPages] = Pfn{Packed(shadow)};
  --pages_;
  ++shadows_;
}

std::optional<Mapping::Shadow> Mapping::ShadowAt(uint64_t index) const {
  const Leaf* const leaf = shadows_ == 0 ? nullptr : FindLeaf(index);
  if (leaf == nullptr || (leaf->shadow & BitOf(index)) == 0) return std::nullopt;
  return Unpacked(leaf->pages[index % kLeafPages].value);
}

void Mapping::ForgetShadows() {
  if (shadows_ == 0) return;
  for (auto it = leaves_.begin(); it != leaves_.end();) {
    if (it->second->only_shadows()) AddShadowNodes(-1);
    it->second->shadow = 0;
    it = it->second->empty() ? EraseLeaf(it) : std::next(it);
  }
  shadows_ = 0;
}

void Mapping::NoteMapped(uint64_t first, uint64_t count) {
  for (uint64_t index = first; index < first + count;) {
    const uint64_t next = std::min(first + count, (index / kLeafPages + 1) * kLeafPages);
    if (Leaf* const leaf = FindLeaf(index); leaf != nullptr) {
      const uint64_t from = ~(BitOf(index) - 1);
      const uint64_t to = next % kLeafPages == 0 ? ~uint64_t{0} : BitOf(next) - 1;
      leaf->mapped |= leaf->present & from & to;
    }
    index = next;
  }
}

void Mapping::NoteUnmapped(uint64_t index) {
  if (Leaf* const leaf = FindLeaf(index); leaf != nullptr) leaf->mapped &= ~BitOf(index);
}

std::vector<Folio> Mapping::TakeRange(uint64_t from, uint64_t to) {
  std::vector<Folio> taken;
  uint64_t base_from = from;  // what is below is taken
  for (auto it = huge_.lower_bound(from / kHugePages); it != huge_.end();) {
    const uint64_t first = it->first * kHugePages;
    if (first >= to || to - first < kHugePages) break;
    if (first < from) {
      ++it;
      continue;
    }
    TakeBase(base_from, first, taken);
    taken.emplace_back(it->second, kPageblockOrder);
    base_from = first + kHugePages;
    pages_ -= kPageblockPages;
    it = huge_.erase(it);
  }
  TakeBase(base_from, to, taken);
  return taken;
}

void Mapping::TakeBase(uint64_t from, uint64_t to, std::vector<Folio>& taken) {
  for (auto it = leaves_.lower_bound(from / kLeafPages);
       it != leaves_.end() && it->first * kLeafPages < to;) {
    Leaf& leaf = *it->second;
    const uint64_t first = it->first * kLeafPages;
    uint64_t range = ~uint64_t{0};
    if (from > first) range &= ~(BitOf(from) - 1);
    if (to < first + kLeafPages) range &= BitOf(to) - 1;
    const uint64_t wanted = leaf.present & range;
    if (leaf.only_shadows()) AddShadowNodes(-1);
    for (uint64_t left = wanted; left != 0; left &= left - 1)
      taken.emplace_back(leaf.pages[static_cast<size_t>(__builtin_ctzll(left))]);
    leaf.present &= ~wanted;
    pages_ -= __builtin_popcountll(wanted);
    shadows_ -= __builtin_popcountll(leaf.shadow & range);
    leaf.shadow &= ~range;
    if (leaf.only_shadows()) AddShadowNodes(1);
    it = leaf.empty() ? EraseLeaf(it) : std::next(it);
  }
}

std::vector<Folio> Mapping::TakeAll() {
  locked_.clear();
  return TakeRange(0, ~uint64_t{0});
}

bool Mapping::Lock(uint64_t index, Pfn pfn) {
  if (Lookup(index) != pfn || IsCollapsing(index)) return false;
  return locked_.emplace(index, pfn).second;
}

bool Mapping::BeginCollapse(uint64_t first) {
  NUMASIM_CHECK_EQ(first % kHugePages, uint64_t{0});
  const auto there = [first](const auto& lock) { return lock.first / kHugePages == first / kHugePages; };
  if (std::any_of(locked_.begin(), locked_.end(), there)) return false;
  return collapsing_.insert(first / kHugePages).second;
}

bool Mapping::AnyCollapsing(uint64_t from, uint64_t to) const {
  const auto found = collapsing_.lower_bound(from / kHugePages);
  return found != collapsing_.end() && *found * kHugePages < to;
}

void Mapping::Unlock(uint64_t index, Pfn pfn) {
  const auto found = locked_.find(index);
  if (found != locked_.end() && found->second == pfn) locked_.erase(found);
}

std::optional<Mapping::Page> Mapping::FirstFrom(uint64_t index) const {
  for (auto it = leaves_.lower_bound(index / kLeafPages); it != leaves_.end(); ++it) {
    const Leaf& leaf = *it->second;
    const bool begins_inside = it->first == index / kLeafPages;
    const uint64_t wanted = begins_inside ? ~(BitOf(index) - 1) : ~uint64_t{0};
    if ((leaf.present & wanted) == 0) continue;
    const auto slot = static_cast<uint64_t>(__builtin_ctzll(leaf.present & wanted));
    return Page{it->first * kLeafPages + slot, leaf.pages[slot]};
  }
  return std::nullopt;
}

void Mapping::AddMapper(uint16_t process) {
  const bool added = mapper_numbers_.try_emplace(process, next_mapper_).second;
  if (added) mappers_.emplace(next_mapper_++, process);
}

void Mapping::DropMapper(uint16_t process) {
  const auto found = mapper_numbers_.find(process);
  NUMASIM_CHECK(found != mapper_numbers_.end());
  mappers_.erase(found->second);
  mapper_numbers_.erase(found);
}

std::optional<Mapping::Mapper> Mapping::MapperFrom(uint64_t number) const {
  const auto found = mappers_.lower_bound(number);
  if (found == mappers_.end()) return std::nullopt;
  return Mapper{found->first, found->second};
}

}  // namespace numasim
