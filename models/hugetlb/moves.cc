// move_pages() of huge pages (mm/migrate.c, Linux 6.1).
#include "models/hugetlb/hugetlb.h"
#include "sim/check.h"

namespace numasim {
namespace {

// NR_MAX_MIGRATE_PAGES_RETRY
constexpr int kPasses = 10;

}  // namespace

sim::Task<MoveResult> Hugetlb::Move(sim::Path& path, Process& process, Vpn begin, Vpn end, int order,
                                    NodeId node) {
  std::vector<MovingPage> pages;
  const PageTable& tables = process.space.page_table();
  const int64_t step = int64_t{1} << order;
  if (!memory_.nodes_with_memory().Has(node)) co_return MoveResult{Errno::kNoDev, 0, 0, (end - begin) / step};
  co_await process.space.mmap_lock().AcquireRead(path);
  for (Vpn at = begin; at < end; at = at + step) {
    const Vma* const vma = process.space.Find(at);
    const Entry* const entry = tables.FindHuge(at, order);
    MovingPage& page = pages.emplace_back();
    if (vma == nullptr || entry == nullptr) continue;
    page.pfn = entry->pfn();
    page.file = vma->file;
    page.index = vma->HugeIndexOf(at);
    page.there = memory_.ZoneOf(page.pfn)->node() == node;
  }
  process.space.mmap_lock().ReleaseRead(path);
  const CpuId cpu = process.cpu;
  const sim::LpId home = path.lp();
  co_await path.Take(memory_.costs().syscall);
  co_await ToGlobal(path);
  const MoveResult result = co_await MoveAll(path, pages, node, cpu);
  co_await path.HopTo(home, memory_.costs().hop);
  co_return result;
}

// add_page_for_migration(): the page may have gone since the path saw its entry.
sim::Task<bool> Hugetlb::IsolateAlone(sim::Path& path, const MovingPage& page) {
  if (page.pfn == kNoPfn || page.there) co_return false;
  if (!IsPageOf(page.pfn, files_.At(page.file), page.index)) co_return false;
  if (pool_.pages().Used(page.pfn).mapcount != 1) co_return false;
  co_return co_await pool_.Isolate(path, page.pfn);
}

// do_pages_move(): pages are queued and moved together as far as nothing comes between, one that is on the
// node already or cannot be queued. A failure ends it all.
sim::Task<MoveResult> Hugetlb::MoveAll(sim::Path& path, const std::vector<MovingPage>& pages, NodeId node,
                                       CpuId cpu) {
  MoveResult result;
  std::vector<Pfn> queue;
  const auto count = static_cast<int64_t>(pages.size());
  for (int64_t i = 0; i <= count; ++i) {
    if (i < count) {
      const MovingPage& page = pages[static_cast<size_t>(i)];
      if (co_await IsolateAlone(path, page)) {
        queue.push_back(page.pfn);
        continue;
      }
      ++(page.there ? result.moved : result.not_moved);
    }
    const Errno error = co_await MoveQueue(path, queue, node, cpu);
    const auto queued = static_cast<int64_t>(queue.size());
    queue.clear();
    if (error == Errno::kOk) {
      result.moved += queued;
      continue;
    }
    // That somebody held a page is no error of the call: it returns how many are left.
    if (error == Errno::kNoMem) result.error = error;
    result.unwritten = count - result.moved - result.not_moved;
    break;
  }
  co_return result;
}

// do_move_pages_to_node(): a page that is held does not keep others from moving; that there is no room does.
sim::Task<Errno> Hugetlb::MoveQueue(sim::Path& path, const std::vector<Pfn>& queue, NodeId node, CpuId cpu) {
  Errno error = Errno::kOk;
  for (const Pfn pfn : queue) {
    Errno now = error == Errno::kNoMem ? Errno::kNoMem : Errno::kAgain;
    for (int pass = 0; pass < kPasses && now == Errno::kAgain; ++pass)
      now = co_await Migrate(path, pfn, Placement{node}, true, cpu);
    if (now == Errno::kOk) continue;
    error = now;
    co_await pool_.PutBack(path, pfn, cpu);
  }
  co_return error;
}

}  // namespace numasim
