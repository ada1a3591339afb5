#include "workloads/batch/job_log_builder.h"

#include <algorithm>
#include <utility>

#include "workloads/text.h"

namespace numasim::workloads {
namespace {

constexpr size_t kShownLines = 3;

std::string LinesText(const SkippedLines& skipped) {
  std::string text = skipped.count == 1 ? "line " : "lines ";
  for (size_t i = 0; i < skipped.first.size(); ++i) Append(text, i == 0 ? "" : ", ", skipped.first[i]);
  if (skipped.count > std::ssize(skipped.first)) text += ", ..";
  return text;
}

}  // namespace

std::vector<std::string> JobLog::Notes(const std::string& name) const {
  std::vector<std::string> notes;
  for (const SkippedLines& lines : skipped)
    notes.push_back(
        Cat(name, ": skipped ", lines.count, " that ", lines.reason, " (", LinesText(lines), ")"));
  if (out_of_order > 0)
    notes.push_back(Cat(name, ": ", out_of_order, " of ", jobs.size(),
                        " jobs stood behind one that was submitted later; sorted"));
  if (lower_bounds > 0)
    notes.push_back(
        Cat(name, ": ", lower_bounds, " values such as '>64' are lower bounds; taken as the bound itself"));
  return notes;
}

void JobLogBuilder::Add(Job job) { log_.jobs.push_back(std::move(job)); }

void JobLogBuilder::Skip(int64_t line, std::string_view reason) {
  auto found = std::find_if(log_.skipped.begin(), log_.skipped.end(),
                            [&](const SkippedLines& lines) { return lines.reason == reason; });
  if (found == log_.skipped.end()) found = log_.skipped.insert(found, {.reason = std::string(reason)});
  ++found->count;
  if (found->first.size() < kShownLines) found->first.push_back(line);
}

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
    std::string why;
    for (const SkippedLines& lines : log_.skipped)
      Append(why, why.empty() ? ": " : ", ", lines.count, " ", lines.reason, " (", LinesText(lines), ")");
    return absl::InvalidArgumentError(
        Cat(name, ": holds no job that can be run", why, "; expected a log with at least one"));
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
