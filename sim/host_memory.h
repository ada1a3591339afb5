// What the host gives the program itself: memory, address space, threads. All of this is about the machine
// that the simulation runs on, not about the simulated one.
#ifndef NUMASIM_SIM_HOST_MEMORY_H_
#define NUMASIM_SIM_HOST_MEMORY_H_

#include <cstdint>

namespace numasim::sim {

// Bytes that this process can still get; the greatest number where nothing says how many.
struct HostMemory {
  int64_t resident;       // by the host's free memory, or what a container may use
  int64_t address_space;  // by RLIMIT_AS (ulimit -v)
};
HostMemory FreeHostMemory();

// For an mmap that failed: does what a failing `new` does.
[[noreturn]] void HostOutOfMemory();

// From now on a `new` that fails, in whatever thread, ends the program with a message and exit status 1. A
// run that has used up its memory cannot undo anything: that takes memory too.
void ExitWhenOutOfMemory();

// How many of `wanted` threads, this one included, the host lets a process have now (ulimit -u).
int ThreadsOfHost(int wanted);

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_HOST_MEMORY_H_
