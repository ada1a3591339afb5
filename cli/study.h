// Studies: what `numasim sweep` is given, read and checked before anything runs. A LoadedStudy is a value
// that the caller owns.
//
// A point is one value of each parameter. Points are numbered from 0: in a grid the last parameter's value
// changes first.
#ifndef NUMASIM_CLI_STUDY_H_
#define NUMASIM_CLI_STUDY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
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
  std::vector<StudyTarget> targets;
  std::vector<std::string> values;
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

// A run of a study: `number` counts all that there could be, from 0, point by point.
struct SweepRun {
  int64_t number = 0;
  size_t point = 0;
  uint64_t seed = 0;
};

struct LoadedStudy {
  Study proto;
  std::string path;           // as given
  std::string scenario_path;  // from where the program runs
  std::string scenario_text;
  std::vector<LoadedParameter> parameters;
  // The index of each parameter's value, by point.
  std::vector<std::vector<size_t>> points;
  std::vector<uint64_t> seeds;  // one at least; where there are searches, the most that one may need
  std::vector<LoadedFind> finds;

  // The point's run with the seed of that index.
  SweepRun RunAt(size_t point, size_t seed) const {
    return {static_cast<int64_t>(point * seeds.size() + seed), point, seeds[seed]};
  }
  // The point's value of a parameter.
  const std::string& ValueAt(size_t point, size_t parameter) const {
    return parameters[parameter].values[points[point][parameter]];
  }
  // "pool=1024, guests=3"; empty where there is no parameter.
  std::string PointText(size_t point) const;
  // What the point sets in the scenario.
  std::vector<workloads::FieldSetting> SettingsAt(size_t point) const;
};

// Reads a study and the text of its scenario, which lies in the study's folder or below, unless
// `allow_outside_files`. Values are not yet tried on the scenario. A mistake is "FILE:LINE:COL: FIELD:
// 'VALUE' is ..; expected ..".
absl::StatusOr<LoadedStudy> LoadStudy(const std::string& path, bool allow_outside_files);

// The same of the texts of a study and its scenario, whatever has become of their files. `path` is where the
// study's text is from, for messages.
absl::StatusOr<LoadedStudy> LoadStudyTexts(const std::string& path, const std::string& study,
                                           const std::string& scenario);

}  // namespace numasim

#endif  // NUMASIM_CLI_STUDY_H_
