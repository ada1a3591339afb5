#include "workloads/batch/swf_reader.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "workloads/batch/log_values.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

// The fields of a line, by their numbers in the format's definition less one.
enum Field : uint8_t {
  kJob = 0,
  kSubmit = 1,
  kWait = 2,
  kRun = 3,
  kProcessors = 4,
  kUsedMemory = 6,
  kRequestedProcessors = 7,
  kRequestedTime = 8,
  kRequestedMemory = 9,
  kStatus = 10,
  kUser = 11,
  kProgram = 13,
};
constexpr size_t kFields = 18;
constexpr size_t kNumbersInFront = 11;
constexpr int64_t kKib = 1024;

using Fields = std::vector<std::string_view>;

bool LooksRight(const Fields& fields) {
  return fields.size() >= kFields &&
         std::all_of(fields.begin(), fields.begin() + kNumbersInFront,
                     [](std::string_view field) { return ParseScaled(field, 1).has_value(); });
}

// -1 and less: not known.
std::optional<int64_t> Known(std::string_view field, int64_t scale) {
  const std::optional<int64_t> value = ParseScaled(field, scale);
  return value.has_value() && *value >= 0 ? value : std::nullopt;
}

// Memory of all processors; 0: not known, as the format says -1 or sites write 0.
std::optional<int64_t> MemoryOf(std::string_view each, int64_t processors) {
  const std::optional<int64_t> bytes = Known(each, kKib);
  return bytes.has_value() ? Times(*bytes, processors) : 0;
}

// The first reason why the line is no job that can be run; empty: it is one.
std::string_view FirstProblem(const Fields& fields) {
  if (fields.size() < kFields) return "has fewer than 18 fields";
  if (!LooksRight(fields)) return "has a field that is no number";
  // Partial executions of a job whose whole is on a line of its own (status 0 or 1).
  const std::string_view status = fields[kStatus];
  if (status == "2" || status == "3" || status == "4") return "is a part of a job that has a line of its own";
  if (!Known(fields[kSubmit], kNsPerSecond).has_value())
    return "has a negative submit time, or one too large";
  const std::optional<int64_t> run = ParseScaled(fields[kRun], kNsPerSecond);
  if (!run.has_value()) return "has a run time that is too large";
  if (*run == -kNsPerSecond || *run == 0) return "did not run";
  if (*run < 0) return "has a negative run time";
  return "";
}

// Of allocated and requested processors the first that is known; 0: neither.
int64_t ProcessorsOf(const Fields& fields) {
  for (const Field field : {kProcessors, kRequestedProcessors}) {
    const std::optional<int64_t> processors = ParseScaled(fields[field], 1);
    if (processors.has_value() && *processors > 0) return *processors;
  }
  return 0;
}

void ReadLine(int64_t line, const Fields& fields, JobLogBuilder& log) {
  if (const std::string_view problem = FirstProblem(fields); !problem.empty()) {
    log.Skip(line, problem);
    return;
  }
  Job job = {.id = std::string(fields[kJob]), .line = line};
  const int64_t processors = ProcessorsOf(fields);
  if (processors == 0) return log.Skip(line, "has no number of processors");
  const std::optional<int64_t> millicpus = Times(processors, 1000);
  const std::optional<int64_t> used = MemoryOf(fields[kUsedMemory], processors);
  const std::optional<int64_t> requested = MemoryOf(fields[kRequestedMemory], processors);
  if (!millicpus || !used || !requested) return log.Skip(line, "has a value that is too large");
  job.millicpus = *millicpus;
  job.used_bytes = *used;
  job.requested_bytes = *requested;
  job.submit_ns = *ParseScaled(fields[kSubmit], kNsPerSecond);
  job.run_ns = *ParseScaled(fields[kRun], kNsPerSecond);
  const std::optional<int64_t> wait = Known(fields[kWait], kNsPerSecond);
  int64_t start = 0;
  if (wait.has_value() && !__builtin_add_overflow(job.submit_ns, *wait, &start)) job.start_ns = start;
  job.limit_ns = Known(fields[kRequestedTime], kNsPerSecond);
  if (job.limit_ns == 0) job.limit_ns.reset();
  const auto number = [](std::string_view id) { return id.starts_with('-') ? std::string_view() : id; };
  job.user = log.UserNumber(number(fields[kUser]));
  job.program = log.ProgramNumber(number(fields[kProgram]));
  log.Add(std::move(job));
}

}  // namespace

bool IsLineOfSwf(std::string_view line) {
  Fields fields;
  SplitAtBlanks(line, fields);
  return LooksRight(fields);
}

absl::Status ReadSwf(LogLines& lines, JobLogBuilder& log) {
  std::string_view line;
  Fields fields;
  for (bool first = true; lines.Next(line);) {
    SplitAtBlanks(line, fields);
    if (fields.front().starts_with(';')) continue;
    if (std::exchange(first, false) && !LooksRight(fields))
      return lines.Mistake(Cat(Quoted(line),
                               " is no line of a log in Standard Workload Format; expected 18 fields, the "
                               "first 11 of them numbers"));
    ReadLine(lines.number(), fields, log);
  }
  return absl::OkStatus();
}

}  // namespace numasim::workloads
