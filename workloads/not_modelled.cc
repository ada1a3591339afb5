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
  explicit Missing(BasePagesByName base_pages) : base_pages_(base_pages) {}

  // Of these nothing.
  template <AnyOf<PoolOp, OvercommitOp, DemoteOp, MountHugetlbfsOp, UmountOp, UnlinkOp, UnlinkHugetlbOp,
                  OfflineBlockOp, VirtioMemOp, CmaAllocOp, CmaReleaseOp, SleepOp, SpawnOp, CpuOp, PolicyOp,
                  MapOp, TouchOp, UnmapOp, ProtectOp, LockOp, BindOp, MoveOp, FallocateOp, PunchOp,
                  TruncateOp, PinOp, UnpinOp, ProcessPoolOp, ForkOp, ExitOp>
                Kind>
  std::string operator()(const Kind&) const {
    return {};
  }

  // Of these all.
  template <NotModelledKind Kind>
  std::string operator()(const Kind& op) const {
    return std::string(OperationName(op));
  }

  std::string operator()(const ThpOp& op) const {
    const bool modelled = op.knob == ThpOp::Knob::kEnabled || op.knob == ThpOp::Knob::kShmemEnabled;
    return modelled ? "" : "thp with anything but `enabled` and `shmem_enabled`";
  }

  std::string operator()(const SysctlOp& op) const {
    return IsModelledSysctl(op.name) ? "" : Cat("sysctl ", op.name);
  }

  std::string operator()(const AdviseOp& op) const {
    return op.advice == AdviseOp::Advice::kCollapse && base_pages_(op.id) ? "advise collapse of base pages"
                                                                          : "";
  }

 private:
  BasePagesByName base_pages_;
};

// Which names have mappings of base pages in a script. Found when it is first asked for: most scripts have no
// operation that asks.
class BasePagesOfScript {
 public:
  explicit BasePagesOfScript(const Script& script) : script_(script) {}

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
      if (map->backing == Backing::kAnon || map->backing == Backing::kShmem) names_->insert(map->id);
    }
  }

  const Script& script_;
  std::optional<absl::flat_hash_set<std::string_view>> names_;
};

}  // namespace

std::string MissingPart(const OpKind& kind, BasePagesByName base_pages) {
  const std::string part = std::visit(Missing(base_pages), kind);
  return part.empty() ? part : Cat(part, " is not modelled yet");
}

std::string FirstNotModelled(const Script& script, const LineName& place) {
  BasePagesOfScript of_script(script);
  const auto base_pages = [&of_script](const std::string& mapping) { return of_script.Of(mapping); };
  for (const Op& op : script.ops) {
    const std::string part = MissingPart(op.kind, base_pages);
    if (!part.empty()) return Cat(PlaceAndText(op, place), ": ", part);
  }
  return {};
}

}  // namespace numasim::workloads
