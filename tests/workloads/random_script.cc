#include "tests/workloads/random_script.h"

#include <algorithm>
#include <utility>

#include "sim/check.h"
#include "workloads/script.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

constexpr int64_t kPageSize = 4096;
constexpr int64_t kHugePageSize = int64_t{2} << 20;

}  // namespace

const RandomScript::Maker RandomScript::kMakers[] = {
    {&RandomScriptWeights::spawn, &RandomScript::MakeSpawn},
    {&RandomScriptWeights::fork, &RandomScript::MakeFork},
    {&RandomScriptWeights::exit, &RandomScript::MakeExit},
    {&RandomScriptWeights::cpu, &RandomScript::MakeCpu},
    {&RandomScriptWeights::policy, &RandomScript::MakePolicy},
    {&RandomScriptWeights::map_anon, &RandomScript::MakeMapAnon},
    {&RandomScriptWeights::map_shmem, &RandomScript::MakeMapShmem},
    {&RandomScriptWeights::touch, &RandomScript::MakeTouch},
    {&RandomScriptWeights::unmap, &RandomScript::MakeUnmap},
    {&RandomScriptWeights::protect, &RandomScript::MakeProtect},
    {&RandomScriptWeights::advise_dontneed, &RandomScript::MakeAdviseDontneed},
    {&RandomScriptWeights::bind, &RandomScript::MakeBind},
    {&RandomScriptWeights::advise_thp, &RandomScript::MakeAdviseThp},
    {&RandomScriptWeights::khugepaged, &RandomScript::MakeKhugepaged},
    {&RandomScriptWeights::drop_caches, &RandomScript::MakeDropCaches},
    {&RandomScriptWeights::thp, &RandomScript::MakeThp},
    {&RandomScriptWeights::pin, &RandomScript::MakePin},
    {&RandomScriptWeights::pipes, &RandomScript::MakePipes},
    {&RandomScriptWeights::compact, &RandomScript::MakeCompact},
    {&RandomScriptWeights::change_file, &RandomScript::MakeChangeFile},
};

RandomScript::RandomScript(const RandomScriptOptions& options, uint64_t seed)
    : options_(options), random_(seed, "random_script") {
  NUMASIM_CHECK_GE(options.nodes, 1);
  NUMASIM_CHECK_LE(options.nodes, kMaxNodes);
  NUMASIM_CHECK_GE(options.cpus, 1);
  NUMASIM_CHECK_GE(options.max_processes, 1);
  NUMASIM_CHECK_GE(options.max_mapping, kPageSize);
  NUMASIM_CHECK_GE(options.max_mapped, kPageSize);
  NUMASIM_CHECK_GE(options.shmem_files, 1);
}

Op RandomScript::Next() {
  constexpr int kTries =
      10'000;  // Enough for a weight of 1 among thousands; else the weights leave nothing to do.
  std::optional<Op> op;
  int tries = 0;
  while (!(op = TryMake())) NUMASIM_CHECK_LT(++tries, kTries);
  return Numbered(*std::move(op));
}

std::vector<Op> RandomScript::Finish() {
  std::vector<Op> ops;
  ops.reserve(processes_.size() + files_.size());
  for (const Process& process : processes_)
    ops.push_back(Numbered({.process = process.name, .kind = ExitOp()}));
  processes_.clear();
  for (const std::string& file : files_) ops.push_back(Numbered({.kind = UnlinkOp{Cat("/shm/", file)}}));
  files_.clear();
  return ops;
}

Op RandomScript::Numbered(Op op) {
  op.line = ++line_;
  op.text = ToString(op);
  return op;
}

// Draws a kind of operation by weight and makes one if that is possible now.
std::optional<Op> RandomScript::TryMake() {
  int64_t total = 0;
  for (const Maker& maker : kMakers) total += options_.weights.*maker.weight;
  NUMASIM_CHECK_GT(total, 0);
  int64_t left = Draw(total);
  for (const Maker& maker : kMakers) {
    left -= options_.weights.*maker.weight;
    if (left < 0) return (this->*maker.make)();
  }
  return std::nullopt;
}

// ---- Operations ----

std::optional<Op> RandomScript::MakeSpawn() {
  if (std::cmp_greater_equal(processes_.size(), options_.max_processes)) return std::nullopt;
  processes_.push_back({Cat("p", spawned_++), {}});
  return Op{.kind = SpawnOp{processes_.back().name}};
}

std::optional<Op> RandomScript::MakeFork() {
  const Process* const parent = AnyProcess();
  if (parent == nullptr || std::cmp_greater_equal(processes_.size(), options_.max_processes))
    return std::nullopt;
  int64_t inherited = 0;
  for (const Mapping& mapping : parent->mappings) inherited += mapping.size;
  if (Mapped() + inherited > options_.max_mapped) return std::nullopt;
  Process child = {Cat("p", spawned_++), parent->mappings, parent->pipes};
  Op op = {.process = parent->name, .kind = ForkOp{child.name}};
  processes_.push_back(std::move(child));
  return op;
}

std::optional<Op> RandomScript::MakeExit() {
  const Process* const process = AnyProcess();
  if (process == nullptr) return std::nullopt;
  Op op = {.process = process->name, .kind = ExitOp()};
  processes_.erase(processes_.begin() + (process - processes_.data()));
  return op;
}

std::optional<Op> RandomScript::MakeCpu() {
  const Process* const process = AnyProcess();
  if (process == nullptr) return std::nullopt;
  return Op{.process = process->name, .kind = CpuOp{static_cast<int>(Draw(options_.cpus))}};
}

std::optional<Op> RandomScript::MakePolicy() {
  const Process* const process = AnyProcess();
  if (process == nullptr) return std::nullopt;
  return Op{.process = process->name, .kind = PolicyOp{AnyPolicy()}};
}

std::optional<Op> RandomScript::MakePipes() {
  Process* const process = AnyProcess();
  if (process == nullptr) return std::nullopt;
  if (!process->pipes) {
    process->pipes = true;
    return Op{.process = process->name,
              .kind = PipesOp{"k", AnySize(std::min(options_.max_mapping, int64_t{6} << 20))}};
  }
  const int64_t every = 1 + Draw(3);
  process->pipes = every > 1;
  return Op{.process = process->name, .kind = DrainPipesOp{"k", every}};
}

std::optional<Op> RandomScript::MakeCompact() { return Op{.kind = CompactOp()}; }

std::optional<Op> RandomScript::MakeMapAnon() { return MakeMap(Backing::kAnon); }

std::optional<Op> RandomScript::MakeMapShmem() { return MakeMap(Backing::kShmem); }

std::optional<Op> RandomScript::MakeMap(Backing backing) {
  Process* const process = AnyProcess();
  if (process == nullptr || std::cmp_greater_equal(process->mappings.size(), options_.max_mappings)) {
    return std::nullopt;
  }
  const int64_t most = std::min(options_.max_mapping, options_.max_mapped - Mapped());
  if (most < kPageSize) return std::nullopt;
  MapOp map = {.id = Cat("m", mapped_++), .size = AnySize(most), .backing = backing};
  if (backing == Backing::kShmem && !OneIn(4)) {
    map.file = Cat("f", Draw(options_.shmem_files));
    files_.insert(*map.file);
  }
  if (backing == Backing::kAnon && OneIn(8)) map.shared = true;
  if (OneIn(3)) map.policy = AnyPolicy();
  process->mappings.push_back({map.id, map.size, backing == Backing::kShmem || map.shared});
  return Op{.process = process->name, .kind = std::move(map)};
}

std::optional<Op> RandomScript::MakeTouch() {
  Process* const process = AnyProcessWithMapping();
  if (process == nullptr) return std::nullopt;
  const Mapping& mapping = process->mappings[static_cast<size_t>(Draw(std::ssize(process->mappings)))];
  TouchOp touch = {.id = mapping.id, .range = {}, .stride = 0, .read = OneIn(3)};
  if (!OneIn(5)) touch.range = AnyRange(mapping.size);
  if (touch.range && OneIn(4)) touch.stride = kPageSize << Draw(6);
  return Op{.process = process->name, .kind = std::move(touch)};
}

std::optional<Op> RandomScript::MakeUnmap() {
  Process* const process = AnyProcessWithMapping();
  if (process == nullptr) return std::nullopt;
  const auto mapping = process->mappings.begin() + Draw(std::ssize(process->mappings));
  UnmapOp unmap = {.id = mapping->id, .range = {}};
  if (OneIn(3)) {
    process->mappings.erase(mapping);
  } else {
    unmap.range = AnyRange(mapping->size);
  }
  return Op{.process = process->name, .kind = std::move(unmap)};
}

std::optional<Op> RandomScript::MakeProtect() {
  Process* const process = AnyProcessWithMapping();
  if (process == nullptr) return std::nullopt;
  constexpr ProtectOp::Access kAccesses[] = {ProtectOp::Access::kRead, ProtectOp::Access::kReadWrite,
                                             ProtectOp::Access::kReadWrite, ProtectOp::Access::kNone};
  const Mapping& mapping = process->mappings[static_cast<size_t>(Draw(std::ssize(process->mappings)))];
  return Op{.process = process->name,
            .kind = ProtectOp{mapping.id, AnyRange(mapping.size), kAccesses[Draw(std::ssize(kAccesses))]}};
}

std::optional<Op> RandomScript::MakeAdviseDontneed() {
  Process* const process = AnyProcessWithMapping();
  if (process == nullptr) return std::nullopt;
  const Mapping& mapping = process->mappings[static_cast<size_t>(Draw(std::ssize(process->mappings)))];
  AdviseOp advise = {mapping.id, AnyRange(mapping.size), AdviseOp::Advice::kDontneed, 0};
  if (OneIn(3)) advise.stride = kPageSize << (1 + Draw(5));
  return Op{.process = process->name, .kind = std::move(advise)};
}

std::optional<Op> RandomScript::MakeBind() {
  Process* const process = AnyProcessWithMapping();
  if (process == nullptr) return std::nullopt;
  const Mapping& mapping = process->mappings[static_cast<size_t>(Draw(std::ssize(process->mappings)))];
  return Op{.process = process->name, .kind = BindOp{mapping.id, AnyPolicy()}};
}

std::optional<Op> RandomScript::MakeAdviseThp() {
  using Advice = AdviseOp::Advice;
  constexpr Advice kAdvice[] = {Advice::kHugepage, Advice::kHugepage, Advice::kNohugepage, Advice::kFree,
                                Advice::kCollapse};
  Process* const process = AnyProcessWithMapping();
  if (process == nullptr) return std::nullopt;
  const Mapping& mapping = process->mappings[static_cast<size_t>(Draw(std::ssize(process->mappings)))];
  return Op{.process = process->name,
            .kind = AdviseOp{mapping.id, AnyRange(mapping.size), kAdvice[Draw(std::ssize(kAdvice))], 0}};
}

std::optional<Op> RandomScript::MakeKhugepaged() { return Op{.kind = KhugepagedOp{1 + Draw(2)}}; }

std::optional<Op> RandomScript::MakeDropCaches() { return Op{.kind = DropCachesOp{2}}; }

std::optional<Op> RandomScript::MakeThp() {
  if (OneIn(3)) return Op{.kind = ThpOp{ThpOp::Knob::kUseZeroPage, OneIn(2) ? "1" : "0"}};
  if (OneIn(2)) {
    constexpr const char* kEnabled[] = {"always", "always", "madvise", "never"};
    return Op{.kind = ThpOp{ThpOp::Knob::kEnabled, kEnabled[Draw(std::ssize(kEnabled))]}};
  }
  if (OneIn(2)) {
    constexpr const char* kShmem[] = {"always", "within_size", "advise", "never", "deny", "force"};
    return Op{.kind = ThpOp{ThpOp::Knob::kShmemEnabled, kShmem[Draw(std::ssize(kShmem))]}};
  }
  const auto knob = OneIn(2) ? KhugepagedSetOp::Knob::kMaxPtesNone : KhugepagedSetOp::Knob::kMaxPtesShared;
  return Op{.kind = KhugepagedSetOp{knob, Draw(512)}};
}

// Unpinned when the process exits, or by chance before.
std::optional<Op> RandomScript::MakePin() {
  Process* const process = AnyProcessWithMapping();
  if (process == nullptr) return std::nullopt;
  const Mapping& mapping = process->mappings[static_cast<size_t>(Draw(std::ssize(process->mappings)))];
  if (OneIn(2)) return Op{.process = process->name, .kind = UnpinOp{mapping.id}};
  return Op{.process = process->name,
            .kind = PinOp{mapping.id, AnyRange(std::min(mapping.size, kHugePageSize))}};
}

std::optional<Op> RandomScript::MakeChangeFile() {
  Process* const process = AnyProcessWithMapping();
  if (process == nullptr) return std::nullopt;
  const Mapping& mapping = process->mappings[static_cast<size_t>(Draw(std::ssize(process->mappings)))];
  if (!mapping.shared) return std::nullopt;
  const Range range = AnyRange(mapping.size);
  Op op{.process = process->name};
  switch (Draw(5)) {
    case 0:
      op.kind = FallocateOp{mapping.id, range};
      break;
    case 1:
      op.kind = TruncateOp{mapping.id, range.offset};
      break;
    case 2:
      op.kind = TruncateOp{mapping.id, mapping.size};
      break;
    case 3:
      op.kind = AdviseOp{mapping.id, range, AdviseOp::Advice::kRemove, 0};
      break;
    default:
      op.kind = PunchOp{mapping.id, range};
  }
  return op;
}

// ---- Draws ----

RandomScript::Process* RandomScript::AnyProcess() {
  return processes_.empty() ? nullptr : &processes_[static_cast<size_t>(Draw(std::ssize(processes_)))];
}

RandomScript::Process* RandomScript::AnyProcessWithMapping() {
  Process* const process = AnyProcess();
  return process == nullptr || process->mappings.empty() ? nullptr : process;
}

// Whole pages up to `most`: as often a few pages as about the greatest size.
int64_t RandomScript::AnySize(int64_t most) {
  int bits = 1;
  while (most / kPageSize >> bits > 0) ++bits;
  const int64_t pages = 1 + Draw(int64_t{1} << Draw(bits + 1));
  return std::min(pages * kPageSize, most / kPageSize * kPageSize);
}

// A part of a mapping, now and then with an end past it. Offsets are those of pages, and now and then of huge
// pages.
Range RandomScript::AnyRange(int64_t size) {
  const int64_t unit = size > kHugePageSize && OneIn(4) ? kHugePageSize : kPageSize;
  const int64_t offset = Draw((size + unit - 1) / unit) * unit;
  const int64_t past_end = OneIn(16) ? AnySize(options_.max_mapping) : 0;
  return {offset, AnySize(std::max(size - offset, kPageSize)) + past_end};
}

NodeMask RandomScript::AnyNodes() {
  NodeMask nodes;
  nodes.Set(NodeId{static_cast<int32_t>(Draw(options_.nodes))});
  for (int node = 0; node < options_.nodes; ++node) {
    if (OneIn(3)) nodes.Set(NodeId{node});
  }
  return nodes;
}

Policy RandomScript::AnyPolicy() {
  constexpr Policy::Mode kModes[] = {Policy::Mode::kDefault,    Policy::Mode::kBind,
                                     Policy::Mode::kPreferred,  Policy::Mode::kPreferredMany,
                                     Policy::Mode::kInterleave, Policy::Mode::kLocal};
  Policy policy = {.mode = kModes[Draw(std::ssize(kModes))]};
  if (policy.mode == Policy::Mode::kPreferred) {
    policy.nodes.Set(NodeId{static_cast<int32_t>(Draw(options_.nodes))});
  } else if (policy.mode != Policy::Mode::kDefault && policy.mode != Policy::Mode::kLocal) {
    policy.nodes = AnyNodes();
  }
  return policy;
}

int64_t RandomScript::Mapped() const {
  int64_t bytes = 0;
  for (const Process& process : processes_) {
    for (const Mapping& mapping : process.mappings) bytes += mapping.size;
  }
  return bytes;
}

std::vector<Op> RandomOps(const RandomScriptOptions& options, uint64_t seed, int count) {
  RandomScript script(options, seed);
  std::vector<Op> ops;
  ops.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) ops.push_back(script.Next());
  for (Op& op : script.Finish()) ops.push_back(std::move(op));
  return ops;
}

}  // namespace numasim::workloads
