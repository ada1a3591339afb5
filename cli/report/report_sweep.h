// ReportSweep: what a report shows of a sweep's database, but for its metrics, which stay there until they
// are asked for. Owned by the subcommand.
#ifndef NUMASIM_CLI_REPORT_REPORT_SWEEP_H_
#define NUMASIM_CLI_REPORT_REPORT_SWEEP_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/sweep/sqlite.h"
#include "cli/sweep/study.h"
#include "cli/sweep/sweep_find.h"
#include "cli/sweep/sweep_results.h"

namespace numasim {

// One of LoadedStudy::finds as far as the runs go that are there.
struct ReportSearch {
  std::vector<Found> found;
  std::string stopped;  // why it did not come to its end; "" if it did
};

struct ReportSweep {
  std::string path;  // as given
  std::string version;
  bool complete = false;
  LoadedStudy study;
  std::string study_text;
  std::map<std::string, std::string> texts;  // of the scenario and its files, by what they are
  std::vector<StoredRun> runs;               // by number
  std::vector<ReportSearch> searches;        // of LoadedStudy::finds
  std::unique_ptr<Sqlite> database;
};

// Reads a database, also of a sweep that has not ended. Fails, naming the file, if it cannot be read, is no
// sweep's, or its tables do not belong together.
absl::StatusOr<std::unique_ptr<ReportSweep>> ReadReportSweep(const std::string& path);

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_REPORT_SWEEP_H_
