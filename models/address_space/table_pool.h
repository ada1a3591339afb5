// TablePool: host memory for the page tables of all processes, which come and go by the thousand: in pieces
// that have the host's huge pages, so that a table costs no page fault of the host. What is given back is
// kept for the next. For any thread.
#ifndef NUMASIM_MODELS_ADDRESS_SPACE_TABLE_POOL_H_
#define NUMASIM_MODELS_ADDRESS_SPACE_TABLE_POOL_H_

#include <cstddef>

namespace numasim {

class TablePool {
 public:
  // Of this size, which is the same in all calls, and a multiple of a cache line.
  static void* Allocate(size_t bytes);
  static void Free(void* table);
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_ADDRESS_SPACE_TABLE_POOL_H_
