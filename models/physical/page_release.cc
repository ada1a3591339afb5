// How pages lose mappings and references, and are freed with the last of them (page_remove_rmap, put_page,
// release_pages, free_unref_page_list of Linux 6.1).
#include <algorithm>
#include <bit>

#include "models/physical/page_allocator.h"
#include "models/physical/pages_to_drop.h"
#include "models/physical/thp_page.h"
#include "models/physical/zone_costs.h"
#include "sim/check.h"

namespace numasim {
namespace {

struct Dropped {
  size_t pages = 0;   // how many have lost a mapping
  int64_t freed = 0;  // of these
};

// Whether the frames [first, first + count) of a pageblock that is broken up are pages of anonymous memory
// that one entry maps each, and nobody holds.
bool AllMappedOnce(FrameStore& frames, FrameIndex first, size_t count) {
  // Owners as numbers, without what differs from page to page: so the loops have no branches.
  const auto wanted = std::bit_cast<uint64_t>(FrameOwner{FrameOwner::kAnon, 1, 0, 0});
  const auto kind_and_count = std::bit_cast<uint64_t>(FrameOwner{7, 0x7fff, 0, 0});
  const FrameOwner* const owners = &frames.owner(first, 0);
  uint64_t other = 0;
  for (size_t i = 0; i < count; ++i) other |= std::bit_cast<uint64_t>(owners[i]) ^ wanted;
  const uint8_t* const states = &frames.small_state(first);
  uint8_t other_state = 0;
  for (size_t i = 0; i < count; ++i) other_state |= states[i] ^ FrameStore::Code(FrameKind::kAllocated, 0);
  return (other & kind_and_count) == 0 && other_state == 0;
}

// Takes a mapping from each of the frames last, last - 1 and so on, of a pageblock that is broken up, up to
// the first that is no page of anonymous memory, or that somebody holds. Those that nothing maps any more go
// to the front of the list.
Dropped DropRun(FrameStore& frames, FrameIndex last, size_t count, FrameRing& list) {
  // What a cache line of owners has is asked for before the first is read: they are mostly in no near cache.
  constexpr size_t kOwnersInLine = 8;
  for (size_t i = 0; i < count; i += kOwnersInLine) frames.PrefetchFrame(last - static_cast<FrameIndex>(i));
  Dropped dropped;
  const auto list_run = [&](FrameIndex first, uint32_t run) {
    if (run == 0) return;
    frames.SetSingles(first, run, FrameKind::kPcp);
    dropped.freed += run;
    list.PushFrontRun(first, run);
  };
  const FrameIndex first = last + 1 - static_cast<FrameIndex>(count);
  if (AllMappedOnce(frames, first, count)) {
    // Who has known the page sees that nothing maps it any more.
    FrameOwner* const owners = &frames.owner(first, 0);
    for (size_t i = 0; i < count; ++i) owners[i].mapcount = 0;
    dropped.pages = count;
    list_run(first, static_cast<uint32_t>(count));
    return dropped;
  }
  uint32_t run = 0;  // so many before this one are to go there
  // The tables are walked from here downwards.
  FrameOwner* owner = &frames.owner(last, 0);
  const uint8_t* state = &frames.small_state(last);
  FrameIndex frame = last;
  for (; dropped.pages < count; ++dropped.pages, --frame, --owner, --state) {
    if (*state != FrameStore::Code(FrameKind::kAllocated, 0) || owner->kind != FrameOwner::kAnon) break;
    NUMASIM_CHECK(owner->mapcount > 0);
    if (--owner->mapcount == 0) {
      ++run;
    } else {
      list_run(frame + 1, std::exchange(run, 0));
    }
  }
  list_run(frame + 1, run);
  return dropped;
}

// The common case of DropOnNode(), without a look at each page from all sides: mappings of base pages of
// anonymous memory that nobody holds, up to the first page that is another kind or for which the CPU's list
// would give pages back. Returns how many were freed.
int64_t DropAtHand(Node& node, Zone& zone, CpuId cpu, PagesToDrop& pages) {
  FrameStore& frames = zone.frames();
  PcpLists& lists = zone.pcp(cpu);
  const int64_t room = int64_t{lists.high} - 1 - lists.count;
  int64_t freed = 0;
  while (!pages.empty() && freed < room) {
    const Folio front = pages.front();
    if (front.order() != 0 || !frames.Contains(front.head())) break;
    const FrameIndex last = frames.Index(front.head());
    const Migratetype type = frames.pageblock_type(last);
    if (ThpPage::Holds(frames, last) || static_cast<int>(type) >= kPcpMigratetypes) break;
    const int64_t in_block =
        std::min(static_cast<int64_t>(front.head().value % kPageblockPages), front.head() - frames.start()) +
        1;
    const size_t count = pages.RunDown(static_cast<size_t>(std::min(in_block, room - freed)));
    const Dropped run = DropRun(frames, last, count, lists.lists[PcpLists::ListOf(0, type)]);
    pages.Skip(run.pages);
    freed += run.freed;
    if (run.pages < count) break;
  }
  lists.count += static_cast<int32_t>(freed);
  zone.counter(PCP_PAGES) += freed;
  node.counter(NR_ANON_PAGES) -= freed;
  node.counter(PGFREE) += freed;
  return freed;
}

}  // namespace

sim::Task<void> PageAllocator::Release(sim::Path& path, CpuId cpu, std::span<const Folio> pages) {
  return Drop(path, cpu, pages, Reference::kMapping);
}

sim::Task<void> PageAllocator::Release(sim::Path& path, CpuId cpu, Folio page) {
  co_await Drop(path, cpu, std::span(&page, 1), Reference::kMapping);
}

sim::Task<void> PageAllocator::DropRefs(sim::Path& path, CpuId cpu, std::span<const Folio> pages) {
  return Drop(path, cpu, pages, Reference::kHold);
}

sim::Task<void> PageAllocator::DropRefs(sim::Path& path, CpuId cpu, Folio page) {
  co_await Drop(path, cpu, std::span(&page, 1), Reference::kHold);
}

sim::Task<void> PageAllocator::ReleaseHere(sim::Path& path, CpuId cpu, std::span<const Folio> pages) {
  if (pages.empty()) co_return;
  Node& node = memory_.node(NodeOf(pages.front().head()));
  NUMASIM_DCHECK(memory_.IsOn(path, node.id));
  co_await DropOnNode(path, cpu, node, PagesToDrop(pages), Reference::kMapping);
}

sim::Task<void> PageAllocator::DropRefsHere(sim::Path& path, CpuId cpu, std::span<const Folio> pages) {
  Node& node = memory_.node(NodeOf(pages.front().head()));
  NUMASIM_DCHECK(memory_.IsOn(path, node.id));
  return DropOnNode(path, cpu, node, PagesToDrop(pages), Reference::kHold);
}

sim::Task<void> PageAllocator::ReleaseFromEnd(sim::Path& path, CpuId cpu, std::span<const FolioRun> runs) {
  if (runs.empty()) co_return;
  Zone& zone = *memory_.ZoneOf(runs.front().first.head());
  const bool in_one_zone = std::all_of(runs.begin(), runs.end(), [&](const FolioRun& run) {
    return run.first.head() >= zone.frames().start() && run.end() <= zone.frames().end();
  });
  if (in_one_zone) {
    const sim::LpId home = path.lp();
    Node& node = memory_.node(zone.node());
    co_await path.GoTo(node.lp, memory_.costs().hop);
    co_await DropOnNode(path, cpu, node, PagesToDrop(runs), Reference::kMapping);
    co_await path.GoTo(home, memory_.costs().hop);
    co_return;
  }
  std::vector<Folio> pages;
  for (PagesToDrop each(runs); !each.empty(); each.Skip(1)) pages.push_back(each.front());
  co_await Drop(path, cpu, pages, Reference::kMapping);
}

sim::Task<void> PageAllocator::Drop(sim::Path& path, CpuId cpu, std::span<const Folio> pages,
                                    Reference which) {
  const sim::LpId home = path.lp();
  std::vector<Folio> room;
  for (pages = NodeByNode(pages, room); !pages.empty();) {
    const size_t count = room.empty() ? pages.size() : CountOnOneNode(pages);
    Node& node = memory_.node(NodeOf(pages.front().head()));
    co_await path.GoTo(node.lp, memory_.costs().hop);
    co_await DropOnNode(path, cpu, node, PagesToDrop(pages.first(count)), which);
    pages = pages.subspan(count);
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

// Drops one reference of a page. Whether the page is to be freed: nobody can take a reference any more while
// it waits for zone->lock.
bool PageAllocator::DropOne(Node& node, Zone& zone, Folio page, Reference which) {
  const FrameIndex frame = zone.frames().Index(page.head());
  if (which == Reference::kHold) return zone.DropRef(frame, page.order());
  FrameOwner& owner = zone.frames().owner(frame, page.order());
  if (IsAnonThp(owner, page.order())) return UnmapPmd(node, zone, frame);
  NUMASIM_CHECK(owner.mapcount > 0);
  --owner.mapcount;
  if (IsShmemThp(owner, page.order()) && owner.mapcount == 1) --node.counter(NR_SHMEM_PMDMAPPED);
  return owner.mapcount == 0 && !zone.frames().IsHeld(frame, page.order());
}

// page_remove_rmap() of a PMD (page_remove_anon_compound_rmap): where it was the last, and base entries map a
// part of the page, the rest is of no use.
bool PageAllocator::UnmapPmd(Node& node, Zone& zone, FrameIndex frame) {
  const ThpPage page(zone.frames(), frame);
  const int64_t before = page.MappedParts();
  page.RemovePmd();
  const int64_t mapped = page.MappedParts();
  node.counter(NR_ANON_PAGES) += mapped - before;
  if (page.pmds() == 0) {
    --node.counter(NR_ANON_THPS);
    if (mapped > 0 && mapped < kPageblockPages) QueueSplit(node, zone, page);
  }
  return !page.mapped() && !zone.frames().IsHeld(page.head(), ThpPage::kOrder);
}

// page_remove_rmap() of a base entry that mapped part of a huge page.
bool PageAllocator::UnmapPart(Node& node, Zone& zone, FrameIndex part) {
  const ThpPage page(zone.frames(), part);
  if (page.RemovePart(part)) {
    --node.counter(NR_ANON_PAGES);
    QueueSplit(node, zone, page);
  }
  return !page.mapped() && !zone.frames().IsHeld(page.head(), ThpPage::kOrder);
}

// `pages` are all on the node.
sim::Task<void> PageAllocator::DropOnNode(sim::Path& path, CpuId cpu, Node& node, PagesToDrop pages,
                                          Reference which) {
  const Costs& costs = memory_.costs();
  int64_t freed = 0;
  for (; !pages.empty(); pages.Skip(1)) {
    Zone* zone = memory_.ZoneOf(pages.front().head());
    if (which == Reference::kMapping) {
      freed += DropAtHand(node, *zone, cpu, pages);
      if (pages.empty()) break;
      zone = memory_.ZoneOf(pages.front().head());
    }
    const Folio given = pages.front();
    const FrameIndex frame = zone->frames().Index(given.head());
    const Folio page = ThpPage::WholeOf(zone->frames(), given);
    const bool part_unmapped = page != given && which == Reference::kMapping;
    if (!(part_unmapped ? UnmapPart(node, *zone, frame) : DropOne(node, *zone, page, which))) continue;
    if (page.order() > 0) {
      co_await FreeBlock(path, cpu, page.order(), node, page.head());
      continue;
    }
    Disown(node, *zone, frame, 0);
    ++node.counter(PGFREE);
    ++freed;
    if (!zone->PcpWillDrain(cpu, frame, 0)) {
      zone->FreePcp(cpu, frame, 0);
      continue;
    }
    co_await zone->lock().Acquire(path);
    const Zone::Drained drained = zone->FreePcp(cpu, frame, 0);
    co_await path.Take(LockCost(costs, *zone, cpu) + DrainCost(costs, drained));
    zone->lock().Release(path);
  }
  co_await path.Take(costs.pcp_free * freed);
}

}  // namespace numasim
