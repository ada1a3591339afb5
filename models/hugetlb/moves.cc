// move_pages() of huge pages (mm/migrate.c, Linux 6.1).
#include <utility>

#include "models/hugetlb/hugetlb.h"
#include "sim/check.h"

namespace numasim {

sim::Task<HugeMoved> Hugetlb::Move(sim::Path& path, Process& process, Vpn begin, Vpn end, int order,
                                   NodeId node) {
  std::vector<MovingPage> pages;
  PageTable& tables = process.space.page_table();
  const int64_t step = int64_t{1} << order;
  co_await process.space.mmap_lock().AcquireRead(path);
  for (Vpn at = begin; at < end; at = at + step) {
    const Entry* const entry = tables.FindHuge(at, order);
    MovingPage page;
    page.first = at;
    page.present = entry != nullptr;
    if (page.present) page.entry = *entry;
    page.there = page.present && memory_.ZoneOf(page.entry.pfn())->node() == node;
    // As a migration entry: nobody finds it while the path is away.
    if (page.present && !page.there) tables.SetHuge(at, order, Entry());
    pages.push_back(page);
  }
  process.space.mmap_lock().ReleaseRead(path);
  const CpuId cpu = process.cpu;
  const sim::LpId home = path.lp();
  co_await path.Take(memory_.costs().syscall);
  co_await ToGlobal(path);
  const HugeMoved result = co_await MoveAll(path, pages, node, cpu);
  co_await path.HopTo(home, memory_.costs().hop);
  for (const MovingPage& page : pages) {
    if (page.present && !page.there) tables.SetHuge(page.first, order, page.entry);
  }
  co_return result;
}

// do_pages_move(): pages are queued and moved together as far as nothing comes between, one that is on the
// node already or cannot be queued. A failure ends it all, and what was queued with it counts as not moved.
sim::Task<HugeMoved> Hugetlb::MoveAll(sim::Path& path, std::vector<MovingPage>& pages, NodeId node,
                                      CpuId cpu) {
  HugeMoved result;
  std::vector<size_t> queue;
  bool failed = false;
  for (size_t i = 0; i <= pages.size() && !failed; ++i) {
    const bool alone = i < pages.size() && pages[i].present && !pages[i].there &&
                       pool_.pages().Used(pages[i].entry.pfn()).mapcount == 1;
    if (alone && co_await pool_.Isolate(path, pages[i].entry.pfn())) {
      queue.push_back(i);
      continue;
    }
    if (i < pages.size() && pages[i].there) ++result.moved;
    for (const size_t at : queue) {
      if (result.error == Errno::kOk) {
        const Errno error = co_await MovePage(path, pages[at].entry, node, cpu);
        if (error == Errno::kOk) continue;
        failed = true;
        if (error == Errno::kNoMem) result.error = error;
      }
      co_await pool_.PutBack(path, pages[at].entry.pfn(), cpu);
    }
    if (!failed) result.moved += static_cast<int64_t>(queue.size());
    queue.clear();
  }
  result.not_moved = static_cast<int64_t>(pages.size()) - result.moved;
  co_return result;
}

// unmap_and_move_huge_page(): a page on the node takes the place of the entry's, which is isolated, and is
// freed. Sets `entry` to it.
sim::Task<Errno> Hugetlb::MovePage(sim::Path& path, Entry& entry, NodeId node, CpuId cpu) {
  HugePageStore& pages = pool_.pages();
  const Pfn pfn = entry.pfn();
  const HugeSize size = pages.Used(pfn).size;
  const Placement where{node};
  const Pfn fresh = co_await pool_.AllocForMove(path, size, where, true, cpu);
  if (fresh == kNoPfn) co_return Errno::kNoMem;
  Errno error = Errno::kOk;
  // A private page of a mount with limits has no page cache to carry its subpool over.
  if (pages.Used(pfn).subpool != nullptr && !pages.Used(pfn).cached) error = Errno::kBusy;
  if (error == Errno::kOk) error = co_await ReplaceAlone(path, pfn, fresh);
  if (error != Errno::kOk) {
    const std::vector<Pfn> unused(1, fresh);
    co_await pool_.Free(path, cpu, unused);
    co_return error;
  }
  co_await pool_.MoveState(path, pfn, fresh);
  entry = entry.WithPfn(fresh);
  co_await pool_.PutBack(path, pfn, cpu);
  co_return Errno::kOk;
}

// With the fault mutex of the page, so that nobody maps it, or copies it, meanwhile.
sim::Task<Errno> Hugetlb::ReplaceAlone(sim::Path& path, Pfn pfn, Pfn fresh) {
  HugePageStore& pages = pool_.pages();
  sim::Mutex& mutex = FaultMutex(pages.Used(pfn).file->id, pages.Used(pfn).index);
  co_await mutex.Acquire(path);
  // Somebody holds it beyond the mapping that moves (migrate_huge_page_move_mapping). The kernel tries ten
  // times.
  const bool alone = pages.Used(pfn).refs == 1 && pages.Used(pfn).mapcount == 1;
  if (alone) {
    co_await path.Take(memory_.costs().copy_page * PagesOf(pages.Used(pfn).size));
    HandOver(pfn, fresh);
    pages.Used(fresh).mapcount = std::exchange(pages.Used(pfn).mapcount, 0);
  }
  mutex.Release(path);
  co_return alone ? Errno::kOk : Errno::kAgain;
}

}  // namespace numasim
