#include "workloads/not_modelled.h"

#include <string_view>
#include <utility>
#include <variant>

#include "workloads/kernel_settings.h"
#include "workloads/nearest_name.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

constexpr std::string_view kNotYet = " is not modelled yet";

// Files of /proc/sys/vm that something else than this operation writes.
constexpr std::pair<std::string_view, std::string_view> kWrittenElsewhere[] = {
    {"vm.compact_memory", "the operation 'compact' writes it"},
    {"vm.drop_caches", "the operation 'drop_caches' writes it"},
    {"vm.lowmem_reserve_ratio", "the scenario's kernel.lowmem_reserve_ratio is its value at boot"},
    {"vm.nr_hugepages", "the operation 'pool' writes it"},
    {"vm.nr_overcommit_hugepages", "the operation 'overcommit' writes it"},
};

// What to do about it, as the end of a message.
std::string Advice(const std::string& sysctl) {
  for (const auto& [name, what] : kWrittenElsewhere) {
    if (name == sysctl) return Cat("; ", what);
  }
  return DidYouMean(sysctl, ModelledSysctls());
}

// What is missing of an operation, in its own words: one overload for each kind, no kind without one.
struct Missing {
  // Of these nothing.
  template <
      AnyOf<PoolOp, OvercommitOp, DemoteOp, MountHugetlbfsOp, UmountOp, UnlinkOp, UnlinkHugetlbOp,
            OfflineBlockOp, VirtioMemOp, CmaAllocOp, CmaReleaseOp, SleepOp, SpawnOp, CpuOp, OomScoreAdjOp,
            PolicyOp, MapOp, TouchOp, UnmapOp, ProtectOp, LockOp, BindOp, MoveOp, FallocateOp, PunchOp,
            TruncateOp, ReadOp, PinOp, UnpinOp, ProcessPoolOp, PipesOp, DrainPipesOp, ForkOp, ExitOp, ThpOp,
            KhugepagedSetOp, KhugepagedOp, DropCachesOp, CompactOp, AdviseOp>
          Kind>
  std::string operator()(const Kind&) const {
    return {};
  }

  std::string operator()(const SysctlOp& op) const {
    if (!IsModelledSysctl(op.name)) return Cat("sysctl ", op.name, kNotYet, Advice(op.name));
    // OVERCOMMIT_NEVER counts what all mappings may come to need.
    const bool never = op.name == "vm.overcommit_memory" && op.value == "2";
    return never ? Cat("sysctl ", op.name, " ", op.value, kNotYet) : "";
  }
};

}  // namespace

std::string MissingPart(const OpKind& kind) { return std::visit(Missing(), kind); }

std::string FirstNotModelled(const Script& script, const LineName& place) {
  for (const Op& op : script.ops) {
    const std::string part = MissingPart(op.kind);
    if (!part.empty()) return Cat(PlaceAndText(op, place), ": ", part);
  }
  return {};
}

}  // namespace numasim::workloads
