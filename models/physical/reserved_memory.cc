#include "models/physical/reserved_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "sim/host_memory.h"

namespace numasim {

void* ReserveMemory(size_t bytes, bool huge) {
  void* memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) sim::HostOutOfMemory();
  // The host's huge pages make random access to a large table cheap; where they are off this is only a hint.
  if (huge) madvise(memory, bytes, MADV_HUGEPAGE);
  return memory;
}

void ReturnMemory(void* memory, size_t bytes) { munmap(memory, bytes); }

size_t ResidentOf(const void* memory, size_t bytes) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> present((bytes + page - 1) / page);
  if (mincore(const_cast<void*>(memory), bytes, present.data()) != 0) return 0;
  return page *
         static_cast<size_t>(std::count_if(present.begin(), present.end(), [](auto p) { return p & 1; }));
}

}  // namespace numasim
