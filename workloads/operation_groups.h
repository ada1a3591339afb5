// Who performs an operation, and on what: the alternatives of OpKind in groups.
//
// Every alternative belongs to exactly one group; one that belongs to none does not compile. Whoever treats
// each kind of operation in its own way has an overload for each kind and no other, or one for a list of
// kinds.
#ifndef NUMASIM_WORKLOADS_OPERATION_GROUPS_H_
#define NUMASIM_WORKLOADS_OPERATION_GROUPS_H_

#include <concepts>
#include <string>
#include <variant>

#include "workloads/operations.h"

namespace numasim::workloads {

template <class Kind, class... Kinds>
concept AnyOf = (std::same_as<Kind, Kinds> || ...);

template <class Kind>
concept SystemKind = AnyOf<Kind, PoolOp, OvercommitOp, DemoteOp, MountHugetlbfsOp, UmountOp, UnlinkOp,
                           UnlinkHugetlbOp, ThpOp, KhugepagedSetOp, KhugepagedOp, DropCachesOp, CompactOp,
                           SysctlOp, OfflineBlockOp, VirtioMemOp, CmaAllocOp, CmaReleaseOp, SleepOp, SpawnOp>;

// Of a process, on a mapping that it must have.
template <class Kind>
concept MappingKind = AnyOf<Kind, TouchOp, UnmapOp, ProtectOp, LockOp, AdviseOp, BindOp, MoveOp, FallocateOp,
                            PunchOp, TruncateOp, ReadOp, PinOp>;

// Of a process, on no mapping that is there: a map makes its own, and pins outlive theirs.
template <class Kind>
concept ProcessKind = AnyOf<Kind, CpuOp, OomScoreAdjOp, PolicyOp, MapOp, UnpinOp, ProcessPoolOp, PipesOp,
                            DrainPipesOp, ForkOp, ExitOp>;

namespace internal {

template <class Kinds>
inline constexpr bool kEachInOneGroup = false;
template <class... Kinds>
inline constexpr bool kEachInOneGroup<std::variant<Kinds...>> =
    ((int{SystemKind<Kinds>} + int{MappingKind<Kinds>} + int{ProcessKind<Kinds>} == 1) && ...);

}  // namespace internal
static_assert(internal::kEachInOneGroup<OpKind>, "each operation must be in exactly one group");

// The name of the mapping that an operation says; null if it says none.
inline const std::string* NamedMapping(const OpKind& kind) {
  return std::visit(
      [](const auto& op) -> const std::string* {
        if constexpr (requires { op.id; }) return &op.id;
        return nullptr;
      },
      kind);
}

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_OPERATION_GROUPS_H_
