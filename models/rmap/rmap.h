// Rmap: from pages to the entries that map them (rmap_walk of mm/rmap.c, Linux 6.1). A walk visits the
// processes that may map one of the pages, and no other: for anonymous pages those of their anon_vma, for
// pages of a file those that map the file. No state of its own.
//
// Pages of one owner are asked about together, so that a process is visited once for all of them.
#ifndef NUMASIM_MODELS_RMAP_RMAP_H_
#define NUMASIM_MODELS_RMAP_RMAP_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "models/address_space/process_table.h"
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
  // Returns false where the process cannot be changed now: it is then visited again.
  using Visitor = absl::FunctionRef<bool(Process&, const Group&)>;

  Rmap(MemorySystem& memory, const ProcessTable& processes, const ShmemFiles& files)
      : memory_(memory), processes_(processes), files_(files) {}

  // Groups pages by their owners, in the order of kind and object.
  static std::vector<Group> ByOwner(std::span<const FrameOwner> owners);
  // Fills in who may map anonymous pages, and which file has the others: at its home is who maps it. On the
  // global LP.
  void Find(std::vector<Group>& groups) const;
  // Calls the visitor with each group of each process, on the process's LP. Begins and ends on the global LP.
  // Processes that ended since they were found are left out; one that moves to another node is waited for.
  sim::Task<void> Walk(sim::Path& path, const std::vector<Group>& groups, Visitor visit) const;

  // Calls f(Vpn, Entry&) for each entry of the process that maps the page with this owner at `pfn`, or is a
  // migration entry of it. On the process's LP.
  template <typename F>
  static void ForEachEntry(Process& process, const FrameOwner& owner, Pfn pfn, F f);

 private:
  MemorySystem& memory_;
  const ProcessTable& processes_;  // global LP
  const ShmemFiles& files_;
};

template <typename F>
void Rmap::ForEachEntry(Process& process, const FrameOwner& owner, Pfn pfn, F f) {
  const auto at = [&](Vpn vpn) {
    Entry* const entry = process.space.page_table().FindEntry(vpn);
    if (entry == nullptr || entry->none() || entry->zero_page() || entry->pfn() != pfn) return;
    f(vpn, *entry);
  };
  if (owner.kind == FrameOwner::kAnon) return at(Vpn{owner.index});
  const FileId file{static_cast<int32_t>(owner.object)};  // VMAs are told apart by the number alone
  process.space.ForEachOfFile(false, file, [&](const Vma& vma) {
    if (const auto vpn = vma.AddressOf(owner.index); vpn.has_value()) at(*vpn);
  });
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_RMAP_RMAP_H_
