// Job: what a log says of one batch job, virtual machine or pod, whatever the log's format. A JobLog is a
// value: part of the plan that was read with it, read from everywhere.
#ifndef NUMASIM_WORKLOADS_BATCH_JOB_H_
#define NUMASIM_WORKLOADS_BATCH_JOB_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workloads/log_lines.h"

namespace numasim::workloads {

struct Job {
  std::string id = {};                   // as the log has it
  int64_t line = 0;                      // of the log, from 1
  int64_t submit_ns = 0;                 // from the log's first submission
  std::optional<int64_t> start_ns = {};  // likewise
  int64_t run_ns = 0;                    // more than 0
  std::optional<int64_t> limit_ns = {};  // the run time that it asked for
  int64_t millicpus = 1000;              // more than 0
  // Of the whole job; 0: the log does not say.
  int64_t used_bytes = 0;
  int64_t requested_bytes = 0;
  // Numbers that the log's readers give to names in the order of their first lines; -1: not said.
  int32_t program = -1;
  int32_t user = -1;

  // What its processes use, and what a scheduler counts for it.
  int64_t bytes_to_use() const { return used_bytes > 0 ? used_bytes : requested_bytes; }
  int64_t bytes_to_book() const { return requested_bytes > 0 ? requested_bytes : used_bytes; }
  int64_t whole_cpus() const { return (millicpus + 999) / 1000; }
};

struct JobLog {
  std::vector<Job> jobs;              // by submission, those of one instant in the log's order
  std::vector<SkippedLines> skipped;  // in the order of their first lines
  int64_t out_of_order = 0;           // jobs that the log has behind one submitted later
  int64_t lower_bounds = 0;           // values such as ">64", of which only the bound is known

  // What a reader of a run should know of the log, a line each: what was skipped, sorted, or not known.
  std::vector<std::string> Notes(const std::string& name) const;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_JOB_H_
