#include "cli/sweep/study.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/sweep/study_values.h"
#include "cli/text/glob_match.h"
#include "files/read_file.h"
#include "proto/scenario.pb.h"
#include "workloads/nearest_name.h"
#include "workloads/scenario.h"
#include "workloads/text.h"
#include "workloads/text_message.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using workloads::MessageView;
using workloads::TextMessage;

constexpr size_t kMostRuns = 1'000'000;
constexpr char kHole[] = "{}";

constexpr char kNoName[] = "is no name; expected a letter, then letters, digits, '_' and '-'";

bool IsName(absl::string_view name) {
  return !name.empty() && absl::ascii_isalpha(static_cast<unsigned char>(name[0])) != 0 &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-'; });
}

class StudyLoader {
 public:
  StudyLoader(const std::string& path, const std::string& text, FileReader read_file)
      : read_file_(std::move(read_file)) {
    loaded_.path = path;
    loaded_.text = text;
  }

  absl::Status Load();
  // The same of texts that were read before.
  LoadedStudy Take() { return std::move(loaded_); }

 private:
  absl::Status LoadScenarioText(const MessageView& study);
  absl::Status LoadParameters(const MessageView& study);
  absl::Status LoadParameter(const MessageView& view, const StudyParameter& proto);
  absl::Status LoadVariants(const MessageView& view, const StudyParameter& proto, LoadedParameter& parameter);
  absl::StatusOr<StudyTarget> LoadTarget(const MessageView& view, const std::string& text, int index);
  absl::Status MakePoints(const MessageView& study);
  void MakeGrid();
  absl::Status MakeSeeds(const MessageView& study);
  absl::Status MakeSeedsOfFinds(const MessageView& study);
  absl::Status LoadPeriods(const MessageView& study);
  absl::Status LoadColumns(const MessageView& study);
  absl::Status NameColumn(const MessageView& view, const std::string& name);
  absl::Status LoadFinds(const MessageView& study);
  absl::Status LoadFind(const MessageView& view, const Find& proto);
  absl::Status RankValues(const MessageView& view, LoadedFind& find);
  absl::Status CheckSize(const MessageView& study, size_t points);

  const FileReader read_file_;
  LoadedStudy loaded_;
  // Columns of the view `shown` so far, in small letters: SQL does not tell capital letters in their names.
  std::set<std::string> names_in_view_ = {"run", "point", "seed"};
};

absl::Status StudyLoader::Load() {
  TextMessage message;
  absl::Status status = message.Parse(loaded_.path, loaded_.text, loaded_.proto);
  if (!status.ok()) return status;
  const MessageView study = message.View();
  status = CheckKnobs(study);
  if (status.ok()) status = LoadScenarioText(study);
  if (status.ok()) status = LoadParameters(study);
  if (status.ok()) status = LoadPeriods(study);
  if (status.ok()) status = LoadColumns(study);
  if (status.ok()) status = LoadFinds(study);
  if (status.ok()) status = loaded_.finds.empty() ? MakeSeeds(study) : MakeSeedsOfFinds(study);
  if (status.ok()) status = MakePoints(study);
  return status;
}

absl::Status StudyLoader::LoadScenarioText(const MessageView& study) {
  const std::string& name = loaded_.proto.scenario();
  if (!loaded_.proto.has_scenario())
    return study.MistakeWithoutValue("scenario", "is missing; expected scenario: \"host.textproto\"");
  if (absl::EndsWith(name, ".mm")) {
    return study.Mistake("scenario",
                         "is a script and has no fields; expected a scenario (.textproto) that names it");
  }
  const absl::StatusOr<std::string> text = read_file_(name);
  if (!text.ok()) {
    return study.Mistake("scenario", absl::StrCat("cannot be read (", std::string(text.status().message()),
                                                  "); expected a file, by its path from the study's folder"));
  }
  if (!workloads::IsNamedAsTextMessage(name)) {
    return study.Mistake("scenario",
                         workloads::Cat("is not named as a scenario; expected a name that ends in ",
                                        workloads::kTextMessageEndings));
  }
  loaded_.scenario_path = (std::filesystem::path(loaded_.path).parent_path() / name).string();
  loaded_.scenario_text = *text;
  return absl::OkStatus();
}

absl::StatusOr<StudyTarget> StudyLoader::LoadTarget(const MessageView& view, const std::string& text,
                                                    int index) {
  const size_t equals = text.find('=');
  StudyTarget target = {.place = view.FileAndLine("set", index),
                        .path = text.substr(0, equals),
                        .text = equals == std::string::npos ? kHole : text.substr(equals + 1)};
  if (target.path == "seed")
    return view.Mistake("set", index, "is what the study's seeds set; expected another field");
  return target;
}

absl::Status StudyLoader::LoadParameters(const MessageView& study) {
  for (int i = 0; i < loaded_.proto.parameter_size(); ++i) {
    const StudyParameter& proto = loaded_.proto.parameter(i);
    const MessageView view = study.Nested("parameter", i);
    if (!proto.has_name()) return view.MistakeWithoutValue("name", "is missing; expected name: \"pool\"");
    if (!IsName(proto.name())) return view.Mistake("name", kNoName);
    if (!names_in_view_.insert(absl::AsciiStrToLower(proto.name())).second) {
      return view.Mistake("name",
                          "is run, point, seed, or another parameter's name too; expected a name of its own");
    }
    if (absl::Status status = LoadParameter(view, proto); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status StudyLoader::LoadParameter(const MessageView& view, const StudyParameter& proto) {
  LoadedParameter& parameter = loaded_.parameters.emplace_back();
  parameter.name = proto.name();
  if (proto.set_size() == 0 && proto.variant_size() == 0) {
    return view.MistakeWithoutValue(
        "set", "is missing; expected a field of the scenario, such as set: \"machine.node[0].memory\"");
  }
  for (int s = 0; s < proto.set_size(); ++s) {
    absl::StatusOr<StudyTarget> target = LoadTarget(view, proto.set(s), s);
    if (!target.ok()) return target.status();
    if (!absl::StrContains(target->text, kHole)) {
      return view.Mistake("set", s, "has no {} behind the '='; expected it where the parameter's value goes");
    }
    parameter.targets.push_back(*std::move(target));
  }
  absl::StatusOr<std::vector<std::string>> values = ValuesOf(view, proto, loaded_.proto.seed());
  if (!values.ok()) return values.status();
  parameter.values = *std::move(values);
  return LoadVariants(view, proto, parameter);
}

absl::Status StudyLoader::LoadVariants(const MessageView& view, const StudyParameter& proto,
                                       LoadedParameter& parameter) {
  for (int v = 0; v < proto.variant_size(); ++v) {
    std::vector<StudyTarget>& targets = parameter.variants.emplace_back();
    const MessageView variant = view.Nested("variant", v);
    for (int s = 0; s < proto.variant(v).set_size(); ++s) {
      const std::string& text = proto.variant(v).set(s);
      if (!absl::StrContains(text, '=')) {
        return variant.Mistake("set", s,
                               "says no value; expected PATH=VALUE, such as kernel.hugetlb.shrink=locked");
      }
      absl::StatusOr<StudyTarget> target = LoadTarget(variant, text, s);
      if (!target.ok()) return target.status();
      targets.push_back(*std::move(target));
    }
  }
  return absl::OkStatus();
}

absl::Status StudyLoader::LoadPeriods(const MessageView& study) {
  std::set<std::string> names;
  for (int i = 0; i < loaded_.proto.period_size(); ++i) {
    const Period& proto = loaded_.proto.period(i);
    const MessageView view = study.Nested("period", i);
    if (!proto.has_name()) return view.MistakeWithoutValue("name", "is missing; expected name: \"late\"");
    if (!IsName(proto.name())) return view.Mistake("name", kNoName);
    if (!names.insert(proto.name()).second)
      return view.Mistake("name", "is another period's name too; expected a name of its own");
    MetricPeriod period = {.name = proto.name(), .from_ns = *workloads::ParseDuration(proto.from())};
    if (proto.has_to()) period.to_ns = *workloads::ParseDuration(proto.to());
    if (period.to_ns < period.from_ns)
      return view.Mistake("to", absl::StrCat("is before ", proto.from(), "; expected from or later"));
    loaded_.periods.push_back(std::move(period));
  }
  return absl::OkStatus();
}

absl::Status StudyLoader::LoadColumns(const MessageView& study) {
  for (int i = 0; i < loaded_.proto.column_size(); ++i) {
    const StudyColumn& proto = loaded_.proto.column(i);
    const MessageView view = study.Nested("column", i);
    if (!proto.has_name())
      return view.MistakeWithoutValue("name", "is missing; expected name: \"misses, %\"");
    if (absl::Status status = NameColumn(view, proto.name()); !status.ok()) return status;
    if (!proto.has_value())
      return view.MistakeWithoutValue("value",
                                      "is missing; expected one such as \"[node0.numa_miss] / 1000\"");
    absl::StatusOr<SqlExpression> value = ParseSqlExpression(proto.value());
    if (!value.ok()) return view.Mistake("value", workloads::FromAbsl(value.status().message()));
    MetricInfo info = {.unit = proto.unit() == "share"  ? kShareUnit
                               : proto.unit() == "time" ? kNanoseconds
                                                        : ""};
    info.kind = proto.unit() == "time" ? MetricInfo::Kind::kTime : MetricInfo::Kind::kMean;
    loaded_.columns.push_back({view.FileAndLine("value"), proto.name(), *std::move(value), info});
  }
  return absl::OkStatus();
}

absl::Status StudyLoader::NameColumn(const MessageView& view, const std::string& name) {
  const auto shows = [](unsigned char c) { return c >= ' ' && c != 0x7f && c != '[' && c != ']'; };
  if (name.empty() || !std::all_of(name.begin(), name.end(), shows))
    return view.Mistake("name", "is no title; expected one line without brackets");
  if (names_in_view_.insert(absl::AsciiStrToLower(name)).second) return absl::OkStatus();
  return view.Mistake(
      "name", "is run, point, seed, or a parameter's or another column's name; expected one of its own");
}

absl::Status StudyLoader::CheckSize(const MessageView& study, size_t points) {
  if (points <= kMostRuns / loaded_.seeds.size()) return absl::OkStatus();
  return study.MistakeWithoutValue("parameter",
                                   absl::StrCat("gives, with ", loaded_.seeds.size(),
                                                " seeds, too many runs; expected at most ", kMostRuns));
}

absl::Status StudyLoader::MakePoints(const MessageView& study) {
  const std::vector<LoadedParameter>& parameters = loaded_.parameters;
  if (loaded_.proto.design() == "grid") {
    size_t points = 1;
    for (const LoadedParameter& parameter : parameters) {
      points *= parameter.values.size();
      if (absl::Status status = CheckSize(study, points); !status.ok()) return status;
    }
    MakeGrid();
    return absl::OkStatus();
  }
  if (parameters.empty()) return study.Mistake("design", "puts nothing together; expected parameters");
  const size_t points = parameters.front().values.size();
  for (const LoadedParameter& parameter : parameters) {
    if (parameter.values.size() == points) continue;
    return study.Mistake(
        "design", absl::StrCat("puts together parameters of as many values, but ", parameters.front().name,
                               " has ", points, " and ", parameter.name, " has ", parameter.values.size(),
                               "; expected as many of each, or grid"));
  }
  if (absl::Status status = CheckSize(study, points); !status.ok()) return status;
  for (size_t i = 0; i < points; ++i) loaded_.points.emplace_back(parameters.size(), i);
  return absl::OkStatus();
}

void StudyLoader::MakeGrid() {
  loaded_.points = {{}};
  for (const LoadedParameter& parameter : loaded_.parameters) {
    std::vector<std::vector<size_t>> longer;
    longer.reserve(loaded_.points.size() * parameter.values.size());
    for (const std::vector<size_t>& point : loaded_.points) {
      for (size_t value = 0; value < parameter.values.size(); ++value) {
        longer.push_back(point);
        longer.back().push_back(value);
      }
    }
    loaded_.points = std::move(longer);
  }
}

absl::Status StudyLoader::MakeSeeds(const MessageView& study) {
  const Seeds& seeds = loaded_.proto.seeds();
  if (!loaded_.proto.has_seeds()) {
    Scenario scenario;
    TextMessage text;
    absl::Status status = text.Parse(loaded_.scenario_path, loaded_.scenario_text, scenario);
    loaded_.seeds = {scenario.seed()};
    return status;
  }
  const MessageView view = study.Nested("seeds");
  if (seeds.value_size() > 0) {
    if (seeds.has_first() || seeds.has_count())
      return view.MistakeWithoutValue("value", "is given beside first or count; expected either");
    loaded_.seeds.assign(seeds.value().begin(), seeds.value().end());
    if (std::set<uint64_t>(loaded_.seeds.begin(), loaded_.seeds.end()).size() < loaded_.seeds.size())
      return view.MistakeWithoutValue("value", "has a seed twice; expected each once");
    return absl::OkStatus();
  }
  if (!seeds.has_count())
    return view.MistakeWithoutValue("count", "is missing; expected how many seeds there are");
  if (seeds.first() > std::numeric_limits<int64_t>::max() - seeds.count())
    return view.Mistake("first", "is too large; expected all seeds to be below 9223372036854775807");
  for (int i = 0; i < seeds.count(); ++i) loaded_.seeds.push_back(static_cast<uint64_t>(seeds.first() + i));
  return absl::OkStatus();
}

// As many as the search that may need most.
absl::Status StudyLoader::MakeSeedsOfFinds(const MessageView& study) {
  const Seeds& seeds = loaded_.proto.seeds();
  if (seeds.has_count() || seeds.value_size() > 0) {
    const char* const field = seeds.has_count() ? "count" : "value";
    return study.Nested("seeds").MistakeWithoutValue(
        field, "is given beside find, which runs as many seeds as it needs; expected first alone");
  }
  int64_t most = 0;
  for (const LoadedFind& find : loaded_.finds) most = std::max(most, find.most_seeds);
  if (seeds.first() > std::numeric_limits<int64_t>::max() - most)
    return study.Nested("seeds").Mistake("first",
                                         "is too large; expected all seeds to be below 9223372036854775807");
  for (int64_t i = 0; i < most; ++i) loaded_.seeds.push_back(static_cast<uint64_t>(seeds.first() + i));
  return absl::OkStatus();
}

absl::Status StudyLoader::LoadFinds(const MessageView& study) {
  if (loaded_.proto.find_size() > 0 && loaded_.proto.design() != "grid")
    return study.Mistake("design", "leaves a search no row of values; expected grid");
  for (int i = 0; i < loaded_.proto.find_size(); ++i) {
    if (absl::Status status = LoadFind(study.Nested("find", i), loaded_.proto.find(i)); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

absl::Status StudyLoader::LoadFind(const MessageView& view, const Find& proto) {
  LoadedFind find = {.place = view.FileAndLine("parameter"),
                     .largest = proto.largest(),
                     .condition = {},
                     .bound = proto.probability_below(),
                     .confidence = proto.confidence(),
                     .most_seeds = proto.most_seeds()};
  if (!proto.has_parameter()) return view.MistakeWithoutValue("parameter", "is missing; expected one's name");
  std::vector<std::string_view> names;
  for (const LoadedParameter& parameter : loaded_.parameters) names.push_back(parameter.name);
  const auto named = std::find(names.begin(), names.end(), proto.parameter());
  if (names.empty())
    return view.Mistake("parameter",
                        "is no parameter: the study has none; expected a parameter of that name, "
                        "with the values to search among");
  if (named == names.end()) {
    return view.Mistake("parameter",
                        workloads::Cat("is no parameter; expected one of ", workloads::Join(names, ", "),
                                       workloads::DidYouMean(proto.parameter(), names)));
  }
  find.parameter = static_cast<size_t>(named - names.begin());
  if (absl::Status status = RankValues(view, find); !status.ok()) return status;
  if (!proto.has_condition())
    return view.MistakeWithoutValue("condition",
                                    "is missing; expected one such as \"events.alloc_failed > 0\"");
  const absl::StatusOr<workloads::Condition> condition = workloads::ParseCondition(proto.condition());
  if (!condition.ok()) return view.Mistake("condition", workloads::FromAbsl(condition.status().message()));
  find.condition = *condition;
  const auto& kept = loaded_.proto.metrics();
  if (!kept.empty() && std::none_of(kept.begin(), kept.end(), [&](const std::string& glob) {
        return GlobsMeet(glob, find.condition.metric);
      })) {
    return view.Mistake("condition", workloads::Cat("is about what metrics: leaves out; expected metrics: '",
                                                    find.condition.metric, "' beside the others, too"));
  }
  if (!proto.has_probability_below())
    return view.MistakeWithoutValue("probability_below",
                                    "is missing; expected a share of runs, such as 0.05");
  if (!(find.bound > 0 && find.bound < 1))
    return view.Mistake("probability_below", "is no share of runs; expected more than 0 and less than 1");
  if (!(find.confidence > 0 && find.confidence < 1))
    return view.Mistake("confidence", "is no confidence; expected more than 0 and less than 1");
  loaded_.finds.push_back(std::move(find));
  return absl::OkStatus();
}

// Rising for the largest value, falling for the smallest.
absl::Status StudyLoader::RankValues(const MessageView& view, LoadedFind& find) {
  const LoadedParameter& parameter = loaded_.parameters[find.parameter];
  std::vector<std::pair<double, size_t>> order;
  for (size_t i = 0; i < parameter.values.size(); ++i) {
    double number = 0;
    if (!absl::SimpleAtod(parameter.values[i], &number) || !std::isfinite(number)) {
      return view.Mistake("parameter",
                          absl::StrCat("has the value ", parameter.values[i],
                                       ", which is no number; expected numbers to search among"));
    }
    order.emplace_back(find.largest ? number : -number, i);
  }
  std::sort(order.begin(), order.end());
  find.rank.resize(order.size());
  for (size_t place = 0; place < order.size(); ++place) find.rank[order[place].second] = place;
  return absl::OkStatus();
}

}  // namespace

std::vector<StudyTarget> LoadedParameter::TargetsOf(size_t value) const {
  std::vector<StudyTarget> all = targets;
  if (!variants.empty()) all.insert(all.end(), variants[value].begin(), variants[value].end());
  return all;
}

bool LoadedStudy::Keeps(const std::string& metric) const {
  const auto& globs = proto.metrics();
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
           return fnmatch(glob.c_str(), metric.c_str(), 0) == 0;
         });
}

std::string LoadedStudy::PointText(size_t point) const {
  std::string text;
  for (size_t p = 0; p < parameters.size(); ++p)
    absl::StrAppend(&text, p == 0 ? "" : ", ", parameters[p].name, "=", ValueAt(point, p));
  return text;
}

std::vector<workloads::FieldSetting> LoadedStudy::SettingsAt(size_t point) const {
  std::vector<workloads::FieldSetting> settings;
  for (size_t p = 0; p < parameters.size(); ++p) {
    const std::string& value = ValueAt(point, p);
    for (const StudyTarget& target : parameters[p].TargetsOf(points[point][p])) {
      settings.push_back({.given = absl::StrCat(target.place, ": ", parameters[p].name, "=", value),
                          .path = target.path,
                          .value = absl::StrReplaceAll(target.text, {{kHole, value}})});
    }
  }
  return settings;
}

absl::StatusOr<LoadedStudy> LoadStudy(const std::string& path, bool allow_outside_files) {
  const absl::StatusOr<std::string> text = ReadInputFile(path);
  if (!text.ok())
    return absl::Status(text.status().code(), absl::StrCat(path, ": ", text.status().message()));
  return ParseStudy(path, *text, workloads::FileReaders(path, nullptr, allow_outside_files).read_file);
}

absl::StatusOr<LoadedStudy> ParseStudy(const std::string& path, const std::string& text,
                                       const FileReader& read_file) {
  StudyLoader loader(path, text, read_file);
  if (absl::Status status = loader.Load(); !status.ok()) return status;
  return loader.Take();
}

}  // namespace numasim
