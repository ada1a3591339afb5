#include "workloads/batch/sacct_reader.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "workloads/batch/log_values.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

enum Column : uint8_t {
  kJobId,
  kSubmit,
  kStart,
  kEnd,
  kElapsed,
  kElapsedRaw,
  kTimelimit,
  kState,
  kAllocCpus,
  kNCpus,
  kReqCpus,
  kNNodes,
  kAllocNodes,
  kReqMem,
  kMaxRss,
  kNTasks,
  kUser,
  kJobName,
  kColumns
};
constexpr std::string_view kNames[kColumns] = {
    "JobID", "Submit",  "Start",  "End",        "Elapsed", "ElapsedRaw", "Timelimit", "State", "AllocCPUS",
    "NCPUS", "ReqCPUS", "NNodes", "AllocNodes", "ReqMem",  "MaxRSS",     "NTasks",    "User",  "JobName"};

constexpr int64_t kMib = int64_t{1} << 20;

// Of a line, by column; empty where there is no such column.
using Row = std::array<std::string_view, kColumns>;

// The first of several columns that has something.
std::string_view FirstOf(const Row& row, std::initializer_list<Column> columns) {
  for (const Column column : columns) {
    if (!row[column].empty()) return row[column];
  }
  return "";
}

// sacct says Unknown or None of what has not happened, and writes seconds with SLURM_TIME_FORMAT=%s.
std::optional<int64_t> TimeOf(std::string_view text) {
  std::optional<int64_t> seconds = ParseDate(text);
  if (!seconds.has_value()) seconds = ParseScaled(text, 1);
  return seconds.has_value() && *seconds >= 0 ? Times(*seconds, kNsPerSecond) : std::nullopt;
}

// ElapsedRaw is whole seconds. Where neither is there, from Start to End.
std::optional<int64_t> RunTimeOf(const Row& row) {
  if (!row[kElapsed].empty()) return ParseSlurmTime(row[kElapsed]);
  if (!row[kElapsedRaw].empty()) return ParseScaled(row[kElapsedRaw], kNsPerSecond);
  const std::optional<int64_t> start = TimeOf(row[kStart]);
  const std::optional<int64_t> end = TimeOf(row[kEnd]);
  if (!start.has_value() || !end.has_value()) return std::nullopt;
  return *end - *start;
}

std::optional<int64_t> RequestedOf(const Row& row, int64_t cpus) {
  std::string_view text = row[kReqMem];
  if (text.empty()) return 0;
  int64_t times = 1;
  if (text.ends_with('c')) {
    times = cpus;
  } else if (text.ends_with('n')) {
    times = std::max<int64_t>(1, ParseScaled(FirstOf(row, {kNNodes, kAllocNodes}), 1).value_or(1));
  }
  if (text.ends_with('c') || text.ends_with('n')) text.remove_suffix(1);
  const std::optional<int64_t> bytes = ParseLogSize(text, kMib);
  return bytes.has_value() && *bytes >= 0 ? Times(*bytes, times) : std::nullopt;
}

// Of all tasks of a line, a step's or a job's; 0: it does not say.
std::optional<int64_t> UsedOf(const Row& row) {
  if (row[kMaxRss].empty()) return 0;
  const std::optional<int64_t> each = ParseLogSize(row[kMaxRss], 1);
  if (!each.has_value() || *each < 0) return std::nullopt;
  return Times(*each, std::max<int64_t>(1, ParseScaled(row[kNTasks], 1).value_or(1)));
}

class SacctReader {
 public:
  explicit SacctReader(JobLogBuilder& log) : log_(log) {}

  absl::Status ReadHeader(const LogLines& lines, std::string_view header);
  void Read(int64_t number, std::string_view line);
  // Jobs are known when all their steps have been seen.
  void Finish();

 private:
  void ReadJob(int64_t number, const Row& row);
  void ReadStep(int64_t number, std::string_view job, const Row& row);
  const char* FillIn(const Row& row, Job& job);

  JobLogBuilder& log_;
  std::array<size_t, kColumns> places_ = {};  // from 1; 0: there is no such column
  size_t cells_ = 0;
  std::vector<std::string_view> split_;
  std::vector<Job> jobs_;
  // Where in jobs_ the last one of an id is; none: it was skipped, and its steps belong to nothing.
  std::unordered_map<std::string_view, std::optional<size_t>> by_id_;  // looked up only
};

absl::Status SacctReader::ReadHeader(const LogLines& lines, std::string_view header) {
  const std::vector<std::string_view> cells = Split(header, '|');
  cells_ = cells.size() - (cells.back().empty() ? 1 : 0);
  for (size_t c = 0; c < kColumns; ++c) {
    const auto found = std::find(cells.begin(), cells.end(), kNames[c]);
    if (found != cells.end()) places_[c] = static_cast<size_t>(found - cells.begin()) + 1;
  }
  const auto has = [&](Column column) { return places_[column] > 0; };
  std::string_view missing;
  if (!has(kAllocCpus) && !has(kNCpus) && !has(kReqCpus)) missing = "AllocCPUS";
  if (!has(kElapsed) && !has(kElapsedRaw) && !(has(kStart) && has(kEnd))) missing = "Elapsed";
  if (!has(kSubmit) && !has(kStart)) missing = "Submit";
  if (!has(kJobId)) missing = "JobID";
  if (missing.empty()) return absl::OkStatus();
  return lines.Mistake(Cat("the header has no column ", missing,
                           "; expected what sacct -P --format=JobID,Submit,Start,Elapsed,Timelimit,State,"
                           "AllocCPUS,NNodes,ReqMem,MaxRSS,NTasks,User,JobName prints"));
}

void SacctReader::Read(int64_t number, std::string_view line) {
  split_ = Split(line, '|');
  if (split_.size() < cells_) return log_.Skip(number, "has fewer fields than the header");
  Row row;
  for (size_t c = 0; c < kColumns; ++c) {
    if (places_[c] > 0) row[c] = Trim(split_[places_[c] - 1]);
  }
  const std::string_view id = row[kJobId];
  if (id.empty()) return log_.Skip(number, "has no job id");
  const size_t dot = id.find('.');
  if (dot == std::string_view::npos) {
    ReadJob(number, row);
  } else {
    ReadStep(number, id.substr(0, dot), row);
  }
}

// What is wrong with it; null: nothing.
const char* SacctReader::FillIn(const Row& row, Job& job) {
  const std::optional<int64_t> start = TimeOf(row[kStart]);
  const std::optional<int64_t> submit = row[kSubmit].empty() ? start : TimeOf(row[kSubmit]);
  if (!submit.has_value()) return "has no submit time";
  const std::string_view state = row[kState];
  if (state == "RUNNING" || state == "SUSPENDED") return "has not ended";
  const std::optional<int64_t> run = RunTimeOf(row);
  if (state == "PENDING" || run == 0 || (!start.has_value() && places_[kStart] > 0)) return "did not run";
  if (!run.has_value()) return "has a run time that is none, or too large";
  if (*run < 0) return "has a negative run time";
  if (start.has_value() && *start < *submit) return "starts before it is submitted";
  const std::optional<int64_t> cpus = ParseScaled(FirstOf(row, {kAllocCpus, kNCpus, kReqCpus}), 1);
  if (!cpus.has_value() || *cpus <= 0) return "has no number of CPUs";
  const std::optional<int64_t> millicpus = Times(*cpus, 1000);
  const std::optional<int64_t> requested = RequestedOf(row, *cpus);
  const std::optional<int64_t> used = UsedOf(row);
  if (!millicpus.has_value() || !requested.has_value() || !used.has_value())
    return "has a size of memory that is none, or too large";
  job.submit_ns = *submit;
  job.start_ns = start;
  job.run_ns = *run;
  job.millicpus = *millicpus;
  job.requested_bytes = *requested;
  job.used_bytes = *used;
  return nullptr;
}

void SacctReader::ReadJob(int64_t number, const Row& row) {
  std::optional<size_t>& at = by_id_[row[kJobId]];
  Job job = {.id = std::string(row[kJobId]), .line = number};
  if (const char* const problem = FillIn(row, job); problem != nullptr) {
    at.reset();
    return log_.Skip(number, problem);
  }
  // UNLIMITED and the like are no limit.
  job.limit_ns = ParseSlurmTime(row[kTimelimit]);
  job.user = log_.UserNumber(row[kUser]);
  job.program = log_.ProgramNumber(row[kJobName]);
  at = jobs_.size();
  jobs_.push_back(std::move(job));
}

void SacctReader::ReadStep(int64_t number, std::string_view job, const Row& row) {
  const auto found = by_id_.find(job);
  if (found == by_id_.end()) return log_.Skip(number, "is a step of a job that is not above it");
  const std::optional<int64_t> used = UsedOf(row);
  if (!used.has_value()) return log_.Skip(number, "is a step with a MaxRSS that is none, or too large");
  if (!found->second.has_value()) return;
  Job& of = jobs_[*found->second];
  of.used_bytes = std::max(of.used_bytes, *used);
}

void SacctReader::Finish() {
  for (Job& job : jobs_) log_.Add(std::move(job));
}

}  // namespace

bool IsHeaderOfSacct(std::string_view line) {
  const std::vector<std::string_view> cells = Split(line, '|');
  return cells.size() > 1 && std::find(cells.begin(), cells.end(), kNames[kJobId]) != cells.end();
}

absl::Status ReadSacct(LogLines& lines, JobLogBuilder& log) {
  std::string_view line;
  if (!lines.Next(line)) return absl::OkStatus();
  if (!IsHeaderOfSacct(line))
    return lines.Mistake(Cat(Quoted(line),
                             " is no header of sacct -P; expected names of columns, JobID among them, "
                             "between '|'"));
  SacctReader reader(log);
  if (absl::Status status = reader.ReadHeader(lines, line); !status.ok()) return status;
  while (lines.Next(line)) reader.Read(lines.number(), line);
  reader.Finish();
  return absl::OkStatus();
}

}  // namespace numasim::workloads
