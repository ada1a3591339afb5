// Rmap: from pages to the entries that map them (rmap_walk of mm/rmap.c, Linux 6.1), for pages of any size. A
// walk visits the processes that may map one of the pages, and no other: for anonymous pages those of their
// anon_vma, for pages of a file those that map the file. No state of its own.
//
// Pages of one owner are asked about together, so that a process is visited once for all of them.
#ifndef NUMASIM_MODELS_RMAP_RMAP_H_
#define NUMASIM_MODELS_RMAP_RMAP_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "models/address_space/process_table.h"
#include "models/base/folio.h"
#include "models/page_cache/shmem.h"
#include "models/physical/frame_store.h"
#include "models/physical/memory_system.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class Rmap {
 public:
  // Pages of one owner, by their position among those that were asked about, and who may map them.
  struct Group {
    FrameOwner::Kind kind;
    uint64_t object;
    FileId file = kNoFile;  // of pages of files
    std::vector<uint32_t> pages;
    std::vector<uint16_t> processes;
  };
  // Where the entries of a page are: at one address in each process that may have it, or where a file has it.
  struct Place {
    enum Kind : uint8_t { kAnon, kFile, kHugetlbFile };
    Kind kind = kAnon;
    FileId file = kNoFile;  // VMAs are told apart by its number alone
    uint64_t index = 0;     // a Vpn, or the page's offset in the file in pages of its size
  };
  static Place PlaceOf(const FrameOwner& owner);
  // A page whose entries become migration entries, and mappings again.
  struct Unmapping {
    Folio from, to;
    Place place;
    // Entries of the page's own order that became migration entries, and that became mappings again.
    int64_t unmapped = 0;
    int64_t restored = 0;
    // The same of base entries that map a part of a transparent huge page, for each part; empty where none
    // does. A process may cut its huge entry in parts in between.
    std::vector<int32_t> unmapped_parts = {}, restored_parts = {};
    bool moves = false;  // mappings of `to`, not of `from` again
  };
  // The page at this position among those that were asked about.
  using PageAt = absl::FunctionRef<Unmapping&(uint32_t)>;
  // Returns false where the process cannot be changed now: it is then visited again.
  using Visitor = absl::FunctionRef<bool(Process&, const Group&)>;

  Rmap(MemorySystem& memory, const ProcessTable& processes, const ShmemFiles& files)
      : memory_(memory), processes_(processes), files_(files) {}

  // Groups pages by their owners, in the order of kind and object.
  static std::vector<Group> ByOwner(std::span<const FrameOwner> owners);
  // Who maps a file of shared memory, at its home.
  static std::vector<Group> MappersOf(FileId file, const Mapping& mapping);
  // Fills in who may map anonymous pages, and which file has the others: at its home is who maps it. On the
  // global LP.
  void Find(std::vector<Group>& groups) const;
  // Calls the visitor with each group of each process, on the process's LP. Begins and ends on the global LP.
  // Processes that ended since they were found are left out; one that moves to another node is waited for.
  sim::Task<void> Walk(sim::Path& path, const std::vector<Group>& groups, Visitor visit) const;

  // try_to_migrate() of pages in each process that may map them: the entries become migration entries. A
  // process whose page table lock is held (EntriesHold) is waited for. As Walk.
  sim::Task<void> TryToMigrate(sim::Path& path, const std::vector<Group>& groups, PageAt page) const;
  // remove_migration_ptes(): what is a migration entry still becomes a mapping again. As Walk.
  sim::Task<void> RemoveMigrationEntries(sim::Path& path, const std::vector<Group>& groups,
                                         PageAt page) const;

  // Calls f(Vpn, Entry&, order) for each entry of the process that maps the page, or is a migration entry of
  // it; of a transparent huge page also for those of order 0 that map a part. On the process's LP.
  template <typename F>
  static void ForEachEntry(Process& process, const Place& place, Folio page, F f);
  // How many entries of the process map a base page, or by a PMD the huge page that it is part of.
  static int64_t MappingsOf(Process& process, const Place& place, Folio page);

 private:
  MemorySystem& memory_;
  const ProcessTable& processes_;  // global LP
  const ShmemFiles& files_;
};

template <typename F>
void Rmap::ForEachEntry(Process& process, const Place& place, Folio page, F f) {
  PageTable& tables = process.space.page_table();
  const auto at = [&](Vpn vpn) {
    Entry* const entry = page.order() == 0 ? tables.FindEntry(vpn) : tables.FindHuge(vpn, page.order());
    if (entry == nullptr || entry->none() || entry->zero_page() || entry->pfn() != page.head()) return;
    f(vpn, *entry, page.order());
  };
  if (page.order() > 0 && place.kind != Place::kHugetlbFile) {
    const auto in = [&](Vpn begin, Vpn end) {
      tables.Walk(begin, end, [&](Vpn vpn, Entry& entry, int order) {
        const bool part = !entry.zero_page() && entry.pfn() >= page.head() && entry.pfn() < page.end();
        if (part) f(vpn, entry, order);
      });
    };
    if (place.kind == Place::kAnon) return in(Vpn{place.index}, Vpn{place.index} + page.pages());
    process.space.ForEachOfFile(false, place.file, [&](const Vma& vma) {
      const auto pages = static_cast<uint64_t>(page.pages());
      if (const auto here = vma.AddressesOf(place.index, place.index + pages); here.has_value())
        in(here->begin, here->end);
    });
    return;
  }
  if (place.kind == Place::kAnon) return at(Vpn{place.index});
  process.space.ForEachOfFile(place.kind == Place::kHugetlbFile, place.file, [&](const Vma& vma) {
    if (const auto vpn = vma.AddressOf(place.index); vpn.has_value()) at(*vpn);
  });
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_RMAP_RMAP_H_
