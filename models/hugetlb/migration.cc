// Moving huge pages that are in use out of a range (unmap_and_move_huge_page, mm/migrate.c of Linux 6.1).
#include <utility>

#include "models/hugetlb/hugetlb.h"
#include "sim/check.h"

namespace numasim {

sim::Task<Errno> Hugetlb::Migrate(sim::Path& path, Pfn from, const Placement& target, CpuId cpu) {
  HugePageStore& pages = pool_.pages();
  if (pages.Used(from).refs == 1 && pages.Used(from).mapcount == 0 && !pages.Used(from).cached) {
    co_await pool_.PutBack(path, from, cpu);  // freed meanwhile
    co_return Errno::kOk;
  }
  const HugeSize size = pages.Used(from).size;
  const Pfn to = co_await pool_.AllocForMove(path, size, target, false, cpu);
  if (to == kNoPfn) co_return Errno::kNoMem;
  co_await path.Take(memory_.costs().migrate_page);
  Errno error = Errno::kAgain;
  const HugePage& page = pages.Used(from);
  // A private page of a mount with limits has no page cache to carry its subpool over.
  if (page.subpool != nullptr && !page.cached) error = Errno::kBusy;
  if (error == Errno::kAgain && page.refs == 1 && page.file != nullptr) {
    const FileId file = page.file->id;
    const uint64_t index = page.index;
    sim::Mutex& mutex = FaultMutex(file, index);
    co_await mutex.Acquire(path);
    const HugePage& now = pages.Used(from);
    if (now.refs == 1 && now.file != nullptr && now.file->id == file && now.index == index) {
      HugeFile& mapped = *now.file;
      ++mapped.opens;
      error = co_await MoveMappings(path, from, to) ? Errno::kOk : Errno::kAgain;
      --mapped.opens;
      co_await DropIfUnused(path, mapped, cpu);
    }
    mutex.Release(path);
  }
  if (error != Errno::kOk) {
    const std::vector<Pfn> unused(1, to);
    co_await pool_.Free(path, cpu, unused);
    co_return error;
  }
  co_await pool_.MoveState(path, from, to);
  co_await pool_.PutBack(path, from, cpu);
  if (!pages.Used(to).Held()) {  // unmapped while it moved
    const std::vector<Pfn> unused(1, to);
    co_await pool_.Free(path, cpu, unused);
  }
  co_return Errno::kOk;
}

// The page cache and every mapping of `from` get `to` instead. An entry is changed in place when the path
// passes by its process; what is not there yet (a fork under way) or not gone yet (an unmap) makes it go
// round again. False where somebody pinned the page meanwhile: then all is as it was.
sim::Task<bool> Hugetlb::MoveMappings(sim::Path& path, Pfn from, Pfn to) {
  HugePageStore& pages = pool_.pages();
  HugeFile& file = *pages.Used(from).file;
  co_await path.Take(memory_.costs().copy_page * PagesOf(pages.Used(from).size));
  HandOver(from, to);
  bool back = false;
  for (;;) {
    const Pfn source = back ? to : from;
    const Pfn destination = back ? from : to;
    // Counted before they come, since a process may unmap what it just got.
    const uint32_t expected = pages.Used(source).mapcount;
    pages.Used(destination).mapcount += expected;
    uint32_t swapped = 0;
    const uint64_t index = pages.Used(destination).index;
    const Visitor visit = [&](Process& process) {
      swapped += SwapEntry(process, file, index, source, destination);
    };
    co_await VisitMappers(path, file, visit);
    pages.Used(source).mapcount -= swapped;
    pages.Used(destination).mapcount -= expected - swapped;
    if (!back && pages.Used(from).refs > 1) {
      back = true;
      HandOver(to, from);
      continue;
    }
    if (pages.Used(source).mapcount == 0) break;
    co_await path.Take(memory_.costs().hop);
  }
  co_return !back;
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
  if (target.cached) target.file->pages[target.index] = to;
}

// On the LP of a process that maps the file. Returns how many entries were changed.
uint32_t Hugetlb::SwapEntry(Process& process, const HugeFile& file, uint64_t index, Pfn from, Pfn to) {
  uint32_t swapped = 0;
  process.space.ForEach([&](Vma& vma) {
    if (!vma.hugetlb() || vma.file != file.id) return;
    if (index < vma.HugeIndexOf(vma.start) || index >= vma.HugeIndexOf(vma.end)) return;
    const int64_t offset = static_cast<int64_t>(index - vma.HugeIndexOf(vma.start)) << vma.huge.order;
    HugePte* const pte = process.space.huge_pages().Find(vma.start + offset);
    if (pte == nullptr || pte->pfn != from) return;
    pte->pfn = to;
    ++swapped;
  });
  return swapped;
}

}  // namespace numasim
