// The part of a run's summary about ranges of memory that somebody wants back: CMA areas, memory blocks that
// go offline, a virtio-mem device.
#ifndef NUMASIM_CLI_RUN_SUMMARY_RANGES_H_
#define NUMASIM_CLI_RUN_SUMMARY_RANGES_H_

#include <ostream>
#include <vector>

#include "models/hotplug/virtio_mem.h"
#include "models/kernel.h"
#include "workloads/simulation.h"

namespace numasim {

// A line for each kind of operation that wants a range, over all scripts: how often, and how long it took.
void PrintRanges(const std::vector<workloads::Simulation::Operations>& all, std::ostream& out);

// What became of the memory blocks of each node where any were to go offline, or came: how many, and what
// kept those that stayed. Nothing is printed where there were none.
void PrintOfflining(const Kernel& kernel, std::ostream& out);

// What the guest can have of the device, what the hypervisor asked for last, and what the guest has; then
// what was asked for, given and taken back in all, and what kept the rest. `device`: null where the machine
// has none.
void PrintVirtioMem(const VirtioMemDriver* device, std::ostream& out);

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_SUMMARY_RANGES_H_
