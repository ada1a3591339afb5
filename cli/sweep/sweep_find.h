// Searches of a study: the greatest or least value of a parameter for which a condition holds in few enough
// runs.
//
// The values are halved (cli/statistics/threshold_search.h), and at each one that is tried seeds are run
// until it is sure on which side of the bound the share of runs lies (cli/statistics/share_test.h). The
// chance to be wrong is dealt out to the values that are tried, so that it is that of the whole answer.
//
// Halving that ends at an end of the values has seen one side only: so it goes if it is sent the wrong way,
// too. Then the other end is tried as well.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_FIND_H_
#define NUMASIM_CLI_SWEEP_SWEEP_FIND_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/statistics/share_test.h"
#include "cli/sweep/sqlite.h"
#include "cli/sweep/study.h"
#include "cli/sweep/sweep_results.h"

namespace numasim {

// A value that was tried.
struct TriedPoint {
  size_t point = 0;
  int64_t runs = 0;
  int64_t holds = 0;  // runs for which the condition does
  ShareBounds bounds = {};
  ShareVerdict verdict = ShareVerdict::kUndecided;
};

// Of one search, with one value of each other parameter.
struct Found {
  std::string others;  // "guests=4"; empty where there are none
  bool ended = false;  // false: runs are missing, or one failed; `answer` and `is_last` are not known
  std::optional<size_t> answer;  // a point; nothing: no value is small, or large, enough
  bool is_last = false;          // of all values: what lies beyond was not tried
  // The good and the bad end of the values, where the search went the wrong way: the condition becomes rarer.
  std::optional<std::pair<size_t, size_t>> backwards;
  std::vector<TriedPoint> tried;
};

class SweepFinder {
 public:
  // `run` runs what is not in the database yet, and returns early if the sweep is to end. All must outlive
  // this.
  SweepFinder(const LoadedStudy& study, Sqlite& database,
              std::function<absl::Status(const std::vector<SweepRun>&)> run)
      : study_(study), database_(database), run_(std::move(run)) {}

  // Adds what it finds to `found`. Where it cannot go on, the last one has not ended and has the values that
  // were tried until then: Cancelled if a run is not there, as where the sweep was ended; FailedPrecondition
  // if one failed; InvalidArgument if one has no such metric.
  absl::Status Find(const LoadedFind& find, std::vector<Found>& found);

 private:
  absl::Status FindAmong(const LoadedFind& find, const std::vector<size_t>& points, Found& found);
  absl::Status TryAnother(const LoadedFind& find, const ShareTest& test, size_t point, Found& found);
  absl::Status Try(const LoadedFind& find, const ShareTest& test, TriedPoint& tried);
  absl::StatusOr<int64_t> CountHolds(const LoadedFind& find, const std::vector<SweepRun>& runs);
  absl::StatusOr<bool> Holds(const LoadedFind& find, const SweepRun& run,
                             const std::map<int64_t, StoredMetric>& metrics);

  const LoadedStudy& study_;
  Sqlite& database_;
  const std::function<absl::Status(const std::vector<SweepRun>&)> run_;
};

// "below", "not below" or "undecided".
const char* VerdictText(ShareVerdict verdict);

// What was found, for people: what was asked, a row for each value that was tried, and a line for each
// answer, which says how sure it is.
std::string FoundTitle(const LoadedStudy& study, const LoadedFind& find);
std::string FoundTable(const LoadedStudy& study, const std::vector<Found>& found);
std::string FoundAnswers(const LoadedStudy& study, const LoadedFind& find, const std::vector<Found>& found);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_FIND_H_
