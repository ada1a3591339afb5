#include "models/thp/thp_splitter.h"

#include <vector>

#include "models/physical/split_queue.h"
#include "models/physical/thp_page.h"
#include "sim/check.h"

namespace numasim {
namespace {

// can_split_folio(): the page is the caller's alone, beside those that map it.
bool CanSplit(const Zone& zone, const ThpPage& page) {
  return page.mapped() && zone.RefsOf(page.head(), ThpPage::kOrder) == 1;
}

}  // namespace

sim::Task<bool> ThpSplitter::Split(sim::Path& path, CpuId cpu, Pfn head) {
  Zone& zone = *memory_.ZoneOf(head);
  Node& node = memory_.node(zone.node());
  const ThpPage page(zone.frames(), zone.frames().Index(head));
  const bool moves = zone.IsMigrating(page.head(), ThpPage::kOrder);
  bool splits = !moves && CanSplit(zone, page);
  if (splits) {
    zone.MarkMigrating(page.head(), ThpPage::kOrder, true);
    splits = co_await SplitMappings(path, node, zone, page.head());
    zone.MarkMigrating(page.head(), ThpPage::kOrder, false);
  }
  if (!splits) {
    ++node.counter(THP_SPLIT_PAGE_FAILED);
    co_return false;
  }
  const std::vector<Pfn> unmapped = BecomeBasePages(node, zone, page);
  co_await path.Take((memory_.costs().unmap_page + memory_.costs().map_page) * kPageblockPages);
  co_await allocator_.FreeBlocks(path, cpu, 0, unmapped);
  co_return true;
}

sim::Task<bool> ThpSplitter::SplitIsolated(sim::Path& path, CpuId cpu, Pfn head, std::vector<Folio>& parts) {
  Zone& zone = *memory_.ZoneOf(head);
  Node& node = memory_.node(zone.node());
  const ThpPage page(zone.frames(), zone.frames().Index(head));
  if (!CanSplit(zone, page) || !co_await SplitMappings(path, node, zone, page.head())) {
    ++node.counter(THP_SPLIT_PAGE_FAILED);
    co_return false;
  }
  zone.MarkMigrating(page.head(), ThpPage::kOrder, false);
  const std::vector<Pfn> unmapped = BecomeBasePages(node, zone, page);
  for (FrameIndex i = 0; i < kPageblockPages; ++i) {
    const FrameIndex frame = page.head() + i;
    if (zone.frames().owner(frame, 0).mapcount == 0) continue;
    zone.TakeRef(frame, 0);
    zone.MarkMigrating(frame, 0, true);
    parts.emplace_back(zone.frames().PfnOf(frame));
  }
  co_await path.Take((memory_.costs().unmap_page + memory_.costs().map_page) * kPageblockPages);
  co_await allocator_.FreeBlocks(path, cpu, 0, unmapped);
  co_return true;
}

// A fork may have mapped it once more meanwhile, or the last that mapped it is gone.
sim::Task<bool> ThpSplitter::SplitMappings(sim::Path& path, Node& node, Zone& zone, FrameIndex head) const {
  const ThpPage page(zone.frames(), head);
  const int64_t pmds =
      co_await SplitPmds(path, Folio(zone.frames().PfnOf(head), ThpPage::kOrder), page.owner());
  for (int64_t i = 0; i < pmds; ++i) PageAllocator::SplitPmd(node, zone, head);
  node.counter(THP_SPLIT_PMD) += pmds;
  // unmap_folio() takes the parts away one by one, which queues the page.
  PageAllocator::QueueSplit(node, zone, page);
  co_return page.pmds() == 0 && CanSplit(zone, page);
}

// __split_huge_page(), less the reference of who splits it. Returns the pages that nothing maps, in the order
// in which they are to be freed: the head goes last, when who split it lets it go. Before any time passes:
// what is unmapped later is freed by who unmaps it.
std::vector<Pfn> ThpSplitter::BecomeBasePages(Node& node, Zone& zone, const ThpPage& page) {
  FrameStore& frames = zone.frames();
  node.split_queue.Remove(frames.PfnOf(page.head()));
  const bool unused = zone.DropRef(page.head(), ThpPage::kOrder);
  NUMASIM_CHECK(!unused);
  PageAllocator::CountUnmappedParts(node, page);
  page.SplitIntoPages();
  ++node.counter(THP_SPLIT_PAGE);
  std::vector<Pfn> unmapped;
  for (FrameIndex i = 1; i <= kPageblockPages; ++i) {
    const FrameIndex frame = page.head() + i % kPageblockPages;
    if (frames.owner(frame, 0).mapcount == 0) unmapped.push_back(frames.PfnOf(frame));
  }
  return unmapped;
}

// try_to_migrate(TTU_SPLIT_HUGE_PMD), less the migration entries: the parts stay where they are. Returns how
// many PMDs map it no more, which the page's counts do not know yet.
sim::Task<int64_t> ThpSplitter::SplitPmds(sim::Path& path, Folio page, FrameOwner owner) const {
  const sim::LpId home = path.lp();
  std::vector<Rmap::Group> groups = Rmap::ByOwner(std::vector<FrameOwner>(1, owner));
  int64_t pmds = 0;
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  rmap_.Find(groups);
  co_await rmap_.Walk(path, groups, [&](Process& process, const Rmap::Group&) {
    if (process.space.entries_held()) return false;
    PageTable& tables = process.space.page_table();
    const Vpn first{owner.index};
    const Entry* const leaf = tables.FindHuge(first, ThpPage::kOrder);
    if (leaf == nullptr || !leaf->anon() || leaf->pfn() != page.head()) return true;
    tables.SplitThp(first);
    ++pmds;
    return true;
  });
  co_await path.GoTo(home, memory_.costs().hop);
  co_await path.Take(memory_.costs().split_pmd * pmds);
  co_return pmds;
}

sim::Task<ThpSplitter::Queued> ThpSplitter::SplitQueued(sim::Path& path, CpuId cpu, Node& node,
                                                        int64_t most) {
  const SplitQueue::Batch batch = node.split_queue.Take(most);
  for (const Pfn page : batch.pages) {
    Zone& zone = *memory_.ZoneOf(page);
    zone.TakeRef(zone.frames().Index(page), ThpPage::kOrder);
  }
  Queued queued{.tried = std::ssize(batch.pages)};
  for (const Pfn page : batch.pages) {
    if (co_await Split(path, cpu, page)) {
      ++queued.split;
      continue;
    }
    co_await allocator_.DropRefs(path, cpu, Folio(page, ThpPage::kOrder));
  }
  node.split_queue.PutBack(batch);
  co_return queued;
}

}  // namespace numasim
