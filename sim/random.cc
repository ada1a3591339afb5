#include "sim/random.h"

#include <cstddef>

namespace numasim::sim {
namespace {

uint64_t SplitMix(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// FNV-1a.
uint64_t HashName(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const unsigned char c : name) hash = (hash ^ c) * 0x100000001b3u;
  return hash;
}

// exp(-x) for 0 <= x < 64: halved until the series is short, then squared as often.
constexpr double ExpOfMinus(double x) {
  constexpr int kHalvings = 10;
  const double y = -x / (1 << kHalvings);
  double sum = 1;
  for (int k = 12; k >= 1; --k) sum = 1 + sum * y / k;
  for (int i = 0; i < kHalvings; ++i) sum *= sum;
  return sum;
}

// -ln(y) for 0 < y <= 1 by Newton's method on exp.
constexpr double MinusLog(double y) {
  double x = 0;
  for (int i = 0; i < 40; ++i) x += 1 - y / ExpOfMinus(x);
  return x;
}

// The ziggurat of Marsaglia and Tsang (2000) for exp(-x): 256 layers of equal area kArea, the lowest of which
// is a box up to kTailStart and the tail beyond. Layer i is as wide as x[i] and lies under the curve up to
// x[i + 1].
constexpr int kLayers = 256;
constexpr double kTailStart = 7.69711747013104972;
constexpr double kArea = 0.0039496598225815571993;

struct Ziggurat {
  double x[kLayers + 1];
  double height[kLayers + 1];  // exp(-x)
};

constexpr Ziggurat MakeZiggurat() {
  Ziggurat z{};
  z.x[0] = kArea / ExpOfMinus(kTailStart);
  z.x[1] = kTailStart;
  for (int i = 2; i < kLayers; ++i) z.x[i] = MinusLog(kArea / z.x[i - 1] + ExpOfMinus(z.x[i - 1]));
  z.x[kLayers] = 0;
  for (int i = 0; i <= kLayers; ++i) z.height[i] = ExpOfMinus(z.x[i]);
  return z;
}

constexpr Ziggurat kZiggurat = MakeZiggurat();

}  // namespace

RandomStream::RandomStream(uint64_t seed, std::string_view component) {
  uint64_t mix = seed;
  mix = SplitMix(mix) ^ HashName(component);
  for (uint64_t& word : state_) word = SplitMix(mix);
}

RandomStream::RandomStream(uint64_t seed, std::string_view component, uint64_t index) {
  uint64_t mix = seed;
  mix = SplitMix(mix) ^ HashName(component);
  mix = SplitMix(mix) ^ index;
  for (uint64_t& word : state_) word = SplitMix(mix);
}

double RandomStream::Exponential(double mean) {
  const uint64_t bits = Next();
  const size_t layer = bits % kLayers;
  const double x = static_cast<double>(static_cast<int64_t>(bits >> 11)) * 0x1p-53 * kZiggurat.x[layer];
  if (x < kZiggurat.x[layer + 1]) [[likely]]
    return x * mean;
  return ExponentialAtEdge(layer, x) * mean;
}

// Where a point is not surely under the curve: about one in a hundred.
double RandomStream::ExponentialAtEdge(size_t layer, double x) {
  // The tail is the distribution itself, further right.
  if (layer == 0) return kTailStart + Exponential(1);
  const double low = kZiggurat.height[layer];
  const double y = low + UniformDouble() * (kZiggurat.height[layer + 1] - low);
  return y < ExpOfMinus(x) ? x : Exponential(1);
}

}  // namespace numasim::sim
