#include "workloads/batch/job_log_builder.h"

#include <algorithm>
#include <utility>

#include "workloads/text.h"

namespace numasim::workloads {

std::vector<std::string> JobLog::Notes(const std::string& name) const {
  std::vector<std::string> notes;
  for (const SkippedLines& lines : skipped)
    notes.push_back(Cat(name, ": skipped ", SkippedText(lines, " that ")));
  if (out_of_order > 0)
    notes.push_back(Cat(name, ": ", out_of_order, " of ", jobs.size(),
                        " jobs stood behind one that was submitted later; sorted"));
  if (lower_bounds > 0)
    notes.push_back(
        Cat(name, ": ", lower_bounds, " values such as '>64' are lower bounds; taken as the bound itself"));
  return notes;
}

void JobLogBuilder::Add(Job job) { log_.jobs.push_back(std::move(job)); }

void JobLogBuilder::Skip(int64_t line, std::string_view reason) { AddSkipped(log_.skipped, line, reason); }

int32_t JobLogBuilder::NumberOf(Numbers& numbers, std::string_view name) {
  if (name.empty()) return -1;
  return numbers.try_emplace(std::string(name), static_cast<int32_t>(numbers.size())).first->second;
}

void JobLogBuilder::Sort() {
  int64_t latest = log_.jobs.front().submit_ns;
  for (const Job& job : log_.jobs) {
    if (job.submit_ns < latest) ++log_.out_of_order;
    latest = std::max(latest, job.submit_ns);
  }
  if (log_.out_of_order == 0) return;
  std::stable_sort(log_.jobs.begin(), log_.jobs.end(),
                   [](const Job& a, const Job& b) { return a.submit_ns < b.submit_ns; });
}

absl::StatusOr<JobLog> JobLogBuilder::Finish(const std::string& name) {
  if (log_.jobs.empty()) {
    return absl::InvalidArgumentError(Cat(name, ": holds no job that can be run",
                                          WhyNothingIsLeft(log_.skipped),
                                          "; expected a log with at least one"));
  }
  Sort();
  const int64_t first = log_.jobs.front().submit_ns;
  for (Job& job : log_.jobs) {
    job.submit_ns -= first;
    if (job.start_ns.has_value()) *job.start_ns -= first;
  }
  return std::move(log_);
}

}  // namespace numasim::workloads
