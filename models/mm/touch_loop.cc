#include "models/mm/touch_loop.h"

#include <algorithm>

namespace numasim {

TouchLoop::Reach TouchLoop::ReachFrom(const Vma& vma, Entry* entry) const {
  Reach reach;
  // Two accesses to one page are no two faults. And a fault that has waited already took longer than others.
  if (stride % kPageSize != 0 || stride == 0 || began != path.now()) return reach;
  reach.entry = entry;
  reach.pages = static_cast<int64_t>(stride >> kPageShift);
  reach.tables = process.space.page_table().generation();
  reach.vmas = process.space.generation();
  const Vpn vpn{at >> kPageShift};
  const Vpn table_end{((vpn.value >> kPteTableShift) + 1) << kPteTableShift};
  const int64_t in_table = (std::min(table_end, vma.end) - vpn - 1) / reach.pages;
  reach.left = std::min(static_cast<int64_t>((end - 1 - at) / stride), in_table);
  return reach;
}

bool TouchLoop::Undisturbed(const Reach& reach) const {
  const AddressSpace& space = process.space;
  return space.page_table().generation() == reach.tables && space.generation() == reach.vmas &&
         !process.killed && !cpu.has_waiters() && !(locks && space.mmap_lock().has_waiters());
}

void TouchLoop::Pass(int64_t n, sim::Duration each, sim::SimTime last) {
  const auto times = static_cast<uint64_t>(n);
  if (locks) process.space.mmap_lock().RetakeRead(path, times, each, last);
  home.counter(PGFAULT) += n;
  faults.RecordEach(each, times);
  at += times * stride;
  began = last;
  ok += n;
}

}  // namespace numasim
