#include "workloads/batch/job_log.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "workloads/batch/column_mapping.h"
#include "workloads/batch/csv_reader.h"
#include "workloads/batch/job_log_builder.h"
#include "workloads/batch/sacct_reader.h"
#include "workloads/batch/swf_reader.h"
#include "workloads/log_lines.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

// In the order of LogFormat.
constexpr std::string_view kNames[] = {"swf", "sacct", "csv", "azure", "openb"};

// Azure publishes the table without a header; the columns' names are in its schema. Cores and GiB are buckets
// in the trace of 2019 (">24"), numbers in that of 2017.
constexpr std::string_view kAzureColumns =
    "id=#1,user=#2,program=#3,submit=#4,start=#4,end=#5,cpus=#10,request=#11:G";
constexpr std::string_view kOpenbColumns =
    "id=name,cpus=cpu_milli:milli,request=memory_mib:M,submit=creation_time,end=deletion_time,"
    "start=scheduled_time";

absl::Status ReadTable(LogLines& lines, std::string_view columns, JobLogBuilder& log) {
  const absl::StatusOr<ColumnMapping> mapping = ParseColumnMapping(columns);
  if (!mapping.ok()) return mapping.status();
  return ReadCsv(lines, *mapping, log);
}

absl::Status Read(LogLines& lines, LogFormat format, std::string_view columns, JobLogBuilder& log) {
  switch (format) {
    case LogFormat::kSwf:
      return ReadSwf(lines, log);
    case LogFormat::kSacct:
      return ReadSacct(lines, log);
    case LogFormat::kAzure:
      return ReadTable(lines, kAzureColumns, log);
    case LogFormat::kOpenb:
      return ReadTable(lines, kOpenbColumns, log);
    case LogFormat::kCsv:
      break;
  }
  return ReadTable(lines, columns, log);
}

}  // namespace

std::optional<LogFormat> LogFormatNamed(std::string_view name) {
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<LogFormat>(found - std::begin(kNames));
}

std::string_view NameOf(LogFormat format) { return kNames[static_cast<size_t>(format)]; }

std::optional<LogFormat> FindLogFormat(std::string_view text) {
  LogLines lines("", text);
  std::string_view line;
  if (!lines.Next(line)) return std::nullopt;
  if (line.starts_with(';') || IsLineOfSwf(line)) return LogFormat::kSwf;
  if (IsHeaderOfSacct(line)) return LogFormat::kSacct;
  std::vector<std::string_view> cells = Split(line, ',');
  const auto has = [&](std::string_view name) {
    return std::find(cells.begin(), cells.end(), name) != cells.end();
  };
  if (has("cpu_milli") && has("memory_mib") && has("creation_time")) return LogFormat::kOpenb;
  constexpr size_t kAzureCells = 11;
  if (cells.size() != kAzureCells) return std::nullopt;
  const auto is_number = [](std::string_view cell) {
    return !cell.empty() && cell.find_first_not_of("0123456789.") == std::string_view::npos;
  };
  const bool row = is_number(cells[3]) && is_number(cells[4]);
  return row || has("vmcreated") ? std::optional(LogFormat::kAzure) : std::nullopt;
}

absl::StatusOr<JobLog> ParseJobLog(const std::string& name, std::string_view text, LogFormat format,
                                   std::string_view columns) {
  LogLines lines(name, text);
  JobLogBuilder log;
  if (absl::Status status = Read(lines, format, columns, log); !status.ok()) return status;
  if (!lines.status().ok()) return lines.status();
  return log.Finish(name);
}

}  // namespace numasim::workloads
