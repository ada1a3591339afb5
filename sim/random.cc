#include "sim/random.h"

#include <bit>

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

constexpr double kLn2 = 0.693147180559945309417232121458;

// ln(x) for x near 1 from the series of atanh, for the table below.
constexpr double SlowLog(double x) {
  const double s = (x - 1) / (x + 1);
  const double s2 = s * s;
  double sum = 0;
  double power = s;
  for (int k = 1; k < 60; k += 2) {
    sum += power / k;
    power *= s2;
  }
  return 2 * sum;
}

constexpr int kLogBits = 7;

struct LogEntry {
  double inverse;  // 1 / the middle of the interval
  double log;      // ln of the middle
};

constexpr std::array<LogEntry, 1 << kLogBits> MakeLogTable() {
  std::array<LogEntry, 1 << kLogBits> table{};
  for (int i = 0; i < (1 << kLogBits); ++i) {
    const double middle = 1 + (i + 0.5) / (1 << kLogBits);
    table[i] = {1 / middle, SlowLog(middle)};
  }
  return table;
}

constexpr std::array<LogEntry, 1 << kLogBits> kLogTable = MakeLogTable();

// ln(x) for a positive normal x, to about 1e-15: exponent, table of the leading bits, short series for the
// rest.
double Log(double x) {
  const auto bits = std::bit_cast<uint64_t>(x);
  const int exponent = static_cast<int>(bits >> 52) - 1023;
  const LogEntry& entry = kLogTable[(bits >> (52 - kLogBits)) & ((1 << kLogBits) - 1)];
  const auto mantissa = std::bit_cast<double>((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
  const double r = mantissa * entry.inverse - 1;  // |r| < 2^-8
  const double r2 = r * r;
  const double tail =
      r - r2 * (1.0 / 2 - r * (1.0 / 3)) - r2 * r2 * (1.0 / 4 - r * (1.0 / 5) + r2 * (1.0 / 6));
  return exponent * kLn2 + (entry.log + tail);
}

}  // namespace

RandomStream::RandomStream(uint64_t seed, std::string_view component) {
  uint64_t mix = seed;
  mix = SplitMix(mix) ^ HashName(component);
  for (uint64_t& word : state_) word = SplitMix(mix);
}

double RandomStream::Exponential(double mean) {
  // 64 bits, not 53: the tail then ends at 44 means instead of 37. Zero becomes the least value.
  const double u = static_cast<double>((Next() >> 1) | 1) * 0x1p-63;
  const double value = -Log(u) * mean;
  return value > 0 ? value : 0;
}

}  // namespace numasim::sim
