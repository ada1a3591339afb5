// Random numbers that are the same on every machine and standard library. Each component of a model draws
// from a stream of its own, named by the component, so that one more draw here does not change what another
// sees.
#ifndef NUMASIM_SIM_RANDOM_H_
#define NUMASIM_SIM_RANDOM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sim/check.h"

namespace numasim::sim {

// xoshiro256++ 1.0 (Blackman and Vigna, public domain), seeded by splitmix64 over the run's seed and a hash
// of the component's name. A value: copy it to replay the same draws.
class RandomStream {
 public:
  RandomStream(uint64_t seed, std::string_view component);
  // One of many streams of the component, by number: what the others draw, and how many there are, does not
  // change it.
  RandomStream(uint64_t seed, std::string_view component, uint64_t index);

  // 64 uniform bits.
  uint64_t Next() {
    const uint64_t result = Rotate(state_[0] + state_[3], 23) + state_[0];
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = Rotate(state_[3], 45);
    return result;
  }

  // Each of 0 .. n-1 with exactly the same probability; n > 0.
  uint64_t Uniform(uint64_t n) {
    NUMASIM_DCHECK_GT(n, 0u);
    auto product = static_cast<unsigned __int128>(Next()) * n;
    if (static_cast<uint64_t>(product) < n) [[unlikely]] {
      const uint64_t threshold = -n % n;
      while (static_cast<uint64_t>(product) < threshold) product = static_cast<unsigned __int128>(Next()) * n;
    }
    return static_cast<uint64_t>(product >> 64);
  }

  // [0, 1), a multiple of 2^-53.
  double UniformDouble() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  // Exponentially distributed with this mean; never negative. Needs no agreement between maths libraries: it
  // is the four operations of IEEE 754 and tables made of them.
  double Exponential(double mean);

  // True with probability p; p <= 0 never, p >= 1 always.
  bool Bernoulli(double p) { return UniformDouble() < p; }

 private:
  double ExponentialAtEdge(size_t layer, double x);
  static uint64_t Rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

  std::array<uint64_t, 4> state_;
};

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_RANDOM_H_
