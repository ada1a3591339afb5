// Hugetlb: HugeTLB mappings and hugetlbfs as system calls and faults see them (mm/hugetlb.c and fs/hugetlbfs
// of Linux 6.1). Owned by AddressSpaceOps. Its state is on the global LP. The paths below begin and end on
// the LP of the process's CPU, which they hold, unless it says otherwise; how they stay in step with each
// other across LPs is told in docs/hugetlb.md.
#ifndef NUMASIM_MODELS_HUGETLB_HUGETLB_H_
#define NUMASIM_MODELS_HUGETLB_HUGETLB_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/address_space/process.h"
#include "models/address_space/process_table.h"
#include "models/base/errno.h"
#include "models/hugetlb/files.h"
#include "models/hugetlb/pool.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/rmap/rmap.h"
#include "sim/locks.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

struct HugetlbMountRequest {
  std::string directory;
  HugeSize page_size = HugeSize::k2M;
  std::optional<int64_t> bytes;      // size=
  std::optional<int64_t> min_bytes;  // min_size=
};

struct HugeOpened {
  Errno error = Errno::kOk;
  FileId file;
};

class Hugetlb {
 public:
  enum class FaultResult : uint8_t { kDone, kSigbus, kAgain };  // kAgain: what it was for has changed

  Hugetlb(MemorySystem& memory, PageAllocator& allocator, const ProcessTable& processes, const Rmap& rmap);

  HugetlbPool& pool() { return pool_; }
  const HugetlbPool& pool() const { return pool_; }
  const HugetlbFiles& files() const { return files_; }

  // --- the pool ---
  // A write to nr_hugepages of `node`, or of all (kNoNode), by who runs on `cpu`; begins and ends on any LP.
  sim::Task<Errno> Resize(sim::Path& path, CpuId cpu, HugeSize size, NodeId node, int64_t count);
  // A write by a process: to nr_hugepages, or to nr_hugepages_mempolicy.
  sim::Task<Errno> ResizeBy(sim::Path& path, Process& process, HugeSize size, bool mempolicy, int64_t count);
  sim::Task<Errno> SetOvercommit(sim::Path& path, HugeSize size, int64_t count);
  // A write to the `demote` file of 1 GiB pages of `node`, or of all (kNoNode).
  sim::Task<Errno> Demote(sim::Path& path, CpuId cpu, NodeId node, int64_t count);

  // --- mappings ---
  // Reserves for a new VMA of the process, which is in its address space already, at `start`. Where it has no
  // file it gets one of its own. kNoMem: not enough pages; the VMA is then to be removed.
  sim::Task<Errno> Map(sim::Path& path, Process& process, Vpn start);
  // The page at `first`, the start of a huge page of `vma` (a copy), for an access that the VMA allows and
  // the entry does not.
  sim::Task<FaultResult> Fault(sim::Path& path, Process& process, const Vma& vma, Vpn first, bool write);
  // Unmaps the pages of [begin, end) (__unmap_hugepage_range).
  sim::Task<void> Zap(sim::Path& path, Process& process, Vpn begin, Vpn end);
  // After VMAs were removed: gives up what they reserved, and files that nothing uses any more.
  sim::Task<void> Close(sim::Path& path, Process& process, const std::vector<Vma>& removed);
  // fork: what the child's VMAs, copies of the parent's, have besides, and with `entries` the entries that it
  // gets, whose page tables are there already.
  sim::Task<void> Fork(sim::Path& path, Process& parent, Process& child, bool entries);
  // Whether a fork copies the entries of a VMA of huge pages: of a private one that had a page of its own.
  static bool ForkCopies(const Vma& vma) { return vma.hugetlb() && !vma.huge.shared && vma.huge.anon_vma; }

  // --- migration; on the global LP, for Migrator and who isolates pages for it ---
  // add_page_for_migration(): isolates what an entry for this page of the file was seen to map. kAcces:
  // others map it too; kBusy: somebody else has it; kNoEnt: it has gone since.
  sim::Task<Errno> IsolateAlone(sim::Path& path, Pfn pfn, FileId file, uint64_t index);
  // One attempt to move a page in use that HugetlbPool isolated to where `target` says, with all its
  // mappings; its isolation ends; `this_node`: to the preferred node only. kNoMem: no page there; kBusy: it
  // never can; kAgain: somebody else holds it. It is then still isolated.
  sim::Task<Errno> Migrate(sim::Path& path, Pfn from, const Placement& target, bool this_node, CpuId cpu);

  // --- pins ---
  // Takes a reference on each page; all are mapped by entries that the path has just seen.
  sim::Task<void> Pin(sim::Path& path, const std::vector<Pfn>& pages);
  // Drops them, and frees the pages that nothing else holds. `cpu` may be interrupted, not held.
  sim::Task<void> Unpin(sim::Path& path, const std::vector<Pfn>& pages, CpuId cpu, bool in_interrupt);

  // --- files; the process only says who pays, and where pages are to be ---
  // Opens a file, makes it where it is not there, and grows it to `bytes`. kNoEnt: no such mount.
  sim::Task<HugeOpened> Open(sim::Path& path, const std::string& name, HugeSize page_size, int64_t bytes,
                             CpuId cpu);
  sim::Task<void> ReOpen(sim::Path& path, FileId file);  // fork, for a descriptor
  sim::Task<void> CloseFile(sim::Path& path, FileId file, CpuId cpu);
  sim::Task<Errno> Unlink(sim::Path& path, const std::string& name, CpuId cpu);
  sim::Task<Errno> Fallocate(sim::Path& path, Process& process, FileId file, int64_t offset, int64_t length);
  sim::Task<Errno> Punch(sim::Path& path, FileId file, int64_t offset, int64_t length, CpuId cpu);
  sim::Task<Errno> Truncate(sim::Path& path, FileId file, int64_t bytes, CpuId cpu);
  sim::Task<Errno> Mount(sim::Path& path, const HugetlbMountRequest& request, CpuId cpu);
  sim::Task<Errno> Unmount(sim::Path& path, const std::string& directory, CpuId cpu);

 private:
  // A fault while it is on the global LP.
  struct FaultState {
    HugeClaim claim;
    bool write = false;
    bool writable = false;  // the VMA allows writing
    const Process* process = nullptr;
    std::optional<Entry> old;
    std::optional<Entry> fresh;  // what the entry is to become
    bool replaces = false;       // `fresh` is a copy of `old`
    bool anon = false;           // the VMA got a page of its own
    FaultResult result = FaultResult::kDone;
  };
  using Visitor = std::function<void(Process&)>;

  sim::Path::GoAwaiter ToGlobal(sim::Path& path) const {
    return path.GoTo(memory_.global_lp(), memory_.costs().hop);
  }
  sim::Path::GoAwaiter GoHome(sim::Path& path, sim::LpId home) const {
    return path.GoTo(home, memory_.costs().hop);
  }
  HugeClaim ClaimOf(const Process& process, const Vma& vma, uint64_t index) const;
  Placement PlaceHuge(const MemPolicy& policy, CpuId cpu, uint64_t index) const;
  sim::Mutex& FaultMutex(FileId file, uint64_t index);

  // On the global LP:
  sim::Task<Errno> ReserveForMap(sim::Path& path, HugeFile& file, HugeVma& huge, int64_t pages,
                                 const HugeRequester& who);
  bool IsPageOf(Pfn pfn, const HugeFile& file, uint64_t index) const;
  bool MustWait(const HugeFile& file, const FaultState& fault) const;
  sim::Task<void> FaultIn(sim::Path& path, HugeFile& file, FaultState& fault);
  sim::Task<void> CopyOnWrite(sim::Path& path, HugeFile& file, FaultState& fault, Pfn cached);
  sim::Task<void> CopyHeld(sim::Path& path, HugeFile& file, FaultState& fault, Pfn cached);
  sim::Task<void> FinishCopy(sim::Path& path, FaultState& fault, bool installed);
  sim::Task<void> StealFromChildren(sim::Path& path, HugeFile& file, const FaultState& fault, Pfn page);
  sim::Task<void> Unreference(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages);
  // Drops references, appends pages that nothing holds any more to `unused`.
  void DropReferences(const std::vector<Pfn>& pages, std::vector<Pfn>& unused);
  sim::Task<void> CloseVma(sim::Path& path, const Vma& vma, CpuId cpu);
  sim::Task<void> DropIfUnused(sim::Path& path, HugeFile& file, CpuId cpu);
  // Calls the visitor with each process that maps the file, on its LP.
  sim::Task<void> VisitMappers(sim::Path& path, HugeFile& file, const Visitor& visit);
  sim::Task<void> UnmapRange(sim::Path& path, HugeFile& file, uint64_t from, uint64_t to, CpuId cpu);
  sim::Task<Pfn> LockCached(sim::Path& path, HugeFile& file, uint64_t index);
  sim::Task<void> RemovePages(sim::Path& path, HugeFile& file, uint64_t from, uint64_t to, bool truncate,
                              CpuId cpu);
  sim::Task<void> TruncateTo(sim::Path& path, HugeFile& file, int64_t bytes, CpuId cpu);
  sim::Task<bool> AddToCache(sim::Path& path, HugeFile& file, const HugeClaim& claim);
  sim::Task<Errno> MoveLocked(sim::Path& path, Pfn from, Pfn to, CpuId cpu);
  sim::Task<bool> MoveMappings(sim::Path& path, HugeFile& file, Pfn from, Pfn to);
  void HandOver(Pfn from, Pfn to);
  sim::Task<void> Unreserve(sim::Path& path, HugeFile& file, uint64_t from, uint64_t to, int64_t freed,
                            CpuId cpu);

  MemorySystem& memory_;
  const ProcessTable& processes_;
  const Rmap& rmap_;
  HugetlbPool pool_;
  HugetlbFiles files_;
  std::vector<std::unique_ptr<sim::Mutex>> fault_mutexes_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_HUGETLB_HUGETLB_H_
