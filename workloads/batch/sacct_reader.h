// What Slurm's accounting prints with `sacct -P` (or -p): a header with the columns that were asked for,
// fields between '|', and below each job its steps (123.batch, 123.extern, 123.0), which hold what was used.
//
// Columns that are looked at: JobID, Submit, Start, End, Elapsed or ElapsedRaw, Timelimit, State, AllocCPUS
// or NCPUS or ReqCPUS, NNodes or AllocNodes, ReqMem, MaxRSS, NTasks, User, JobName.
#ifndef NUMASIM_WORKLOADS_BATCH_SACCT_READER_H_
#define NUMASIM_WORKLOADS_BATCH_SACCT_READER_H_

#include <string_view>

#include "absl/status/status.h"
#include "workloads/batch/job_log_builder.h"
#include "workloads/log_lines.h"

namespace numasim::workloads {

bool IsHeaderOfSacct(std::string_view line);

// All lines. Of a job's steps the largest MaxRSS, times NTasks, is the memory that it used: sacct tells of
// the largest task only. ReqMem is of each CPU with a 'c' at its end, of each node with an 'n' (Slurm before
// 21.08), else of the job. A mistake where the header lacks a column that is needed.
absl::Status ReadSacct(LogLines& lines, JobLogBuilder& log);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_SACCT_READER_H_
