#include "workloads/requirements.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <variant>

#include "models/base/types.h"
#include "workloads/nearest_name.h"
#include "workloads/operation_groups.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

std::string NoSuchArea(const std::string& area, const Devices& devices) {
  const std::string mistake = Cat("AREA: ", Quoted(area), " is not a CMA area of this machine; expected ");
  if (devices.cma_areas.empty())
    return Cat(mistake, "one, made by kernel { cma { area { .. } } } or cma=SIZE");
  const std::vector<std::string_view> names(devices.cma_areas.begin(), devices.cma_areas.end());
  return Cat(mistake, names.size() == 1 ? "" : "one of ", Join(names, ", "), DidYouMean(area, names));
}

std::string DeviceProblem(int64_t size, const Devices& devices) {
  const std::string mistake = Cat("SIZE: ", Quoted(SizeText(size)), " is ");
  if (!devices.virtio_mem_max) {
    return Cat(
        "virtio_mem: is for a device that this machine has not; expected virtio_mem=NODE:MAX:PLUGGED in its "
        "machine line, or virtio_mem { .. } in the machine section");
  }
  if (size > *devices.virtio_mem_max) {
    return Cat(mistake, "more than the device can have; expected at most ",
               SizeText(*devices.virtio_mem_max));
  }
  if (size % devices.virtio_mem_block == 0) return {};
  return Cat(mistake, "no multiple of ", SizeText(devices.virtio_mem_block),
             ", in which the device grows; expected such as ",
             SizeText(std::min(*devices.virtio_mem_max, 128 * devices.virtio_mem_block)));
}

// Follows the anonymous mappings of a script that nothing was done to yet.
class ThpFollower {
 public:
  explicit ThpFollower(std::string enabled) : enabled_(std::move(enabled)) {}

  // Whether the operation certainly faults where the kernel would use a huge page.
  bool FaultsOnHugePage(const Op& op);

 private:
  struct Fresh {
    int64_t size;
    std::optional<MapOp::Thp> advice;
  };

  bool Map(const std::string& process, const MapOp& map);
  bool IsHuge(const Fresh& mapping, int64_t offset, int64_t length) const;
  // The mapping is not fresh from here on. Whether the access was on a huge page.
  bool Access(const std::string& process, const std::string& id, const std::optional<Range>& range);

  std::string enabled_;
  // By process: what it has mapped itself. A forked child's copies are not followed.
  std::map<std::string, std::map<std::string, Fresh>> fresh_;
};

bool ThpFollower::IsHuge(const Fresh& mapping, int64_t offset, int64_t length) const {
  constexpr int64_t kHuge = kPageSize * kPageblockPages;
  if (enabled_ == "never" || mapping.advice == MapOp::Thp::kNohugepage) return false;
  if (enabled_ == "madvise" && mapping.advice != MapOp::Thp::kHugepage) return false;
  // Mappings begin at a multiple of 1G, so that the last part that is no whole huge page is at their end.
  return length > 0 && offset < mapping.size / kHuge * kHuge;
}

bool ThpFollower::Access(const std::string& process, const std::string& id,
                         const std::optional<Range>& range) {
  const auto of_process = fresh_.find(process);
  if (of_process == fresh_.end()) return false;
  const auto found = of_process->second.find(id);
  if (found == of_process->second.end()) return false;
  const Fresh mapping = found->second;
  of_process->second.erase(found);
  return IsHuge(mapping, range ? range->offset : 0, range ? range->length : mapping.size);
}

bool ThpFollower::Map(const std::string& process, const MapOp& map) {
  fresh_[process].erase(map.id);
  if (map.backing != Backing::kAnon || map.shared) return false;
  const Fresh mapping = {map.size, map.thp};
  if (map.populate) return IsHuge(mapping, 0, mapping.size);
  fresh_[process].emplace(map.id, mapping);
  return false;
}

bool ThpFollower::FaultsOnHugePage(const Op& op) {
  if (const auto* thp = std::get_if<ThpOp>(&op.kind)) {
    if (thp->knob == ThpOp::Knob::kEnabled) enabled_ = thp->value;
  }
  if (const auto* map = std::get_if<MapOp>(&op.kind)) return Map(op.process, *map);
  if (const auto* touch = std::get_if<TouchOp>(&op.kind)) return Access(op.process, touch->id, touch->range);
  if (const auto* advise = std::get_if<AdviseOp>(&op.kind)) {
    const bool populates = advise->advice == AdviseOp::Advice::kPopulateRead ||
                           advise->advice == AdviseOp::Advice::kPopulateWrite;
    const bool huge = Access(op.process, advise->id, advise->range);
    return populates && huge && advise->range.offset % kPageSize == 0;
  }
  if (std::holds_alternative<ExitOp>(op.kind)) fresh_.erase(op.process);
  if (const std::string* id = NamedMapping(op.kind); id != nullptr) Access(op.process, *id, std::nullopt);
  return false;
}

}  // namespace

std::string FirstWithoutDevice(const Script& script, const LineName& place, const Devices& devices) {
  for (const Op& op : script.ops) {
    std::string problem;
    if (const auto* alloc = std::get_if<CmaAllocOp>(&op.kind)) {
      const auto& areas = devices.cma_areas;
      if (std::find(areas.begin(), areas.end(), alloc->area) == areas.end())
        problem = NoSuchArea(alloc->area, devices);
    } else if (const auto* device = std::get_if<VirtioMemOp>(&op.kind)) {
      problem = DeviceProblem(device->size, devices);
    }
    if (!problem.empty()) return Cat(place(op.line), ": ", problem);
  }
  return {};
}

std::string FirstOnHugePage(const Script& script, const LineName& place, std::string enabled) {
  if (enabled == "never" && !SetsThpEnabled(script)) return {};
  ThpFollower follower(std::move(enabled));
  for (const Op& op : script.ops) {
    if (!follower.FaultsOnHugePage(op)) continue;
    return Cat(place(op.line), ": ", Quoted(op.text),
               ": a fault on a transparent huge page is not modelled yet; expected kernel { thp { enabled: "
               "\"never\" } } "
               "in the scenario, or 'thp enabled never' before it in the script");
  }
  return {};
}

bool SetsThpEnabled(const Script& script) {
  return std::any_of(script.ops.begin(), script.ops.end(), [](const Op& op) {
    const auto* thp = std::get_if<ThpOp>(&op.kind);
    return thp != nullptr && thp->knob == ThpOp::Knob::kEnabled;
  });
}

}  // namespace numasim::workloads
