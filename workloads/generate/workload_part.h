// WorkloadPart: what a simulation does with each part of a workload beside its scripts, whatever it is:
// groups of guests, batch systems, replays, churns, readers. Owned by the Simulation.
#ifndef NUMASIM_WORKLOADS_GENERATE_WORKLOAD_PART_H_
#define NUMASIM_WORKLOADS_GENERATE_WORKLOAD_PART_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "models/address_space/process.h"
#include "models/physical/memory_system.h"
#include "sim/path.h"
#include "sim/task.h"
#include "sim/time.h"

namespace numasim::workloads {

class WorkloadPart {
 public:
  // Called on the global LP by the last path of the part.
  using OnEnd = std::function<sim::Task<void>(sim::Path&)>;

  virtual ~WorkloadPart() = default;

  // Before the run: places its first paths.
  virtual void Begin(OnEnd on_end) = 0;

  // --- read on the global LP or while nothing runs ---
  // All that it does is done.
  virtual bool ended() const = 0;
  // Its counters, each named after the part: "guests.vms.live".
  virtual std::vector<MemorySystem::CounterColumn> Columns() const = 0;
  // How much of its work is done at that time of the run, 0 to 1.
  virtual double ShareDone(sim::SimTime now) const = 0;
  // Those of its processes that live.
  virtual std::vector<const Process*> LiveProcesses() const { return {}; }
};

// How much of the time from `start_ns` to `until_ns` has passed at `now`, 0 to 1; 0 where it has no end.
inline double ShareOfTime(sim::SimTime now, int64_t start_ns, std::optional<int64_t> until_ns) {
  if (!until_ns.has_value() || now.ns <= start_ns) return 0;
  const auto all = static_cast<double>(*until_ns - start_ns);
  return std::min(1.0, static_cast<double>(now.ns - start_ns) / all);
}

// A pause that begins at `now`, or what is left of it until the part ends.
inline sim::Duration PauseUntil(std::optional<int64_t> until_ns, sim::SimTime now, sim::Duration pause) {
  if (!until_ns.has_value()) return pause;
  return std::min(pause, std::max(sim::SimTime{*until_ns} - now, sim::Duration{0}));
}

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_WORKLOAD_PART_H_
