#include "models/mm/local_pledge.h"

#include <algorithm>

#include "models/thp/thp_allowed.h"
#include "sim/check.h"

namespace numasim {
namespace {

// What may go of a zone's whole pageblocks beyond the pages that are asked for: of the block that is broken
// up for movable pages, and of the one that page tables claim.
constexpr int64_t kBroken = 2 << kMaxOrder;

// Refills that may put pages on the lists of a CPU that nobody takes: of movable ones, and of tables.
constexpr int64_t kRefills = 2;

// Tables that an entry to be copied may take.
constexpr int64_t kTablesAtMost = 2;

// How far ahead entries are looked at, at once.
constexpr int64_t kFarAhead = 8 * static_cast<int64_t>(kPtesPerTable);
// The same where none is there: mostly not even a table.
constexpr int64_t kVeryFarAhead = int64_t{1} << kPmdTableShift;

}  // namespace

LocalPledge::LocalPledge(const MemorySystem& memory, Node& home, const Process& process, bool draws)
    : memory_(memory), home_(home), process_(process), draws_(draws) {
  if (draws_) ++home_.drawing;
}

LocalPledge::~LocalPledge() {
  if (draws_) --home_.drawing;
}

bool LocalPledge::IsLocal(const MemPolicy& policy) const {
  if (policy.mode == MemPolicy::Mode::kInterleave) return false;
  const Placement placement = PlaceNear(policy, home_.id);
  return placement.preferred == home_.id && placement.allowed.Has(home_.id);
}

bool LocalPledge::IsHere(Entry entry) const {
  if (zone_ == nullptr || !zone_->frames().Contains(entry.pfn())) zone_ = memory_.ZoneOf(entry.pfn());
  return zone_->node() == home_.id;
}

// Somebody waits who would go on, and may have made no pledge.
bool LocalPledge::MayBeDisturbed() const {
  const bool waits = process_.killed || process_.in_khugepaged || memory_.cpu(process_.cpu).has_waiters() ||
                     process_.space.mmap_lock().has_waiters();
  return waits || !std::all_of(home_.zones.begin(), home_.zones.end(), [](const auto& zone) {
           return zone == nullptr || zone->lock().only_pledges_wait();
         });
}

// Where such requests of its CPUs look first, if that is on the node; else null.
const Zone* LocalPledge::FirstZone(GfpFlags gfp) const {
  const auto& zonelist = memory_.Zonelist(home_.id, GfpZone(gfp));
  const auto first = std::find_if(zonelist.begin(), zonelist.end(), [&](const Zone* zone) {
    return zone->node() != home_.id || zone->present() > 0;
  });
  return first == zonelist.end() || (*first)->node() != home_.id ? nullptr : *first;
}

// How many pages the first zone for such requests gives for certain, as long as nobody else draws on it: from
// its free lists, without a look at another zone, kswapd, or a pageblock of which only a part is taken for
// another type.
int64_t LocalPledge::CertainPages(GfpFlags gfp) const {
  const Zone* const first = FirstZone(gfp);
  if (first == nullptr) return 0;
  const Zone& zone = *first;
  const Buddy& buddy = zone.buddy();
  if (buddy.cma_pages() > 0 || zone.boosted()) return 0;
  int64_t whole = 0;
  for (int order = kPageblockOrder; order <= kMaxOrder; ++order)
    whole += int64_t{buddy.list(order, Migratetype::kMovable).count()} << order;
  const PerZoneType<int64_t>& reserve = zone.lowmem_reserve();
  const int64_t kept = zone.Mark(kAllocWmarkHigh) + *std::max_element(reserve.begin(), reserve.end());
  const int64_t on_lists = kRefills * home_.drawing * zone.pcp(process_.cpu).batch;
  return std::min(whole, buddy.free_pages() - kept) - kBroken - on_lists;
}

sim::SimTime LocalPledge::Until(sim::SimTime next) const {
  if (MayBeDisturbed()) return next;
  const Steps left = Left();
  int64_t count = left.count;
  if (draws_ && count > 0) {
    // The step that is under way may take some of them, too: of what is kept aside.
    const int64_t pages =
        std::min(CertainPages(kGfpHighuserMovable), CertainPages(kGfpKernel)) / home_.drawing;
    if (pages <= 0) return next;
    if (left.pages > 0) count = std::min(count, pages / left.pages);
  }
  return count <= 0 ? next : next + left.each * count;
}

LocalPledge::Steps TouchPledge::Left() const {
  const Vpn at{loop_.at >> kPageShift};
  const Vma* const vma = process_.space.Find(at + 1);
  if (vma == nullptr || at < vma->start || !IsHarmless(at)) return {};
  if (!vma->anonymous() || vma->hugetlb() || vma->access != Access::kReadWrite) return {};
  if (!IsLocal(PolicyOf(process_, *vma)) || !IsLocal(process_.policy) || ThpEnabled(home_.thp, *vma))
    return {};
  const bool as_seen =
      fresh_ || (moves_ == process_.space.moves() && tables_ == process_.space.page_table().generation());
  if (at < from_ || at + 1 >= until_ || !as_seen) LookAhead(*vma, at);
  const uint64_t end = std::min(until_.value << kPageShift, loop_.end);
  Steps left = step_;
  left.count = loop_.at + 1 >= end ? 0 : static_cast<int64_t>((end - 1 - loop_.at) / loop_.stride);
  return left;
}

// Whether the access to this page, which is under way or over, meets no page of another node.
bool TouchPledge::IsHarmless(Vpn vpn) const {
  const PageTable& tables = process_.space.page_table();
  const Entry* const entry = tables.FindEntry(vpn);
  if (entry == nullptr) return tables.FindHuge(ThpStart(vpn), kPteTableShift) == nullptr;
  if (entry->none()) return true;
  return entry->present() && (entry->writable() || entry->zero_page() || IsHere(*entry));
}

// What the accesses behind the one to this page meet, up to where they meet something else.
void TouchPledge::LookAhead(const Vma& vma, Vpn from) const {
  const Costs& costs = memory_.costs();
  const PageTable& tables = process_.space.page_table();
  const Vpn next = from + 1;
  from_ = from;
  until_ = next;
  moves_ = process_.space.moves();
  tables_ = tables.generation();
  const Entry* const first = tables.FindEntry(next);
  fresh_ = first == nullptr || first->none();
  const bool writable = !fresh_ && first->writable();
  // Of more than one access to a page only the first takes a fault.
  if (!writable && loop_.stride < kPageSize) return;
  if (fresh_) {
    // The first page of a table takes that, too.
    step_ = {0, costs.fault + costs.pcp_alloc + costs.clear_page + costs.map_page, 2};
    const Vpn end = std::min(vma.end, next + kVeryFarAhead);
    until_ = tables.Walk(next, end, [](Vpn, const Entry&, int) { return false; });
    return;
  }
  step_ = {0, writable ? costs.touch : costs.fault, writable ? 0 : 1};
  tables.Walk(next, std::min(vma.end, next + kFarAhead), [&](Vpn vpn, const Entry& entry, int order) {
    const bool like = vpn == until_ && order == 0 && entry.present() && entry.writable() == writable;
    if (!like || !(writable || entry.zero_page() || IsHere(entry))) return false;
    ++until_.value;
    return true;
  });
}

void WalkPledge::Add(Vpn begin, Vpn end) {
  if (!all_here_) return;
  // Where a node has several zones, large processes have their pages in one.
  const Zone* const zone = FirstZone(kGfpHighuserMovable);
  const int64_t entries = zone == nullptr ? -1
                                          : process_.space.page_table().CountAnonIn(
                                                begin, end, zone->frames().start(), zone->frames().end());
  all_here_ = entries >= 0;
  left_ += entries;
}

LocalPledge::Steps WalkPledge::Left() const {
  if (!all_here_ || moves_ != process_.space.moves() || !IsLocal(process_.policy)) return {};
  return {left_, each_, draws() ? kTablesAtMost : 0};
}

}  // namespace numasim
