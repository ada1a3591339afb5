// Whose pages of the kernel are (FrameOwner::kKernel), by the owner's object.
#ifndef NUMASIM_MODELS_PHYSICAL_KERNEL_PAGES_H_
#define NUMASIM_MODELS_PHYSICAL_KERNEL_PAGES_H_

#include <cstdint>

namespace numasim {

inline constexpr uint16_t kKernelsOwn = 0;  // its own: as many as at boot, and the huge zero page
inline constexpr uint16_t kReplayed = 1;    // what a replay of allocations holds, which counts them
inline constexpr uint16_t kInPipes = 2;
inline constexpr uint16_t kCompacting = 3;  // what compaction has taken, to move pages there
inline constexpr uint16_t kBuffer = 4;      // what a system call has for its own time
inline constexpr uint16_t kChurned = 5;     // what a churn of the workload has
inline constexpr uint16_t kInSlabs = 6;     // what a slab cache of the workload has
inline constexpr uint16_t kPgd = 7;         // the PGD of a process

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_KERNEL_PAGES_H_
