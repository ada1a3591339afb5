// Whole numbers that are divided: without overflow, and rounded as the name says.
#ifndef NUMASIM_WORKLOADS_INTEGER_MATH_H_
#define NUMASIM_WORKLOADS_INTEGER_MATH_H_

#include <cstdint>

namespace numasim::workloads {

// value * part / whole, rounded down; `value` is not negative, and `part` not more than `whole`.
constexpr int64_t InProportion(int64_t value, int64_t part, int64_t whole) {
  return static_cast<int64_t>(static_cast<__int128>(value) * part / whole);
}

// How many units it takes to hold `value`, which is not negative.
constexpr int64_t UpToWhole(int64_t value, int64_t unit) {
  return value / unit + (value % unit != 0 ? 1 : 0);
}

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_INTEGER_MATH_H_
