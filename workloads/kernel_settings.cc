#include "workloads/kernel_settings.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "absl/strings/numbers.h"
#include "models/base/kernel_config.h"
#include "models/physical/memory_system.h"
#include "sim/check.h"

namespace numasim::workloads {
namespace {

struct Sysctl {
  std::string_view name;
  // Both ends belong to the range; `or_zero`: 0 is allowed as well.
  int least = 0;
  int most = std::numeric_limits<int>::max();
  bool or_zero = false;
  void (*set)(MemorySystem&, int value);

  bool Allows(int value) const { return (value >= least && value <= most) || (or_zero && value == 0); }
};

constexpr Sysctl kSysctls[] = {
    {.name = "vm.min_free_kbytes",
     .set = [](MemorySystem& memory, int value) { memory.reserves().SetMinFreeKbytes(value); }},
    {.name = "vm.watermark_scale_factor",
     .least = 1,
     .most = 3000,
     .set = [](MemorySystem& memory, int value) { memory.reserves().SetWatermarkScaleFactor(value); }},
    {.name = "vm.percpu_pagelist_high_fraction",
     .least = 8,
     .or_zero = true,
     .set = [](MemorySystem& memory, int value) { memory.reserves().SetPcpHighFraction(value); }},
    {.name = "vm.max_map_count",
     .set = [](MemorySystem& memory, int value) { memory.SetMaxMapCount(value); }},
};

const Sysctl* FindSysctl(std::string_view name) {
  const auto* const found =
      std::ranges::find_if(kSysctls, [name](const Sysctl& sysctl) { return sysctl.name == name; });
  return found == std::end(kSysctls) ? nullptr : found;
}

}  // namespace

bool IsModelledSysctl(std::string_view name) { return FindSysctl(name) != nullptr; }

sim::Task<Errno> WriteSysctl(sim::Path& path, MemorySystem& memory, const std::string& name,
                             const std::string& value) {
  const Sysctl* const sysctl = FindSysctl(name);
  NUMASIM_CHECK(sysctl != nullptr);
  co_await path.HopTo(memory.global_lp(), memory.costs().hop);
  co_await path.Take(memory.costs().sysctl);
  int number = 0;
  if (!absl::SimpleAtoi(value, &number) || !sysctl->Allows(number)) co_return Errno::kInval;
  sysctl->set(memory, number);
  co_await memory.ApplySettings(path);
  co_return Errno::kOk;
}

sim::Task<void> WriteThpEnabled(sim::Path& path, MemorySystem& memory, const std::string& value) {
  co_await path.HopTo(memory.global_lp(), memory.costs().hop);
  co_await path.Take(memory.costs().sysctl);
  ThpSettings::Enabled& enabled = memory.thp().enabled;
  enabled = ParseThpEnabled(value);
  memory.reserves().ThpChanged(enabled != ThpSettings::Enabled::kNever);
  co_await memory.ApplySettings(path);
}

sim::Task<void> WriteShmemEnabled(sim::Path& path, MemorySystem& memory, const std::string& value) {
  co_await path.HopTo(memory.global_lp(), memory.costs().hop);
  co_await path.Take(memory.costs().sysctl);
  memory.thp().SetShmemEnabled(value);
  co_await memory.ApplySettings(path);
}

}  // namespace numasim::workloads
