#include "cli/sweep/study_values.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/random.h"
#include "workloads/generate/portable_math.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using workloads::MessageView;

constexpr double kMostWhole = 9007199254740992;  // 2^53: up to here a double counts every whole number
constexpr double kMostValues = 1'000'000;

bool IsWhole(double value) { return value == std::round(value); }

// Numbers from `from` to `to`, at shares of the way from 0 to 1.
class Scale {
 public:
  Scale(double from, double to, bool logarithmic, bool whole)
      : from_(from), to_(to), logarithmic_(logarithmic), whole_(whole) {
    if (logarithmic) log_ = workloads::PortableLog(to / from);
  }

  double At(double share) const {
    if (share <= 0) return from_;
    if (share >= 1) return to_;
    const double value =
        logarithmic_ ? to_ * workloads::PortableExp((share - 1) * log_) : from_ + share * (to_ - from_);
    return std::clamp(whole_ ? std::round(value) : value, from_, to_);
  }

  std::string Text(double value) const {
    // Twelve digits hide the last bits of a double: 0.1 and not 0.10000000000000001.
    return whole_ ? absl::StrCat(static_cast<int64_t>(value)) : absl::StrFormat("%.12g", value);
  }

 private:
  const double from_;
  const double to_;
  const bool logarithmic_;
  const bool whole_;
  double log_ = 0;
};

// The rules that a range and random values have in common. `Numbers` is the message of one of them.
template <class Numbers>
absl::Status CheckNumbers(const MessageView& view, const Numbers& numbers) {
  if (!numbers.has_from()) return view.MistakeWithoutValue("from", "is missing; expected the least value");
  if (!numbers.has_to()) return view.MistakeWithoutValue("to", "is missing; expected the greatest value");
  for (const char* field : {"from", "to"}) {
    const double value = *field == 'f' ? numbers.from() : numbers.to();
    if (!std::isfinite(value)) return view.Mistake(field, "is no number; expected a finite one");
    if (!numbers.whole()) continue;
    if (!IsWhole(value)) return view.Mistake(field, "is no whole number; expected one, or whole: false");
    if (std::abs(value) > kMostWhole)
      return view.Mistake(field, "is too large for whole numbers; expected at most 9007199254740992");
  }
  if (numbers.to() < numbers.from()) return view.Mistake("to", "is less than from; expected at least that");
  // Else a double has no room for what lies between.
  if (!std::isfinite(numbers.to() - numbers.from()))
    return view.Mistake("to", "is too far from from; expected a distance below 1e308");
  if (numbers.scale() == "logarithmic") {
    if (numbers.from() <= 0) return view.Mistake("from", "has no logarithm; expected more than 0");
    constexpr double kMostRatio = 1e27;
    if (numbers.to() / numbers.from() > kMostRatio)
      return view.Mistake("to", "is too many times from; expected at most 1e27 times");
  }
  return absl::OkStatus();
}

absl::Status CheckStep(const MessageView& view, const ValueRange& range) {
  if (range.has_step() == range.has_count()) {
    return view.MistakeWithoutValue(
        "step", range.has_step() ? "is given beside count; expected one of them"
                                 : "is missing; expected step, the distance of two values, or count");
  }
  if (!range.has_step()) return absl::OkStatus();
  if (range.scale() == "logarithmic")
    return view.Mistake("step", "is no distance on a logarithmic scale; expected count");
  if (!(std::isfinite(range.step()) && range.step() > 0))
    return view.Mistake("step", "is no distance; expected more than 0");
  if (range.whole() && !IsWhole(range.step()))
    return view.Mistake("step", "is no whole number; expected one, or whole: false");
  if ((range.to() - range.from()) / range.step() >= kMostValues)
    return view.Mistake("step", "gives too many values; expected at most 1000000 of them");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ValuesOfRange(const MessageView& view, const ValueRange& range) {
  absl::Status status = CheckNumbers(view, range);
  if (status.ok()) status = CheckStep(view, range);
  if (!status.ok()) return status;
  const Scale scale(range.from(), range.to(), range.scale() == "logarithmic", range.whole());
  std::vector<std::string> values;
  if (range.has_step()) {
    // A last value that is missed by rounding alone is one.
    constexpr double kRounding = 1e-9;
    const double steps = std::floor((range.to() - range.from()) / range.step() + kRounding);
    for (double i = 0; i <= steps; ++i) values.push_back(scale.Text(range.from() + i * range.step()));
    return values;
  }
  for (int i = 0; i < range.count(); ++i) {
    values.push_back(scale.Text(scale.At(static_cast<double>(i) / (range.count() - 1))));
    if (i > 0 && values[static_cast<size_t>(i)] == values[static_cast<size_t>(i) - 1]) {
      return view.Mistake("count",
                          absl::StrCat("gives ", values.back(),
                                       " twice; expected fewer values, a wider range, or whole: false"));
    }
  }
  return values;
}

absl::StatusOr<std::vector<std::string>> DrawnValues(const MessageView& view, const RandomValues& random,
                                                     const std::string& name, uint64_t seed) {
  if (absl::Status status = CheckNumbers(view, random); !status.ok()) return status;
  if (!random.has_count())
    return view.MistakeWithoutValue("count", "is missing; expected how many values are drawn");
  if (random.whole() && random.to() - random.from() + 1 < random.count())
    return view.Mistake("count", "is more than there are numbers; expected fewer, or a wider range");
  if (!random.whole() && random.to() == random.from())
    return view.Mistake("to", "is from; expected a greater number");
  const Scale scale(random.from(), random.to(), random.scale() == "logarithmic", random.whole());
  sim::RandomStream stream(seed, absl::StrCat("study parameter ", name));
  std::vector<std::string> values;
  std::set<std::string> drawn;
  // Where nearly all numbers that there are were wanted, the last ones would take for ever to come up.
  const int64_t most_draws = 1000 + int64_t{100} * random.count();
  for (int64_t draws = 0; values.size() < static_cast<size_t>(random.count()); ++draws) {
    if (draws == most_draws)
      return view.Mistake("count", "is too many to draw with none twice; expected fewer, or a wider range");
    std::string value;
    if (random.whole() && random.scale() == "linear") {
      const auto numbers = static_cast<uint64_t>(random.to() - random.from()) + 1;
      value = scale.Text(random.from() + static_cast<double>(stream.Uniform(numbers)));
    } else {
      value = scale.Text(scale.At(stream.UniformDouble()));
    }
    if (drawn.insert(value).second) values.push_back(std::move(value));
  }
  return values;
}

absl::StatusOr<std::vector<std::string>> ListedValues(const MessageView& view,
                                                      const StudyParameter& parameter) {
  std::set<std::string> seen;
  for (int i = 0; i < parameter.value_size(); ++i) {
    if (!seen.insert(parameter.value(i)).second)
      return view.Mistake("value", i, "is listed before; expected each value once");
  }
  return std::vector<std::string>(parameter.value().begin(), parameter.value().end());
}

absl::StatusOr<std::vector<std::string>> NamesOfVariants(const MessageView& view,
                                                         const StudyParameter& parameter) {
  std::set<std::string> seen;
  std::map<std::vector<std::string>, std::string> by_settings;
  std::vector<std::string> names;
  for (int i = 0; i < parameter.variant_size(); ++i) {
    const MessageView variant = view.Nested("variant", i);
    const std::string& name = parameter.variant(i).name();
    if (name.empty())
      return variant.MistakeWithoutValue("name", "is missing; expected name: \"before 5.13\"");
    if (!seen.insert(name).second)
      return variant.Mistake("name", "is another variant's name too; expected a name of its own");
    const auto& set = parameter.variant(i).set();
    const auto [same, is_new] = by_settings.emplace(std::vector<std::string>(set.begin(), set.end()), name);
    if (!is_new)
      return variant.Mistake("name",
                             absl::StrCat("sets what '", same->second, "' sets; expected another set"));
    names.push_back(name);
  }
  return names;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ValuesOf(const MessageView& view, const StudyParameter& parameter,
                                                  uint64_t seed) {
  const int sources = (parameter.value_size() > 0 ? 1 : 0) + (parameter.has_range() ? 1 : 0) +
                      (parameter.has_random() ? 1 : 0) + (parameter.variant_size() > 0 ? 1 : 0);
  if (sources != 1) {
    return view.MistakeWithoutValue(
        "value",
        sources == 0
            ? "is missing; expected value: [\"1\", \"2\"], range { .. }, random { .. } or variant { .. }"
            : "is given beside range or random or variant; expected one of the four");
  }
  if (parameter.has_range()) return ValuesOfRange(view.Nested("range"), parameter.range());
  if (parameter.has_random())
    return DrawnValues(view.Nested("random"), parameter.random(), parameter.name(), seed);
  if (parameter.variant_size() > 0) return NamesOfVariants(view, parameter);
  return ListedValues(view, parameter);
}

}  // namespace numasim
