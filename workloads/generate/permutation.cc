#include "workloads/generate/permutation.h"

#include <bit>

#include "sim/check.h"

namespace numasim::workloads {
namespace {

constexpr int kRounds = 4;

// The finaliser of splitmix64.
uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Permutation::Permutation(uint64_t n, uint64_t key)
    : n_(n), key_(key), half_bits_(n <= 1 ? 1 : (std::bit_width(n - 1) + 1) / 2) {
  NUMASIM_CHECK_GT(n, 0u);
  NUMASIM_CHECK_LE(n, uint64_t{1} << 62);
}

// A number that falls outside is permuted again until it falls inside: as the network goes round in circles,
// it comes to one, and to another one for each number inside. The network has at most 4 n numbers.
uint64_t Permutation::At(uint64_t i) const {
  NUMASIM_DCHECK_LT(i, n_);
  do {
    i = Once(i);
  } while (i >= n_);
  return i;
}

uint64_t Permutation::Once(uint64_t i) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = i >> half_bits_;
  uint64_t right = i & mask;
  for (uint64_t round = 1; round <= kRounds; ++round) {
    const uint64_t next = left ^ (Mix(right + Mix(key_ + round)) & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

}  // namespace numasim::workloads
