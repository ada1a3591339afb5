#include "workloads/not_modelled.h"

#include <variant>

#include "workloads/kernel_settings.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

// What is missing of an operation, in its own words: one overload for each kind, no kind without one.
struct Missing {
  // Of these nothing.
  template <AnyOf<PoolOp, OvercommitOp, DemoteOp, MountHugetlbfsOp, UmountOp, UnlinkOp, UnlinkHugetlbOp,
                  OfflineBlockOp, VirtioMemOp, CmaAllocOp, CmaReleaseOp, SleepOp, SpawnOp, CpuOp, PolicyOp,
                  MapOp, TouchOp, UnmapOp, ProtectOp, LockOp, BindOp, MoveOp, FallocateOp, PunchOp,
                  TruncateOp, ReadOp, PinOp, UnpinOp, ProcessPoolOp, PipesOp, DrainPipesOp, ForkOp, ExitOp,
                  ThpOp, KhugepagedSetOp, KhugepagedOp, DropCachesOp, CompactOp, AdviseOp>
                Kind>
  std::string operator()(const Kind&) const {
    return {};
  }

  std::string operator()(const SysctlOp& op) const {
    if (!IsModelledSysctl(op.name)) return Cat("sysctl ", op.name);
    // OVERCOMMIT_NEVER counts what all mappings may come to need.
    const bool never = op.name == "vm.overcommit_memory" && op.value == "2";
    return never ? Cat("sysctl ", op.name, " ", op.value) : "";
  }
};

}  // namespace

std::string MissingPart(const OpKind& kind) {
  const std::string part = std::visit(Missing(), kind);
  return part.empty() ? part : Cat(part, " is not modelled yet");
}

std::string FirstNotModelled(const Script& script, const LineName& place) {
  for (const Op& op : script.ops) {
    const std::string part = MissingPart(op.kind);
    if (!part.empty()) return Cat(PlaceAndText(op, place), ": ", part);
  }
  return {};
}

}  // namespace numasim::workloads
