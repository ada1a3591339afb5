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
                  TruncateOp, ReadOp, PinOp, UnpinOp, ProcessPoolOp, ForkOp, ExitOp, ThpOp, KhugepagedSetOp,
                  KhugepagedOp, DropCachesOp, AdviseOp>
                Kind>
  std::string operator()(const Kind&) const {
    return {};
  }

  // Of these all.
  template <NotModelledKind Kind>
  std::string operator()(const Kind& op) const {
    return std::string(OperationName(op));
  }

  std::string operator()(const SysctlOp& op) const {
    return IsModelledSysctl(op.name) ? "" : Cat("sysctl ", op.name);
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
