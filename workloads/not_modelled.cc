#include "workloads/not_modelled.h"

#include <optional>
#include <string_view>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "workloads/kernel_settings.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

// What is missing of an operation, in its own words: one overload for each kind, no kind without one.
class Missing {
 public:
  explicit Missing(BasePagesByName base_pages) : base_pages_(base_pages) {}

  // Of these nothing.
  template <
      AnyOf<PoolOp, OvercommitOp, DemoteOp, MountHugetlbfsOp, UmountOp, UnlinkOp, UnlinkHugetlbOp,
            OfflineBlockOp, VirtioMemOp, CmaAllocOp, CmaReleaseOp, SleepOp, SpawnOp, CpuOp, PolicyOp, TouchOp,
            UnmapOp, ProtectOp, LockOp, BindOp, MoveOp, PinOp, UnpinOp, ProcessPoolOp, ForkOp, ExitOp>
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
    return op.knob == ThpOp::Knob::kEnabled ? "" : "thp with anything but `enabled`";
  }

  std::string operator()(const SysctlOp& op) const {
    return IsModelledSysctl(op.name) ? "" : Cat("sysctl ", op.name);
  }

  std::string operator()(const MapOp& op) const {
    return op.backing == Backing::kShmem && op.file.has_value()
               ? "map of a file (tmpfs is mounted huge=always)"
               : "";
  }

  std::string operator()(const AdviseOp& op) const {
    if (op.advice == AdviseOp::Advice::kRemove && base_pages_(op.id).shmem)
      return "advise remove of base pages";
    return op.advice == AdviseOp::Advice::kCollapse && OfBasePages(op.id) ? "advise collapse of base pages"
                                                                          : "";
  }

  template <AnyOf<FallocateOp, PunchOp, TruncateOp> Kind>
  std::string operator()(const Kind& op) const {
    return base_pages_(op.id).shmem ? "this on a file of the tmpfs" : "";
  }

 private:
  bool OfBasePages(const std::string& mapping) const {
    const BasePages base = base_pages_(mapping);
    return base.anon || base.shmem;
  }

  BasePagesByName base_pages_;
};

// Which backings the mappings of a name have in a script. Found when it is first asked for: most scripts have
// no operation that asks.
class BasePagesOfScript {
 public:
  explicit BasePagesOfScript(const Script& script) : script_(script) {}

  BasePages Of(const std::string& mapping) {
    if (!names_.has_value()) Find();
    const auto found = names_->find(mapping);
    return found == names_->end() ? BasePages() : found->second;
  }

 private:
  void Find() {
    names_.emplace();
    for (const Op& op : script_.ops) {
      const auto* map = std::get_if<MapOp>(&op.kind);
      if (map == nullptr) continue;
      if (map->backing == Backing::kAnon) (*names_)[map->id].anon = true;
      if (map->backing == Backing::kShmem) (*names_)[map->id].shmem = true;
    }
  }

  const Script& script_;
  std::optional<absl::flat_hash_map<std::string_view, BasePages>> names_;
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
