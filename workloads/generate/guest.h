// Guest: one process of a group, or of a batch job, that is at some point between its arrival and its exit.
// Owned by its GuestGroup or its job. Its process lives on the LP of the node that it runs on; the guest
// itself is touched only by the path that leads its life.
#ifndef NUMASIM_WORKLOADS_GENERATE_GUEST_H_
#define NUMASIM_WORKLOADS_GENERATE_GUEST_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "models/address_space/process.h"
#include "models/base/errno.h"
#include "models/base/failure.h"
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

// Why memory was not to be had, as it is counted.
struct Shortage {
  std::string operation;  // "attempt", "grow"
  std::string error;
  std::string nodes;  // "0-1"; empty: it was not for want of a node's memory
  friend auto operator<=>(const Shortage&, const Shortage&) = default;
};
using Shortages = std::map<Shortage, int64_t>;
// Counts it if it is one.
void NoteShortage(Shortages& shortages, const char* operation, const MemoryOutcome& outcome);

class Guest {
 public:
  // `habits` outlives it. A request for memory that fails is logged as `failure_kind`.
  Guest(Kernel& kernel, const GuestHabits& habits, const GuestChoices& choices, std::string name,
        LogKind failure_kind);

  const GuestChoices& choices() const { return choices_; }
  const std::string& name() const { return name_; }
  // Whether it was started and has not come to its end, be its process killed meanwhile or not.
  bool started() const { return process_ != nullptr; }
  // Its process if that lives, else null. Read while nothing runs.
  const Process* LiveProcess() const {
    return process_ != nullptr && process_->alive ? process_.get() : nullptr;
  }
  // Base pages of its memory that it has used.
  int64_t touched_pages() const { return touched_ * UnitOf(choices_.pages); }

  // Makes a process on this CPU with all its memory, if it has any, and touches the first `units` pages of
  // its size. Where that fails the process is gone again. Begins and ends on the global LP.
  sim::Task<MemoryOutcome> Start(sim::Path& path, CpuId cpu, int64_t units);
  // Touches more, up to `units` in all. Begins and ends on the global LP.
  sim::Task<MemoryOutcome> GrowTo(sim::Path& path, int64_t units);
  // Exits, and gives back all it has; false where it was killed before. Begins and ends on the global LP.
  sim::Task<bool> Exit(sim::Path& path);

 private:
  sim::Task<MemoryOutcome> StartOnCpu(sim::Path& path, int64_t units);
  sim::Task<MemoryOutcome> MapMemory(sim::Path& path);
  sim::Task<MemoryOutcome> UseFirst(sim::Path& path, int64_t units);
  sim::Task<MemoryOutcome> TouchUnits(sim::Path& path, int64_t first, int64_t end);
  sim::Task<void> GoToCpu(sim::Path& path);
  sim::Task<void> LeaveCpu(sim::Path& path);
  MapRequest RequestOfAll() const;
  MemPolicy PolicyHere() const;
  // Who may have served memory under a policy.
  NodeMask NodesOf(const MemPolicy& policy) const;
  MemoryOutcome Killed(sim::Path& path);
  MemoryOutcome Failed(sim::Path& path, MemoryOutcome outcome, int64_t wanted);

  Kernel& kernel_;
  const GuestHabits& habits_;
  GuestChoices choices_;
  std::string name_;
  LogKind failure_kind_;
  std::unique_ptr<Process> process_;
  Vpn memory_;           // where its mapping begins
  int64_t touched_ = 0;  // pages of its size
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_GUEST_H_
