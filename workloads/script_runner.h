// ScriptRunner: performs the operations of one stream on the models. Owned by the Simulation (or by
// `conform`); its processes move between LPs, the runner itself is touched only by the one path that performs
// the stream.
#ifndef NUMASIM_WORKLOADS_SCRIPT_RUNNER_H_
#define NUMASIM_WORKLOADS_SCRIPT_RUNNER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "models/address_space/process.h"
#include "models/base/errno.h"
#include "models/contig/contig.h"
#include "models/kernel.h"
#include "models/mm/address_space_ops.h"
#include "models/physical/memory_system.h"
#include "models/pipes/pipes.h"
#include "sim/path.h"
#include "sim/task.h"
#include "workloads/operation_log.h"
#include "workloads/operations.h"
#include "workloads/requirements.h"
#include "workloads/script.h"

namespace numasim::workloads {

// A mapping as a script names it. Parts of it may have been unmapped since.
struct Region {
  Vpn start;
  int64_t bytes = 0;
  std::optional<HugeSize> huge = {};  // of HugeTLB pages
  FileId open_file = {};              // on hugetlbfs, the tmpfs or the disk; kNoFile: none

  Vpn PageBelow(int64_t offset) const { return start + (offset >> kPageShift); }
  Vpn PageAbove(int64_t offset) const { return start + ((offset + kPageSize - 1) >> kPageShift); }
  Vpn end() const { return PageAbove(bytes); }
  int64_t page_bytes() const { return huge.has_value() ? PagesOf(*huge) << kPageShift : kPageSize; }
};

// A range of a mapping in bytes, cut off at the mapping's end; all of it without one.
Range Clip(const std::optional<Range>& range, const Region& region);

// An operation that makes no sense where it stands, whatever the kernel would say: it ends the run.
class ScriptError : public std::runtime_error {
 public:
  explicit ScriptError(const std::string& what) : std::runtime_error(what) {}
};

struct OpResult {
  OpResult() = default;
  explicit OpResult(Errno e) : error(e) {}

  Errno error = Errno::kOk;
  std::optional<TouchCounts> touch;
  int64_t beyond = 0;  // accesses asked for beyond the end of the mapping, which are not made
  std::optional<MoveResult> moved;
  std::optional<int64_t> read;      // bytes, of read
  std::optional<int64_t> plugged;   // bytes, of virtio_mem
  std::optional<int64_t> block;     // the memory block that was to go offline, if it was one
  std::optional<int64_t> offlined;  // of a range of memory blocks, those that went offline
  bool blocks_lack = false;         // some are not there, and another failed
  // What kept a virtio_mem request from being met in full, which is no error of the operation.
  Errno unmet = Errno::kOk;
  // The mapping the operation was on, if it still has a name, and whose it is.
  const Process* process = nullptr;
  std::optional<Region> region;
};

// What scripts can name of the machine's CMA areas and its virtio-mem device.
Devices DevicesOf(const Kernel& kernel);

class ScriptRunner {
 public:
  // `name` is the stream's, for paths and messages; `place` names lines of the script in messages.
  ScriptRunner(Kernel& kernel, std::string name, LineName place);

  // Performs one operation. May begin on any LP, ends on any.
  sim::Task<OpResult> Perform(sim::Path& path, const Op& op);

  // Performs all operations, `loops` times; processes still alive at the end of a loop exit. Records them in
  // `log`. What the path logs has `of`, the script's name, which outlives the run, and the operation's line;
  // of an exit that the script does not have that of the process's start. Throws ScriptError with file and
  // line.
  sim::Task<void> Run(sim::Path& path, const Script& script, const std::string& of, int loops,
                      OperationLog& log);

  // Where the process's next operation starts; the global LP for operations of the system.
  sim::LpId HomeOf(const Op& op) const;

  const std::string& name() const { return name_; }

  // The operation of Run that is under way, for messages. Read while nothing runs.
  std::string Where() const;

  // The processes that live, by name. Valid until the next operation.
  std::vector<const Process*> LiveProcesses() const;

  // What did not go as asked: an operation with its error, or accesses of a touch or pages of a move with
  // what became of them.
  struct Failure {
    bool of_parts = false;
    std::string what;  // "map ENOMEM", "accesses: SIGBUS"
    int line = 0;      // of the script
    friend auto operator<=>(const Failure&, const Failure&) = default;
  };
  struct Counts {
    int64_t operations = 0;
    int64_t accesses = 0;  // by touch: ok
    absl::btree_map<Failure, int64_t> failures;
  };
  const Counts& counts() const { return counts_; }

  // The operation that Run is at, as "FILE:LINE: 'OPERATION'"; empty before the first. Read while nothing
  // runs.
  std::string Doing() const;

 private:
  // Pipes under one name, in the order in which they were made; null: closed. A child has its parent's open
  // as well.
  using OpenPipes = std::vector<std::shared_ptr<Pipe>>;
  struct Owned {
    std::unique_ptr<Process> process;
    int line = 0;  // of the script that started it; in Run
    absl::btree_map<std::string, Region> regions;
    absl::btree_map<std::string, std::vector<uint64_t>> pins;  // by the name of the mapping they were made of
    absl::btree_map<std::string, OpenPipes> pipes;
  };
  // The mapping that an operation is on, as it is when the operation begins.
  struct Mapped {
    Owned& owner;
    const std::string& name;
    Region region;
    Process& process() const { return *owner.process; }
  };
  // Who performs an operation, on what. Nothing for what is not there.
  struct Subject {
    Owned* owned = nullptr;         // never for operations of the system
    std::optional<Mapped> mapping;  // only for those that are on one
  };
  // What a cma_alloc of the script holds.
  struct CmaRange {
    CmaArea* area;
    Pfn start;
    int64_t pages;
  };

  // Where an operation of the system runs, unless it takes no CPU.
  static constexpr CpuId kSystemCpu{0};

  // What it returns refers to `op`.
  Subject Find(const Op& op);
  sim::LpId LpOf(const Process& process) const;
  // Calls the one overload of Do that is for the operation's kind. A process that performs it must be there.
  sim::Task<OpResult> Begin(sim::Path& path, const OpKind& kind, const Subject& subject);
  sim::Task<OpResult> OnSystemCpu(sim::Path& path, sim::Task<OpResult> work);
  sim::Task<OpResult> OnProcessCpu(sim::Path& path, const Op& op, const Subject& subject);
  int LineNow() const { return current_ == nullptr ? 0 : current_->line; }
  sim::Task<OpResult> InCall(sim::Path& path, const Op& op, const Subject& subject);
  // Gives back what a process that ends had beside its address space.
  sim::Task<void> CloseAll(sim::Path& path, Owned& owned);

  // ---- One overload for each kind of operation. What they are handed stays put until they end. ----

  // Of the system, without a CPU.
  sim::Task<OpResult> Do(sim::Path& path, const SpawnOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const SleepOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const ThpOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const SysctlOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const KhugepagedSetOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const KhugepagedOp& op);

  // Of the system, on its CPU.
  sim::Task<OpResult> Do(sim::Path& path, const PoolOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const OvercommitOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const DemoteOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const MountHugetlbfsOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const UmountOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const UnlinkOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const UnlinkHugetlbOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const OfflineBlockOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const VirtioMemOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const CmaAllocOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const CmaReleaseOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const DropCachesOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const CompactOp& op);

  // Of a process, on its CPU.
  sim::Task<OpResult> Do(sim::Path& path, Owned& owned, const CpuOp& op);
  sim::Task<OpResult> Do(sim::Path& path, Owned& owned, const OomScoreAdjOp& op);
  sim::Task<OpResult> Do(sim::Path& path, Owned& owned, const PolicyOp& op);
  sim::Task<OpResult> Do(sim::Path& path, Owned& owned, const MapOp& op);
  sim::Task<OpResult> Do(sim::Path& path, Owned& owned, const UnpinOp& op);
  sim::Task<OpResult> Do(sim::Path& path, Owned& owned, const ProcessPoolOp& op);
  sim::Task<OpResult> Do(sim::Path& path, Owned& owned, const PipesOp& op);
  sim::Task<OpResult> Do(sim::Path& path, Owned& owned, const DrainPipesOp& op);
  sim::Task<OpResult> Do(sim::Path& path, Owned& owned, const ForkOp& op);
  sim::Task<OpResult> Do(sim::Path& path, Owned& owned, const ExitOp& op);

  // Of a process, on a mapping.
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const TouchOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const UnmapOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const ProtectOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const LockOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const AdviseOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const BindOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const MoveOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const FallocateOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const PunchOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const TruncateOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const ReadOp& op);
  sim::Task<OpResult> Do(sim::Path& path, const Mapped& on, const PinOp& op);

  // ---- Parts of them ----

  sim::Task<Errno> AfterMap(sim::Path& path, Process& process, const Region& region, const MapOp& op);
  sim::Task<Errno> AdviseOnce(sim::Path& path, const Mapped& on, AdviseOp::Advice advice, const Range& range);
  // Files that mappings are of (script_runner_files.cc).
  sim::Task<OpResult> OpenFile(sim::Path& path, const MapOp& op, CpuId cpu, MapRequest& request);
  sim::Task<void> ReOpenFiles(sim::Path& path, Owned& owned);
  sim::Task<void> Close(sim::Path& path, const Region& region, CpuId cpu);
  sim::Task<void> CloseFile(sim::Path& path, Owned& owned, const std::string& id);
  sim::Task<void> CloseFiles(sim::Path& path, Owned& owned);
  sim::Task<void> ClosePipes(sim::Path& path, Owned& owned, OpenPipes& pipes, size_t every);
  sim::Task<Errno> ReleaseCma(sim::Path& path, const std::string& name);

  sim::Task<void> PerformAndCount(sim::Path& path, const Op& op, const std::string& of, OperationLog& log);
  void Count(const Op& op, const OpResult& result);

  MemorySystem& memory_;
  AddressSpaceOps& ops_;
  Kernel& kernel_;
  Contig& contig_;
  std::string name_;
  LineName place_;
  absl::btree_set<std::string> killed_;     // names of processes that are gone, until they are given again
  std::map<std::string, Owned> processes_;  // stays put as it grows: operations hold on to theirs
  absl::btree_map<std::string, CmaRange> cma_ranges_;
  Counts counts_;
  const Op* current_ = nullptr;  // of Run
  int loop_ = 0;
};

// What smaps and numa_maps show of a mapping, in kB. Read only while nothing runs.
struct MappingStats {
  int64_t rss_kb = 0;
  int64_t anon_kb = 0;
  int64_t anon_huge_kb = 0;  // by PMDs
  int64_t shmem_pmd_kb = 0;  // the same
  int64_t private_hugetlb_kb = 0;
  int64_t shared_hugetlb_kb = 0;
  std::vector<int64_t> node_kb;
};
MappingStats StatsOf(const MemorySystem& memory, const HugetlbPool& pool, const Process& process,
                     const Region& region);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_SCRIPT_RUNNER_H_
