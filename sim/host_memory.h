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

// Where the address space is limited (ulimit -v) all threads allocate from one heap from now on. One of its
// own for each would reserve 64 MiB that it may never use, as far as the limit lets it: a larger limit could
// leave less for the simulation. To be called before there is a second thread.
void SaveAddressSpace();

// How many of `wanted` threads, this one included, the host lets a process have now (ulimit -u).
int ThreadsOfHost(int wanted);

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_HOST_MEMORY_H_
