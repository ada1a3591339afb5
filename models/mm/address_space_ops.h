// AddressSpaceOps: the system calls and faults of processes as paths (mm/memory.c, mm/mmap.c, kernel/fork.c,
// Linux 6.1). Every call must be made on the LP of the process's CPU, by a path that holds the CPU, and ends
// there. It has no state of its own.
//
// Modelled are base pages of anonymous and shared memory, transparent huge pages of both (with
// TransparentHugePages and Shmem), files of the disk (with Filemap), and HugeTLB mappings (with Hugetlb).
#ifndef NUMASIM_MODELS_MM_ADDRESS_SPACE_OPS_H_
#define NUMASIM_MODELS_MM_ADDRESS_SPACE_OPS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "models/address_space/process.h"
#include "models/address_space/process_table.h"
#include "models/base/errno.h"
#include "models/base/move_result.h"
#include "models/filemap/filemap.h"
#include "models/hugetlb/hugetlb.h"
#include "models/migrate/migration.h"
#include "models/mm/advice.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/shmem/shmem.h"
#include "models/thp/thp.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

struct MapRequest {
  int64_t pages = 0;
  bool shared = false;  // MAP_SHARED; without a file, MAP_ANONYMOUS besides
  MemPolicy policy;     // mbind right after
  Vma::ThpAdvice thp = Vma::ThpAdvice::kNone;
  // MAP_HUGETLB, or a file on hugetlbfs; `pages` is then rounded up to whole huge pages.
  std::optional<HugeSize> huge;
  FileId file;        // open, on hugetlbfs, on the disk or (with `shared`) on the tmpfs; kNoFile: anonymous
  bool disk = false;  // it is on the disk
  bool noreserve = false;  // MAP_NORESERVE
};

struct MapResult {
  Errno error = Errno::kOk;
  Vpn start;
};

// Accesses at begin, begin + stride, .. below end, in bytes from the address of page 0.
struct TouchRequest {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t stride = kPageSize;
  bool write = true;
  bool ends_at_sigbus = false;  // no access is made after the first that gets SIGBUS
};

// How the accesses went. `oom`: there was no page for it, and no further access was made. A real kernel would
// call the OOM killer here, which is not modelled.
struct TouchCounts {
  int64_t ok = 0;
  int64_t sigbus = 0;
  int64_t sigsegv = 0;
  int64_t oom = 0;
};

struct PinResult {
  Errno error = Errno::kOk;
  uint64_t pin = 0;  // for Unpin
};

class CopyStretch;
class FaultStretch;
class PageSupply;

class AddressSpaceOps {
 public:
  AddressSpaceOps(MemorySystem& memory, PageAllocator& allocator, ProcessTable& processes, ShmemFiles& files,
                  Hugetlb& hugetlb, Migrator& migrator, Shmem& shmem, Filemap& filemap,
                  TransparentHugePages& thp)
      : memory_(memory),
        allocator_(allocator),
        processes_(processes),
        files_(files),
        hugetlb_(hugetlb),
        migrator_(migrator),
        shmem_(shmem),
        filemap_(filemap),
        thp_(thp) {}

  // A new process on `process.cpu`: kAgain beyond pid_max, kNoMem without memory for its first page tables.
  sim::Task<Errno> Spawn(sim::Path& path, Process& process);
  // fork(): `child` gets the parent's CPU, policy and a copy-on-write copy of its memory. As Spawn; on an
  // error the child has nothing.
  sim::Task<Errno> Fork(sim::Path& path, Process& parent, Process& child);
  // exit_mmap() and the rest of exit.
  sim::Task<void> Exit(sim::Path& path, Process& process);
  // The exit of a process that was killed, by its own path with its CPU: itself, or, where the OOM killer's
  // reaper is at it, the wait for that.
  sim::Task<void> ExitKilled(sim::Path& path, Process& process);
  // sched_setaffinity(): the path goes on, holding the new CPU, on the LP of that one's node.
  sim::Task<void> MoveToCpu(sim::Path& path, Process& process, CpuId cpu);

  sim::Task<MapResult> Map(sim::Path& path, Process& process, MapRequest request);
  sim::Task<Errno> Unmap(sim::Path& path, Process& process, Vpn begin, Vpn end);
  // kNoMem where the range has a hole; what is mapped before the hole is changed.
  sim::Task<Errno> Protect(sim::Path& path, Process& process, Vpn begin, Vpn end, Access access);
  // madvise(), VMA by VMA. The first error ends it; holes are passed over, and make it kNoMem in the end.
  // Populating ends at the first page that cannot be had: kFault where an access would get SIGBUS.
  sim::Task<Errno> Advise(sim::Path& path, Process& process, Vpn begin, Vpn end, Advice advice);
  // mlock(): locks what is base pages, and faults everything in. kNoMem where the range has a hole or an
  // access would not be allowed or get SIGBUS, kAgain where memory has ended.
  sim::Task<Errno> Lock(sim::Path& path, Process& process, Vpn begin, Vpn end);
  // What mmap() does with MAP_POPULATE, which tells nobody that a page could not be had.
  sim::Task<void> PopulateMapping(sim::Path& path, Process& process, Vpn begin, Vpn end);
  // mbind: kInval for a policy that JudgePolicy() refuses, kFault where the range has a hole, which the
  // default policy may have; nothing is changed then. kInval also where the range ends inside a huge page.
  sim::Task<Errno> Bind(sim::Path& path, Process& process, Vpn begin, Vpn end, MemPolicy policy);
  // pin_user_pages() for writing: faults the pages in as needed and takes a reference on each, which outlives
  // their mappings. All of them or none, as a memory region of RDMA: kFault where one cannot be written to,
  // kNoMem.
  sim::Task<PinResult> Pin(sim::Path& path, Process& process, Vpn begin, Vpn end);
  // Drops these references: now, or in an interrupt on the process's CPU, beside whatever runs there. The
  // time that the interrupt takes from it is not modelled.
  sim::Task<void> Unpin(sim::Path& path, Process& process, uint64_t pin, bool in_interrupt);
  // move_pages(MPOL_MF_MOVE) of every page of [begin, end), of base pages or of huge pages of this order:
  // kNoDev where the node has no memory, kNoMem.
  sim::Task<MoveResult> MovePages(sim::Path& path, Process& process, Vpn begin, Vpn end, NodeId node,
                                  int order = 0);
  sim::Task<Errno> SetPolicy(sim::Path& path, Process& process, MemPolicy policy);  // set_mempolicy

  sim::Task<TouchCounts> Touch(sim::Path& path, Process& process, TouchRequest request);

  // What became of a fault. kRetry: the entry was a migration entry, or has changed meanwhile; the access is
  // made again. kFallback: of a huge page, base pages are to do.
  enum class FaultResult : uint8_t { kDone, kRetry, kFallback, kOom, kSigbus, kSigsegv };

 private:
  // mmap_lock, of accesses: taken for each fault, or held by the caller for all.
  enum class Locking : uint8_t { kEachFault, kHeld };

  sim::Task<MapResult> MapLocked(sim::Path& path, Process& process, MapRequest request);
  sim::Task<bool> MapFile(sim::Path& path, const Process& process, const MapRequest& request, Vma& vma);
  Errno MayUnmap(const Process& process, Vpn begin, Vpn end) const;
  sim::Task<void> UnmapRegion(sim::Path& path, Process& process, const std::vector<Vma>& removed, Vpn begin,
                              Vpn end);
  Errno BindLocked(Process& process, Vpn begin, Vpn end, MemPolicy policy) const;
  // mpol_new() and mpol_set_nodemask(): makes of what was asked for the policy that counts, of nodes with
  // memory. False where the kernel refuses it.
  bool JudgePolicy(MemPolicy& policy) const;
  NodeId NodeOf(const Process& process) const { return memory_.NodeOfCpu(process.cpu); }
  // As mprotect() and mbind() answer; madvise() has kAgain for kNoMem.
  static Errno ErrnoOf(AddressSpace::Refusal refusal);
  // vm.max_map_count, as the process's node knows it.
  int64_t MaxMapCount(const Process& process) const { return memory_.node(NodeOf(process)).vm.max_map_count; }
  FrameOwner AnonOwner(const Process& process, Vpn vpn) const;
  static Entry& EntryOf(Process& process, Vpn vpn);
  // Of a private mapping of a file: whether the page was copied already.
  static bool HasAnonymousPage(const Process& process, Vpn vpn);
  static bool StillIs(Process& process, Vpn vpn, Entry old);

  sim::Task<TouchCounts> TouchPages(sim::Path& path, Process& process, TouchRequest request, Locking locking);
  std::optional<sim::Duration> FaultAtOnce(Process& process, Node& home, Vma* vma, Cursor& entries, Vpn vpn,
                                           const TouchRequest& request, FaultStretch& stretch);
  sim::Task<FaultResult> EndRefillingFault(sim::Path& path, Process& process, Vma vma, Vpn vpn,
                                           FaultStretch& faults);
  sim::Task<void> EndRefill(sim::Path& path, PageSupply& supply) const;
  void EndFault(const sim::Path& path, Process& process, const Vma* vma, Vpn vpn,
                std::optional<sim::SimTime>& began, FaultResult result);
  sim::Task<FaultResult> HandleFault(sim::Path& path, Process& process, Vma* vma, Vpn vpn, bool write);
  sim::Task<FaultResult> BadAccess(sim::Path& path) const;
  // handle_pte_fault() for an access that the VMA allows and that the entry does not. Faults have a copy of
  // the VMA, which may be at another place when a path comes back. `entered`: costs.fault has passed.
  sim::Task<FaultResult> Fault(sim::Path& path, Process& process, Vma vma, Vpn vpn, bool write,
                               bool entered = false);
  bool CopiesOnWrite(const Process& process, const Vma* vma, Cursor& entries, Vpn vpn,
                     const TouchRequest& request, CopyStretch& copies) const;
  sim::Task<FaultResult> CopyPages(sim::Path& path, Process& process, Vma vma, CopyStretch& copies,
                                   const uint64_t& at);
  sim::Task<FaultResult> HugeFault(sim::Path& path, Process& process, Vma vma, Vpn first, bool write);
  sim::Task<MapResult> MapHuge(sim::Path& path, Process& process, MapRequest request);
  sim::Task<PinResult> PinLocked(sim::Path& path, Process& process, Vpn begin, Vpn end);
  sim::Task<void> TakeReferences(sim::Path& path, const std::vector<Folio>& pages);
  sim::Task<void> DropPins(sim::Path& path, const PinnedPages& pages, CpuId cpu, bool in_interrupt);
  sim::Task<Errno> FaultInForWrite(sim::Path& path, Process& process, Vpn begin, Vpn end);
  sim::Task<bool> AddHugeTables(sim::Path& path, const Process& parent, Process& child);
  sim::Task<FaultResult> CopyOnWrite(sim::Path& path, Process& process, const Vma& vma, Vpn vpn);
  // Of files (file_fault.cc). `table` is kNoPfn, or a frame for the PTE table that is not
  // there; it becomes kNoPfn where that was needed.
  sim::Task<FaultResult> FileFault(sim::Path& path, Process& process, const Vma& vma, Vpn vpn, bool write);
  sim::Task<FaultResult> MapFilePages(sim::Path& path, Process& process, const Vma& vma, Vpn vpn, bool write,
                                      Pfn& table);
  sim::Task<bool> AddFilePage(sim::Path& path, Process& process, const Vma& vma, uint64_t index);
  sim::Task<FaultResult> CopyFilePage(sim::Path& path, Process& process, const Vma& vma, Vpn vpn, Pfn page);
  sim::Task<FaultResult> MapByPmd(sim::Path& path, Process& process, const Vma& vma, Vpn vpn, Pfn head);
  sim::Task<bool> EnsurePmd(sim::Path& path, Process& process, Vpn vpn);
  sim::Task<bool> EnsureTable(sim::Path& path, Process& process, Vpn vpn);
  // Sleeps a little for who moves a page, which may need this CPU (migration_entry_wait).
  sim::Task<void> WaitForMove(sim::Path& path) const;
  sim::Task<void> LeaveHome(sim::Path& path, Process& process);
  sim::Task<ScanResult> CollapseFile(sim::Path& path, Process& process, const Vma& vma, Vpn first,
                                     CollapseLimits limits);
  // Who maps an anonymous page: kSettling while a migration has it and others may.
  enum class Sharing : uint8_t { kAlone, kShared, kSettling };
  sim::Task<Sharing> SharingOf(sim::Path& path, Pfn pfn);
  // Puts `fresh` where the entry is `old` still (pte_same); else releases its page.
  sim::Task<FaultResult> Install(sim::Path& path, Process& process, Vpn vpn, Entry old, Pfn fresh);
  sim::Task<Pfn> AllocForVma(sim::Path& path, Process& process, const Vma& vma, Vpn vpn, FrameOwner owner);
  // A page table's frame, cleared; on the LP of the process's node.
  sim::Task<Pfn> AllocTable(sim::Path& path, Process& process);
  // The same without a coroutine, where TryAllocLocal() has one: else kNoPfn, and nothing has happened. The
  // caller pays pcp_alloc and clear_page.
  Pfn TryAllocTable(Process& process);
  // A block of the kernel's that is cleared, under the task's policy (GFP_PGTABLE_USER); kNoPfn without
  // memory.
  sim::Task<Pfn> AllocCleared(sim::Path& path, Process& process, FrameOwner owner, int order);
  sim::Task<Pfn> AllocThpForVma(sim::Path& path, Process& process, const Vma& vma, Vpn first, GfpFlags gfp);
  sim::Task<Pfn> AllocZeroPage(sim::Path& path, Process& process);

  // Transparent huge pages (thp_fault.cc); `first` is where one begins.
  sim::Task<FaultResult> ThpFault(sim::Path& path, Process& process, const Vma& vma, Vpn vpn, bool write);
  sim::Task<FaultResult> AnonThpFault(sim::Path& path, Process& process, const Vma& vma, Vpn first,
                                      bool write);
  sim::Task<FaultResult> ZeroPageFault(sim::Path& path, Process& process, Vpn first);
  sim::Task<FaultResult> ThpCopyOnWrite(sim::Path& path, Process& process, Vpn first);
  sim::Task<void> SettlePmdSplits(sim::Path& path, Process& process);
  sim::Task<void> SplitPmdsAround(sim::Path& path, Process& process, Vpn begin, Vpn end);
  static bool NothingAt(const Process& process, Vpn first);

  sim::Task<Errno> AdviseVmas(sim::Path& path, Process& process, Vpn begin, Vpn end, Advice advice);
  sim::Task<Errno> MarkLocked(sim::Path& path, Process& process, Vpn begin, Vpn end);
  sim::Task<Errno> PopulateLocked(sim::Path& path, Process& process, Vpn begin, Vpn end);
  // Of a part of one VMA (advice.cc).
  sim::Task<Errno> AdviseVma(sim::Path& path, Process& process, Vpn begin, Vpn end, Advice advice);
  sim::Task<Errno> DontneedVma(sim::Path& path, Process& process, Vpn begin, Vpn end);
  sim::Task<Errno> FreeLazily(sim::Path& path, Process& process, Vpn begin, Vpn end);
  sim::Task<bool> FreePartLazily(sim::Path& path, Process& process, Vpn begin, Vpn end);
  // What a page is: no part of a huge page; of one that was split now; of one that stays.
  enum class Part : uint8_t { kNone, kSplit, kStays };
  sim::Task<Part> SplitForPart(sim::Path& path, Process& process, Folio part, bool by_pmd);
  sim::Task<Errno> CollapseVma(sim::Path& path, Process& process, Vpn begin, Vpn end);
  sim::Task<Errno> RemoveVma(sim::Path& path, Process& process, Vpn begin, Vpn end);
  sim::Task<Errno> AdviseThp(sim::Path& path, Process& process, Vpn begin, Vpn end, Vma::ThpAdvice advice);
  sim::Task<Errno> FaultIn(sim::Path& path, Process& process, Vpn begin, Vpn end, bool write);
  sim::Task<Errno> PopulateVma(sim::Path& path, Process& process, Vpn begin, Vpn end);

  sim::Task<Vpn> QueueMoves(sim::Path& path, Process& process, Vpn begin, Vpn end, NodeId node,
                            std::vector<Folio>& queue, int64_t& with_others, MoveResult& result);
  sim::Task<Vpn> QueueHugeMoves(sim::Path& path, Process& process, Vpn begin, Vpn end, NodeId node, int order,
                                std::vector<Folio>& queue, MoveResult& result);
  sim::Task<Errno> MoveQueue(sim::Path& path, CpuId cpu, std::vector<Folio> queue, NodeId node,
                             MoveResult& result);
  void LogStayed(sim::Path& path, const MoveResult& result, NodeId node, int order) const;

  // What a batch of entries mapped, to be released.
  struct Gathered {
    std::vector<FolioRun> pages;  // of anonymous memory, in the order of their addresses
    std::vector<Folio> tables;    // that were deposited under huge pages
    int64_t entries = 0;
  };
  sim::Task<void> Zap(sim::Path& path, Process& process, Vma part);
  static Vpn Gather(Process& process, Vpn begin, Vpn end, Gathered& gathered);
  sim::Task<void> DropFileMappings(sim::Path& path, Process& process, const std::vector<Vma>& removed);
  // Spawn, of a process that is on its own or (fork) of a family.
  sim::Task<Errno> Begin(sim::Path& path, Process& process, const Process* parent);
  sim::Task<Errno> TakeId(sim::Path& path, Process& process, const Process* parent);
  sim::Task<void> ReturnId(sim::Path& path, Process& process);
  sim::Task<Errno> AllocPgd(sim::Path& path, Process& process);
  sim::Task<void> FreePgd(sim::Path& path, Process& process);
  sim::Task<Errno> AllocBaseTables(sim::Path& path, Process& process);
  sim::Task<bool> CopyMemory(sim::Path& path, Process& parent, Process& child);
  sim::Task<void> AddFileMappings(sim::Path& path, const Process& child);
  sim::Task<void> CopyHugePages(sim::Path& path, Process& parent, Process& child, bool entries);
  sim::Task<bool> CopyPageTables(sim::Path& path, Process& parent, Process& child);
  sim::Task<bool> CopyThp(sim::Path& path, Process& parent, Process& child, Vpn first);
  sim::Task<void> AddReferences(sim::Path& path, const std::vector<FolioRun>& runs);
  static void AddMappings(Zone& zone, FolioRun run);

  MemorySystem& memory_;
  PageAllocator& allocator_;
  ProcessTable& processes_;  // global LP
  ShmemFiles& files_;
  Hugetlb& hugetlb_;
  Migrator& migrator_;
  Shmem& shmem_;
  Filemap& filemap_;
  TransparentHugePages& thp_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MM_ADDRESS_SPACE_OPS_H_
