// The file in which a task of a sweep reports to the sweep: written by one process, read by another while it
// grows.
#ifndef NUMASIM_CLI_SLURM_REPORTS_H_
#define NUMASIM_CLI_SLURM_REPORTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/metrics/metrics.h"
#include "cli/slurm/work.pb.h"
#include "cli/sweep/sweep_output.h"

namespace numasim::slurm {

// Every status begins with the file's name.
class ReportWriter final : public SweepOutput {
 public:
  // Makes the file. AlreadyExists if it is there: a task is begun once.
  static absl::StatusOr<std::unique_ptr<ReportWriter>> Create(const std::string& path);
  ReportWriter(const ReportWriter&) = delete;
  ReportWriter& operator=(const ReportWriter&) = delete;
  ~ReportWriter() override;

  const std::set<int64_t>& finished() const override { return finished_; }
  size_t failed() const override { return failed_; }
  absl::Status Begin(const SweepRun& run) override;
  absl::Status Add(const SweepRun& run, const SweepResult& result) override;
  absl::Status AddFailure(const SweepRun& run, const std::string& message) override;
  absl::Status AddError(const std::string& message);
  // What came up beside the results, in the end.
  absl::Status AddEnded(const std::set<std::string>& warnings, const std::string& printed);

 private:
  ReportWriter(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  absl::Status Write(const Report& report);

  const std::string path_;
  const int descriptor_;
  std::set<int64_t> finished_;
  size_t failed_ = 0;
};

class ReportReader {
 public:
  explicit ReportReader(std::string path) : path_(std::move(path)) {}

  // Hands `take` what has come since the last time and is whole; what it fails for is handed again the next
  // time. What is not whole, and a file that is not there, may be later. The file is opened each time: a file
  // system that several machines share then shows what there is.
  absl::Status TakeNew(absl::FunctionRef<absl::Status(const Report&)> take);

 private:
  const std::string path_;
  size_t next_ = 0;  // the offset of what has not been read
};

// A result as it was added.
SweepResult ResultOf(const Result& result);

}  // namespace numasim::slurm

#endif  // NUMASIM_CLI_SLURM_REPORTS_H_
