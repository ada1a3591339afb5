#include "tests/workloads/random_contig_script.h"

#include <iterator>
#include <utility>

#include "models/base/types.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

constexpr int64_t kBasePage = kPageSize;
constexpr int64_t kHugePage = int64_t{2} << 20;
constexpr int64_t kMemoryBlock = int64_t{128} << 20;

}  // namespace

RandomContigScript::RandomContigScript(const RandomContigOptions& options, uint64_t seed)
    : RandomProcesses(seed, "random_contig_script"), options_(options) {}

std::vector<Op> RandomContigScript::FinishMore() {
  std::vector<Op> ops;
  for (const std::string& range : ranges_) ops.push_back({.kind = CmaReleaseOp{range}});
  ranges_.clear();
  for (int file = 0; file < options_.files; ++file) ops.push_back({.kind = UnlinkHugetlbOp{Cat("f", file)}});
  ops.push_back({.kind = OvercommitOp{HugePageSize::k2M, 0}});
  if (options_.gigantic > 0) ops.push_back({.kind = PoolOp{HugePageSize::k1G, {}, 0}});
  // Growing first makes surplus pages persistent: one that shrinking has left on the wrong node would stay.
  ops.push_back({.kind = PoolOp{HugePageSize::k2M, {}, 5000}});
  ops.push_back({.kind = PoolOp{HugePageSize::k2M, {}, 0}});
  return ops;
}

std::optional<Op> RandomContigScript::TryMake() {
  const int64_t kind = Draw(100);
  if (kind < options_.ranges) return MakeRange();
  const int64_t system = options_.ranges + options_.pools;
  if (kind < system) return MakePool();
  // The rest, in fixed proportions, is of processes.
  const int64_t of_78 = (kind - system) * 78 / (100 - system);
  if (of_78 < 10) return MakeProcess(options_.max_processes, 3);
  if (of_78 < 16) return MakeOfProcess(options_.cpus);
  if (of_78 < 34) return MakeMap();
  return MakeOfMapping();
}

std::optional<Op> RandomContigScript::MakeRange() {
  if (options_.offline_one_in > 0 && OneIn(options_.offline_one_in)) {
    const int node = AnyNode();
    const int64_t block = Draw(4);
    return Op{.kind = OfflineBlockOp{node, {block, block}}};
  }
  const bool device = options_.device > 0;
  if (!options_.areas.empty() && !(device && OneIn(2))) {
    if (!ranges_.empty() && OneIn(2)) {
      const auto range = ranges_.begin() + Draw(std::ssize(ranges_));
      Op op{.kind = CmaReleaseOp{*range}};
      ranges_.erase(range);
      return op;
    }
    const std::string& area = options_.areas[static_cast<size_t>(Draw(std::ssize(options_.areas)))];
    ranges_.push_back(Cat("r", allocated_++));
    CmaAllocOp alloc{area, ranges_.back(), (1 + Draw(options_.area_size / kBasePage)) * kBasePage};
    if (OneIn(2)) alloc.size = (1 + Draw(options_.area_size / 4 / kHugePage)) * kHugePage;
    if (OneIn(3)) alloc.align = kBasePage << Draw(10);
    return Op{.kind = std::move(alloc)};
  }
  if (!device) return std::nullopt;
  // Whole blocks as often as parts of one.
  const int64_t unit = OneIn(2) ? kMemoryBlock : kHugePage;
  return Op{.kind = VirtioMemOp{Draw(options_.device / unit + 1) * unit}};
}

std::optional<Op> RandomContigScript::MakePool() {
  PoolTarget target;
  if (OneIn(2)) target.node = AnyNode();
  if (options_.gigantic > 0 && OneIn(3)) {
    if (OneIn(3)) return Op{.kind = DemoteOp{HugePageSize::k1G, AnyNode(), 1}};
    return Op{.kind = PoolOp{HugePageSize::k1G, target, Draw(options_.gigantic + 1)}};
  }
  if (OneIn(4)) return Op{.kind = OvercommitOp{HugePageSize::k2M, OneIn(2) ? 0 : Draw(options_.pool)}};
  return Op{.kind = PoolOp{HugePageSize::k2M, target, Draw(options_.pool)}};
}

std::optional<Op> RandomContigScript::MakeMap() {
  Process* const process = AnyProcess();
  if (process == nullptr || std::cmp_greater_equal(process->mappings.size(), options_.max_mappings))
    return std::nullopt;
  MapOp map = {.id = Cat("m", mapped_++)};
  const bool huge = OneIn(2);
  const int64_t page = huge ? kHugePage : kBasePage;
  const int64_t most = huge ? options_.max_huge_mapping : options_.max_mapping;
  map.size = (1 + Draw(OneIn(2) ? most / page : (most / page + 7) / 8)) * page;
  map.backing = huge ? Backing::kHugetlb2M : OneIn(3) ? Backing::kShmem : Backing::kAnon;
  if (huge) {
    map.shared = OneIn(2);
    map.noreserve = OneIn(3);
    if (OneIn(2)) map.file = Cat("f", Draw(options_.files));
  }
  map.populate = OneIn(4);
  if (OneIn(3)) map.policy = AnyPolicy();
  process->mappings.push_back({map.id, map.size, page, map.file.has_value()});
  return Op{.process = process->name, .kind = std::move(map)};
}

std::optional<Op> RandomContigScript::MakeOfMapping() {
  Process* const process = AnyProcess();
  if (process == nullptr || process->mappings.empty()) return std::nullopt;
  const auto mapping = process->mappings.begin() + Draw(std::ssize(process->mappings));
  if (mapping->file && OneIn(5)) return MakeOfFile(*process, *mapping);
  Op op = {.process = process->name};
  if (OneIn(12)) {
    op.kind = UnmapOp{mapping->id, {}};
    process->mappings.erase(mapping);
    return op;
  }
  op.kind = AnyUse(*mapping);
  return op;
}

OpKind RandomContigScript::AnyUse(const Mapping& mapping) {
  const int64_t kind = Draw(24);
  if (kind < 12) {
    return TouchOp{mapping.id, OneIn(3) ? std::optional<Range>() : AnyRange(mapping), 0, OneIn(3)};
  }
  if (kind < 14) return UnmapOp{mapping.id, AnyRange(mapping)};
  if (kind < 16) return AdviseOp{mapping.id, AnyRange(mapping), AdviseOp::Advice::kDontneed, 0};
  if (kind < 17) {
    return ProtectOp{mapping.id, AnyRange(mapping),
                     OneIn(2) ? ProtectOp::Access::kRead : ProtectOp::Access::kReadWrite};
  }
  if (kind < 18) return BindOp{mapping.id, AnyPolicy()};
  if (kind < 20) return PinOp{mapping.id, OneIn(3) ? std::optional<Range>() : AnyRange(mapping)};
  if (kind < 23 || mapping.page != kHugePage) return UnpinOp{mapping.id, OneIn(2)};
  return MoveOp{mapping.id, AnyNode()};
}

std::optional<Op> RandomContigScript::MakeOfFile(const Process& process, const Mapping& mapping) {
  Op op = {.process = process.name};
  const int64_t kind = Draw(4);
  if (kind < 1) {
    op.kind = FallocateOp{mapping.id, AnyRange(mapping)};
  } else if (kind < 3) {
    op.kind = PunchOp{mapping.id, AnyRange(mapping)};
  } else {
    op.kind = TruncateOp{mapping.id, Draw(mapping.bytes / kHugePage + 1) * kHugePage};
  }
  return op;
}

Range RandomContigScript::AnyRange(const Mapping& mapping) {
  const int64_t pages = mapping.bytes / mapping.page;
  const int64_t offset = Draw(pages);
  return {offset * mapping.page, (1 + Draw(pages - offset)) * mapping.page};
}

Policy RandomContigScript::AnyPolicy() {
  constexpr Policy::Mode kModes[] = {Policy::Mode::kDefault, Policy::Mode::kBind, Policy::Mode::kPreferred,
                                     Policy::Mode::kInterleave};
  Policy policy = {.mode = kModes[Draw(std::ssize(kModes))]};
  if (policy.mode == Policy::Mode::kDefault) return policy;
  policy.nodes.Set(NodeId{AnyNode()});
  if (policy.mode == Policy::Mode::kInterleave) policy.nodes.Set(NodeId{AnyNode()});
  return policy;
}

std::vector<Op> RandomContigOps(const RandomContigOptions& options, uint64_t seed, int count) {
  return RandomContigScript(options, seed).Ops(count);
}

}  // namespace numasim::workloads
