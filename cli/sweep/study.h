// Studies: what `numasim sweep` is given, read and checked before anything runs. A LoadedStudy is a value
// that the caller owns.
//
// A point is one value of each parameter. Points are numbered from 0: in a grid the last parameter's value
// changes first.
#ifndef NUMASIM_CLI_SWEEP_STUDY_H_
#define NUMASIM_CLI_SWEEP_STUDY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/metrics/metric.h"
#include "cli/sweep/sql_expression.h"
#include "proto/study.pb.h"
#include "workloads/condition.h"
#include "workloads/text_patch.h"

namespace numasim {

// A field of the scenario that takes a parameter's value.
struct StudyTarget {
  std::string place;  // where the study says so: "pools.textproto:7"
  std::string path;   // as FieldSetting::path
  std::string text;   // what the field gets, with {} where the value goes
};

struct LoadedParameter {
  std::string name;
  std::vector<StudyTarget> targets;  // of every value
  std::vector<std::string> values;
  std::vector<std::vector<StudyTarget>> variants;  // what each value sets beside; empty: nothing

  // What the value of that index sets.
  std::vector<StudyTarget> TargetsOf(size_t value) const;
};

// A search for the last value, in the order of `rank`, for which the condition holds rarely enough.
struct LoadedFind {
  std::string place;              // "pools.textproto:12"
  size_t parameter = 0;           // of LoadedStudy::parameters
  std::vector<size_t> rank = {};  // by value of the parameter: its place in the order that is searched
  bool largest = true;
  workloads::Condition condition;
  double bound = 0;       // the share of runs for which the condition may hold
  double confidence = 0;  // of the whole answer
  int64_t most_seeds = 0;
};

// A computed column of the table at the end.
struct LoadedColumn {
  std::string place;  // "pools.textproto:17"
  std::string name;
  SqlExpression value;
  MetricInfo info;  // how its values are printed
};

// A run of a study: `number` counts all that there could be, from 0, point by point.
struct SweepRun {
  int64_t number = 0;
  size_t point = 0;
  uint64_t seed = 0;
};

struct LoadedStudy {
  Study proto;
  std::string path;           // as given
  std::string text;           // as read
  std::string scenario_path;  // from where the program runs
  std::string scenario_text;
  std::vector<LoadedParameter> parameters;
  // The index of each parameter's value, by point.
  std::vector<std::vector<size_t>> points;
  std::vector<uint64_t> seeds;  // one at least; where there are searches, the most that one may need
  std::vector<LoadedFind> finds;
  std::vector<MetricPeriod> periods;
  std::vector<LoadedColumn> columns;

  // The point's run with the seed of that index.
  SweepRun RunAt(size_t point, size_t seed) const {
    return {static_cast<int64_t>(point * seeds.size() + seed), point, seeds[seed]};
  }
  // The point's value of a parameter.
  const std::string& ValueAt(size_t point, size_t parameter) const {
    return parameters[parameter].values[points[point][parameter]];
  }
  // Whether a metric of that name is kept.
  bool Keeps(const std::string& metric) const;
  // "pool=1024, guests=3"; empty where there is no parameter.
  std::string PointText(size_t point) const;
  // What the point sets in the scenario.
  std::vector<workloads::FieldSetting> SettingsAt(size_t point) const;
};

// Reads a study and the text of its scenario, which lies in the study's folder or below, unless
// `allow_outside_files`. Values are not yet tried on the scenario. A mistake is "FILE:LINE:COL: FIELD:
// 'VALUE' is ..; expected ..".
absl::StatusOr<LoadedStudy> LoadStudy(const std::string& path, bool allow_outside_files);

// The text of a file, by the name that the study uses. A Status says why there is none.
using FileReader = std::function<absl::StatusOr<std::string>(const std::string& name)>;

// The same of a text that was read before: `path` is for messages, and `read_file` gives the scenario.
absl::StatusOr<LoadedStudy> ParseStudy(const std::string& path, const std::string& text,
                                       const FileReader& read_file);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_STUDY_H_
