// The Standard Workload Format, version 2.2 (D. Feitelson, Parallel Workloads Archive): a job on each line in
// 18 numbers, ';' before comments, -1 for what is not known. More fields, as some sites append them, are not
// looked at.
#ifndef NUMASIM_WORKLOADS_BATCH_SWF_READER_H_
#define NUMASIM_WORKLOADS_BATCH_SWF_READER_H_

#include <string_view>

#include "absl/status/status.h"
#include "workloads/batch/job_log_builder.h"
#include "workloads/log_lines.h"

namespace numasim::workloads {

// Whether a line can be of such a log: 18 fields or more, of which the first 11 are numbers.
bool IsLineOfSwf(std::string_view line);

// All lines. Memory (fields 7 and 10) is in KiB for each processor. A mistake where the first line that is no
// comment is no line of such a log.
absl::Status ReadSwf(LogLines& lines, JobLogBuilder& log);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_SWF_READER_H_
