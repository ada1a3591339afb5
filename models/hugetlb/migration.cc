// Moving huge pages that are in use out of a range (unmap_and_move_huge_page, mm/migrate.c of Linux 6.1).
#include <utility>

#include "models/hugetlb/hugetlb.h"
#include "models/rmap/rmap.h"
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
  // Both pages are the migration's until the end: nobody else moves them, and neither is freed.
  pages.Used(to).isolated = true;
  ++pages.Used(to).refs;
  co_await path.Take(memory_.costs().migrate_page);
  // A private page of a mount with limits has no page cache to carry its subpool over.
  const bool stuck = pages.Used(from).subpool != nullptr && !pages.Used(from).cached;
  Errno error = Errno::kBusy;
  if (!stuck) error = co_await MoveLocked(path, from, to, cpu);
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

// With both pages locked, so that faults and truncation wait. kAgain where somebody else refers to the page.
sim::Task<Errno> Hugetlb::MoveLocked(sim::Path& path, Pfn from, Pfn to, CpuId cpu) {
  HugePage& source = pool_.pages().Used(from);
  HugePage& target = pool_.pages().Used(to);
  // Who copies the page on a write holds it, where the kernel has it locked.
  if (source.locked || source.refs > 1 || source.file == nullptr) co_return Errno::kAgain;
  HugeFile& file = *source.file;
  ++file.opens;
  source.locked = target.locked = true;
  const bool moved = co_await MoveMappings(path, file, from, to);
  source.locked = target.locked = false;
  --file.opens;
  co_await DropIfUnused(path, file, cpu);
  co_return moved ? Errno::kOk : Errno::kAgain;
}

// try_to_migrate(), move_to_new_folio() and remove_migration_ptes(): whether the page is `to` now.
//
// What a process does to one of its entries reaches the global LP behind the path, if the path has been at
// the process since; and before the path, if it had not been there. So the first round of visits ends with
// all entries counted off the page that can be, and who still refers to it then, an unmap, a fork or a pin on
// its way, keeps it where it is. As many mappings as were taken away are counted again before the second
// round, since a process may unmap a page as soon as it has it back.
sim::Task<bool> Hugetlb::MoveMappings(sim::Path& path, HugeFile& file, Pfn from, Pfn to) {
  HugePage& source = pool_.pages().Used(from);
  const int order = OrderOf(source.size);
  Rmap::Unmapping page{
      Folio(from, order), Folio(to, order), {Rmap::Place::kHugetlbFile, file.id, source.index}};
  const auto page_at = [&page](uint32_t) -> Rmap::Unmapping& { return page; };
  std::vector<Rmap::Group> groups(1);
  groups[0].kind = FrameOwner::kHugetlb;
  groups[0].file = file.id;
  groups[0].pages.push_back(0);
  // A page that nobody maps is only in the page cache.
  if (source.mapcount > 0)
    file.mapping.ForEachMapper([&](uint16_t process) { groups[0].processes.push_back(process); });
  co_await rmap_.TryToMigrate(path, groups, page_at);
  const auto unmapped = static_cast<uint32_t>(page.unmapped);
  NUMASIM_CHECK(source.mapcount >= unmapped);
  source.mapcount -= unmapped;
  page.moves = source.mapcount == 0 && source.refs == 1;
  if (page.moves) {
    HandOver(from, to);
    co_await path.Take(memory_.costs().copy_page * PagesOf(source.size));
  }
  HugePage& now = pool_.pages().Used(page.moves ? to : from);
  now.mapcount += unmapped;
  co_await rmap_.RemoveMigrationEntries(path, groups, page_at);
  now.mapcount -= static_cast<uint32_t>(page.unmapped - page.restored);
  if (now.mapcount == 0 && !now.cached) now.file = nullptr;
  co_return page.moves;
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

}  // namespace numasim
