// Guest: one process of a group that is at some point between its arrival and its exit. Owned by its
// GuestGroup. Its process lives on the LP of the node that it runs on; the guest itself is touched only by
// the path that leads its life.
#ifndef NUMASIM_WORKLOADS_GENERATE_GUEST_H_
#define NUMASIM_WORKLOADS_GENERATE_GUEST_H_

#include <cstdint>
#include <memory>
#include <string>

#include "models/address_space/process.h"
#include "models/base/errno.h"
#include "models/kernel.h"
#include "sim/path.h"
#include "sim/task.h"
#include "workloads/generate/guest_plan.h"

namespace numasim::workloads {

// How a guest's request for memory went.
struct MemoryOutcome {
  Errno error = Errno::kOk;
  bool sigbus = false;        // `error` is kFault
  const char* function = "";  // of the kernel, that gave up
  NodeMask nodes = {};        // those that may have served it and had nothing
  int64_t got = 0;            // pages of the guest's size

  bool ok() const { return error == Errno::kOk; }
  // "ENOMEM", "SIGBUS"; empty where it did not fail.
  const char* failure() const { return ok() ? "" : sigbus ? "SIGBUS" : ErrnoName(error); }
};

class Guest {
 public:
  Guest(Kernel& kernel, const GuestPlan& plan, uint64_t seed, int64_t number);

  const GuestChoices& choices() const { return choices_; }
  const std::string& name() const { return name_; }
  // Its process if that lives, else null. Read while nothing runs.
  const Process* LiveProcess() const {
    return process_ != nullptr && process_->alive ? process_.get() : nullptr;
  }
  // Base pages of its memory that it has used.
  int64_t touched_pages() const { return touched_ * UnitOf(choices_.pages); }

  // Makes a process on this CPU with all its memory, and touches the first part. Where that fails the process
  // is gone again. Begins and ends on the global LP.
  sim::Task<MemoryOutcome> Start(sim::Path& path, CpuId cpu);
  // Touches part `step` of the plan's steps, from 1 on. Begins and ends on the global LP.
  sim::Task<MemoryOutcome> Grow(sim::Path& path, int step);
  // Exits, and gives back all it has. Begins and ends on the global LP.
  sim::Task<void> Exit(sim::Path& path);

 private:
  sim::Task<MemoryOutcome> StartOnCpu(sim::Path& path);
  sim::Task<MemoryOutcome> MapMemory(sim::Path& path);
  sim::Task<MemoryOutcome> TouchStep(sim::Path& path, int step);
  sim::Task<MemoryOutcome> TouchUnits(sim::Path& path, int64_t first, int64_t end);
  sim::Task<void> GoToCpu(sim::Path& path);
  sim::Task<void> LeaveCpu(sim::Path& path);
  MapRequest RequestOfAll() const;
  MemPolicy PolicyHere() const;
  // Who may have served memory under a policy.
  NodeMask NodesOf(const MemPolicy& policy) const;
  MemoryOutcome Failed(sim::Path& path, MemoryOutcome outcome, int64_t wanted);

  Kernel& kernel_;
  const GuestPlan& plan_;
  GuestChoices choices_;
  std::string name_;
  std::unique_ptr<Process> process_;
  Vpn memory_;           // where its mapping begins
  int64_t touched_ = 0;  // pages of its size
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_GUEST_H_
