#include "workloads/condition.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using Comparison = Condition::Comparison;

struct Operator {
  std::string_view text;
  Comparison comparison;
};
// A longer one before its beginning.
constexpr Operator kOperators[] = {{"<=", Comparison::kLessOrEqual}, {">=", Comparison::kGreaterOrEqual},
                                   {"==", Comparison::kEqual},       {"!=", Comparison::kNotEqual},
                                   {"<", Comparison::kLess},         {">", Comparison::kGreater}};

constexpr std::string_view kOperatorSigns = "<>=!";

constexpr char kForm[] =
    "expected METRIC OP VALUE, such as 'operation.guests.map.failed_share < 1%', with OP one of < <= > >= == "
    "!=";

absl::Status Wrong(std::string_view problem) { return absl::InvalidArgumentError(Cat(problem, "; ", kForm)); }

bool ParseNumber(std::string_view text, double& value) {
  return !text.empty() && text.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
         absl::SimpleAtod(ForAbsl(text), &value);
}

absl::Status ParseValue(std::string_view text, Condition& condition) {
  if (ParseNumber(text, condition.value)) return absl::OkStatus();
  if (text.ends_with('%') && ParseNumber(text.substr(0, text.size() - 1), condition.value)) {
    condition.value /= 100;
    condition.unit = Condition::Unit::kPercent;
    return absl::OkStatus();
  }
  if (const absl::StatusOr<int64_t> time = ParseDuration(text); time.ok()) {
    condition.value = static_cast<double>(*time);
    condition.unit = Condition::Unit::kTime;
    return absl::OkStatus();
  }
  if (const absl::StatusOr<int64_t> size = ParseSize(text); size.ok()) {
    condition.value = static_cast<double>(*size);
    condition.unit = Condition::Unit::kSize;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      Cat("has the value ", Quoted(text),
          ", which is none; expected a number, a percentage such as 1%, a time such as 10ms, or a "
          "size such as 64M"));
}

}  // namespace

bool Condition::HoldsFor(double measured) const {
  switch (comparison) {
    case Comparison::kLess:
      return measured < value;
    case Comparison::kLessOrEqual:
      return measured <= value;
    case Comparison::kGreater:
      return measured > value;
    case Comparison::kGreaterOrEqual:
      return measured >= value;
    case Comparison::kEqual:
      return measured == value;
    case Comparison::kNotEqual:
      return measured != value;
  }
  return false;
}

absl::StatusOr<Condition> ParseCondition(std::string_view text) {
  // The last one: names of metrics may hold more than letters.
  const size_t end = text.find_last_of("<>=");
  if (end == std::string_view::npos) return Wrong("has no comparison");
  for (const Operator& known : kOperators) {
    if (end + 1 < known.text.size()) continue;
    const size_t begin = end + 1 - known.text.size();
    if (text.substr(begin, known.text.size()) != known.text) continue;
    Condition condition;
    condition.text = std::string(Trim(text));
    condition.metric = std::string(Trim(text.substr(0, begin)));
    condition.comparison = known.comparison;
    if (condition.metric.empty()) return Wrong("names no metric");
    if (kOperatorSigns.find(condition.metric.back()) != std::string_view::npos) break;  // "=>", "=<"
    const std::string_view value = Trim(text.substr(end + 1));
    if (value.empty()) return Wrong("has no value");
    if (absl::Status status = ParseValue(value, condition); !status.ok()) return status;
    return condition;
  }
  return Wrong("has no comparison");
}

}  // namespace numasim::workloads
