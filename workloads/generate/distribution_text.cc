#include "workloads/generate/distribution_text.h"

#include <cmath>
#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "proto/scenario.pb.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using DistributionText = numasim::Distribution;

// Less than this share of a distribution between its limits is a mistake: it would be drawn for ever.
constexpr double kLeastInside = 0.001;

// What is said of a unit in messages, and what fits in it.
struct UnitFacts {
  int64_t greatest;
  std::string_view greatest_text;
  std::string_view example;
};

const UnitFacts& FactsOf(ValueUnit unit) {
  static constexpr UnitFacts kSize = {int64_t{64} << 40, "64T", "4G"};
  static constexpr UnitFacts kTime = {std::numeric_limits<int64_t>::max(), "9223372036s", "10m"};
  static constexpr UnitFacts kShare = {kWholeShare, "100%", "80%"};
  return unit == ValueUnit::kSize ? kSize : unit == ValueUnit::kTime ? kTime : kShare;
}

absl::StatusOr<int64_t> ParseValue(std::string_view text, ValueUnit unit) {
  if (unit == ValueUnit::kTime) return ParseDuration(text);
  absl::StatusOr<int64_t> value = unit == ValueUnit::kSize ? ParseSize(text) : ParseShare(text, kWholeShare);
  if (value.ok() && *value > FactsOf(unit).greatest)
    return absl::InvalidArgumentError(Cat("is too large; expected at most ", FactsOf(unit).greatest_text));
  return value;
}

// A line of a data file without its comment, cut at blanks.
std::vector<std::string_view> WordsOf(std::string_view line) {
  std::vector<std::string_view> words;
  line = line.substr(0, line.find('#'));
  for (size_t begin = 0; begin < line.size();) {
    const size_t first = line.find_first_not_of(" \t\r", begin);
    if (first == std::string_view::npos) break;
    begin = std::min(line.find_first_of(" \t\r", first), line.size());
    words.push_back(line.substr(first, begin - first));
  }
  return words;
}

absl::StatusOr<std::string> ReadDataFile(const MessageView& view, std::string_view field,
                                         const std::string& name, const InputFiles& files) {
  // A mistake in it quotes it. Of another file, a password file say, nothing may show.
  if (std::filesystem::path(name).extension() != ".txt")
    return view.Mistake(field, "is not named as a file of values; expected a name that ends in .txt");
  return files.read(view, field, name);
}

// Calls f(words) with each line that has any. f returns what is wrong, "'VALUE' is ..", or nothing.
template <class F>
absl::Status ForEachLine(const std::string& name, std::string_view text, const F& f) {
  int number = 0;
  for (const std::string_view line : Split(text, '\n')) {
    ++number;
    const std::vector<std::string_view> words = WordsOf(line);
    if (words.empty()) continue;
    if (const std::string problem = f(words); !problem.empty())
      return absl::InvalidArgumentError(Cat(name, ":", number, ": ", problem));
  }
  return absl::OkStatus();
}

// Builds a distribution of one message.
class Reader {
 public:
  Reader(const MessageView& view, ValueUnit unit, const InputFiles& files)
      : view_(view),
        unit_(unit),
        files_(files),
        text_(static_cast<const DistributionText&>(view.message())) {}

  absl::StatusOr<Distribution> Read() const;

 private:
  absl::Status CheckOneKind() const;
  absl::StatusOr<Distribution> ReadKind() const;
  absl::StatusOr<Distribution> ReadUniform(const MessageView& view) const;
  absl::StatusOr<Distribution> ReadZipf(const MessageView& view) const;
  absl::StatusOr<Distribution> ReadChoice() const;
  absl::StatusOr<Distribution> ReadFile() const;
  template <class Proto, class MakeShape>
  absl::StatusOr<Distribution> ReadContinuous(const MessageView& view, const Proto& proto,
                                              std::string_view main, const std::string& text,
                                              const MakeShape& make) const;

  // The value in a field.
  absl::StatusOr<int64_t> Value(const MessageView& view, std::string_view field, const std::string& text,
                                int index = -1) const {
    absl::StatusOr<int64_t> value = ParseValue(text, unit_);
    if (value.ok()) return value;
    return view.Mistake(field, index, std::string(value.status().message()));
  }
  absl::Status Missing(const MessageView& view, std::string_view field) const {
    return view.MistakeWithoutValue(
        field, Cat("is missing; expected such as ", field, ": \"", FactsOf(unit_).example, "\""));
  }

  const MessageView& view_;
  ValueUnit unit_;
  const InputFiles& files_;
  const DistributionText& text_;
};

constexpr std::string_view kKinds[] = {"constant", "uniform", "exponential", "lognormal",
                                       "weibull",  "zipf",    "choice",      "file"};

absl::Status Reader::CheckOneKind() const {
  const auto& type = *text_.GetDescriptor();
  const auto& fields = *text_.GetReflection();
  const std::string expected = Cat("expected exactly one of ", Join(kKinds, ", "));
  std::string_view found;
  for (const std::string_view kind : kKinds) {
    const auto* const field = type.FindFieldByName(std::string(kind));
    const bool set =
        field->is_repeated() ? fields.FieldSize(text_, field) > 0 : fields.HasField(text_, field);
    if (!set) continue;
    if (!found.empty())
      return view_.MistakeWithoutValue(kind, Cat("is given beside ", found, "; ", expected));
    found = kind;
  }
  if (found.empty()) return view_.MistakeWithoutValue("constant", Cat("is missing; ", expected));
  if (text_.weight_size() > 0 && found != "choice")
    return view_.MistakeWithoutValue("weight", Cat("is given beside ", found, "; expected it beside choice"));
  return absl::OkStatus();
}

absl::StatusOr<Distribution> Reader::Read() const {
  if (absl::Status status = CheckOneKind(); !status.ok()) return status;
  absl::StatusOr<Distribution> distribution = ReadKind();
  if (!distribution.ok()) return distribution;
  const UnitFacts& facts = FactsOf(unit_);
  // As the greatest number is not a double, its double is one more than it.
  const auto limit = static_cast<double>(facts.greatest);
  const double greatest = distribution->Greatest();
  if (greatest < limit || (greatest == limit && unit_ != ValueUnit::kTime)) return distribution;
  for (const std::string_view kind : kKinds) {
    const auto* const field = text_.GetDescriptor()->FindFieldByName(std::string(kind));
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!text_.GetReflection()->HasField(text_, field)) continue;
    return view_.MistakeWithoutValue(
        kind, Cat("may draw more than ", facts.greatest_text, "; expected ",
                  kind == "zipf" ? "a smaller step or fewer ranks" : "smaller values, or max: \"...\""));
  }
  return view_.MistakeWithoutValue("constant", Cat("is more than ", facts.greatest_text, "; expected less"));
}

absl::StatusOr<Distribution> Reader::ReadKind() const {
  if (text_.has_constant()) {
    const auto value = Value(view_, "constant", text_.constant());
    if (!value.ok()) return value.status();
    return Distribution(Constant{*value});
  }
  if (text_.has_uniform()) return ReadUniform(view_.Nested("uniform"));
  if (text_.has_exponential()) {
    const auto& of = text_.exponential();
    return ReadContinuous(view_.Nested("exponential"), of, "mean", of.mean(),
                          [](double mean) { return ExponentialShape{mean}; });
  }
  if (text_.has_lognormal()) {
    const auto& of = text_.lognormal();
    const MessageView view = view_.Nested("lognormal");
    if (!of.has_sigma()) return view.MistakeWithoutValue("sigma", "is missing; expected such as sigma: 0.8");
    return ReadContinuous(view, of, "median", of.median(),
                          [&of](double median) { return LognormalShape{median, of.sigma()}; });
  }
  if (text_.has_weibull()) {
    const auto& of = text_.weibull();
    const MessageView view = view_.Nested("weibull");
    if (!of.has_shape()) return view.MistakeWithoutValue("shape", "is missing; expected such as shape: 0.7");
    if (of.shape() < 0.001) return view.Mistake("shape", "is too small; expected from 0.001 to 1000");
    return ReadContinuous(view, of, "scale", of.scale(),
                          [&of](double scale) { return WeibullShape{scale, of.shape()}; });
  }
  if (text_.has_zipf()) return ReadZipf(view_.Nested("zipf"));
  return text_.has_file() ? ReadFile() : ReadChoice();
}

absl::StatusOr<Distribution> Reader::ReadUniform(const MessageView& view) const {
  const auto& of = text_.uniform();
  if (!of.has_min()) return Missing(view, "min");
  if (!of.has_max()) return Missing(view, "max");
  const auto min = Value(view, "min", of.min());
  if (!min.ok()) return min.status();
  const auto max = Value(view, "max", of.max());
  if (!max.ok()) return max.status();
  if (*max < *min) return view.Mistake("max", Cat("is less than min; expected at least ", of.min()));
  return Distribution(UniformRange{*min, *max});
}

template <class Proto, class MakeShape>
absl::StatusOr<Distribution> Reader::ReadContinuous(const MessageView& view, const Proto& proto,
                                                    std::string_view main, const std::string& text,
                                                    const MakeShape& make) const {
  const auto* const field = proto.GetDescriptor()->FindFieldByName(std::string(main));
  if (!proto.GetReflection()->HasField(proto, field)) return Missing(view, main);
  const auto value = Value(view, main, text);
  if (!value.ok()) return value.status();
  if (*value == 0)
    return view.Mistake(main, Cat("is nothing; expected more, such as ", FactsOf(unit_).example));
  Continuous of = {.shape = make(static_cast<double>(*value))};
  if (proto.has_min()) {
    const auto min = Value(view, "min", proto.min());
    if (!min.ok()) return min.status();
    of.least = *min;
  }
  if (proto.has_max()) {
    const auto max = Value(view, "max", proto.max());
    if (!max.ok()) return max.status();
    of.most = *max;
  }
  if (of.most < of.least)
    return view.Mistake("max", Cat("is less than min; expected at least ", proto.min()));
  if ((proto.has_min() || proto.has_max()) && of.Inside() < kLeastInside) {
    return view.Mistake(proto.has_max() ? "max" : "min",
                        "leaves less than 1 in 1000 of what would be drawn; expected wider limits");
  }
  return Distribution(of);
}

absl::StatusOr<Distribution> Reader::ReadZipf(const MessageView& view) const {
  const auto& of = text_.zipf();
  if (!of.has_step()) return Missing(view, "step");
  if (!of.has_ranks()) return view.MistakeWithoutValue("ranks", "is missing; expected such as ranks: 64");
  const auto step = Value(view, "step", of.step());
  if (!step.ok()) return step.status();
  if (*step == 0)
    return view.Mistake("step", Cat("is nothing; expected more, such as ", FactsOf(unit_).example));
  int64_t greatest = 0;
  if (__builtin_mul_overflow(*step, of.ranks(), &greatest))
    return view.Mistake("ranks", Cat("times step is more than ", FactsOf(unit_).greatest_text,
                                     "; expected a smaller step or fewer ranks"));
  return Distribution(Zipf(*step, of.ranks(), of.exponent()));
}

absl::StatusOr<Distribution> Reader::ReadChoice() const {
  std::vector<int64_t> values;
  for (int i = 0; i < text_.choice_size(); ++i) {
    const auto value = Value(view_, "choice", text_.choice(i), i);
    if (!value.ok()) return value.status();
    values.push_back(*value);
  }
  const std::vector<double> weights(text_.weight().begin(), text_.weight().end());
  if (absl::Status status = CheckWeights(view_, "weight", weights, "choice", values.size()); !status.ok())
    return status;
  return Distribution(Choice(std::move(values), weights));
}

absl::StatusOr<Distribution> Reader::ReadFile() const {
  const auto text = ReadDataFile(view_, "file", text_.file(), files_);
  if (!text.ok()) return text.status();
  std::vector<int64_t> values;
  std::vector<double> weights;
  double sum = 0;
  const std::string name = files_.display(text_.file());
  const absl::Status status = ForEachLine(name, *text, [&](const std::vector<std::string_view>& words) {
    const auto value = ParseValue(words[0], unit_);
    if (!value.ok()) return Cat(Quoted(words[0]), " ", std::string(value.status().message()));
    double weight = 1;
    if (words.size() > 1 &&
        (!absl::SimpleAtod(ForAbsl(words[1]), &weight) || !(weight >= 0 && weight <= 1e15)))
      return Cat(Quoted(words[1]), " is no weight; expected a number from 0 to 1e15");
    if (words.size() > 2)
      return Cat(Quoted(words[2]), " is more than a value and its weight; expected these");
    values.push_back(*value);
    weights.push_back(weight);
    sum += weight;
    return std::string();
  });
  if (!status.ok()) return status;
  if (values.empty() || sum <= 0)
    return view_.Mistake("file", values.empty() ? "holds no value; expected one on each line"
                                                : "holds only weights of 0; expected one above 0");
  return Distribution(Choice(std::move(values), weights));
}

}  // namespace

absl::Status CheckWeights(const MessageView& view, std::string_view field, const std::vector<double>& weights,
                          std::string_view values, size_t n) {
  if (weights.empty()) return absl::OkStatus();
  if (weights.size() != n)
    return view.MistakeWithoutValue(
        field, Cat("holds ", weights.size(), " weights; expected ", n, ", one for each ", values));
  if (n == 1)
    return view.MistakeWithoutValue(field,
                                    Cat("is of a single ", values, "; expected several, or no weight"));
  double sum = 0;
  for (size_t i = 0; i < n; ++i) {
    if (weights[i] > 1e15)
      return view.Mistake(field, static_cast<int>(i), "is too large; expected at most 1e15");
    sum += weights[i];
  }
  if (sum > 0) return absl::OkStatus();
  return view.MistakeWithoutValue(field, "holds only weights of 0; expected one above 0");
}

absl::StatusOr<Distribution> ReadDistribution(const MessageView& view, ValueUnit unit,
                                              const InputFiles& files) {
  return Reader(view, unit, files).Read();
}

absl::Status ReadShare(const MessageView& view, std::string_view field, std::string_view text,
                       int64_t& share) {
  const absl::StatusOr<int64_t> read = ParseShare(text, kWholeShare);
  if (!read.ok()) return view.Mistake(field, FromAbsl(read.status().message()));
  share = *read;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> ReadTimes(const MessageView& view, std::string_view field,
                                               const std::string& file, const InputFiles& files) {
  const auto text = ReadDataFile(view, field, file, files);
  if (!text.ok()) return text.status();
  std::vector<int64_t> times;
  const absl::Status status =
      ForEachLine(files.display(file), *text, [&](const std::vector<std::string_view>& words) {
        const auto time = ParseDuration(words[0]);
        if (!time.ok()) return Cat(Quoted(words[0]), " ", std::string(time.status().message()));
        if (words.size() > 1) return Cat(Quoted(words[1]), " follows a time; expected one time on each line");
        if (!times.empty() && *time < times.back())
          return Cat(Quoted(words[0]), " is before the time above; expected times that do not fall");
        times.push_back(*time);
        return std::string();
      });
  if (!status.ok()) return status;
  if (times.empty()) return view.Mistake(field, "holds no time; expected one on each line");
  return times;
}

}  // namespace numasim::workloads
