// The numbers, times and sizes that logs of batch systems are written in.
//
// Plain functions. None: it is not such a value, or too large for 64 bits.
#ifndef NUMASIM_WORKLOADS_BATCH_LOG_VALUES_H_
#define NUMASIM_WORKLOADS_BATCH_LOG_VALUES_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace numasim::workloads {

inline constexpr int64_t kNsPerSecond = 1'000'000'000;

// "552.21", times `scale` and rounded to the nearest: times with fractions are common in logs.
std::optional<int64_t> ParseScaled(std::string_view text, int64_t scale);

// "2024-03-01T12:00:00" or "2024-03-01 12:00:00" in seconds since 1970, as if in UTC: a log has one time
// zone, and only differences count. The hour that a change of summer time repeats or leaves out is an hour
// off.
std::optional<int64_t> ParseDate(std::string_view text);

// Slurm's "[D-]HH:MM:SS[.mmm]" or "MM:SS[.mmm]" in nanoseconds.
std::optional<int64_t> ParseSlurmTime(std::string_view text);

// "1.5G" in bytes: K, M, G, T and P are powers of 1024, an "iB" or "B" behind them is passed over. A number
// without a unit is in units of `bare` bytes.
std::optional<int64_t> ParseLogSize(std::string_view text, int64_t bare);

// a * b, not negative; none where that is too large.
std::optional<int64_t> Times(int64_t a, int64_t b);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_LOG_VALUES_H_
