// The fields of each operation, in the order of its line: the one list that reading, writing and describing a
// line go through (line_io.h). Only operation_table.cc includes this.
#ifndef NUMASIM_WORKLOADS_OPERATION_FIELDS_H_
#define NUMASIM_WORKLOADS_OPERATION_FIELDS_H_

#include <bit>
#include <concepts>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "workloads/field_codecs.h"
#include "workloads/operations.h"

namespace numasim::workloads {

template <class T, class Kind>
concept Is = std::same_as<std::remove_const_t<T>, Kind>;

// ---- The words of fields ----

template <class T>
using Words = std::pair<std::string_view, T>;

inline constexpr Words<HugePageSize> kPageSizes[] = {{"2M", HugePageSize::k2M}, {"1G", HugePageSize::k1G}};
// Surplus pages are of the buddy's sizes, and only gigantic pages can be demoted.
inline constexpr Words<HugePageSize> kSurplusSizes[] = {{"2M", HugePageSize::k2M}};
inline constexpr Words<HugePageSize> kDemotableSizes[] = {{"1G", HugePageSize::k1G}};
inline constexpr Words<bool> kWriterPools[] = {{"mempolicy", true}, {"all", false}};
inline constexpr Words<ThpOp::Knob> kThpKnobs[] = {{"enabled", ThpOp::Knob::kEnabled},
                                                   {"shmem_enabled", ThpOp::Knob::kShmemEnabled},
                                                   {"use_zero_page", ThpOp::Knob::kUseZeroPage},
                                                   {"defrag", ThpOp::Knob::kDefrag}};
inline constexpr Words<KhugepagedSetOp::Knob> kKhugepagedKnobs[] = {
    {"defrag", KhugepagedSetOp::Knob::kDefrag},
    {"max_ptes_none", KhugepagedSetOp::Knob::kMaxPtesNone},
    {"max_ptes_shared", KhugepagedSetOp::Knob::kMaxPtesShared},
    {"max_ptes_swap", KhugepagedSetOp::Knob::kMaxPtesSwap},
    {"pages_to_scan", KhugepagedSetOp::Knob::kPagesToScan},
    {"scan_sleep_millisecs", KhugepagedSetOp::Knob::kScanSleepMillisecs},
    {"alloc_sleep_millisecs", KhugepagedSetOp::Knob::kAllocSleepMillisecs}};
inline constexpr Words<Backing> kBackings[] = {{"anon", Backing::kAnon},
                                               {"shmem", Backing::kShmem},
                                               {"file", Backing::kFile},
                                               {"hugetlb-2M", Backing::kHugetlb2M},
                                               {"hugetlb-1G", Backing::kHugetlb1G}};
inline constexpr Words<MapOp::Thp> kMapThp[] = {{"hugepage", MapOp::Thp::kHugepage},
                                                {"nohugepage", MapOp::Thp::kNohugepage}};
inline constexpr Words<ProtectOp::Access> kAccesses[] = {{"r", ProtectOp::Access::kRead},
                                                         {"rw", ProtectOp::Access::kReadWrite},
                                                         {"none", ProtectOp::Access::kNone}};
inline constexpr Words<AdviseOp::Advice> kAdvice[] = {{"dontneed", AdviseOp::Advice::kDontneed},
                                                      {"free", AdviseOp::Advice::kFree},
                                                      {"remove", AdviseOp::Advice::kRemove},
                                                      {"hugepage", AdviseOp::Advice::kHugepage},
                                                      {"nohugepage", AdviseOp::Advice::kNohugepage},
                                                      {"collapse", AdviseOp::Advice::kCollapse},
                                                      {"populate_read", AdviseOp::Advice::kPopulateRead},
                                                      {"populate_write", AdviseOp::Advice::kPopulateWrite}};

// ---- The fields of each operation, in the order of the line ----

template <class T>
ChoiceCodec<T> OneOf(std::span<const Words<T>> words) {
  return {words};
}

void Fields(auto& io, Is<PoolOp> auto& op) {
  io.Field("SIZE", OneOf<HugePageSize>(kPageSizes), op.page);
  io.Field("POOL", PoolTargetCodec{io.limits().nodes}, op.target);
  io.Field("COUNT", CountCodec<>(), op.count);
}

void Fields(auto& io, Is<OvercommitOp> auto& op) {
  io.Field("SIZE", OneOf<HugePageSize>(kSurplusSizes), op.page);
  io.Field("COUNT", CountCodec<>(), op.count);
}

void Fields(auto& io, Is<DemoteOp> auto& op) {
  io.Field("SIZE", OneOf<HugePageSize>(kDemotableSizes), op.page);
  io.Field("nodeN", NodeCodec{io.limits().nodes, "node"}, op.node);
  io.Field("COUNT", CountCodec<>(), op.count);
}

void Fields(auto& io, Is<MountHugetlbfsOp> auto& op) {
  io.Field("/DIR", TextCodec{TextKind::kDirectory}, op.directory);
  io.CommaList();
  io.RequiredOption("pagesize", OneOf<HugePageSize>(kPageSizes), op.page);
  io.Option("size", SizeCodec{}, op.size);
  io.Option("min_size", SizeCodec{}, op.min_size);
}

void Fields(auto& io, Is<UmountOp> auto& op) {
  io.Field("/DIR", TextCodec{TextKind::kDirectory}, op.directory);
}

void Fields(auto& io, Is<UnlinkOp> auto& op) { io.Field("PATH", TextCodec{TextKind::kPath}, op.path); }

void Fields(auto& io, Is<UnlinkHugetlbOp> auto& op) {
  io.Field("FILE", TextCodec{TextKind::kFileName}, op.file);
}

void Fields(auto& io, Is<ThpOp> auto& op) {
  io.Field("KNOB", OneOf<ThpOp::Knob>(kThpKnobs), op.knob);
  io.Field("VALUE", ThpValueCodec{op.knob}, op.value);
}

void Fields(auto& io, Is<KhugepagedSetOp> auto& op) {
  io.Field("KEY", OneOf<KhugepagedSetOp::Knob>(kKhugepagedKnobs), op.knob);
  io.Field("VALUE", CountCodec<>(), op.value);
}

void Fields(auto& io, Is<KhugepagedOp> auto& op) { io.Field("SCANS", CountCodec<>{1}, op.scans); }

void Fields(auto& io, Is<DropCachesOp> auto& op) { io.Field("WHAT", CountCodec<int>{1, 3}, op.what); }

void Fields(auto&, Is<CompactOp> auto&) {}

void Fields(auto& io, Is<SysctlOp> auto& op) {
  io.Field("vm.NAME", TextCodec{TextKind::kSysctl}, op.name);
  io.Rest("VALUE", op.value);
}

void Fields(auto& io, Is<OfflineBlockOp> auto& op) {
  io.Field("nodeN", NodeCodec{io.limits().nodes, "node"}, op.node);
  io.Field("FIRST[-LAST]", BlockRangeCodec(), op.blocks);
}

void Fields(auto& io, Is<VirtioMemOp> auto& op) { io.Field("SIZE", SizeCodec{}, op.size); }

void Fields(auto& io, Is<CmaAllocOp> auto& op) {
  io.Field("AREA", TextCodec{TextKind::kName}, op.area);
  io.Field("NAME", TextCodec{TextKind::kName}, op.name);
  io.Field("SIZE", SizeCodec{1}, op.size);
  io.Option("align", SizeCodec{1}, op.align);
  const int64_t align = op.align.value_or(kPageSize);
  io.Require(align >= kPageSize && std::has_single_bit(static_cast<uint64_t>(align)), "align",
             SizeText(align), "is no power of two of at least 4K; expected such as 64K");
}

void Fields(auto& io, Is<CmaReleaseOp> auto& op) { io.Field("NAME", TextCodec{TextKind::kName}, op.name); }

void Fields(auto& io, Is<SleepOp> auto& op) { io.Field("TIME", SleepCodec(), op.nanoseconds); }

void Fields(auto& io, Is<SpawnOp> auto& op) { io.Field("P", TextCodec{TextKind::kName}, op.name); }

void Fields(auto& io, Is<CpuOp> auto& op) { io.Field("CPU", CpuCodec{io.limits().cpus}, op.cpu); }

void Fields(auto& io, Is<OomScoreAdjOp> auto& op) { io.Field("ADJ", IntegerCodec{}, op.value); }

void Fields(auto& io, Is<PolicyOp> auto& op) { io.Field("POLICY", PolicyCodec(), op.policy); }

void Fields(auto& io, Is<MapOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.Field("SIZE", SizeCodec{1}, op.size);
  io.Field("BACKING", OneOf<Backing>(kBackings), op.backing);
  io.Flag("shared", op.shared);
  io.Flag("noreserve", op.noreserve);
  io.Flag("populate", op.populate);
  io.Option("file", TextCodec{TextKind::kFile}, op.file);
  io.Option("policy", PolicyCodec(), op.policy);
  io.Option("thp", OneOf<MapOp::Thp>(kMapThp), op.thp);
  io.Require(
      !op.file || op.backing != Backing::kAnon, "file", op.file.value_or(""),
      "is for a mapping without a file; expected shmem, file, hugetlb-2M or hugetlb-1G in place of anon");
  io.Require(op.file || op.backing != Backing::kFile, "BACKING", "file",
             "is a mapping of a file on the disk, and which is not said; expected file=NAME behind it");
}

void Fields(auto& io, Is<TouchOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.OptionalRangeAndStride(op.range, op.stride);
  io.Flag("r", op.read);
}

void Fields(auto& io, Is<UnmapOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.OptionalRange(op.range);
}

void Fields(auto& io, Is<ProtectOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.RangeFields(op.range);
  io.Field("ACCESS", OneOf<ProtectOp::Access>(kAccesses), op.access);
}

void Fields(auto& io, Is<LockOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.OptionalRange(op.range);
}

void Fields(auto& io, Is<AdviseOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.RangeFields(op.range);
  io.Field("ADVICE", OneOf<AdviseOp::Advice>(kAdvice), op.advice);
  io.OptionalStride(op.stride);
}

void Fields(auto& io, Is<BindOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.Field("POLICY", PolicyCodec(), op.policy);
}

void Fields(auto& io, Is<MoveOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.Field("NODE", NodeCodec{io.limits().nodes, ""}, op.node);
}

void Fields(auto& io, Is<FallocateOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.RangeFields(op.range);
}

void Fields(auto& io, Is<PunchOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.RangeFields(op.range);
}

void Fields(auto& io, Is<TruncateOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.Field("SIZE", SizeCodec{}, op.size);
}

void Fields(auto& io, Is<ReadOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.OptionalRange(op.range);
}

void Fields(auto& io, Is<PinOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.OptionalRange(op.range);
}

void Fields(auto& io, Is<UnpinOp> auto& op) {
  io.Field("ID", TextCodec{TextKind::kName}, op.id);
  io.Flag("irq", op.irq);
}

void Fields(auto& io, Is<ProcessPoolOp> auto& op) {
  io.Field("SIZE", OneOf<HugePageSize>(kPageSizes), op.page);
  io.Field("POOL", OneOf<bool>(kWriterPools), op.mempolicy);
  io.Field("COUNT", CountCodec<>(), op.count);
}

void Fields(auto& io, Is<PipesOp> auto& op) {
  io.Field("PIPES", TextCodec{TextKind::kName}, op.pipes);
  io.Field("SIZE", SizeCodec{1}, op.size);
}

void Fields(auto& io, Is<DrainPipesOp> auto& op) {
  io.Field("PIPES", TextCodec{TextKind::kName}, op.pipes);
  io.OptionalField("EVERY", CountCodec<>{1}, op.every);
}

void Fields(auto& io, Is<ForkOp> auto& op) { io.Field("Q", TextCodec{TextKind::kName}, op.child); }

void Fields(auto&, Is<ExitOp> auto&) {}

void Fields(auto& io, Is<MachineLine> auto& machine) {
  io.RequiredOption("nodes", CountCodec<int>{1, kMaxNodes}, machine.nodes);
  io.RequiredOption("node_mem", NodeMemoryCodec{machine.nodes}, machine.node_mem);
  io.DefaultOption("cpus_per_node", CountCodec<int>{1, kMaxCpus / kMaxNodes}, machine.cpus_per_node);
  io.Option("virtio_mem", VirtioMemCodec{machine.nodes}, machine.virtio_mem);
  io.Option("disk", SizeCodec{1}, machine.disk);
  io.DefaultOption("kernel_args", QuotedCodec(), machine.kernel_args);
}

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_OPERATION_FIELDS_H_
