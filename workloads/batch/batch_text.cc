#include "workloads/batch/batch_text.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "proto/scenario.pb.h"
#include "workloads/batch/column_mapping.h"
#include "workloads/batch/job_log.h"
#include "workloads/generate/part_text.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

using BatchText = numasim::Workload::Batch;

// Builds one plan. Each step returns the first mistake that it finds.
class Reader {
 public:
  Reader(const MessageView& view, const GuestsContext& context)
      : view_(view), context_(context), text_(static_cast<const BatchText&>(view.message())) {}

  absl::StatusOr<BatchPlan> Read();

 private:
  absl::Status ReadName();
  absl::Status ReadJobs();
  absl::Status ReadModel();
  absl::Status ReadLog();
  absl::StatusOr<LogFormat> FormatOf(std::string_view text) const;
  absl::Status CheckColumns(LogFormat format) const;
  absl::Status CutLog();
  absl::Status ReadPolicy();
  absl::Status CheckStartTimes();
  absl::Status ReadMemory();
  void NoteUnknownMemory();
  absl::Status ReadGrowth();
  absl::Status ReadInto(const MessageView& view, std::string_view field, ValueUnit unit,
                        std::optional<Distribution>& out) const;
  void Warn(std::string_view field, std::string_view what) {
    context_.warnings.push_back(Cat(view_.FileAndLine(field), ": ", view_.PathOf(field), ": ", what));
  }

  const MessageView& view_;
  const GuestsContext& context_;
  const BatchText& text_;
  BatchPlan plan_;
};

absl::StatusOr<BatchPlan> Reader::Read() {
  using Step = absl::Status (Reader::*)();
  for (const Step step : {&Reader::ReadName, &Reader::ReadJobs, &Reader::ReadPolicy, &Reader::ReadMemory,
                          &Reader::ReadGrowth}) {
    if (absl::Status status = (this->*step)(); !status.ok()) return status;
  }
  return std::move(plan_);
}

absl::Status Reader::ReadInto(const MessageView& view, std::string_view field, ValueUnit unit,
                              std::optional<Distribution>& out) const {
  absl::StatusOr<Distribution> read = ReadDistribution(view.Nested(field), unit, context_.files);
  if (read.ok()) out = *std::move(read);
  return read.status();
}

absl::Status Reader::ReadName() {
  constexpr PartWords kWords{.field = "batch",
                             .what = "a batch system",
                             .expected = "a name for the batch system",
                             .example = "jobs"};
  return ReadPartName(view_, text_, kWords, plan_);
}

absl::StatusOr<LogFormat> Reader::FormatOf(std::string_view text) const {
  if (text_.has_format()) return *LogFormatNamed(text_.format());
  if (text_.has_columns()) return LogFormat::kCsv;
  const std::optional<LogFormat> found = FindLogFormat(text);
  if (found.has_value()) return *found;
  return view_.Mistake("log",
                       "is none of the logs that are known by their first line (swf, sacct, azure, openb); "
                       "expected one, or columns for a table of another kind");
}

absl::Status Reader::CheckColumns(LogFormat format) const {
  if (format == LogFormat::kCsv && !text_.has_columns())
    return view_.MistakeWithoutValue(
        "columns",
        "is missing, and a csv log needs it; expected such as columns: \"submit=created,end=deleted\"");
  if (format != LogFormat::kCsv && text_.has_columns())
    return view_.Mistake("columns", Cat("is given for a log of the format ", NameOf(format),
                                        ", whose columns are known; expected it with format: \"csv\" only"));
  if (!text_.has_columns()) return absl::OkStatus();
  const absl::StatusOr<ColumnMapping> mapping = ParseColumnMapping(text_.columns());
  if (mapping.ok()) return absl::OkStatus();
  return view_.MistakeWithoutValue("columns", FromAbsl(mapping.status().message()));
}

absl::Status Reader::ReadJobs() {
  plan_.start_ns = *ParseDuration(text_.start());
  if (text_.has_lublin()) return ReadModel();
  if (!text_.has_log())
    return view_.MistakeWithoutValue("log",
                                     "is missing; expected such as log: \"jobs.swf\", or lublin { .. }");
  const absl::Status status = ReadLog();
  return status.ok() ? CutLog() : status;
}

absl::Status Reader::ReadModel() {
  for (const auto& [field, given] : {std::pair<std::string_view, bool>{"log", text_.has_log()},
                                     {"format", text_.has_format()},
                                     {"columns", text_.has_columns()},
                                     {"count", text_.has_count()}}) {
    if (given)
      return view_.Mistake(field, "is given beside lublin, which needs no log; expected one of them");
  }
  if (text_.policy() == "log_start_times")
    return view_.Mistake("policy",
                         "needs start times, and lublin makes none; expected fcfs or easy_backfill");
  const MessageView view = view_.Nested("lublin");
  if (!text_.lublin().has_jobs())
    return view.MistakeWithoutValue("jobs", "is missing; expected such as jobs: 1000");
  if (!text_.lublin().has_cpus())
    return view.MistakeWithoutValue("cpus", "is missing; expected such as cpus: 64");
  if (text_.lublin().pace() == 0) return view.Mistake("pace", "lets no job come; expected more than 0");
  plan_.model = LublinModel{text_.lublin().jobs(), text_.lublin().cpus(), text_.lublin().pace()};
  if (!text_.has_memory_per_cpu()) Warn("lublin", "its jobs take no memory without memory_per_cpu");
  return absl::OkStatus();
}

absl::Status Reader::ReadLog() {
  // A mistake in a log quotes it. Of another file, a password file say, nothing may show.
  constexpr std::string_view kEndings[] = {".swf", ".sacct", ".csv", ".psv", ".log", ".txt"};
  const std::string ending = std::filesystem::path(text_.log()).extension().string();
  if (std::find(std::begin(kEndings), std::end(kEndings), ending) == std::end(kEndings))
    return view_.Mistake(
        "log", Cat("is not named as a log; expected a name that ends in one of ", Join(kEndings, ", ")));
  const absl::StatusOr<std::string> text = context_.files.read(view_, "log", text_.log());
  if (!text.ok()) return text.status();
  const absl::StatusOr<LogFormat> format = FormatOf(*text);
  if (!format.ok()) return format.status();
  if (absl::Status status = CheckColumns(*format); !status.ok()) return status;
  const std::string name = context_.files.display(text_.log());
  absl::StatusOr<JobLog> log = ParseJobLog(name, *text, *format, text_.columns());
  if (!log.ok()) return log.status();
  plan_.log = *std::move(log);
  for (std::string& note : plan_.log.Notes(name)) context_.warnings.push_back(std::move(note));
  return absl::OkStatus();
}

absl::Status Reader::CutLog() {
  if (!text_.has_count()) return absl::OkStatus();
  const auto jobs = static_cast<int64_t>(plan_.log.jobs.size());
  if (text_.count() > jobs)
    return view_.Mistake("count", Cat("is more than the log has jobs; expected at most ", jobs));
  plan_.log.jobs.resize(static_cast<size_t>(text_.count()));
  return absl::OkStatus();
}

absl::Status Reader::ReadPolicy() {
  if (text_.policy() == "fcfs") plan_.policy = BatchPolicy::kFcfs;
  if (text_.policy() == "log_start_times") plan_.policy = BatchPolicy::kLogStartTimes;
  const bool backfills = plan_.policy == BatchPolicy::kEasyBackfill;
  if (!backfills && text_.has_backfill_depth())
    return view_.Mistake("backfill_depth", Cat("is given with policy: ", Quoted(text_.policy()),
                                               ", which starts nothing before its turn; expected none"));
  plan_.backfill_depth = backfills ? text_.backfill_depth() : 0;
  if (text_.placement() == "spread") plan_.placement = JobPlacement::kSpread;
  if (context_.nodes == 1 && text_.has_placement())
    Warn("placement", "has no effect: the machine has one node");
  return plan_.policy == BatchPolicy::kLogStartTimes ? CheckStartTimes() : absl::OkStatus();
}

absl::Status Reader::CheckStartTimes() {
  const auto without = std::count_if(plan_.log.jobs.begin(), plan_.log.jobs.end(),
                                     [](const Job& job) { return !job.start_ns.has_value(); });
  if (without == std::ssize(plan_.log.jobs))
    return view_.Mistake("policy", "needs start times, and the log has none; expected fcfs or easy_backfill");
  if (without > 0)
    Warn("policy", Cat(without, " jobs have no start time in the log and start when submitted"));
  return absl::OkStatus();
}

absl::Status Reader::ReadMemory() {
  plan_.pages = GuestPagesNamed(text_.page_size());
  // Base pages leave room for page tables and for the kernel itself.
  constexpr std::string_view kOfPool = "100%";
  constexpr std::string_view kOfBasePages = "95%";
  std::string_view share = HugeSizeOf(plan_.pages).has_value() ? kOfPool : kOfBasePages;
  if (text_.has_bookable()) share = text_.bookable();
  if (absl::Status status = ReadShare(view_, "bookable", share, plan_.bookable); !status.ok()) return status;
  if (plan_.bookable == 0) return view_.Mistake("bookable", "is no memory at all; expected more than 0");
  if (text_.has_memory_per_cpu()) {
    if (absl::Status status = ReadInto(view_, "memory_per_cpu", ValueUnit::kSize, plan_.memory_per_cpu);
        !status.ok())
      return status;
  }
  NoteUnknownMemory();
  return absl::OkStatus();
}

void Reader::NoteUnknownMemory() {
  if (plan_.model.has_value()) return;
  const auto unknown = std::count_if(plan_.log.jobs.begin(), plan_.log.jobs.end(),
                                     [](const Job& job) { return job.bytes_to_use() == 0; });
  if (unknown == 0 && plan_.memory_per_cpu.has_value())
    Warn("memory_per_cpu", "has no effect: the log says of every job how much memory it has");
  if (unknown > 0 && !plan_.memory_per_cpu.has_value())
    Warn("log", Cat("of ", unknown, " of ", plan_.log.jobs.size(),
                    " jobs the log does not say how much memory they have, and they take none; "
                    "memory_per_cpu would draw it"));
}

absl::Status Reader::ReadGrowth() {
  if (!text_.has_growth()) return absl::OkStatus();
  const MessageView view = view_.Nested("growth");
  plan_.steps = text_.growth().steps();
  absl::Status status;
  if (text_.growth().has_first()) status = ReadInto(view, "first", ValueUnit::kShare, plan_.first);
  if (status.ok() && text_.growth().has_over())
    status = ReadInto(view, "over", ValueUnit::kShare, plan_.over);
  return status;
}

}  // namespace

absl::StatusOr<BatchPlan> ReadBatch(const MessageView& view, const GuestsContext& context) {
  return Reader(view, context).Read();
}

}  // namespace numasim::workloads
