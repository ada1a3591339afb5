// The operations of a script as plain data: one struct per operation of the script language, gathered in
// OpKind.
//
// An Op stands for one line. It is a value: it is owned by the Script that was parsed, or by the generator
// that made it, lives on no LP, and is read by the runner, which performs it on the models. All sizes,
// offsets and lengths are bytes.
#ifndef NUMASIM_WORKLOADS_OPERATIONS_H_
#define NUMASIM_WORKLOADS_OPERATIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/base/types.h"
#include "models/mm/advice.h"

namespace numasim::workloads {

// CPU numbers are below this.
inline constexpr int kMaxCpus = kMaxNodes * 4096;

struct Policy {
  enum class Mode { kDefault, kBind, kPreferred, kPreferredMany, kInterleave, kLocal };
  Mode mode = Mode::kDefault;
  NodeMask nodes = {};  // as written; whether they suit the mode and the machine is for the kernel to judge

  bool operator==(const Policy&) const = default;
};

struct Range {
  int64_t offset = 0;
  int64_t length = 0;

  bool operator==(const Range&) const = default;
};

// Both ends belong to it.
struct BlockRange {
  int64_t first = 0;
  int64_t last = 0;

  bool operator==(const BlockRange&) const = default;
};

enum class HugePageSize { k2M, k1G };

enum class Backing { kAnon, kShmem, kFile, kHugetlb2M, kHugetlb1G };

// Which pool a write to nr_hugepages is for.
struct PoolTarget {
  static constexpr int kAllNodes = -1;
  int node = kAllNodes;

  bool operator==(const PoolTarget&) const = default;
};

// ---- Operations of the system ----

struct PoolOp {
  HugePageSize page = HugePageSize::k2M;
  PoolTarget target;
  int64_t count = 0;

  bool operator==(const PoolOp&) const = default;
};

struct OvercommitOp {
  HugePageSize page = HugePageSize::k2M;
  int64_t count = 0;

  bool operator==(const OvercommitOp&) const = default;
};

struct DemoteOp {
  HugePageSize page = HugePageSize::k1G;
  int node = 0;
  int64_t count = 0;

  bool operator==(const DemoteOp&) const = default;
};

struct MountHugetlbfsOp {
  std::string directory;  // begins with '/'
  HugePageSize page = HugePageSize::k2M;
  std::optional<int64_t> size;
  std::optional<int64_t> min_size;

  bool operator==(const MountHugetlbfsOp&) const = default;
};

struct UmountOp {
  std::string directory;

  bool operator==(const UmountOp&) const = default;
};

struct UnlinkOp {
  std::string path;  // begins with '/'

  bool operator==(const UnlinkOp&) const = default;
};

// A file on the default hugetlbfs mount.
struct UnlinkHugetlbOp {
  std::string file;

  bool operator==(const UnlinkHugetlbOp&) const = default;
};

// transparent_hugepage/<knob>. The value is one that the knob's field of the scenario's Thp message allows.
struct ThpOp {
  enum class Knob { kEnabled, kShmemEnabled, kUseZeroPage, kDefrag };
  Knob knob = Knob::kEnabled;
  std::string value;

  bool operator==(const ThpOp&) const = default;
};

// transparent_hugepage/khugepaged/<knob>.
struct KhugepagedSetOp {
  enum class Knob {
    kDefrag,
    kMaxPtesNone,
    kMaxPtesShared,
    kMaxPtesSwap,
    kPagesToScan,
    kScanSleepMillisecs,
    kAllocSleepMillisecs
  };
  Knob knob = Knob::kDefrag;
  int64_t value = 0;

  bool operator==(const KhugepagedSetOp&) const = default;
};

// Lets khugepaged finish this many more full scans.
struct KhugepagedOp {
  int64_t scans = 0;

  bool operator==(const KhugepagedOp&) const = default;
};

struct DropCachesOp {
  int what = 2;  // 1: page cache, 2: shrinkers, 3: both

  bool operator==(const DropCachesOp&) const = default;
};

struct CompactOp {
  bool operator==(const CompactOp&) const = default;
};

struct SysctlOp {
  std::string name;   // with its "vm."
  std::string value;  // words separated by one space

  bool operator==(const SysctlOp&) const = default;
};

// The node's online 128M memory blocks, counted from 0 as the operation begins, from `first` to `last`.
struct OfflineBlockOp {
  int node = 0;
  BlockRange blocks = {};

  bool operator==(const OfflineBlockOp&) const = default;
};

struct VirtioMemOp {
  int64_t size = 0;

  bool operator==(const VirtioMemOp&) const = default;
};

// cma_alloc() and cma_release() by a driver, of an area of the scenario's kernel section. `align` is a power
// of two of pages in bytes.
struct CmaAllocOp {
  std::string area;
  std::string name;  // what the range is called from now on
  int64_t size = 0;
  std::optional<int64_t> align = {};

  bool operator==(const CmaAllocOp&) const = default;
};

struct CmaReleaseOp {
  std::string name;

  bool operator==(const CmaReleaseOp&) const = default;
};

struct SleepOp {
  int64_t nanoseconds = 0;

  bool operator==(const SleepOp&) const = default;
};

struct SpawnOp {
  std::string name;

  bool operator==(const SpawnOp&) const = default;
};

// ---- Operations of a process ----

struct CpuOp {
  int cpu = 0;

  bool operator==(const CpuOp&) const = default;
};

struct OomScoreAdjOp {
  int value = 0;  // the kernel judges it

  bool operator==(const OomScoreAdjOp&) const = default;
};

struct PolicyOp {
  Policy policy;

  bool operator==(const PolicyOp&) const = default;
};

struct MapOp {
  enum class Thp { kHugepage, kNohugepage };
  std::string id = {};
  int64_t size = 0;  // above 0
  Backing backing = Backing::kAnon;
  bool shared = false;  // as written; shmem is shared without it
  bool noreserve = false;
  bool populate = false;
  // A name on the default mount of the backing, or /DIR/NAME. Never for kAnon,
  // always for kFile.
  std::optional<std::string> file = {};
  std::optional<Policy> policy = {};  // mbind after mmap
  std::optional<Thp> thp = {};        // madvise after mmap

  bool operator==(const MapOp&) const = default;
};

struct TouchOp {
  std::string id;
  std::optional<Range> range;  // unset: the whole mapping
  int64_t stride = 0;          // 0: every base page, or every huge page on hugetlb; set only with a range
  bool read = false;

  bool operator==(const TouchOp&) const = default;
};

struct UnmapOp {
  std::string id;
  std::optional<Range> range;  // unset: the whole mapping

  bool operator==(const UnmapOp&) const = default;
};

struct ProtectOp {
  enum class Access { kRead, kReadWrite, kNone };
  std::string id;
  Range range;
  Access access = Access::kReadWrite;

  bool operator==(const ProtectOp&) const = default;
};

// read() of the file that the mapping is of.
struct ReadOp {
  std::string id;
  std::optional<Range> range;  // unset: the whole mapping

  bool operator==(const ReadOp&) const = default;
};

struct LockOp {
  std::string id;
  std::optional<Range> range = {};  // unset: the whole mapping

  bool operator==(const LockOp&) const = default;
};

struct AdviseOp {
  using Advice = numasim::Advice;
  std::string id;
  Range range;
  Advice advice = Advice::kDontneed;
  int64_t stride = 0;  // 0: the whole range at once; else one page at every stride

  bool operator==(const AdviseOp&) const = default;
};

struct BindOp {
  std::string id;
  Policy policy;

  bool operator==(const BindOp&) const = default;
};

struct MoveOp {
  std::string id;
  int node = 0;

  bool operator==(const MoveOp&) const = default;
};

struct FallocateOp {
  std::string id;
  Range range;

  bool operator==(const FallocateOp&) const = default;
};

struct PunchOp {
  std::string id;
  Range range;

  bool operator==(const PunchOp&) const = default;
};

struct TruncateOp {
  std::string id;
  int64_t size = 0;

  bool operator==(const TruncateOp&) const = default;
};

// References on every page of the mapping, held until they are unpinned or the process exits.
struct PinOp {
  std::string id;
  std::optional<Range> range;  // unset: the whole mapping

  bool operator==(const PinOp&) const = default;
};

// Drops all pins made by the mapping's name, also if it is unmapped by now.
struct UnpinOp {
  std::string id;
  bool irq = false;  // in an interrupt on the process's CPU

  bool operator==(const UnpinOp&) const = default;
};

// `@P pool`: the write to nr_hugepages (or nr_hugepages_mempolicy) made by a process.
struct ProcessPoolOp {
  HugePageSize page = HugePageSize::k2M;
  bool mempolicy = false;  // under the process's memory policy; else on all nodes
  int64_t count = 0;

  bool operator==(const ProcessPoolOp&) const = default;
};

// Pipes of 1M that the process fills until they hold so much.
struct PipesOp {
  std::string pipes;  // what they are called together
  int64_t size = 0;

  bool operator==(const PipesOp&) const = default;
};

// Closes the first of them and each EVERYth behind it, of those that were made.
struct DrainPipesOp {
  std::string pipes;
  std::optional<int64_t> every = {};  // unset: all

  bool operator==(const DrainPipesOp&) const = default;
};

struct ForkOp {
  std::string child;

  bool operator==(const ForkOp&) const = default;
};

struct ExitOp {
  bool operator==(const ExitOp&) const = default;
};

// Which nodes and CPUs exist: numbers in a script must be below these.
struct MachineLimits {
  int nodes = kMaxNodes;
  int cpus = kMaxCpus;
};

using OpKind =
    std::variant<PoolOp, OvercommitOp, DemoteOp, MountHugetlbfsOp, UmountOp, UnlinkOp, UnlinkHugetlbOp, ThpOp,
                 KhugepagedSetOp, KhugepagedOp, DropCachesOp, CompactOp, SysctlOp, OfflineBlockOp,
                 VirtioMemOp, CmaAllocOp, CmaReleaseOp, SleepOp, SpawnOp, CpuOp, OomScoreAdjOp, PolicyOp,
                 MapOp, TouchOp, UnmapOp, ProtectOp, LockOp, AdviseOp, BindOp, MoveOp, FallocateOp, PunchOp,
                 TruncateOp, ReadOp, PinOp, UnpinOp, ProcessPoolOp, PipesOp, DrainPipesOp, ForkOp, ExitOp>;

struct Op {
  int line = 0;              // in the script's file, from 1; 0 for an operation that was not parsed
  std::string text = {};     // the line as written, without comment and surrounding space
  std::string process = {};  // who performs it; empty: an operation of the system
  OpKind kind = {};
};

// A virtio-mem device: it may grow to `max` bytes on its node and has `plugged` at boot.
struct VirtioMemDevice {
  int node = 0;
  int64_t max = 0;
  int64_t plugged = 0;

  bool operator==(const VirtioMemDevice&) const = default;
};

// What the `machine` line says.
struct MachineLine {
  int line = 0;
  int nodes = 1;
  std::vector<int64_t> node_mem;  // one per node
  int cpus_per_node = 1;
  std::optional<VirtioMemDevice> virtio_mem;
  std::optional<int64_t> disk;  // bytes
  std::string kernel_args;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_OPERATIONS_H_
