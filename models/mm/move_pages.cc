// move_pages() (do_pages_move, mm/migrate.c, Linux 6.1).
#include <algorithm>
#include <utility>

#include "models/mm/address_space_ops.h"
#include "models/physical/thp_page.h"

namespace numasim {

// Pages are queued and moved together as far as nothing comes between: one that is on the node already, or
// that is not there. One that others map too, or that cannot be isolated, comes between only among huge pages
// here, in the kernel always; which shows only in how many statuses are written where a move fails. A failure
// ends it all.
sim::Task<MoveResult> AddressSpaceOps::MovePages(sim::Path& path, Process& process, Vpn begin, Vpn end,
                                                 NodeId node, int order) {
  MoveResult result;
  const sim::LpId home = path.lp();
  co_await path.Take(memory_.costs().syscall);
  if (!memory_.nodes_with_memory().Has(node))
    co_return MoveResult{Errno::kNoDev, 0, 0, (end - begin) >> order};
  while (begin < end) {
    co_await process.space.mmap_lock().AcquireRead(path);
    std::vector<Folio> queue;
    begin = order == 0 ? co_await QueueMoves(path, process, begin, end, node, queue, result)
                       : co_await QueueHugeMoves(path, process, begin, end, node, order, queue, result);
    process.space.mmap_lock().ReleaseRead(path);
    const auto queued = static_cast<int64_t>(queue.size());
    const Errno error = co_await MoveQueue(path, process.cpu, std::move(queue), node);
    co_await path.GoTo(home, memory_.costs().hop);
    if (error != Errno::kOk) {
      // That somebody held a page is no error of the call: it returns how many are left.
      if (error == Errno::kNoMem) result.error = error;
      result.unwritten = queued + ((end - begin) >> order);
      break;
    }
    result.moved += queued;
  }
  co_return result;
}

// add_page_for_migration() of page after page, up to the first that is not queued, whose status is counted.
// Returns where to go on.
sim::Task<Vpn> AddressSpaceOps::QueueMoves(sim::Path& path, Process& process, Vpn begin, Vpn end, NodeId node,
                                           std::vector<Folio>& queue, MoveResult& result) {
  const sim::LpId home = path.lp();
  // No page may go while the path asks for it.
  const EntriesHold hold(process.space);
  std::vector<Folio> wanted;
  std::vector<Folio> file_pages;
  std::vector<FrameOwner> of_files;  // whose these are
  Cursor entries(process.space.page_table());
  VmaCursor vmas(process.space);
  Vpn at = begin;
  for (bool queues = true; queues && at < end; at = at + 1) {
    const Vma* const vma = vmas.Find(at);
    const Entry* const entry = entries.Find(at);
    const bool there = vma != nullptr && entry != nullptr && entry->present() && !entry->zero_page();
    queues = there && memory_.ZoneOf(entry->pfn())->node() != node;
    if (!queues) {
      ++(there ? result.moved : result.not_moved);
    } else if (vma->anonymous() || entry->anon()) {
      wanted.emplace_back(entry->pfn());
    } else {
      file_pages.emplace_back(entry->pfn());
      of_files.push_back({FrameOwner::kShmem, 0, static_cast<uint64_t>(vma->file.value), vma->IndexOf(at)});
    }
  }
  const size_t candidates = wanted.size() + file_pages.size();
  if (!file_pages.empty()) {
    const std::vector<int64_t> mapcounts = co_await migrator_.MapcountsOf(path, file_pages, of_files);
    for (size_t i = 0; i < file_pages.size(); ++i) {
      if (mapcounts[i] == 1) wanted.push_back(file_pages[i]);
    }
  }
  co_await path.GoTo(home, memory_.costs().hop);
  co_await allocator_.ForEachOnItsNode(path, wanted, [&queue](Zone& zone, FrameIndex frame, Folio page) {
    // EACCES: mapped elsewhere too; EBUSY: somebody else moves it.
    const bool part = ThpPage::Holds(zone.frames(), frame);
    const bool alone = !part && zone.frames().owner(frame, page.order()).mapcount == 1;
    if (alone && Migrator::IsolateFromLru(zone, frame, page.order())) queue.push_back(page);
  });
  result.not_moved += static_cast<int64_t>(candidates - queue.size());
  co_return at;
}

// The same of huge pages: who else maps one, and whether it can be isolated, is known on the global LP.
sim::Task<Vpn> AddressSpaceOps::QueueHugeMoves(sim::Path& path, Process& process, Vpn begin, Vpn end,
                                               NodeId node, int order, std::vector<Folio>& queue,
                                               MoveResult& result) {
  struct Wanted {
    Pfn pfn;
    FileId file;
    uint64_t index;
  };
  std::vector<Wanted> wanted;
  const sim::LpId home = path.lp();
  const int64_t step = int64_t{1} << order;
  bool there = false;
  Vpn at = begin;
  for (bool queues = true; queues && at < end; at = at + step) {
    const Vma* const vma = process.space.Find(at);
    const Entry* const entry = process.space.page_table().FindHuge(at, order);
    const bool present = vma != nullptr && entry != nullptr && entry->present();
    there = present && memory_.ZoneOf(entry->pfn())->node() == node;
    queues = present && !there;
    if (queues) wanted.push_back({entry->pfn(), vma->file, vma->HugeIndexOf(at)});
  }
  if (!wanted.empty()) co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  for (const Wanted& page : wanted) {
    if (!co_await hugetlb_.IsolateAlone(path, page.pfn, page.file, page.index)) break;
    queue.emplace_back(page.pfn, order);
  }
  co_await path.GoTo(home, memory_.costs().hop);
  const auto queued = static_cast<int64_t>(queue.size());
  const Vpn next = begin + queued * step;
  if (next == end) co_return end;
  const bool isolated_all = queue.size() == wanted.size();
  ++(isolated_all && there ? result.moved : result.not_moved);
  co_return next + step;
}

// do_move_pages_to_node(): isolated pages, those of each node together. What does not move is put back.
sim::Task<Errno> AddressSpaceOps::MoveQueue(sim::Path& path, CpuId cpu, std::vector<Folio> queue,
                                            NodeId node) {
  const MigrationTarget target{node, NodeMask::Of(node), true};
  Errno error = Errno::kOk;
  for (auto first = queue.begin(); first != queue.end();) {
    const NodeId source = memory_.ZoneOf(first->head())->node();
    const auto last = std::find_if(first, queue.end(),
                                   [&](Folio page) { return memory_.ZoneOf(page.head())->node() != source; });
    std::vector<Folio> pages(first, last);
    first = last;
    const sim::LpId lp = memory_.node(source).lp;
    co_await path.GoTo(lp, memory_.costs().hop);
    // Pages that are held do not keep others from moving; that there is no room does.
    if (error != Errno::kNoMem) {
      const Errno now = co_await migrator_.Migrate(path, cpu, pages, target);
      if (now != Errno::kOk) error = now;
    }
    co_await migrator_.PutBack(path, cpu, pages);
  }
  co_return error;
}

}  // namespace numasim
