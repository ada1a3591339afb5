// The huge page sizes of x86-64: one hstate each.
#ifndef NUMASIM_MODELS_BASE_HUGE_SIZE_H_
#define NUMASIM_MODELS_BASE_HUGE_SIZE_H_

#include <cstddef>
#include <cstdint>

#include "models/base/enum_array.h"

namespace numasim {

enum class HugeSize : uint8_t { k2M, k1G };
inline constexpr size_t kHstates = 2;
template <typename T>
using PerHugeSize = EnumArray<HugeSize, T, kHstates>;
inline constexpr HugeSize kHugeSizes[kHstates] = {HugeSize::k2M, HugeSize::k1G};
// As scripts and recordings spell them.
inline constexpr PerHugeSize<const char*> kHugeSizeNames = {"2M", "1G"};

constexpr int OrderOf(HugeSize size) { return size == HugeSize::k2M ? 9 : 18; }
constexpr HugeSize HugeSizeOf(int order) { return order == 9 ? HugeSize::k2M : HugeSize::k1G; }
// In base pages.
constexpr int64_t PagesOf(HugeSize size) { return int64_t{1} << OrderOf(size); }

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_HUGE_SIZE_H_
