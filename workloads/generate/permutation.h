// Permutation: the numbers 0 to n-1 in a random order that takes no memory, for memory that is touched in
// random order. A value.
#ifndef NUMASIM_WORKLOADS_GENERATE_PERMUTATION_H_
#define NUMASIM_WORKLOADS_GENERATE_PERMUTATION_H_

#include <cstdint>

namespace numasim::workloads {

class Permutation {
 public:
  // 0 < n <= 2^62. `key` chooses the order.
  Permutation(uint64_t n, uint64_t key);

  // Where the i-th is, i < n: each number below n for exactly one i.
  uint64_t At(uint64_t i) const;

 private:
  // A Feistel network over 2 * half_bits_ bits: a permutation of these, whatever the round function is.
  uint64_t Once(uint64_t i) const;

  uint64_t n_;
  uint64_t key_;
  int half_bits_;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_PERMUTATION_H_
