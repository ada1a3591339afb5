#include "workloads/units.h"

#include <charconv>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
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
constexpr Unit kTimeUnits[] = {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}};

// What the texts of a quantity look like.
struct Quantity {
  std::string_view article_name;  // "a size"
  std::string_view expected;      // after "; expected "
  std::string_view units;
  std::string_view greatest;
  std::span<const Unit> table;
};

constexpr Quantity kSize = {"a size", "a size of 0 or more, such as 64M", "K, M, G or T", "8388607T",
                            kSizeUnits};
constexpr Quantity kTime = {"a time", "a time of 0 or more, such as 10ms", "ns, us, ms or s", "9223372036s",
                            kTimeUnits};

absl::Status Wrong(std::string_view problem, std::string_view expected) {
  return absl::InvalidArgumentError(Cat(problem, "; expected ", expected));
}

absl::Status WrongSuffix(std::string_view suffix, const Quantity& quantity) {
  if (suffix.empty()) return Wrong("has no unit", Cat("one of ", quantity.units, ", such as 10ms"));
  if (suffix.front() == '.') {
    return Wrong("is not a whole number", Cat(quantity.expected, " (take a smaller unit for a fraction)"));
  }
  return Wrong(Cat("has the unknown unit ", Quoted(suffix)), quantity.units);
}

absl::StatusOr<int64_t> ParseQuantity(std::string_view text, const Quantity& quantity) {
  if (text.empty()) return Wrong("is empty", quantity.expected);
  if (text.front() == '-') return Wrong("is negative", quantity.expected);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::invalid_argument) {
    return Wrong(Cat("is not ", quantity.article_name), quantity.expected);
  }
  const std::string_view suffix = text.substr(end - text.data());
  for (const Unit& unit : quantity.table) {
    if (unit.suffix != suffix) continue;
    int64_t value = 0;
    if (error == std::errc::result_out_of_range || __builtin_mul_overflow(number, unit.factor, &value)) {
      return Wrong("is too large", Cat("at most ", quantity.greatest));
    }
    return value;
  }
  return WrongSuffix(suffix, quantity);
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

absl::StatusOr<int64_t> ParseSize(std::string_view text) { return ParseQuantity(text, kSize); }

absl::StatusOr<int64_t> ParseDuration(std::string_view text) { return ParseQuantity(text, kTime); }

absl::StatusOr<int64_t> ParseCount(std::string_view text, int64_t least, int64_t most) {
  const auto wrong = [&](std::string_view problem) { return Wrong(problem, CountRange(least, most)); };
  if (text.empty()) return wrong("is empty");
  if (text.front() == '-') return wrong("is negative");
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
