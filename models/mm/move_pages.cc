// move_pages() (do_pages_move, mm/migrate.c, Linux 6.1).
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "models/mm/address_space_ops.h"
#include "models/physical/thp_page.h"
#include "models/thp/thp_allowed.h"

namespace numasim {

namespace {

// follow_page(): what entries of one order or the other map.
class PageLookup {
 public:
  explicit PageLookup(AddressSpace& space) : tables_(space.page_table()), entries_(tables_) {}
  // kNoPfn where there is no page, or the zero page.
  Pfn At(Vpn vpn) {
    const Entry* const entry = entries_.Find(vpn);
    const Entry* const found = entry != nullptr ? entry : tables_.FindHuge(ThpStart(vpn), ThpPage::kOrder);
    if (found == nullptr || !found->present() || found->zero_page()) return kNoPfn;
    return entry != nullptr ? entry->pfn() : found->pfn() + (vpn - ThpStart(vpn));
  }

 private:
  PageTable& tables_;
  Cursor entries_;
};

}  // namespace

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
    int64_t with_others = 0;  // parts of huge pages that are queued
    if (order == 0) {
      begin = co_await QueueMoves(path, process, begin, end, node, queue, with_others, result);
    } else {
      begin = co_await QueueHugeMoves(path, process, begin, end, node, order, queue, result);
    }
    process.space.mmap_lock().ReleaseRead(path);
    const auto queued = std::ssize(queue);
    const Errno error = co_await MoveQueue(path, process.cpu, std::move(queue), node, result);
    co_await path.GoTo(home, memory_.costs().hop);
    if (error != Errno::kOk) {
      // That somebody held a page is no error of the call: it returns how many are left.
      if (error == Errno::kNoMem) result.error = error;
      result.untried = ((end - begin) >> order) + with_others;
      result.unwritten = queued + result.untried;
      break;
    }
    result.moved += queued + with_others;
  }
  LogStayed(path, result, node, order);
  co_return result;
}

// The kernel tells each page's status; the trace tells how many pages stayed for each reason.
void AddressSpaceOps::LogStayed(sim::Path& path, const MoveResult& result, NodeId node, int order) const {
  const auto log = [&](int64_t pages, Errno error, const char* function, const char* reason = "") {
    if (pages == 0) return;
    Failure failure = {
        .kind = LogKind::kMigrationFailed, .error = error, .function = function, .reason = reason};
    if (error == Errno::kNoMem) failure.nodes = NodeMask::Of(node);
    failure.preferred = node;
    if (order != 0) failure.size = HugeSizeOf(order);
    failure.pages = pages;
    memory_.LogFailure(path, std::move(failure));
  };
  log(result.absent, Errno::kNoEnt, "add_page_for_migration");
  log(result.shared, Errno::kAcces, "add_page_for_migration");
  log(result.busy, Errno::kBusy, "add_page_for_migration");
  log(result.held, Errno::kAgain, order == 0 ? "unmap_and_move" : "unmap_and_move_huge_page");
  log(result.no_room, Errno::kNoMem, "alloc_migration_target");
  log(result.untried, result.no_room > 0 ? Errno::kNoMem : Errno::kAgain, "do_pages_move", "not tried");
}

// add_page_for_migration() of page after page, up to the first that is not queued, whose status is counted.
// Returns where to go on.
sim::Task<Vpn> AddressSpaceOps::QueueMoves(sim::Path& path, Process& process, Vpn begin, Vpn end, NodeId node,
                                           std::vector<Folio>& queue, int64_t& with_others,
                                           MoveResult& result) {
  const sim::LpId home = path.lp();
  // No page may go while the path asks for it.
  const EntriesHold hold(process.space);
  std::vector<Folio> wanted;
  std::vector<Folio> file_pages;
  std::vector<FrameOwner> of_files;  // whose these are
  PageLookup pages(process.space);
  VmaCursor vmas(process.space);
  Vpn at = begin;
  for (bool queues = true; queues && at < end; at = at + 1) {
    const Vma* const vma = vmas.Find(at);
    const Pfn page = vma == nullptr ? kNoPfn : pages.At(at);
    const bool there = page != kNoPfn;
    queues = there && memory_.ZoneOf(page)->node() != node;
    if (!queues) {
      ++(there ? result.moved : result.not_moved);
      result.absent += there ? 0 : 1;
    } else if (vma->anonymous() || (vma->cow && HasAnonymousPage(process, at))) {
      wanted.emplace_back(page);
    } else {
      file_pages.emplace_back(page);
      const FrameOwner::Kind kind = vma->disk ? FrameOwner::kFile : FrameOwner::kShmem;
      of_files.push_back({kind, 0, static_cast<uint64_t>(vma->file.value), vma->IndexOf(at)});
    }
  }
  const size_t candidates = wanted.size() + file_pages.size();
  if (!file_pages.empty()) {
    const std::vector<int64_t> mapcounts = co_await migrator_.MapcountsOf(path, file_pages, of_files);
    for (size_t i = 0; i < file_pages.size(); ++i) {
      if (mapcounts[i] == 1) {
        wanted.push_back(file_pages[i]);
      } else {
        ++result.shared;
      }
    }
  }
  co_await path.GoTo(home, memory_.costs().hop);
  absl::flat_hash_map<uint64_t, int64_t>
      parts;  // of huge pages that are queued, by head: how many parts more
  co_await allocator_.ForEachOnItsNode(path, wanted, [&](Zone& zone, FrameIndex frame, Folio page) {
    const Folio whole = ThpPage::WholeOf(zone.frames(), page);
    if (const auto queued = parts.find(whole.head().value); queued != parts.end()) {
      // It is isolated already. That ends the queue, and with it the huge page moves: the parts behind are on
      // the node then.
      ++(queued->second++ == 0 ? result.busy : with_others);
      return;
    }
    const FrameIndex head = zone.frames().Index(whole.head());
    const FrameOwner& owner = zone.frames().owner(head, whole.order());
    int64_t mapcount = 1;  // of a file: asked before
    if (owner.kind == FrameOwner::kAnon)
      mapcount =
          whole == page ? static_cast<int64_t>(owner.mapcount) : ThpPage(zone.frames(), head).mapcount(frame);
    if (mapcount != 1) {
      ++result.shared;
    } else if (Migrator::IsolateFromLru(zone, head, whole.order())) {
      queue.push_back(whole);
      if (whole.order() > 0) parts[whole.head().value] = 0;
    } else {
      ++result.busy;  // somebody else moves it
    }
  });
  result.not_moved += static_cast<int64_t>(candidates - queue.size()) - with_others;
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
  Errno error = Errno::kNoEnt;  // of the first that is not queued, unless it is there
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
    const Errno isolated = co_await hugetlb_.IsolateAlone(path, page.pfn, page.file, page.index);
    if (isolated != Errno::kOk) {
      error = isolated;
      there = false;
      break;
    }
    queue.emplace_back(page.pfn, order);
  }
  co_await path.GoTo(home, memory_.costs().hop);
  const auto queued = std::ssize(queue);
  const Vpn next = begin + queued * step;
  if (next == end) co_return end;
  ++(there ? result.moved : result.not_moved);
  if (!there)
    ++(error == Errno::kNoEnt ? result.absent : error == Errno::kAcces ? result.shared : result.busy);
  co_return next + step;
}

// do_move_pages_to_node(): isolated pages, those of each node together. What does not move is put back.
sim::Task<Errno> AddressSpaceOps::MoveQueue(sim::Path& path, CpuId cpu, std::vector<Folio> queue, NodeId node,
                                            MoveResult& result) {
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
    (error == Errno::kNoMem ? result.no_room : result.held) += std::ssize(pages);
    co_await migrator_.PutBack(path, cpu, pages);
  }
  co_return error;
}

}  // namespace numasim
