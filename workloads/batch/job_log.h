// Reads logs of batch systems and tables of virtual machines or pods, in the formats that people have them
// in, all into one kind of Job.
//
// Logs are dirty: a line that is no job that can be run (cancelled before its start, a negative time, fields
// that lack) is skipped, counted and listed in JobLog::skipped. A file that is no such log at all is a
// mistake.
#ifndef NUMASIM_WORKLOADS_BATCH_JOB_LOG_H_
#define NUMASIM_WORKLOADS_BATCH_JOB_LOG_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "workloads/batch/job.h"

namespace numasim::workloads {

enum class LogFormat {
  kSwf,    // Standard Workload Format 2.2 of the Parallel Workloads Archive
  kSacct,  // Slurm's `sacct -P`: a header, fields between '|', steps below their jobs
  kCsv,    // RFC 4180, with a column mapping
  kAzure,  // the VM table of Azure's public traces: CSV with a mapping that is built in
  kOpenb,  // the pod list of Alibaba's cluster-trace-gpu-v2023: likewise
};

// "swf", "sacct", "csv", "azure", "openb".
std::optional<LogFormat> LogFormatNamed(std::string_view name);
std::string_view NameOf(LogFormat format);

// The format that the text's first line has; none where it is none of these. CSV of other tables needs a
// mapping and is never found.
std::optional<LogFormat> FindLogFormat(std::string_view text);

// The whole log. `name` is the file's, for messages; `columns` is a mapping for kCsv (column_mapping.h).
// InvalidArgument with file and line: a mapping that is wrong, a text that is no log of this format, a line
// longer than LogLines::kLongest, no job at all.
absl::StatusOr<JobLog> ParseJobLog(const std::string& name, std::string_view text, LogFormat format,
                                   std::string_view columns = "");

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_JOB_LOG_H_
