#include "tests/workloads/random_hugetlb_script.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "models/base/types.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

constexpr int64_t kPage = int64_t{2} << 20;

}  // namespace

RandomHugetlbScript::RandomHugetlbScript(const RandomHugetlbOptions& options, uint64_t seed)
    : RandomProcesses(seed, "random_hugetlb_script"),
      options_(options),
      mounted_(static_cast<size_t>(options.mounts)) {}

std::vector<Op> RandomHugetlbScript::FinishMore() {
  std::vector<Op> ops;
  for (int file = 0; file < options_.files; ++file) ops.push_back({.kind = UnlinkHugetlbOp{Cat("f", file)}});
  for (int mount = 0; mount < options_.mounts; ++mount) {
    if (mounted_[static_cast<size_t>(mount)]) ops.push_back({.kind = UmountOp{Cat("/m", mount)}});
  }
  ops.push_back({.kind = OvercommitOp{HugePageSize::k2M, 0}});
  // Growing first makes surplus pages persistent: one that shrinking has left on the wrong node would stay.
  ops.push_back({.kind = PoolOp{HugePageSize::k2M, {}, 1000}});
  ops.push_back({.kind = PoolOp{HugePageSize::k2M, {}, 0}});
  return ops;
}

std::optional<Op> RandomHugetlbScript::TryMake() {
  const int64_t kind = Draw(100);
  if (kind < 14) return MakePool();
  if (kind < 24) return MakeProcess(options_.max_processes, 4);
  if (kind < 30) return MakeOfProcess(options_.cpus);
  if (kind < 48) return MakeMap();
  if (kind < 86) return MakeOfMapping();
  if (kind < 95) return MakeOfFile();
  return MakeName();
}

std::optional<Op> RandomHugetlbScript::MakePool() {
  if (OneIn(4)) return Op{.kind = OvercommitOp{HugePageSize::k2M, OneIn(2) ? 0 : Draw(options_.pool)}};
  Process* const process = AnyProcess();
  if (OneIn(4) && process != nullptr) {
    return Op{.process = process->name,
              .kind = ProcessPoolOp{HugePageSize::k2M, OneIn(2), Draw(options_.pool)}};
  }
  PoolTarget target;
  if (OneIn(2)) target.node = static_cast<int>(Draw(options_.nodes));
  return Op{.kind = PoolOp{HugePageSize::k2M, target, Draw(options_.pool)}};
}

std::optional<Op> RandomHugetlbScript::MakeMap() {
  Process* const process = AnyProcess();
  if (process == nullptr || std::cmp_greater_equal(process->mappings.size(), options_.max_mappings))
    return std::nullopt;
  const int64_t pages = 1 + Draw(options_.max_mapping);
  MapOp map = {.id = Cat("m", mapped_++), .size = pages * kPage, .backing = Backing::kHugetlb2M};
  map.shared = OneIn(2);
  map.noreserve = OneIn(4);
  map.populate = OneIn(8);
  if (OneIn(2)) map.file = AnyFile();
  if (OneIn(3)) map.policy = AnyPolicy();
  process->mappings.push_back({map.id, map.size, kPage, map.file.has_value()});
  return Op{.process = process->name, .kind = std::move(map)};
}

std::optional<Op> RandomHugetlbScript::MakeOfMapping() {
  Process* const process = AnyProcess();
  if (process == nullptr || process->mappings.empty()) return std::nullopt;
  const auto mapping = process->mappings.begin() + Draw(std::ssize(process->mappings));
  Op op = {.process = process->name};
  const int64_t kind = Draw(options_.pins ? 26 : 20);
  if (kind >= 25) {
    op.kind = MoveOp{mapping->id, static_cast<int>(Draw(options_.nodes))};
  } else if (kind >= 22) {
    op.kind = UnpinOp{mapping->id, OneIn(2)};
  } else if (kind >= 20) {
    op.kind = PinOp{mapping->id, OneIn(2) ? std::optional<Range>() : AnyRange(*mapping)};
  } else if (kind < 11) {
    op.kind = TouchOp{mapping->id, OneIn(4) ? std::optional<Range>() : AnyRange(*mapping), 0, OneIn(3)};
  } else if (kind < 13) {
    op.kind = UnmapOp{mapping->id, AnyRange(*mapping)};
  } else if (kind < 15) {
    op.kind = UnmapOp{mapping->id, {}};
    process->mappings.erase(mapping);
  } else if (kind < 17) {
    op.kind = AdviseOp{mapping->id, AnyRange(*mapping), AdviseOp::Advice::kDontneed, 0};
  } else if (kind < 18) {
    const ProtectOp::Access access = OneIn(2) ? ProtectOp::Access::kRead : ProtectOp::Access::kReadWrite;
    op.kind = ProtectOp{mapping->id, AnyRange(*mapping), access};
  } else if (kind < 19) {
    op.kind = BindOp{mapping->id, AnyPolicy()};
  } else {
    op.kind = MoveOp{mapping->id, static_cast<int>(Draw(options_.nodes))};
  }
  return op;
}

std::optional<Op> RandomHugetlbScript::MakeOfFile() {
  Process* const process = AnyProcess();
  if (process == nullptr) return std::nullopt;
  const auto mapping = std::find_if(process->mappings.begin(), process->mappings.end(),
                                    [](const Mapping& m) { return m.file; });
  if (mapping == process->mappings.end()) return std::nullopt;
  Op op = {.process = process->name};
  const int64_t kind = Draw(5);
  if (kind < 2) {
    op.kind = FallocateOp{mapping->id, AnyRange(*mapping)};
  } else if (kind < 4) {
    op.kind = PunchOp{mapping->id, AnyRange(*mapping)};
  } else {
    op.kind = TruncateOp{mapping->id, Draw(mapping->bytes / kPage + 1) * kPage};
  }
  return op;
}

std::optional<Op> RandomHugetlbScript::MakeName() {
  if (options_.mounts == 0 || OneIn(3)) return Op{.kind = UnlinkHugetlbOp{Cat("f", Draw(options_.files))}};
  const auto mount = static_cast<size_t>(Draw(options_.mounts));
  const std::string directory = Cat("/m", mount);
  if (mounted_[mount]) return Op{.kind = UnlinkOp{Cat(directory, "/f", Draw(options_.files))}};
  mounted_[mount] = true;
  MountHugetlbfsOp op = {.directory = directory, .page = HugePageSize::k2M, .size = {}, .min_size = {}};
  const int64_t least = Draw(5);
  if (OneIn(2)) op.size = (least + 1 + Draw(8)) * kPage;
  if (options_.min_size && OneIn(2)) op.min_size = least * kPage;
  return Op{.kind = std::move(op)};
}

Range RandomHugetlbScript::AnyRange(const Mapping& mapping) {
  const int64_t pages = mapping.bytes / kPage;
  const int64_t offset = Draw(pages);
  const int64_t length = 1 + Draw(OneIn(8) ? pages : pages - offset);
  return {offset * kPage, length * kPage};
}

Policy RandomHugetlbScript::AnyPolicy() {
  constexpr Policy::Mode kModes[] = {Policy::Mode::kDefault,    Policy::Mode::kBind,
                                     Policy::Mode::kPreferred,  Policy::Mode::kPreferredMany,
                                     Policy::Mode::kInterleave, Policy::Mode::kLocal};
  Policy policy = {.mode = kModes[Draw(std::ssize(kModes))]};
  if (policy.mode == Policy::Mode::kDefault || policy.mode == Policy::Mode::kLocal) return policy;
  policy.nodes.Set(NodeId{static_cast<int32_t>(Draw(options_.nodes))});
  if (policy.mode == Policy::Mode::kPreferred) return policy;
  for (int node = 0; node < options_.nodes; ++node) {
    if (OneIn(2)) policy.nodes.Set(NodeId{node});
  }
  return policy;
}

std::string RandomHugetlbScript::AnyFile() {
  const std::string name = Cat("f", Draw(options_.files));
  if (options_.mounts == 0 || OneIn(2)) return name;
  return Cat("/m", Draw(options_.mounts), "/", name);
}

std::vector<Op> RandomHugetlbOps(const RandomHugetlbOptions& options, uint64_t seed, int count) {
  return RandomHugetlbScript(options, seed).Ops(count);
}

}  // namespace numasim::workloads
