// ScriptRunner: performs the operations of one stream on the models. Owned by the Simulation (or by
// `conform`); its processes move between LPs, the runner itself is touched only by the one path that performs
// the stream.
#ifndef NUMASIM_WORKLOADS_SCRIPT_RUNNER_H_
#define NUMASIM_WORKLOADS_SCRIPT_RUNNER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "models/address_space/process.h"
#include "models/base/errno.h"
#include "models/contig/contig.h"
#include "models/kernel.h"
#include "models/mm/address_space_ops.h"
#include "models/physical/memory_system.h"
#include "sim/path.h"
#include "sim/task.h"
#include "workloads/operations.h"
#include "workloads/requirements.h"
#include "workloads/script.h"

namespace numasim::workloads {

// A mapping as a script names it. Parts of it may have been unmapped since.
struct Region {
  Vpn start;
  int64_t bytes = 0;
  std::optional<HugeSize> huge = {};  // of HugeTLB pages
  FileId open_file = {};              // on hugetlbfs; kNoFile: none
  bool shmem = false;

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
  Errno error = Errno::kOk;
  std::optional<TouchCounts> touch;
  std::optional<HugeMoved> moved;
  std::optional<int64_t> plugged;   // bytes, of virtio_mem
  std::optional<int64_t> block;     // the memory block that was to go offline, if it was one
  std::optional<int64_t> offlined;  // of a range of memory blocks, those that went offline
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
  // Where a line of the script is, for messages: "FILE:LINE".
  using Place = std::function<std::string(int line)>;

  // `name` is the stream's, for paths and messages.
  ScriptRunner(Kernel& kernel, std::string name, Place place);

  // The first operation that the models cannot do yet, as a message with file and line; empty if they can do
  // all.
  static std::string FirstNotModelled(const Script& script, const Place& place);

  // Performs one operation. May begin on any LP, ends on any.
  sim::Task<OpResult> Perform(sim::Path& path, const Op& op);

  // Performs all operations, `loops` times; processes still alive at the end of a loop exit. Throws
  // ScriptError with file and line.
  sim::Task<void> Run(sim::Path& path, const Script& script, int loops);

  // Where the process's next operation starts; the global LP for operations of the system.
  sim::LpId HomeOf(const Op& op) const;

  const std::string& name() const { return name_; }

  // The operation of Run that is under way, for messages. Read while nothing runs.
  std::string Where() const;

  // The processes that live, by name. Valid until the next operation.
  std::vector<const Process*> LiveProcesses() const;

  // What did not go as asked: an operation with its error, or accesses of a touch with what became of them.
  struct Failure {
    bool of_accesses = false;
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
  struct Owned {
    std::unique_ptr<Process> process;
    absl::btree_map<std::string, Region> regions;
    absl::btree_map<std::string, std::vector<uint64_t>> pins;  // by the name of the mapping they were made of
  };
  // What a cma_alloc of the script holds.
  struct CmaRange {
    CmaArea* area;
    Pfn start;
    int64_t pages;
  };

  sim::Task<OpResult> PerformSystem(sim::Path& path, const Op& op);
  sim::Task<OpResult> PerformProcess(sim::Path& path, const Op& op, Owned& owned);
  sim::Task<Errno> Spawn(sim::Path& path, const std::string& process_name);
  sim::Task<Errno> Fork(sim::Path& path, Owned& parent, const std::string& child_name);
  // On mappings (script_runner_mappings.cc).
  sim::Task<OpResult> Map(sim::Path& path, Owned& owned, const MapOp& op);
  sim::Task<Errno> AfterMap(sim::Path& path, Process& process, const Region& region, const MapOp& op);
  sim::Task<OpResult> Touch(sim::Path& path, Owned& owned, const TouchOp& op);
  sim::Task<OpResult> Unmap(sim::Path& path, Owned& owned, const UnmapOp& op);
  sim::Task<OpResult> Advise(sim::Path& path, Owned& owned, const AdviseOp& op);
  sim::Task<Errno> AdviseOnce(sim::Path& path, Process& process, AdviseOp::Advice advice,
                              const Region& region, const Range& range);
  sim::Task<Errno> Protect(sim::Path& path, Process& process, const Region& region, const ProtectOp& op);
  // On hugetlbfs and the pool (script_runner_hugetlb.cc).
  sim::Task<Errno> PerformHugetlbSystem(sim::Path& path, const Op& op);
  sim::Task<Errno> Pin(sim::Path& path, Owned& owned, const PinOp& op);
  sim::Task<Errno> Unpin(sim::Path& path, Owned& owned, const UnpinOp& op);
  sim::Task<Errno> OnHugetlbFile(sim::Path& path, Process& process, const Region& region, const OpKind& kind);
  sim::Task<void> CloseFiles(sim::Path& path, Owned& owned);
  sim::Task<void> CloseFile(sim::Path& path, Owned& owned, const std::string& id);

  // On CMA areas, memory blocks and virtio-mem (script_runner_contig.cc).
  sim::Task<OpResult> PerformContigSystem(sim::Path& path, const Op& op);
  sim::Task<OpResult> AskVirtioMem(sim::Path& path, int64_t size);
  sim::Task<OpResult> OfflineBlock(sim::Path& path, const OfflineBlockOp& op);
  sim::Task<Errno> AllocCma(sim::Path& path, const CmaAllocOp& op);
  sim::Task<Errno> ReleaseCma(sim::Path& path, const std::string& name);

  sim::Task<Errno> SetThp(sim::Path& path, const ThpOp& op);
  sim::Task<Errno> SetSysctl(sim::Path& path, const SysctlOp& op);
  void Count(const Op& op, const OpResult& result);

  MemorySystem& memory_;
  AddressSpaceOps& ops_;
  Kernel& kernel_;
  Contig& contig_;
  std::string name_;
  Place place_;
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
  int64_t private_hugetlb_kb = 0;
  int64_t shared_hugetlb_kb = 0;
  std::vector<int64_t> node_kb;
};
MappingStats StatsOf(const MemorySystem& memory, const HugetlbPool& pool, const Process& process,
                     const Region& region);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_SCRIPT_RUNNER_H_
