#include "workloads/batch/log_values.h"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <limits>

namespace numasim::workloads {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// All of `text` as a whole number without a sign.
std::optional<int64_t> ParseDigits(std::string_view text) {
  if (text.empty() || !IsDigit(text.front())) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> Narrow(__int128 value) {
  if (value > std::numeric_limits<int64_t>::max() || value < -std::numeric_limits<int64_t>::max())
    return std::nullopt;
  return static_cast<int64_t>(value);
}

// Two digits at `at`, at most `most`.
std::optional<int64_t> TwoDigits(std::string_view text, size_t at, int64_t most) {
  if (at + 2 > text.size()) return std::nullopt;
  const std::optional<int64_t> value = ParseDigits(text.substr(at, 2));
  return value.has_value() && *value <= most ? value : std::nullopt;
}

}  // namespace

std::optional<int64_t> Times(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

std::optional<int64_t> ParseScaled(std::string_view text, int64_t scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const size_t dot = text.find('.');
  const std::optional<int64_t> whole = ParseDigits(text.substr(0, dot));
  if (!whole.has_value()) return std::nullopt;
  __int128 value = static_cast<__int128>(*whole) * scale;
  if (dot != std::string_view::npos) {
    // 12 digits are finer than any unit of a log; what follows changes nothing that counts.
    constexpr size_t kDigits = 12;
    const std::string_view digits = text.substr(dot + 1);
    if (!ParseDigits(digits.substr(0, kDigits)).has_value()) return std::nullopt;
    __int128 part = 0;
    __int128 whole_part = 1;
    for (size_t i = 0; i < digits.size(); ++i) {
      if (!IsDigit(digits[i])) return std::nullopt;
      if (i >= kDigits) continue;
      part = part * 10 + (digits[i] - '0');
      whole_part *= 10;
    }
    value += (part * scale + whole_part / 2) / whole_part;
  }
  return Narrow(negative ? -value : value);
}

std::optional<int64_t> ParseDate(std::string_view text) {
  constexpr size_t kLength = 19;  // 2024-03-01T12:00:00
  if (text.size() < kLength || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' ||
      (text[10] != 'T' && text[10] != ' '))
    return std::nullopt;
  const std::optional<int64_t> year = ParseDigits(text.substr(0, 4));
  const std::optional<int64_t> month = TwoDigits(text, 5, 12);
  const std::optional<int64_t> day = TwoDigits(text, 8, 31);
  const std::optional<int64_t> hour = TwoDigits(text, 11, 23);
  const std::optional<int64_t> minute = TwoDigits(text, 14, 59);
  const std::optional<int64_t> second = TwoDigits(text, 17, 60);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::string_view rest = text.substr(kLength);
  if (!rest.empty() && rest != "Z") return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + *hour) * 60 + *minute) * 60 + *second;
}

std::optional<int64_t> ParseSlurmTime(std::string_view text) {
  int64_t days = 0;
  if (const size_t dash = text.find('-'); dash != std::string_view::npos) {
    const std::optional<int64_t> given = ParseDigits(text.substr(0, dash));
    // Beyond the end of simulated time, in days.
    if (!given.has_value() || *given > 106'751) return std::nullopt;
    days = *given;
    text.remove_prefix(dash + 1);
  }
  const size_t last = text.rfind(':');
  if (last == std::string_view::npos) return std::nullopt;
  const std::optional<int64_t> seconds_ns = ParseScaled(text.substr(last + 1), kNsPerSecond);
  if (!seconds_ns.has_value() || *seconds_ns < 0) return std::nullopt;
  std::string_view front = text.substr(0, last);
  int64_t hours = 0;
  if (const size_t colon = front.find(':'); colon != std::string_view::npos) {
    const std::optional<int64_t> given = ParseDigits(front.substr(0, colon));
    if (!given.has_value()) return std::nullopt;
    hours = *given;
    front.remove_prefix(colon + 1);
  }
  const std::optional<int64_t> minutes = ParseDigits(front);
  if (!minutes.has_value()) return std::nullopt;
  const __int128 all_minutes = (static_cast<__int128>(days) * 24 + hours) * 60 + *minutes;
  if (all_minutes > std::numeric_limits<int64_t>::max() / 60) return std::nullopt;
  return Narrow(all_minutes * 60 * kNsPerSecond + *seconds_ns);
}

std::optional<int64_t> ParseLogSize(std::string_view text, int64_t bare) {
  for (const std::string_view tail : {"iB", "B"}) {
    if (text.ends_with(tail)) {
      text.remove_suffix(tail.size());
      // "512B" is bytes whatever a bare number is.
      if (tail == "B" && !text.empty() && IsDigit(text.back())) bare = 1;
      break;
    }
  }
  if (text.empty()) return std::nullopt;
  constexpr std::string_view kUnits = "KMGTP";
  const size_t unit =
      kUnits.find(text.back() >= 'a' ? static_cast<char>(text.back() - 'a' + 'A') : text.back());
  if (unit == std::string_view::npos) return ParseScaled(text, bare);
  return ParseScaled(text.substr(0, text.size() - 1), int64_t{1} << (10 * (unit + 1)));
}

}  // namespace numasim::workloads
