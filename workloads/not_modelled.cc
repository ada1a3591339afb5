#include "workloads/not_modelled.h"

#include <optional>
#include <string_view>
#include <variant>

#include "absl/container/flat_hash_set.h"
#include "workloads/kernel_settings.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

// What is missing of an operation, in its own words: one overload for each kind, no kind without one.
class Missing {
 public:
  explicit Missing(SharedByName shared) : shared_(shared) {}

  // Of these nothing.
  template <
      AnyOf<PoolOp, OvercommitOp, DemoteOp, MountHugetlbfsOp, UmountOp, UnlinkOp, UnlinkHugetlbOp,
            OfflineBlockOp, VirtioMemOp, CmaAllocOp, CmaReleaseOp, SleepOp, SpawnOp, CpuOp, PolicyOp, MapOp,
            TouchOp, UnmapOp, ProtectOp, LockOp, BindOp, MoveOp, FallocateOp, PunchOp, TruncateOp, PinOp,
            UnpinOp, ProcessPoolOp, ForkOp, ExitOp, ThpOp, KhugepagedSetOp, KhugepagedOp, DropCachesOp>
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

  std::string operator()(const AdviseOp& op) const {
    return op.advice == AdviseOp::Advice::kCollapse && shared_(op.id) ? "advise collapse of shared memory"
                                                                      : "";
  }

 private:
  SharedByName shared_;
};

// Which names have mappings of shared memory in a script. Found when it is first asked for: most scripts have
// no operation that asks.
class SharedOfScript {
 public:
  explicit SharedOfScript(const Script& script) : script_(script) {}

  bool Of(const std::string& mapping) {
    if (!names_.has_value()) Find();
    return names_->contains(mapping);
  }

 private:
  void Find() {
    names_.emplace();
    for (const Op& op : script_.ops) {
      const auto* map = std::get_if<MapOp>(&op.kind);
      if (map == nullptr) continue;
      const bool shared = map->backing == Backing::kShmem || (map->backing == Backing::kAnon && map->shared);
      if (shared) names_->insert(map->id);
    }
  }

  const Script& script_;
  std::optional<absl::flat_hash_set<std::string_view>> names_;
};

}  // namespace

std::string MissingPart(const OpKind& kind, SharedByName shared) {
  const std::string part = std::visit(Missing(shared), kind);
  return part.empty() ? part : Cat(part, " is not modelled yet");
}

std::string FirstNotModelled(const Script& script, const LineName& place) {
  SharedOfScript of_script(script);
  const auto shared = [&of_script](const std::string& mapping) { return of_script.Of(mapping); };
  for (const Op& op : script.ops) {
    const std::string part = MissingPart(op.kind, shared);
    if (!part.empty()) return Cat(PlaceAndText(op, place), ": ", part);
  }
  return {};
}

}  // namespace numasim::workloads
