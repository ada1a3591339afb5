#include "cli/metrics/metric_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "cli/text/time_text.h"

namespace numasim {

std::string ValueText(const MetricInfo& info, double value) {
  constexpr double kLongest = 9e18;  // what 64 bits of nanoseconds hold
  if (info.kind == MetricInfo::Kind::kTime && std::abs(value) < kLongest)
    return TimeText(std::llround(value));
  if (info.unit == kShareUnit) return absl::StrFormat("%.4g%%", 100 * value);
  if (value == std::round(value)) return absl::StrFormat("%.0f", value);
  return std::abs(value) < 1000 ? absl::StrFormat("%.4g", value) : absl::StrFormat("%.1f", value);
}

std::string UnitText(const MetricInfo& info) {
  const bool said = info.kind == MetricInfo::Kind::kTime || info.unit == kShareUnit;
  return said ? "" : info.unit;
}

std::string SpreadText(const MedianInterval& interval) {
  const double reach = std::max(interval.median - interval.low, interval.high - interval.median);
  if (!interval.bounded || (interval.median == 0 && reach > 0)) return "inf";
  return absl::StrFormat("%.0f%%", reach == 0 ? 0 : 100 * reach / std::abs(interval.median));
}

}  // namespace numasim
