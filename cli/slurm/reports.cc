#include "cli/slurm/reports.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "files/descriptor_io.h"
#include "proto/trace_frame.h"

namespace numasim::slurm {
namespace {

absl::Status Failed(const std::string& path, int error) {
  return {absl::ErrnoToStatusCode(error), absl::StrCat(path, ": ", std::strerror(error))};
}

// Of a file, from `offset` to its end.
absl::StatusOr<std::string> ReadFrom(const std::string& path, size_t offset) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Failed(path, errno);
  const absl::Cleanup closer = [descriptor] { close(descriptor); };
  std::string bytes;
  const int error = ReadToEnd(descriptor, static_cast<off_t>(offset), &bytes);
  if (error != 0) return Failed(path, error);
  return bytes;
}

// The payload of the first frame, or nothing where it is not whole. The checksums tell: a file system may
// show zeros where what is written has not come yet.
absl::string_view WholePayload(absl::string_view bytes) {
  FrameHead head;
  if (bytes.size() < kFrameHeadSize || !DecodeFrameHead(bytes.substr(0, kFrameHeadSize), &head)) return {};
  bytes.remove_prefix(kFrameHeadSize);
  if (bytes.size() < head.length) return {};
  const absl::string_view payload = bytes.substr(0, head.length);
  return Crc32(payload) == head.payload_crc ? payload : absl::string_view();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReportWriter>> ReportWriter::Create(const std::string& path) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) return Failed(path, errno);
  return absl::WrapUnique(new ReportWriter(path, descriptor));
}

ReportWriter::~ReportWriter() { close(descriptor_); }

absl::Status ReportWriter::Write(const Report& report) {
  const int error = WriteAll(descriptor_, EncodeFrame(report.SerializeAsString()));
  return error == 0 ? absl::OkStatus() : Failed(path_, error);
}

absl::Status ReportWriter::Begin(const SweepRun& run) {
  Report report;
  report.set_begun(run.number);
  return Write(report);
}

absl::Status ReportWriter::Add(const SweepRun& run, const SweepResult& result) {
  Report report;
  Result& to = *report.mutable_result();
  to.set_run(run.number);
  to.set_scenario_name(result.metrics.scenario_name);
  to.set_scenario_hash(result.metrics.scenario_hash);
  for (const std::string& line : result.unmet) to.add_unmet(line);
  for (const auto& [name, metric] : result.metrics.metrics) {
    Metric& added = *to.add_metric();
    added.set_name(name);
    added.set_value(metric.value);
    added.set_unit(metric.info.unit);
    added.set_kind(static_cast<int>(metric.info.kind));
    added.set_direction(static_cast<int>(metric.info.direction));
    added.set_absent_is_zero(metric.info.absent_is_zero);
  }
  finished_.insert(run.number);
  return Write(report);
}

absl::Status ReportWriter::AddFailure(const SweepRun& run, const std::string& message) {
  Report report;
  report.mutable_failure()->set_run(run.number);
  report.mutable_failure()->set_message(message);
  finished_.insert(run.number);
  ++failed_;
  return Write(report);
}

absl::Status ReportWriter::AddError(const std::string& message) {
  Report report;
  report.set_error(message);
  return Write(report);
}

absl::Status ReportWriter::AddEnded(const std::set<std::string>& warnings, const std::string& printed) {
  Report report;
  Ended& ended = *report.mutable_ended();
  for (const std::string& warning : warnings) ended.add_warning(warning);
  ended.set_printed(printed);
  return Write(report);
}

absl::Status ReportReader::TakeNew(absl::FunctionRef<absl::Status(const Report&)> take) {
  const absl::StatusOr<std::string> bytes = ReadFrom(path_, next_);
  if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
  if (!bytes.ok()) return bytes.status();
  absl::string_view rest = *bytes;
  for (absl::string_view payload = WholePayload(rest); !payload.empty(); payload = WholePayload(rest)) {
    Report report;
    if (!report.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
      return absl::DataLossError(absl::StrCat(path_, ": is of another version of numasim"));
    if (absl::Status status = take(report); !status.ok()) return status;
    rest.remove_prefix(kFrameHeadSize + payload.size());
    next_ += kFrameHeadSize + payload.size();
  }
  return absl::OkStatus();
}

SweepResult ResultOf(const Result& result) {
  SweepResult of;
  of.unmet.assign(result.unmet().begin(), result.unmet().end());
  RunMetrics& metrics = of.metrics;
  metrics.scenario_name = result.scenario_name();
  metrics.scenario_hash = result.scenario_hash();
  for (const Metric& metric : result.metric()) {
    metrics.metrics[metric.name()] = {.info = {.unit = metric.unit(),
                                               .kind = static_cast<MetricInfo::Kind>(metric.kind()),
                                               .direction = static_cast<Direction>(metric.direction()),
                                               .absent_is_zero = metric.absent_is_zero()},
                                      .value = metric.value()};
  }
  return of;
}

}  // namespace numasim::slurm
