#include "sim/front_scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace numasim::sim::internal {
namespace {

constexpr int64_t kEndOfTime = std::numeric_limits<int64_t>::max();

void Add(Front& front, int64_t time) {
  front.second = std::min(front.second, std::max(front.first, time));
  front.first = std::min(front.first, time);
}

Front FindPlain(std::span<const int64_t> next) {
  Front front{kEndOfTime, kEndOfTime};
  for (const int64_t time : next) Add(front, time);
  return front;
}

size_t CollectPlainFrom(size_t begin, size_t count, std::span<const int64_t> next, int64_t bound,
                        uint32_t* out) {
  for (size_t i = begin; i < next.size(); ++i) {
    out[count] = static_cast<uint32_t>(i);
    count += next[i] < bound ? 1 : 0;
  }
  return count;
}

size_t CollectPlain(std::span<const int64_t> next, int64_t bound, uint32_t* out) {
  return CollectPlainFrom(0, 0, next, bound, out);
}

#if defined(__x86_64__)

[[gnu::target("avx2")]] __m256i Load(const int64_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

[[gnu::target("avx2")]] Front FindAvx2(std::span<const int64_t> next) {
  __m256i first = _mm256_set1_epi64x(kEndOfTime);
  __m256i second = first;
  size_t i = 0;
  for (; i + 4 <= next.size(); i += 4) {
    const __m256i time = Load(&next[i]);
    const __m256i is_less = _mm256_cmpgt_epi64(first, time);
    const __m256i greater = _mm256_blendv_epi8(time, first, is_less);
    first = _mm256_blendv_epi8(first, time, is_less);
    second = _mm256_blendv_epi8(second, greater, _mm256_cmpgt_epi64(second, greater));
  }
  alignas(32) std::array<int64_t, 8> lanes;
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes.data()), first);
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes.data() + 4), second);
  Front front = FindPlain(lanes);
  for (; i < next.size(); ++i) Add(front, next[i]);
  return front;
}

// For each mask of 4 lanes, the lanes that are set, moved to the front.
constexpr std::array<std::array<uint32_t, 4>, 16> kSetLanes = [] {
  std::array<std::array<uint32_t, 4>, 16> table{};
  for (uint32_t mask = 0; mask < 16; ++mask) {
    size_t n = 0;
    for (uint32_t lane = 0; lane < 4; ++lane) {
      if ((mask >> lane & 1) != 0) table[mask][n++] = lane;
    }
  }
  return table;
}();

[[gnu::target("avx2")]] size_t CollectAvx2(std::span<const int64_t> next, int64_t bound, uint32_t* out) {
  const __m256i bounds = _mm256_set1_epi64x(bound);
  size_t count = 0;
  size_t i = 0;
  for (; i + 4 <= next.size(); i += 4) {
    const __m256i before = _mm256_cmpgt_epi64(bounds, Load(&next[i]));
    const auto mask = static_cast<uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(before)));
    const __m128i lanes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kSetLanes[mask].data()));
    const __m128i places = _mm_add_epi32(lanes, _mm_set1_epi32(static_cast<int>(i)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + count), places);
    count += static_cast<size_t>(std::popcount(mask));
  }
  return CollectPlainFrom(i, count, next, bound, out);
}

#endif

}  // namespace

FrontScan::FrontScan(bool plain) : find_(FindPlain), collect_(CollectPlain) {
#if defined(__x86_64__)
  if (!plain && __builtin_cpu_supports("avx2")) {
    find_ = FindAvx2;
    collect_ = CollectAvx2;
  }
#else
  (void)plain;
#endif
}

}  // namespace numasim::sim::internal
