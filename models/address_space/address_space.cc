#include "models/address_space/address_space.h"

#include <algorithm>
#include <utility>

#include "sim/check.h"

namespace numasim {
namespace {

constexpr int64_t kAlignment = int64_t{1} << kPmdTableShift;  // 1 GiB
constexpr int64_t kLeastAlignment = kPageblockPages;          // where that is all taken
// FrameOwner::index can tell pages apart up to here: 4 TiB.
constexpr uint64_t kEndOfSpace = uint64_t{1} << 30;

constexpr uint64_t kStartOfSpace = static_cast<uint64_t>(kAlignment);  // nothing is mapped below

}  // namespace

Vpn AddressSpace::FindRoom(int64_t pages, int64_t alignment) const {
  const auto align = static_cast<uint64_t>(alignment);
  uint64_t at = kStartOfSpace;
  for (const auto& [start, vma] : vmas_) {
    if (start >= at && start - at >= static_cast<uint64_t>(pages)) return Vpn{at};
    at = std::max(at, (vma.end.value + align - 1) / align * align);
  }
  return at <= kEndOfSpace && kEndOfSpace - at >= static_cast<uint64_t>(pages) ? Vpn{at} : kNoRoom;
}

Vpn AddressSpace::Map(Vma vma, int64_t pages) {
  NUMASIM_CHECK(pages > 0);
  if (static_cast<uint64_t>(pages) > kEndOfSpace) return kNoRoom;
  const int64_t room = (pages + kAlignment - 1) / kAlignment * kAlignment;
  if (next_.value <= kEndOfSpace && static_cast<uint64_t>(room) <= kEndOfSpace - next_.value) {
    vma.start = next_;
    next_ = next_ + room;
  } else {
    vma.start = FindRoom(pages, kAlignment);
    if (vma.start == kNoRoom)
      vma.start = FindRoom(pages, std::max(kLeastAlignment, int64_t{1} << vma.huge.order));
    if (vma.start == kNoRoom) return kNoRoom;
  }
  vma.end = vma.start + pages;
  if (vma.anonymous()) vma.pgoff = vma.start.value;
  vmas_.emplace(vma.start.value, vma);
  return vma.start;
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
  return vma != nullptr && vma->hugetlb() && vpn.value % (uint64_t{1} << vma->huge.order) != 0;
}

void AddressSpace::SplitAt(Vpn vpn) {
  auto it = vmas_.upper_bound(vpn.value);
  if (it == vmas_.begin()) return;
  --it;
  Vma& low = it->second;
  if (low.start == vpn || vpn >= low.end) return;
  Vma high = low;
  high.start = vpn;
  high.pgoff = low.IndexOf(vpn);
  low.end = vpn;
  vmas_.emplace(vpn.value, high);
}

bool AddressSpace::ForEachSplit(Vpn begin, Vpn end, const std::function<void(Vma&)>& f) {
  SplitAt(begin);
  SplitAt(end);
  Vpn covered = begin;
  bool whole = true;
  for (auto it = vmas_.lower_bound(begin.value); it != vmas_.end() && it->second.start < end; ++it) {
    whole = whole && it->second.start == covered;
    covered = it->second.end;
    f(it->second);
  }
  return whole && covered == end;
}

std::vector<Vma> AddressSpace::Remove(Vpn begin, Vpn end) {
  SplitAt(begin);
  SplitAt(end);
  std::vector<Vma> removed;
  auto it = vmas_.lower_bound(begin.value);
  while (it != vmas_.end() && it->second.start < end) {
    removed.push_back(it->second);
    it = vmas_.erase(it);
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

}  // namespace numasim
