// The advice of madvise() that is modelled, as scripts give it and AddressSpaceOps takes it.
#ifndef NUMASIM_MODELS_MM_ADVICE_H_
#define NUMASIM_MODELS_MM_ADVICE_H_

#include <cstdint>

namespace numasim {

// Of base pages not yet kRemove.
enum class Advice : uint8_t {
  kDontneed,
  kFree,
  kRemove,
  kHugepage,
  kNohugepage,
  kCollapse,
  kPopulateRead,
  kPopulateWrite
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MM_ADVICE_H_
