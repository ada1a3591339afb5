#include "workloads/operation_table.h"

#include <iterator>
#include <type_traits>

#include "workloads/operation_fields.h"
#include "workloads/operation_groups.h"

namespace numasim::workloads {
namespace {

template <class Kind>
std::string Form() {
  const Kind kind;
  const Operation& operation = Operations()[OpKind(kind).index()];
  std::string form = Cat(operation.of_process ? "@P " : "", operation.name);
  FormWriter writer(form);
  Fields(writer, kind);
  return form;
}

std::string MachineForm() {
  std::string form = "machine";
  FormWriter writer(form);
  const MachineLine machine;
  Fields(writer, machine);
  return form;
}

template <class Kind>
std::vector<FieldMeaning> Meanings() {
  MeaningWriter writer;
  const Kind kind;
  Fields(writer, kind);
  return writer.meanings();
}

template <class Kind>
void Read(LineReader& reader, OpKind& kind) {
  reader.set_form(&Form<Kind>);
  Fields(reader, kind.emplace<Kind>());
}

template <class Kind>
void Write(const OpKind& kind, std::string& out) {
  LineWriter writer(out);
  Fields(writer, std::get<Kind>(kind));
}

template <class Kind, size_t index = 0>
constexpr size_t IndexOf() {
  if constexpr (std::is_same_v<Kind, std::variant_alternative_t<index, OpKind>>) {
    return index;
  } else {
    return IndexOf<Kind, index + 1>();
  }
}

template <class Kind>
constexpr Operation Named(std::string_view name, const LineHelp& help) {
  return {name,         !SystemKind<Kind>, IndexOf<Kind>(), &Read<Kind>,
          &Write<Kind>, &Form<Kind>,       &Meanings<Kind>, help};
}

using enum OperationTopic;

constexpr Operation kOperations[] = {
    Named<PoolOp>(
        "pool",
        {.topic = kHugetlb,
         .summary = "Writes nr_hugepages: the pool of a node, or of the whole machine, is to have COUNT "
                    "pages.",
         .details = "The pool ends with fewer where the pages are not to be had; a hugetlb_failed event says "
                    "why. Pages in use stay, as surplus, where the pool shrinks.",
         .example = "pool 2M node0 512"}),
    Named<OvercommitOp>(
        "overcommit",
        {.topic = kHugetlb,
         .summary = "Writes nr_overcommit_hugepages: so many surplus pages may be taken beyond the pool.",
         .example = "overcommit 2M 64"}),
    Named<DemoteOp>("demote",
                    {.topic = kHugetlb,
                     .summary = "Writes demote: splits COUNT free 1G pages of a node into pages of 2M.",
                     .example = "demote 1G node0 1"}),
    Named<MountHugetlbfsOp>(
        "mount_hugetlbfs",
        {.topic = kHugetlb,
         .summary = "Mounts hugetlbfs at /DIR with pages of that size.",
         .details = "size is the most that files on the mount may have together; min_size is reserved for "
                    "them from the pool when it is mounted.",
         .example = "mount_hugetlbfs /guests pagesize=2M,size=512M"}),
    Named<UmountOp>(
        "umount",
        {.topic = kHugetlb, .summary = "Unmounts the hugetlbfs at /DIR.", .example = "umount /guests"}),
    Named<UnlinkOp>("unlink",
                    {.topic = kFiles,
                     .summary = "Removes the name of a file on a mount of hugetlbfs or on the tmpfs /shm.",
                     .details = "Its pages stay until nobody maps it or has it open.",
                     .example = "unlink /shm/cache"}),
    Named<UnlinkHugetlbOp>("unlink_hugetlb",
                           {.topic = kHugetlb,
                            .summary = "Removes the name of a file on the default hugetlbfs mount.",
                            .example = "unlink_hugetlb guest1"}),
    Named<ThpOp>("thp", {.topic = kThp,
                         .summary = "Writes a file of /sys/kernel/mm/transparent_hugepage.",
                         .example = "thp defrag defer+madvise"}),
    Named<KhugepagedSetOp>("khugepaged_set",
                           {.topic = kThp,
                            .summary = "Writes a file of /sys/kernel/mm/transparent_hugepage/khugepaged.",
                            .details = "EINVAL where the kernel refuses the value.",
                            .example = "khugepaged_set max_ptes_none 64"}),
    Named<KhugepagedOp>(
        "khugepaged",
        {.topic = kThp,
         .summary = "Makes khugepaged scan until it has finished SCANS more full scans, whatever its sleeps.",
         .details = "EAGAIN where it has not after 7.5 s, as with thp enabled never, or where no process has "
                    "memory that it would scan.",
         .example = "khugepaged 2"}),
    Named<DropCachesOp>(
        "drop_caches",
        {.topic = kThp,
         .summary = "Writes /proc/sys/vm/drop_caches: 1 or 3 empties the page cache, 2 or 3 runs the "
                    "shrinkers.",
         .details = "The page cache keeps what processes have mapped, and all shared memory. The shrinkers "
                    "split huge pages that are mapped only in part, and free a huge zero page that nobody "
                    "uses.",
         .example = "drop_caches 2"}),
    Named<CompactOp>("compact", {.topic = kSystem,
                                 .summary = "Writes /proc/sys/vm/compact_memory: compacts all zones.",
                                 .example = "compact"}),
    Named<SysctlOp>("sysctl",
                    {.topic = kSystem,
                     .summary = "Writes /proc/sys/vm/NAME.",
                     .details = "Modelled are vm.min_free_kbytes, vm.watermark_scale_factor, "
                                "vm.percpu_pagelist_high_fraction, vm.max_map_count, vm.extfrag_threshold, "
                                "vm.overcommit_memory (0 and 1), vm.watermark_boost_factor and "
                                "vm.compaction_proactiveness. EINVAL where the kernel refuses the value.",
                     .example = "sysctl vm.min_free_kbytes 65536"}),
    Named<OfflineBlockOp>(
        "offline_block",
        {.topic = kTakingBack,
         .summary = "Takes memory blocks of a node, 128M each, offline through sysfs.",
         .details = "FIRST and LAST are places among the blocks that are online when it begins. Of several, "
                    "each is tried.",
         .example = "offline_block node1 60-61"}),
    Named<VirtioMemOp>("virtio_mem",
                       {.topic = kTakingBack,
                        .summary = "The hypervisor wants the virtio-mem device to have SIZE plugged.",
                        .details = "The device shrinks or grows as far as it can. The machine line or the "
                                   "machine section says that there is one.",
                        .example = "virtio_mem 512M"}),
    Named<CmaAllocOp>(
        "cma_alloc",
        {.topic = kTakingBack,
         .summary = "A driver takes SIZE of a CMA area by cma_alloc(), and calls the range NAME from now on.",
         .details =
             "Areas are those of kernel { cma { .. } }, or, where that says built: true, of cma= and "
             "hugetlb_cma= in kernel_args. A range of that name that it has already is released first.",
         .example = "cma_alloc camera frames 16M align=64K"}),
    Named<CmaReleaseOp>("cma_release", {.topic = kTakingBack,
                                        .summary = "The driver gives a range back by cma_release().",
                                        .example = "cma_release frames"}),
    Named<SleepOp>("sleep", {.topic = kSystem, .summary = "The stream waits.", .example = "sleep 1.5s"}),
    Named<SpawnOp>("spawn", {.topic = kProcesses,
                             .summary = "Starts a process P that has no memory yet, on CPU 0.",
                             .example = "spawn web"}),
    Named<CpuOp>("cpu",
                 {.topic = kProcesses, .summary = "Pins the process to a CPU.", .example = "@db cpu 1"}),
    Named<OomScoreAdjOp>(
        "oom_score_adj",
        {.topic = kProcesses,
         .summary =
             "Writes /proc/PID/oom_score_adj: how readily the process is killed where no memory is left.",
         .details = "From -1000, never, to 1000: each 1 counts as a thousandth of the memory more. EINVAL "
                    "beyond. A fork has its parent's.",
         .example = "@db oom_score_adj -500"}),
    Named<PolicyOp>(
        "policy",
        {.topic = kProcesses,
         .summary = "set_mempolicy(): the policy of the process.",
         .details = "A mode and nodes that do not go together are EINVAL, as are nodes of which none has "
                    "memory.",
         .example = "@db policy interleave:0-1"}),
    Named<MapOp>(
        "map",
        {.topic = kProcesses,
         .summary = "mmap(): maps SIZE, readable and writable, and calls it ID from now on.",
         .details = "anon, file and hugetlb are private unless shared; shmem is always shared. shared: "
                    "MAP_SHARED. noreserve: MAP_NORESERVE. populate: MAP_POPULATE. file: a file on "
                    "hugetlbfs, for shmem on the tmpfs /shm, which is mounted with huge=always, or for file "
                    "on the disk; it is made where it is not there, and grown to SIZE. policy: mbind() after "
                    "mmap(). thp: madvise() after mmap().",
         .example = "@db map log 64M shmem file=log policy=bind:0"}),
    Named<TouchOp>(
        "touch",
        {.topic = kProcesses,
         .summary = "Writes a byte of each page of a mapping, or of a range of it, in turn; with r reads it.",
         .details = "STRIDE is the distance from one access to the next, by default a base page, or a huge "
                    "page of a hugetlb mapping. An access that fails, by SIGBUS or SIGSEGV, is counted, and "
                    "the next one is made; where memory runs out the touch ends with ENOMEM.",
         .example = "@db touch heap 0 64M 64K r"}),
    Named<UnmapOp>(
        "unmap",
        {.topic = kProcesses,
         .summary = "munmap() of a mapping, or of a range of it.",
         .details = "Where it covers the whole mapping the name is forgotten, and may be given to another.",
         .example = "@db unmap heap 0 2M"}),
    Named<ProtectOp>("protect",
                     {.topic = kProcesses,
                      .summary = "mprotect() of a range: readable, readable and writable, or neither.",
                      .example = "@db protect heap 0 2M r"}),
    Named<LockOp>(
        "lock", {.topic = kProcesses,
                 .summary = "mlock() of a mapping, or of a range of it: its pages are made present and stay.",
                 .example = "@db lock heap 0 2M"}),
    Named<AdviseOp>("advise", {.topic = kProcesses,
                               .summary = "madvise() of a range.",
                               .details = "With STRIDE one page at every STRIDE, until one fails.",
                               .example = "@db advise heap 0 64M hugepage"}),
    Named<BindOp>(
        "bind", {.topic = kProcesses,
                 .summary = "mbind() of a mapping: its policy from now on, in place of that of the process.",
                 .example = "@db bind heap preferred:1"}),
    Named<MoveOp>(
        "move",
        {.topic = kProcesses,
         .summary = "move_pages() of all pages of a mapping to a node.",
         .details =
             "How many pages stay where they are, and why, is in the summary and in migration_failed events.",
         .example = "@db move heap 1"}),
    Named<FallocateOp>("fallocate",
                       {.topic = kFiles,
                        .summary = "fallocate() of the file that a mapping is of: the range gets its pages.",
                        .details = "ENOENT for a mapping without a file.",
                        .example = "@db fallocate shm 0 64M"}),
    Named<PunchOp>(
        "punch",
        {.topic = kFiles,
         .summary = "fallocate(FALLOC_FL_PUNCH_HOLE) of the file that a mapping is of: the range loses its "
                    "pages.",
         .details = "ENOENT for a mapping without a file.",
         .example = "@db punch shm 0 32M"}),
    Named<TruncateOp>(
        "truncate",
        {.topic = kFiles,
         .summary = "ftruncate() of the file that a mapping is of.",
         .details = "EINVAL for a mapping without a file. Accesses beyond the new end are SIGBUS.",
         .example = "@db truncate shm 64M"}),
    Named<ReadOp>(
        "read",
        {.topic = kFiles,
         .summary = "pread() of the file that a mapping is of, or of a range of it, in calls of 128K.",
         .details = "It goes through the page cache. Files of the disk are holes: what is not in memory is "
                    "allocated and cleared, and nothing is read from the disk. ENOENT for a mapping without "
                    "a file.",
         .example = "@db read data 0 512M"}),
    Named<PinOp>(
        "pin",
        {.topic = kPins,
         .summary = "Takes a reference on every page of a mapping, or of a range of it, as O_DIRECT or RDMA "
                    "would.",
         .details = "Pages that are not there are faulted in. A pin outlives its mapping: pages stay until "
                    "they are unpinned, or the process exits. EFAULT for a range that reaches beyond the "
                    "mapping.",
         .example = "@db pin heap 0 2M"}),
    Named<UnpinOp>(
        "unpin",
        {.topic = kPins,
         .summary = "Drops all references that were taken by that name; with irq in an interrupt on the CPU "
                    "of the process.",
         .example = "@db unpin heap irq"}),
    Named<ProcessPoolOp>(
        "pool",
        {.topic = kHugetlb,
         .summary =
             "Writes nr_hugepages, or, for mempolicy, nr_hugepages_mempolicy: the write is made by the "
             "process.",
         .details = "mempolicy: on the nodes of the policy of the process. all: on all nodes.",
         .example = "@db pool 2M mempolicy 128"}),
    Named<PipesOp>(
        "pipes",
        {.topic = kProcesses,
         .summary = "Makes pipes of 1M and fills them, until they hold SIZE; they are called PIPES together.",
         .details = "Each takes the array of its buffers and single pages, which cannot be moved: what "
                    "fragments memory. They stay open until drain_pipes or until the process, and the "
                    "children that it has by then, exit. ENOMEM where memory runs out: what there was is in "
                    "them.",
         .example = "@db pipes log 64M"}),
    Named<DrainPipesOp>("drain_pipes",
                        {.topic = kProcesses,
                         .summary = "Closes all these pipes, or the first and each EVERYth behind it.",
                         .details = "ENOENT where none is left open.",
                         .example = "@db drain_pipes log 2"}),
    Named<ForkOp>(
        "fork", {.topic = kProcesses,
                 .summary = "fork(): Q becomes a child of P, with copies of its mappings under their names.",
                 .example = "@db fork worker"}),
    Named<ExitOp>("exit", {.topic = kProcesses,
                           .summary = "The process exits: its mappings, files and pins go.",
                           .example = "@db exit"}),
};

constexpr bool InOrderOfKinds() {
  for (size_t i = 0; i < std::size(kOperations); ++i) {
    if (kOperations[i].kind != i) return false;
  }
  return std::size(kOperations) == std::variant_size_v<OpKind>;
}
static_assert(InOrderOfKinds());

constexpr bool EachIsExplained() {
  for (const Operation& operation : kOperations) {
    if (operation.help.summary.empty() || operation.help.example.empty()) return false;
  }
  return true;
}
static_assert(EachIsExplained());

constexpr LineHelp kMachineHelp = {
    .topic = kMachine,
    .summary = "The machine that a script of its own runs on; the first line of such a script.",
    .details =
        "node_mem is for every node, or for each. virtio_mem is a device on NODE that may grow to MAX and "
        "has PLUGGED at boot. disk is an empty file system of that size. kernel_args is the kernel's command "
        "line.",
    .example = "machine nodes=2 node_mem=16G cpus_per_node=2"};

}  // namespace

std::string_view TopicTitle(OperationTopic topic) {
  switch (topic) {
    case kMachine:
      return "The machine";
    case kProcesses:
      return "Processes and their memory";
    case kFiles:
      return "Files";
    case kPins:
      return "Pins";
    case kHugetlb:
      return "HugeTLB";
    case kThp:
      return "Transparent huge pages";
    case kTakingBack:
      return "Taking memory back";
    case kSystem:
      return "The system";
  }
  return "";
}

const MachineLineHelp& MachineHelp() {
  static constexpr MachineLineHelp kHelp = {&MachineForm, &Meanings<MachineLine>, kMachineHelp};
  return kHelp;
}

std::span<const Operation> Operations() { return kOperations; }

const Operation* FindOperation(std::string_view name, bool of_process) {
  for (const Operation& operation : kOperations) {
    if (operation.of_process == of_process && operation.name == name) return &operation;
  }
  return nullptr;
}

void ReadMachine(LineReader& reader, MachineLine& machine) {
  reader.set_form(&MachineForm);
  Fields(reader, machine);
}

void WriteMachine(const MachineLine& machine, std::string& out) {
  LineWriter writer(out);
  Fields(writer, machine);
}

}  // namespace numasim::workloads
