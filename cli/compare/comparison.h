// The comparison of runs before and after a change: which metrics differ, by how much, and which got worse.
// Knows no files and no form of output.
//
// Where the runs of each side are all alike, as one run is with itself, nothing is random: the simulator is
// deterministic, and any difference between the sides is one. Else a metric differs if its median does by the
// least effect and the Mann-Whitney test says that this is no chance, at the level for all metrics together.
#ifndef NUMASIM_CLI_COMPARE_COMPARISON_H_
#define NUMASIM_CLI_COMPARE_COMPARISON_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/metrics/metrics.h"
#include "cli/statistics/significance.h"

namespace numasim {

// The runs before, or after: of one scenario with several seeds, as a rule.
class Side {
 public:
  // A metric's values, of each run that has it.
  struct Series {
    MetricInfo info;
    std::vector<double> values;
  };

  // The same run again (scenario, seed and version are those of one before) tells nothing new and is not
  // added, but named by same_runs().
  void Add(const RunMetrics& run);

  size_t runs() const { return runs_; }
  const std::vector<std::string>& same_runs() const { return same_runs_; }  // "b.pb is the same run as a.pb"
  const std::set<std::string>& scenario_names() const { return scenario_names_; }
  const std::set<size_t>& scenario_hashes() const { return scenario_hashes_; }
  const std::map<std::string, Series>& series() const { return series_; }
  // No run differs from another in any metric.
  bool alike() const;

 private:
  size_t runs_ = 0;
  std::map<std::string, std::string> paths_by_run_;
  std::vector<std::string> same_runs_;
  std::set<std::string> scenario_names_;
  std::set<size_t> scenario_hashes_;
  std::map<std::string, Series> series_;
};

enum class Verdict {
  kWorse,
  kBetter,
  kDiffers,     // in a metric of which neither more nor less is worse
  kTooFewRuns,  // the medians differ enough, but whether that is chance cannot be told from so few runs
  kChance,      // they do, and it may be chance
  kSmall,       // a difference below the least effect
  kEqual,       // not the least difference
};
inline constexpr size_t kVerdicts = 7;

// "worse", "better", "differs", "too few runs", "may be chance", "small", "equal".
const char* VerdictName(Verdict verdict);

struct ComparedMetric {
  std::string name;
  MetricInfo info;
  MedianInterval base;
  MedianInterval changed;
  size_t base_runs = 0;  // that have the metric
  size_t changed_runs = 0;
  double change = 0;        // of the median, as a share of the base's; infinite from 0
  std::optional<double> p;  // of all tests together (HolmAdjusted); none if compared exactly
  Verdict verdict = Verdict::kEqual;
};

struct CompareRules {
  double level = 0.05;  // the chance of even one false "worse", "better" or "differs"; between 0 and 1
  // Least change of a median that counts, as a share; counts that are compared exactly have none.
  double min_effect = 0.01;
};

struct Comparison {
  bool exact = false;                   // both sides are alike in themselves
  std::vector<ComparedMetric> metrics;  // on both sides, by name
  std::vector<std::string> only_base;   // metrics of one side only
  std::vector<std::string> only_changed;
  size_t tests = 0;        // metrics that were tested: all that have not one value throughout
  size_t runs_needed = 0;  // on each side, for a test to be able to tell

  size_t Count(Verdict verdict) const;
};

// Compares the metrics that `wanted` names. Both sides have a run at least.
Comparison Compare(const Side& base, const Side& changed, const CompareRules& rules,
                   const std::set<std::string>& wanted);

}  // namespace numasim

#endif  // NUMASIM_CLI_COMPARE_COMPARISON_H_
