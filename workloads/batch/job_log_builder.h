// JobLogBuilder: collects the jobs of a log while one of the formats' readers goes through it.
#ifndef NUMASIM_WORKLOADS_BATCH_JOB_LOG_BUILDER_H_
#define NUMASIM_WORKLOADS_BATCH_JOB_LOG_BUILDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "workloads/batch/job.h"

namespace numasim::workloads {

class JobLogBuilder {
 public:
  // Times are of the log's own clock.
  void Add(Job job);
  // A line that is no job that can be run; `reason` reads on after "the line".
  void Skip(int64_t line, std::string_view reason);
  void NoteLowerBound() { ++log_.lower_bounds; }
  // The number of a program or user; -1 for an empty name. Looked up only: the map's order is never seen.
  int32_t ProgramNumber(std::string_view name) { return NumberOf(programs_, name); }
  int32_t UserNumber(std::string_view name) { return NumberOf(users_, name); }

  // All of it, sorted, its times counted from the first submission. InvalidArgument where there is no job.
  absl::StatusOr<JobLog> Finish(const std::string& name);

 private:
  using Numbers = std::unordered_map<std::string, int32_t>;

  static int32_t NumberOf(Numbers& numbers, std::string_view name);
  void Sort();

  JobLog log_;
  Numbers programs_;
  Numbers users_;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_JOB_LOG_BUILDER_H_
