// Moving huge pages that are in use out of a range (unmap_and_move_huge_page, mm/migrate.c of Linux 6.1).
#include <optional>
#include <utility>

#include "models/hugetlb/hugetlb.h"
#include "sim/check.h"

namespace numasim {

sim::Task<Errno> Hugetlb::Migrate(sim::Path& path, Pfn from, const Placement& target, bool this_node,
                                  CpuId cpu) {
  HugePageStore& pages = pool_.pages();
  if (pages.Used(from).refs == 1 && pages.Used(from).mapcount == 0 && !pages.Used(from).cached) {
    co_await pool_.PutBack(path, from, cpu);  // freed meanwhile
    co_return Errno::kOk;
  }
  const Pfn to = co_await pool_.AllocForMove(path, pages.Used(from).size, target, this_node, cpu);
  if (to == kNoPfn) co_return Errno::kNoMem;
  // Both pages are the migration's until the end: nobody else moves or pins them, and neither is freed.
  pages.Used(to).isolated = true;
  ++pages.Used(to).refs;
  co_await path.Take(memory_.costs().migrate_page);
  // A private page of a mount with limits has no page cache to carry its subpool over.
  const bool stuck = pages.Used(from).subpool != nullptr && !pages.Used(from).cached;
  const Errno error = stuck ? Errno::kBusy : co_await MoveLocked(path, from, to, cpu);
  if (error == Errno::kOk) {
    co_await pool_.MoveState(path, from, to);
    co_await pool_.PutBack(path, from, cpu);
  }
  // Frees it where it was not needed, or was unmapped while it moved.
  pages.Used(to).isolated = false;
  const std::vector<Pfn> held(1, to);
  std::vector<Pfn> unused;
  DropReferences(held, unused);
  co_await pool_.Free(path, cpu, unused);
  co_return error;
}

// With the fault mutex of the page, so that no fault decides about it meanwhile. kAgain where somebody else
// holds it.
sim::Task<Errno> Hugetlb::MoveLocked(sim::Path& path, Pfn from, Pfn to, CpuId cpu) {
  HugePageStore& pages = pool_.pages();
  if (pages.Used(from).refs > 1 || pages.Used(from).file == nullptr) co_return Errno::kAgain;
  HugeFile& file = *pages.Used(from).file;
  const uint64_t index = pages.Used(from).index;
  ++file.opens;
  sim::Mutex& mutex = FaultMutex(file.id, index);
  co_await mutex.Acquire(path);
  const HugePage& now = pages.Used(from);
  const bool may = now.refs == 1 && now.file == &file && now.index == index;
  if (may) co_await MoveMappings(path, file, from, to, mutex);
  mutex.Release(path);
  --file.opens;
  co_await DropIfUnused(path, file, cpu);
  co_return may ? Errno::kOk : Errno::kAgain;
}

// The page cache and every mapping of `from` get `to` instead. An entry is changed in place when the path
// passes by its process; what is not there yet (a fork under way) or not gone yet (an unmap) makes it go
// round again. What a process does to its new entry reaches the global LP behind the path.
//
// Whoever has the last entry may wait for the mutex, which is that of other pages too. So the path lets go of
// the mutex before it goes round again. The page is in its new place by then, and a fault that comes with an
// old entry looks again.
sim::Task<void> Hugetlb::MoveMappings(sim::Path& path, HugeFile& file, Pfn from, Pfn to, sim::Mutex& mutex) {
  HugePageStore& pages = pool_.pages();
  co_await path.Take(memory_.costs().copy_page * PagesOf(pages.Used(from).size));
  HandOver(from, to);
  const uint64_t index = pages.Used(to).index;
  uint32_t swapped = 0;
  const Visitor visit = [&](Process& process) { swapped = SwapEntry(process, file, index, from, to); };
  const std::function<void()> arrived = [&] {
    pages.Used(from).mapcount -= swapped;
    pages.Used(to).mapcount += swapped;
  };
  for (;;) {
    co_await VisitMappers(path, file, visit, arrived);
    if (pages.Used(from).mapcount == 0) co_return;
    mutex.Release(path);
    co_await path.Take(memory_.costs().hop);
    co_await mutex.Acquire(path);
  }
}

// What the page is, apart from its mappings.
void Hugetlb::HandOver(Pfn from, Pfn to) {
  HugePage& source = pool_.pages().Used(from);
  HugePage& target = pool_.pages().Used(to);
  target.anon = source.anon;
  target.index = source.index;
  target.file = std::exchange(source.file, nullptr);
  target.subpool = std::exchange(source.subpool, nullptr);
  target.cached = source.cached;
  source.cached = false;
  if (target.cached) NUMASIM_CHECK(target.file->mapping.Replace(target.index, from, to));
}

// On the LP of a process that maps the file. Returns how many entries were changed.
uint32_t Hugetlb::SwapEntry(Process& process, const HugeFile& file, uint64_t index, Pfn from, Pfn to) {
  uint32_t swapped = 0;
  process.space.ForEachOfFile(true, file.id, [&](Vma& vma) {
    const std::optional<Vpn> first = vma.AddressOf(index);
    if (!first.has_value()) return;
    Entry* const entry = process.space.page_table().FindHuge(*first, vma.huge.order);
    if (entry == nullptr || entry->pfn() != from) return;
    *entry = entry->WithPfn(to);
    ++swapped;
  });
  return swapped;
}

}  // namespace numasim
