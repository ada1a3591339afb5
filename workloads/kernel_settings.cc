#include "workloads/kernel_settings.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>

#include "absl/strings/numbers.h"
#include "models/base/kernel_config.h"
#include "models/kernel.h"
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

constexpr std::string_view kProactiveness = "vm.compaction_proactiveness";

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
     .set = [](MemorySystem& memory, int value) { memory.vm().max_map_count = value; }},
    {.name = "vm.extfrag_threshold",
     .most = 1000,
     .set = [](MemorySystem& memory, int value) { memory.vm().extfrag_threshold = value; }},
    {.name = "vm.overcommit_memory",
     .most = 1,
     .set = [](MemorySystem& memory, int value) { memory.vm().overcommit_memory = value; }},
    {.name = "vm.watermark_boost_factor",
     .set = [](MemorySystem& memory, int value) { memory.vm().watermark_boost_factor = value; }},
    {.name = kProactiveness,
     .most = 100,
     .set = [](MemorySystem& memory, int value) { memory.vm().compaction_proactiveness = value; }},
};

const Sysctl* FindSysctl(std::string_view name) {
  const auto* const found =
      std::ranges::find_if(kSysctls, [name](const Sysctl& sysctl) { return sysctl.name == name; });
  return found == std::end(kSysctls) ? nullptr : found;
}

}  // namespace

bool IsModelledSysctl(std::string_view name) { return FindSysctl(name) != nullptr; }

std::vector<std::string_view> ModelledSysctls() {
  std::vector<std::string_view> names;
  for (const Sysctl& sysctl : kSysctls) names.push_back(sysctl.name);
  return names;
}

sim::Task<Errno> WriteSysctl(sim::Path& path, Kernel& kernel, const std::string& name,
                             const std::string& value) {
  MemorySystem& memory = kernel.memory();
  const Sysctl* const sysctl = FindSysctl(name);
  NUMASIM_CHECK(sysctl != nullptr);
  co_await path.HopTo(memory.global_lp(), memory.costs().hop);
  co_await path.Take(memory.costs().sysctl);
  int number = 0;
  if (!absl::SimpleAtoi(value, &number) || !sysctl->Allows(number)) co_return Errno::kInval;
  sysctl->set(memory, number);
  co_await memory.ApplySettings(path);
  if (name == kProactiveness && number > 0) co_await kernel.kcompactds().LookNow(path);
  co_return Errno::kOk;
}

sim::Task<void> WriteThp(sim::Path& path, Kernel& kernel, const ThpOp& op) {
  MemorySystem& memory = kernel.memory();
  co_await path.HopTo(memory.global_lp(), memory.costs().hop);
  co_await path.Take(memory.costs().sysctl);
  ThpSettings& thp = memory.thp();
  switch (op.knob) {
    case ThpOp::Knob::kEnabled: {
      const bool before = thp.any();
      thp.enabled = ParseThpEnabled(op.value);
      const bool now = thp.any();
      // start_stop_khugepaged()
      memory.reserves().ThpChanged(now);
      if (now && !before) kernel.thp().khugepaged().Start(path);
      if (before && !now) kernel.thp().khugepaged().Stop(path);
      break;
    }
    case ThpOp::Knob::kDefrag:
      thp.defrag = ParseThpDefrag(op.value);
      break;
    case ThpOp::Knob::kUseZeroPage:
      thp.use_zero_page = op.value == "1";
      break;
    case ThpOp::Knob::kShmemEnabled:
      thp.SetShmemEnabled(op.value);
      break;
  }
  co_await memory.ApplySettings(path);
}

sim::Task<Errno> WriteKhugepaged(sim::Path& path, Kernel& kernel, const KhugepagedSetOp& op) {
  using Knob = KhugepagedSetOp::Knob;
  co_await path.HopTo(kernel.memory().global_lp(), kernel.memory().costs().hop);
  co_await path.Take(kernel.memory().costs().sysctl);
  Khugepaged& khugepaged = kernel.thp().khugepaged();
  Khugepaged::Settings& settings = khugepaged.settings();
  const bool few = op.value >= 0 && op.value < kThpPages;
  const bool fits = op.value >= 0 && op.value <= std::numeric_limits<uint32_t>::max();
  const auto set = [](int64_t& knob, int64_t value, bool allowed) {
    if (allowed) knob = value;
    return allowed ? Errno::kOk : Errno::kInval;
  };
  switch (op.knob) {
    case Knob::kDefrag:
      if (op.value != 0 && op.value != 1) co_return Errno::kInval;
      settings.defrag = op.value == 1;
      co_return Errno::kOk;
    case Knob::kMaxPtesNone:
      co_return set(settings.max_ptes_none, op.value, few);
    case Knob::kMaxPtesShared:
      co_return set(settings.max_ptes_shared, op.value, few);
    case Knob::kMaxPtesSwap:
      co_return set(settings.max_ptes_swap, op.value, few);
    case Knob::kPagesToScan:
      co_return set(settings.pages_to_scan, op.value, fits && op.value > 0);
    case Knob::kScanSleepMillisecs:
    case Knob::kAllocSleepMillisecs: {
      int64_t& sleep = op.knob == Knob::kScanSleepMillisecs ? settings.scan_sleep_millisecs
                                                            : settings.alloc_sleep_millisecs;
      const Errno error = set(sleep, op.value, fits);
      if (error == Errno::kOk) khugepaged.WakeUp(path);
      co_return error;
    }
  }
  co_return Errno::kInval;
}

}  // namespace numasim::workloads
