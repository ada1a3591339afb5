#include "cli/find_condition.h"

#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using Op = FindCondition::Op;

constexpr std::array<std::pair<const char*, Op>, 6> kOps = {{{"<", Op::kLess},
                                                             {"<=", Op::kAtMost},
                                                             {">", Op::kMore},
                                                             {">=", Op::kAtLeast},
                                                             {"==", Op::kEqual},
                                                             {"!=", Op::kNotEqual}}};

std::optional<double> ParseValue(absl::string_view text) {
  double value = 0;
  if (absl::SimpleAtod(text, &value))
    return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
  if (absl::ConsumeSuffix(&text, "%")) {
    if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) return std::nullopt;
    return value / 100;
  }
  const std::string unit(text);
  if (const absl::StatusOr<int64_t> time = workloads::ParseDuration(unit); time.ok())
    return static_cast<double>(*time);
  if (const absl::StatusOr<int64_t> size = workloads::ParseSize(unit); size.ok())
    return static_cast<double>(*size);
  return std::nullopt;
}

}  // namespace

bool FindCondition::Holds(double of_metric) const {
  switch (op) {
    case Op::kLess:
      return of_metric < value;
    case Op::kAtMost:
      return of_metric <= value;
    case Op::kMore:
      return of_metric > value;
    case Op::kAtLeast:
      return of_metric >= value;
    case Op::kEqual:
      return of_metric == value;
    case Op::kNotEqual:
      return of_metric != value;
  }
  return false;
}

absl::StatusOr<FindCondition> ParseFindCondition(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  if (words.size() != 3) {
    return absl::InvalidArgumentError(
        "is no condition; expected METRIC OP VALUE with blanks between, such as events.alloc_failed > 0");
  }
  FindCondition condition = {.metric = words[0]};
  bool known = false;
  for (const auto& [name, op] : kOps) {
    if (words[1] != name) continue;
    condition.op = op;
    known = true;
  }
  if (!known) {
    return absl::InvalidArgumentError(
        absl::StrCat("compares by '", words[1], "'; expected one of <, <=, >, >=, ==, !="));
  }
  const std::optional<double> value = ParseValue(words[2]);
  if (!value.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("compares with '", words[2], "'; expected a number such as 5, 1%, 10ms or 64M"));
  }
  condition.value = *value;
  return condition;
}

}  // namespace numasim
