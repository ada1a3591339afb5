#include "workloads/units.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

struct Unit {
  std::string_view suffix;
  int64_t factor;
};

constexpr Unit kSizeUnits[] = {{"", 1},
                               {"K", int64_t{1} << 10},
                               {"M", int64_t{1} << 20},
                               {"G", int64_t{1} << 30},
                               {"T", int64_t{1} << 40}};
// A unit that begins another's name stands after it.
constexpr Unit kTimeUnits[] = {{"ns", 1},
                               {"us", 1'000},
                               {"ms", 1'000'000},
                               {"s", 1'000'000'000},
                               {"m", 60'000'000'000},
                               {"h", 3'600'000'000'000}};

// What the texts of a quantity look like.
struct Quantity {
  std::string_view article_name;  // "a size"
  std::string_view expected;      // after "; expected "
  std::string_view units;
  std::string_view greatest;
};

constexpr Quantity kSize = {"a size", "a size of 0 or more, such as 64M", "K, M, G or T", "8388607T"};
constexpr Quantity kTime = {"a time", "a time of 0 or more, such as 10ms or 1.5s", "h, m, s, ms, us or ns",
                            "9223372036s"};

absl::Status Wrong(std::string_view problem, std::string_view expected) {
  return absl::InvalidArgumentError(Cat(problem, "; expected ", expected));
}

absl::Status NotA(const Quantity& quantity) {
  return Wrong(Cat("is not ", quantity.article_name), quantity.expected);
}

absl::Status UnknownUnit(std::string_view unit, const Quantity& quantity) {
  return Wrong(Cat("has the unknown unit ", Quoted(unit)), quantity.units);
}

absl::Status NotWhole() {
  return Wrong("is not a whole number of nanoseconds", "a time such as 10ms, 1.5s or 250ns");
}

absl::Status TooLarge(const Quantity& quantity) {
  return Wrong("is too large", Cat("at most ", quantity.greatest));
}

// A minus alone is no number at all.
bool IsNegative(std::string_view text) { return text.size() > 1 && text.front() == '-'; }

// A number with a sign, or none at all, is a mistake in any quantity; OK if there is none of these.
absl::Status CheckBegin(std::string_view text, const Quantity& quantity) {
  if (text.empty()) return Wrong("is empty", quantity.expected);
  if (IsNegative(text)) return Wrong("is negative", quantity.expected);
  return absl::OkStatus();
}

std::string_view TakeWhile(std::string_view& text, bool (*wanted)(unsigned char)) {
  size_t count = 0;
  while (count < text.size() && wanted(static_cast<unsigned char>(text[count]))) ++count;
  const std::string_view taken = text.substr(0, count);
  text.remove_prefix(count);
  return taken;
}

unsigned __int128 ValueOf(std::string_view digits) {
  unsigned __int128 value = 0;
  for (const char digit : digits) value = value * 10 + static_cast<unsigned>(digit - '0');
  return value;
}

// Adds "1.5s" from the front of `text` to `total`. A fraction is digits / scale of its unit, and no part of
// it is rounded away: .5s is 5 / 10 of a second. Digits times nanoseconds of an hour, which have 13 digits
// themselves, stay below 2^128.
absl::Status TakeTime(std::string_view& text, unsigned __int128& total) {
  constexpr size_t kMaxWhole = 19;
  constexpr size_t kMaxFraction = 13;
  const std::string_view whole = TakeWhile(text, absl::ascii_isdigit);
  std::string_view fraction;
  if (ConsumePrefix(text, ".")) fraction = TakeWhile(text, absl::ascii_isdigit);
  if (whole.empty() && fraction.empty()) return NotA(kTime);
  const std::string_view suffix = TakeWhile(text, absl::ascii_isalpha);
  if (suffix.empty()) {
    return text.empty() ? Wrong("has no unit", Cat("one of ", kTime.units, ", such as 10ms")) : NotA(kTime);
  }
  const auto unit = std::find_if(std::begin(kTimeUnits), std::end(kTimeUnits),
                                 [suffix](const Unit& known) { return known.suffix == suffix; });
  if (unit == std::end(kTimeUnits)) return UnknownUnit(suffix, kTime);
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  if (whole.size() > kMaxWhole) return TooLarge(kTime);
  if (fraction.size() > kMaxFraction) return NotWhole();
  unsigned __int128 scale = 1;
  for (size_t i = 0; i < fraction.size(); ++i) scale *= 10;
  const auto factor = static_cast<unsigned __int128>(unit->factor);
  const unsigned __int128 scaled_part = ValueOf(fraction) * factor;
  if (scaled_part % scale != 0) return NotWhole();
  total += ValueOf(whole) * factor + scaled_part / scale;
  return total > std::numeric_limits<int64_t>::max() ? TooLarge(kTime) : absl::OkStatus();
}

std::string CountRange(int64_t least, int64_t most) {
  if (most == std::numeric_limits<int64_t>::max()) return Cat("a whole number of ", least, " or more");
  return Cat("a whole number from ", least, " to ", most);
}

// One "3" or "0-3" of a node list.
absl::StatusOr<NodeMask> ParseNodeRange(std::string_view part, int nodes) {
  const std::string_view::size_type dash = part.find('-');
  const absl::StatusOr<int64_t> first = ParseCount(part.substr(0, dash));
  const absl::StatusOr<int64_t> last =
      dash == std::string_view::npos ? first : ParseCount(part.substr(dash + 1));
  if (!first.ok() || !last.ok())
    return Wrong("is not a list of nodes", "node numbers and ranges, such as 0-3,5");
  if (*first > *last) {
    return Wrong(Cat("has a range that ends before it begins (", *first, "-", *last, ")"),
                 "the smaller node first");
  }
  if (*last >= nodes) {
    return Wrong(Cat("names node ", *last, ", which does not exist"),
                 nodes == 1 ? std::string("node 0, the only one") : Cat("nodes from 0 to ", nodes - 1));
  }
  NodeMask mask;
  for (int64_t node = *first; node <= *last; ++node) mask.Set(NodeId{static_cast<int32_t>(node)});
  return mask;
}

}  // namespace

absl::StatusOr<int64_t> ParseSize(std::string_view text) {
  if (absl::Status status = CheckBegin(text, kSize); !status.ok()) return status;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::invalid_argument) return NotA(kSize);
  const std::string_view suffix = text.substr(static_cast<size_t>(end - text.data()));
  for (const Unit& unit : kSizeUnits) {
    if (unit.suffix != suffix) continue;
    int64_t value = 0;
    if (error == std::errc::result_out_of_range || __builtin_mul_overflow(number, unit.factor, &value)) {
      return TooLarge(kSize);
    }
    return value;
  }
  if (suffix.front() != '.') return UnknownUnit(suffix, kSize);
  return Wrong("is not a whole number", Cat(kSize.expected, " (take a smaller unit for a fraction)"));
}

absl::StatusOr<int64_t> ParseDuration(std::string_view text) {
  absl::Status status = CheckBegin(text, kTime);
  unsigned __int128 total = 0;
  for (std::string_view rest = text; status.ok() && !rest.empty();) status = TakeTime(rest, total);
  if (!status.ok()) return status;
  return static_cast<int64_t>(total);
}

absl::StatusOr<int64_t> ParseShare(std::string_view text, int64_t whole) {
  constexpr std::string_view kExpected = "a share from 0% to 100%, such as 80% or 0.8";
  if (IsNegative(text)) return Wrong("is negative", kExpected);
  const bool percent = text.ends_with('%');
  const std::string_view digits = text.substr(0, text.size() - (percent ? 1 : 0));
  double share = 0;
  const bool plain = digits.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!plain || !absl::SimpleAtod(ForAbsl(digits), &share)) return Wrong("is not a share", kExpected);
  if (percent) share /= 100;
  if (share > 1) return Wrong("is more than the whole", kExpected);
  return static_cast<int64_t>(share * static_cast<double>(whole) + 0.5);
}

absl::StatusOr<int64_t> ParseCount(std::string_view text, int64_t least, int64_t most) {
  const auto wrong = [&](std::string_view problem) { return Wrong(problem, CountRange(least, most)); };
  if (text.empty()) return wrong("is empty");
  if (IsNegative(text)) return wrong("is negative");
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size())
    return wrong("is not a whole number");
  if (error == std::errc::result_out_of_range || value > most) return wrong("is too large");
  if (value < least) return wrong("is too small");
  return value;
}

absl::StatusOr<NodeMask> ParseNodeList(std::string_view text, int nodes) {
  uint64_t bits = 0;
  for (std::string_view part : Split(text, ',')) {
    const absl::StatusOr<NodeMask> range = ParseNodeRange(part, nodes);
    if (!range.ok()) return range;
    bits |= range->bits();
  }
  return NodeMask(bits);
}

std::string SizeText(int64_t bytes) {
  const Unit* best = &kSizeUnits[0];
  for (const Unit& unit : kSizeUnits) {
    if (bytes != 0 && bytes % unit.factor == 0) best = &unit;
  }
  return Cat(bytes / best->factor, best->suffix);
}

std::string NodeListText(NodeMask nodes) {
  std::string text;
  for (int first = 0; first < kMaxNodes; ++first) {
    if (!nodes.Has(NodeId{first})) continue;
    int last = first;
    while (last + 1 < kMaxNodes && nodes.Has(NodeId{last + 1})) ++last;
    Append(text, text.empty() ? "" : ",", first);
    if (last > first) Append(text, "-", last);
    first = last;
  }
  return text;
}

std::string Quoted(std::string_view value) {
  constexpr std::string_view::size_type kLongest = 60;
  const bool cut = value.size() > kLongest;
  return Cat("'", absl::Utf8SafeCHexEscape(ForAbsl(value.substr(0, kLongest))), cut ? "...'" : "'");
}

}  // namespace numasim::workloads
