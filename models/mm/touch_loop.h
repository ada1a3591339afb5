// TouchLoop: what the stretches of a loop of accesses (AddressSpaceOps::TouchPages) know of it and change in
// it by reference. Lives as long as the loop, on the LP of the process.
#ifndef NUMASIM_MODELS_MM_TOUCH_LOOP_H_
#define NUMASIM_MODELS_MM_TOUCH_LOOP_H_

#include <cstdint>
#include <optional>

#include "models/address_space/process.h"
#include "models/base/operation_stats.h"
#include "models/physical/node.h"
#include "sim/cpu.h"
#include "sim/path.h"
#include "sim/time.h"

namespace numasim {

struct TouchLoop {
  sim::Path& path;
  Process& process;
  Node& home;
  sim::Cpu& cpu;
  bool locks;       // takes mmap_lock for each fault
  uint64_t stride;  // from one access to the next, in bytes
  uint64_t end;     // no access is here or beyond
  OperationStats& faults;
  uint64_t& at;  // the access whose fault is under way
  std::optional<sim::SimTime>& began;
  int64_t& ok;  // accesses made

  // The accesses behind loop.at that fall into the same page table and VMA, as long as these stay.
  struct Reach {
    Entry* entry = nullptr;  // of the access at loop.at
    int64_t pages = 1;       // from one access to the next
    int64_t left = 0;        // accesses that are to come
    uint64_t tables = 0;     // the generation of the page tables, and of the VMAs
    uint64_t vmas = 0;

    Entry& Next(int64_t n = 1) const { return entry[n * pages]; }
    void Advance(int64_t n = 1) {
      entry += n * pages;
      left -= n;
    }
  };
  Reach ReachFrom(const Vma& vma, Entry* entry) const;

  // Whether faults go on as they did: nobody waits for what the loop has, and `reach` is as it was.
  bool Undisturbed(const Reach& reach) const;

  // `n` faults are over, and as many have begun, each `each` of time after the other, the last at `last`.
  void Pass(int64_t n, sim::Duration each, sim::SimTime last);
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MM_TOUCH_LOOP_H_
