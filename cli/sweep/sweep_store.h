// The database of a sweep: what it is of, and the results of the runs that have finished. Owned by `numasim
// sweep`; called by one thread at a time.
//
// A run is added in one transaction, under its number, its point and its seed, each of which is there once.
// So however the process ends, a run is in the database whole or not at all, and none is in it twice.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_STORE_H_
#define NUMASIM_CLI_SWEEP_SWEEP_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/metrics/metrics.h"
#include "cli/sweep/sqlite.h"
#include "cli/sweep/study.h"
#include "cli/sweep/sweep_output.h"

namespace numasim {

// What a sweep is of: where any of it has changed, its results would not be those of the runs that are
// missing.
struct SweepIdentity {
  std::string study;    // the message without what has no effect on results
  std::string shown;    // a message of what it shows and searches for, which may change
  std::string program;  // as BuildId()
  // The scenario, as "the scenario NAME", all files it names, and "the number of seeds" of a point.
  std::map<std::string, std::string> texts;

  // Whether results of one are results of the other: what is shown of them changes none.
  bool operator==(const SweepIdentity& other) const {
    return study == other.study && program == other.program && texts == other.texts;
  }
};

// `program` as BuildId().
SweepIdentity IdentityOf(const LoadedStudy& study, const std::map<std::string, std::string>& files,
                         const std::string& program);

class SweepStore final : public SweepOutput {
 public:
  enum class Start { kGoOn, kRestart };

  // Opens the database, or makes it. FailedPrecondition if it is of another sweep, unless that is to be
  // forgotten (kRestart); what is no sweep's database is refused in any case.
  static absl::StatusOr<std::unique_ptr<SweepStore>> Open(const std::string& path, const LoadedStudy& study,
                                                          const SweepIdentity& identity, Start start);

  const std::set<int64_t>& finished() const override { return finished_; }
  size_t failed() const override { return failed_; }
  absl::Status Add(const SweepRun& run, const SweepResult& result) override;
  absl::Status AddFailure(const SweepRun& run, const std::string& message) override;
  // Of those that succeeded, how many are not as the scenario expects.
  absl::StatusOr<int64_t> Unmet();
  // So that they are run again.
  absl::Status ForgetFailures();

  // Every run that is wanted is in.
  absl::Status MarkComplete();
  // Puts everything into the one file; else SQLite's NAME-wal stays beside it.
  absl::Status Close();

  Sqlite& database() { return *database_; }

 private:
  SweepStore(std::string path, size_t points, std::unique_ptr<Sqlite> database)
      : path_(std::move(path)), points_(static_cast<int64_t>(points)), database_(std::move(database)) {}

  absl::Status SetUp(const LoadedStudy& study, const SweepIdentity& identity, Start start);
  absl::Status AddStudy(const LoadedStudy& study, const SweepIdentity& identity);
  absl::Status Check(const SweepIdentity& identity);
  absl::Status SetShown(const std::string& shown);
  absl::Status MarkIncomplete();
  absl::Status ReadFinished();
  absl::Status PrepareStatements();
  void ForgetMetricsFrom(size_t count);
  absl::StatusOr<int64_t> MetricId(const std::string& name, const MetricInfo& info);
  absl::Status AddRows(const SweepRun& run, const RunMetrics& metrics);
  absl::Status AddUnmet(const SweepRun& run, const std::vector<std::string>& unmet);

  const std::string path_;
  const int64_t points_;  // of the study
  const std::unique_ptr<Sqlite> database_;
  std::set<int64_t> finished_;
  size_t failed_ = 0;
  std::map<std::string, int64_t> metric_ids_;
  std::unique_ptr<SqliteStatement> add_run_;
  std::unique_ptr<SqliteStatement> add_metric_;
  std::unique_ptr<SqliteStatement> add_name_;
  std::unique_ptr<SqliteStatement> add_failure_;
  std::unique_ptr<SqliteStatement> add_unmet_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_STORE_H_
