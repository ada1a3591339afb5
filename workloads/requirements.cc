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

}  // namespace numasim::workloads
