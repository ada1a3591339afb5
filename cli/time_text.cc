#include "cli/time_text.h"

#include <limits>

#include "absl/numeric/int128.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace numasim {
namespace {

struct Unit {
  absl::string_view name;
  int64_t ns;
};

// A name that begins another's stands after it.
constexpr Unit kUnits[] = {{"ns", 1},         {"us", 1000},       {"ms", 1000000},
                           {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}};

// Digits that matter after the point: an hour has 13 digits of nanoseconds.
constexpr size_t kMaxFraction = 13;

absl::string_view TakeDigits(absl::string_view* text) {
  size_t count = 0;
  while (count < text->size() && absl::ascii_isdigit((*text)[count])) ++count;
  const absl::string_view digits = text->substr(0, count);
  text->remove_prefix(count);
  return digits;
}

const Unit* TakeUnit(absl::string_view* text) {
  for (const Unit& unit : kUnits) {
    if (absl::ConsumePrefix(text, unit.name)) return &unit;
  }
  return nullptr;
}

// Adds "1.5s" at the front of `text` to `*ns`; "" or what is wrong.
std::string TakePart(absl::string_view* text, absl::uint128* ns) {
  const absl::string_view whole = TakeDigits(text);
  absl::string_view fraction;
  if (absl::ConsumePrefix(text, ".")) fraction = TakeDigits(text);
  const bool number = !whole.empty() || !fraction.empty();
  if (number && text->empty()) return "a time needs a unit: ns, us, ms, s, m or h";
  const Unit* unit = number ? TakeUnit(text) : nullptr;
  if (unit == nullptr) return "not a time, write it as 10ms, 1.5s or 250us";
  while (absl::ConsumeSuffix(&fraction, "0")) {
  }
  if (whole.size() > 19) return "later than a simulation can reach (about 292 years)";
  if (fraction.size() > kMaxFraction) return "simulated time is in whole nanoseconds";
  absl::uint128 digits = 0;
  absl::uint128 scale = 1;
  for (char digit : whole) digits = digits * 10 + (digit - '0');
  for (char digit : fraction) {
    digits = digits * 10 + (digit - '0');
    scale *= 10;
  }
  if (digits * unit->ns % scale != 0) return "simulated time is in whole nanoseconds";
  *ns += digits * unit->ns / scale;
  return *ns <= std::numeric_limits<int64_t>::max() ? ""
                                                    : "later than a simulation can reach (about 292 years)";
}

}  // namespace

std::string TimeText(int64_t time_ns) {
  if (time_ns == 0) return "0s";  // absl leaves out the unit
  return absl::FormatDuration(absl::Nanoseconds(time_ns));
}

absl::StatusOr<int64_t> ParseTimeText(absl::string_view text) {
  absl::string_view rest = text;
  absl::uint128 ns = 0;
  do {
    const std::string fault =
        absl::StartsWith(rest, "-") ? "simulated time starts at 0" : TakePart(&rest, &ns);
    if (!fault.empty()) return absl::InvalidArgumentError(absl::StrCat(text, ": ", fault));
  } while (!rest.empty());
  return static_cast<int64_t>(ns);
}

}  // namespace numasim
