#include "workloads/requirements.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/container/flat_hash_map.h"
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

// The names of mappings that are there for certain, with the lines that made them. They are the operations'
// own strings, which must outlive it.
class NameFollower {
 public:
  explicit NameFollower(int64_t total_pages) : total_pages_(total_pages) {}

  // What is wrong with the operation, or an empty string.
  std::string Add(const Op& op) {
    if (const auto* spawn = std::get_if<SpawnOp>(&op.kind)) names_[spawn->name].clear();
    if (const auto* fork = std::get_if<ForkOp>(&op.kind)) names_[fork->child] = names_[op.process];
    if (const auto* unmap = std::get_if<UnmapOp>(&op.kind)) names_[op.process].erase(unmap->id);
    if (std::holds_alternative<ExitOp>(op.kind)) names_.erase(op.process);
    const auto* const map = std::get_if<MapOp>(&op.kind);
    if (map == nullptr) return {};
    Names& names = names_[op.process];
    if (const auto found = names.find(map->id); found != names.end()) {
      return Cat("ID: ", Quoted(map->id), " is a mapping since line ", found->second,
                 "; expected a new name, or an unmap of all of it before");
    }
    if (IsCertain(*map)) names.emplace(map->id, op.line);
    return {};
  }

 private:
  bool IsCertain(const MapOp& map) const {
    return map.backing == Backing::kAnon && !map.policy.has_value() && map.size / kPageSize < total_pages_;
  }

  using Names = absl::flat_hash_map<std::string_view, int>;

  int64_t total_pages_;
  std::map<std::string_view, Names> names_;  // by process
};

}  // namespace

std::string FirstMappedTwice(const Script& script, const LineName& place, int64_t total_pages,
                             int64_t max_map_count) {
  // An operation makes at most two more VMAs, by splitting one; a process begins with ten.
  if (10 + 2 * static_cast<int64_t>(script.ops.size()) >= max_map_count) return {};
  NameFollower follower(total_pages);
  for (const Op& op : script.ops) {
    const std::string problem = follower.Add(op);
    if (!problem.empty()) return Cat(place(op.line), ": ", problem);
  }
  return {};
}

bool SetsMaxMapCount(const Script& script) {
  return std::any_of(script.ops.begin(), script.ops.end(), [](const Op& op) {
    const auto* sysctl = std::get_if<SysctlOp>(&op.kind);
    return sysctl != nullptr && sysctl->name == "vm.max_map_count";
  });
}

std::string FirstWithoutDevice(const Script& script, const LineName& place, const Devices& devices) {
  for (const Op& op : script.ops) {
    std::string problem;
    if (const auto* alloc = std::get_if<CmaAllocOp>(&op.kind)) {
      const auto& areas = devices.cma_areas;
      if (std::find(areas.begin(), areas.end(), alloc->area) == areas.end())
        problem = NoSuchArea(alloc->area, devices);
    } else if (const auto* device = std::get_if<VirtioMemOp>(&op.kind)) {
      problem = DeviceProblem(device->size, devices);
    } else if (const auto* map = std::get_if<MapOp>(&op.kind)) {
      if (map->backing == Backing::kFile && !devices.disk)
        problem =
            "BACKING: 'file' is on a disk, which this machine has not; expected disk=SIZE in its machine "
            "line, or disk: SIZE in the machine section";
    }
    if (!problem.empty()) return Cat(place(op.line), ": ", problem);
  }
  return {};
}

}  // namespace numasim::workloads
