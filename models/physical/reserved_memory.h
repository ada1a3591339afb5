// Tables in address space that is reserved, and takes the host's memory only where it is written. They begin
// as zeros.
#ifndef NUMASIM_MODELS_PHYSICAL_RESERVED_MEMORY_H_
#define NUMASIM_MODELS_PHYSICAL_RESERVED_MEMORY_H_

#include <cstddef>

namespace numasim {

// `huge`: with the host's huge pages, for what is written as a whole, or densely. Ends the program where the
// host has no address space left.
void* ReserveMemory(size_t bytes, bool huge);
void ReturnMemory(void* memory, size_t bytes);
// How many bytes of it are resident.
size_t ResidentOf(const void* memory, size_t bytes);

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_RESERVED_MEMORY_H_
