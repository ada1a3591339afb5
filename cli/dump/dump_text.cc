// The listing for people.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/dump/dump_format.h"
#include "cli/dump/pageblock_stretches.h"
#include "cli/statistics/percentile.h"
#include "cli/statistics/statistics.h"
#include "cli/text/failure_text.h"
#include "cli/text/text_table.h"
#include "cli/text/time_text.h"

namespace numasim {
namespace {

constexpr size_t kTimeWidth = 14;

void PrintHead(const TraceReader& trace, const DumpView& view, std::ostream& out) {
  const trace::Header& header = trace.header();
  const trace::Footer& index = trace.index();
  out << "trace " << view.path << (trace.complete() ? "" : " (not complete)");
  if (index.has_ended_by()) out << " (ended by " << index.ended_by() << " before its end)";
  out << "\n";
  out << "  scenario  " << header.scenario_name() << " (" << header.scenario().size() << " bytes), seed "
      << header.seed() << "\n";
  for (const trace::Script& script : header.script()) {
    out << "  script    " << script.name() << " (" << script.text().size() << " bytes)\n";
  }
  out << "  program   numasim " << header.program_version() << "\n";
  out << "  samples   " << index.samples() << " of " << header.column_size() << " columns, every "
      << TimeText(header.sampling_interval_ns()) << "\n";
  const auto kind = [](std::string* to, const trace::KindCount& k) {
    absl::StrAppend(to, k.kind(), " ", k.count());
  };
  PrintFolded(absl::StrCat("  events    ", index.events(), index.events() == 0 ? "" : ": ",
                           absl::StrJoin(index.event_kind(), ", ", kind)),
              /*indent=*/12, view.width, out);
  if (index.has_first_ns()) {
    out << "  time      " << TimeText(index.first_ns()) << " to " << TimeText(index.last_ns()) << "\n";
  }
}

// What stands above a column: its name, in one line or part below part, and its unit.
struct Title {
  std::vector<std::string> name;
  std::string unit;
  size_t width = 0;
};

std::vector<Title> Titles(const trace::Header& header, const DumpView& view, bool stacked) {
  std::vector<Title> titles;
  for (size_t i = 0; i < view.columns.size(); ++i) {
    const trace::Column& column = header.column(static_cast<int>(view.columns[i]));
    Title title = {{column.name()}, column.unit(), std::max(view.widths[i], column.unit().size())};
    if (stacked) title.name = std::vector<std::string>(absl::StrSplit(column.name(), '.'));
    for (const std::string& part : title.name) title.width = std::max(title.width, part.size());
    titles.push_back(std::move(title));
  }
  return titles;
}

std::vector<size_t> WidthsOf(const std::vector<Title>& titles) {
  std::vector<size_t> widths;
  widths.reserve(titles.size());
  for (const Title& title : titles) widths.push_back(title.width);
  return widths;
}

// A line per sample whose shown values differ from the sample before; the others are counted. Shows the
// columns `shown`, by their place in the view.
class SampleLines : public TraceVisitor {
 public:
  SampleLines(const DumpView& view, const std::vector<Title>& titles, const std::vector<size_t>& shown,
              std::ostream& out)
      : out_(out) {
    for (const size_t i : shown) {
      columns_.push_back(view.columns[i]);
      titles_.push_back(titles[i]);
    }
  }

  void OnSamples(const SampleSpan& samples) override {
    int64_t same = samples.count;
    if (!Same(samples)) {
      EndSame();
      if (!any_) PrintTitles();
      any_ = true;
      std::string line = PadLeft(TimeText(samples.first_ns), kTimeWidth);
      shown_.clear();
      for (size_t i = 0; i < columns_.size(); ++i) {
        shown_.push_back(samples.values[columns_[i]]);
        absl::StrAppend(&line, "  ", PadLeft(absl::StrCat(Shown(shown_[i])), titles_[i].width));
      }
      out_ << line << "\n";
      --same;
    }
    same_ += same;
    same_to_ns_ = samples.last_ns();
  }

  void End() {
    EndSame();
    if (!any_) out_ << "  none in this time\n";
  }

 private:
  bool Same(const SampleSpan& samples) const {
    if (!any_) return false;
    for (size_t i = 0; i < shown_.size(); ++i) {
      if (shown_[i] != samples.values[columns_[i]]) return false;
    }
    return true;
  }

  void EndSame() {
    if (same_ > 0) {
      out_ << PadLeft("", kTimeWidth) << "  (the same in " << same_ << (same_ == 1 ? " sample" : " samples")
           << " to " << TimeText(same_to_ns_) << ")\n";
    }
    same_ = 0;
  }

  void PrintTitles() {
    size_t lines = 1;
    for (const Title& title : titles_) lines = std::max(lines, title.name.size());
    for (size_t line = 0; line < lines; ++line) {
      out_ << PadLeft(line + 1 == lines ? "time" : "", kTimeWidth);
      for (const Title& title : titles_) {
        const size_t above = lines - title.name.size();
        out_ << "  " << PadLeft(line < above ? "" : title.name[line - above], title.width);
      }
      out_ << "\n";
    }
    out_ << std::string(kTimeWidth, ' ');
    for (const Title& title : titles_) out_ << "  " << PadLeft(title.unit, title.width);
    out_ << "\n";
  }

  std::vector<size_t> columns_;  // by their place in the trace
  std::vector<Title> titles_;
  std::ostream& out_;
  bool any_ = false;
  std::vector<int64_t> shown_;  // values of the last line
  int64_t same_ = 0;            // samples after it that show the same
  int64_t same_to_ns_ = 0;
};

// Wide tables become narrower by names in parts, one below the other, and then several.
absl::Status PrintSamples(TraceReader& trace, const DumpView& view, std::ostream& out) {
  const size_t room = RoomBehind(kTimeWidth, view.width);
  std::vector<Title> titles = Titles(trace.header(), view, /*stacked=*/false);
  if (FoldColumns(WidthsOf(titles), room).size() > 1) titles = Titles(trace.header(), view, /*stacked=*/true);
  absl::Status status;
  bool first = true;
  for (const std::vector<size_t>& group : FoldColumns(WidthsOf(titles), room)) {
    if (!std::exchange(first, false)) out << "\n";
    SampleLines samples(view, titles, group, out);
    status.Update(ReadSamples(trace, view, samples));
    samples.End();
  }
  return status;
}

class EventLines : public TraceVisitor {
 public:
  EventLines(size_t width, std::ostream& out) : width_(width), out_(out) {}
  void OnEvent(const trace::Event& event) override {
    PrintFolded(absl::StrCat(PadLeft(TimeText(event.time_ns()), kTimeWidth), "  ", event.lp(), "  ",
                             event.kind(), "  ", event.path(), ": ", DetailText(event)),
                /*indent=*/kTimeWidth + 4, width_, out_);
  }

 private:
  const size_t width_;
  std::ostream& out_;
};

class SpanLines : public TraceVisitor {
 public:
  SpanLines(size_t width, std::ostream& out) : width_(width), out_(out) {}
  void OnSpan(const trace::Span& span) override {
    const std::string failed = span.has_failed() ? absl::StrCat(" ", span.failed()) : "";
    PrintFolded(absl::StrCat(PadLeft(TimeText(span.began_ns()), kTimeWidth), "  ", span.lp(), "  ",
                             span.kind(), "  ", span.path(), ": ", span.name(), " took ",
                             TimeText(span.ended_ns() - span.began_ns()), failed),
                /*indent=*/kTimeWidth + 4, width_, out_);
  }

 private:
  const size_t width_;
  std::ostream& out_;
};

// The cells of a histogram: mean, two percentiles and the greatest, or as many dashes.
void AddTimes(const trace::Histogram& times, uint64_t count, std::vector<std::string>* row) {
  const std::optional<TimesSummary> summary = SummaryOf(times, count);
  if (!summary.has_value()) {
    row->insert(row->end(), 4, "-");
    return;
  }
  for (const int64_t time : {summary->mean, summary->median, summary->percentile_99, summary->max})
    row->push_back(TimeText(time));
}

class LockLines : public TraceVisitor {
 public:
  LockLines() {
    table_.AddRow({"lock", "kind", "acquired", "contended", "wait mean", "50%", "99%", "max", "hold mean",
                   "50%", "99%", "max"});
  }

  void OnLock(const trace::LockStats& lock) override {
    // With its node, which alone tells one mmap_lock from another.
    std::vector<std::string> row = {std::string(absl::StripPrefix(LockName(lock), "lock.")), lock.kind(),
                                    absl::StrCat(lock.acquired()), absl::StrCat(lock.contended())};
    AddTimes(lock.wait_ns(), lock.contended(), &row);
    AddTimes(lock.hold_ns(), lock.acquired(), &row);
    table_.AddRow(std::move(row));
  }

  void Print(size_t width, std::ostream& out) const { table_.Print(width, out); }

 private:
  Table table_;
};

class OperationLines : public TraceVisitor {
 public:
  OperationLines() {
    table_.AddRow({"operation", "tried", "failed", "took mean", "50%", "99%", "max", "why it failed"});
  }

  void OnOperation(const trace::OperationStats& operation) override {
    std::vector<std::string> reasons;
    for (const trace::FailureCount& reason : operation.failed())
      reasons.push_back(absl::StrCat(reason.count(), " ", reason.reason()));
    const std::string script = operation.has_script() ? operation.script() + ": " : "";
    std::vector<std::string> row = {script + operation.operation(), absl::StrCat(operation.tried()),
                                    absl::StrCat(FailedTimes(operation))};
    AddTimes(operation.latency_ns(), operation.has_latency_ns() ? operation.tried() : 0, &row);
    row.push_back(absl::StrJoin(reasons, ", "));
    table_.AddRow(std::move(row));
  }

  void Print(size_t width, std::ostream& out) const { table_.Print(width, out); }

 private:
  Table table_;
};

// How many of each zone's pageblocks are used for what.
class PageblockLines : public TraceVisitor {
 public:
  PageblockLines() {
    std::vector<std::string> titles = {"pageblocks"};
    for (int use = 0; use < trace::PageblockMap::Use_ARRAYSIZE; ++use)
      titles.push_back(PageblockUseName(static_cast<trace::PageblockMap::Use>(use)));
    table_.AddRow(std::move(titles));
  }

  void OnPageblocks(const trace::PageblockMap& map) override {
    std::vector<uint64_t> totals(trace::PageblockMap::Use_ARRAYSIZE);
    for (const PageblockStretch& run : PageblockStretches(map)) totals[run.use] += run.count;
    std::vector<std::string> row = {map.zone()};
    for (const uint64_t total : totals) row.push_back(absl::StrCat(total));
    table_.AddRow(std::move(row));
  }

  void Print(size_t width, std::ostream& out) const { table_.Print(width, out); }

 private:
  Table table_;
};

}  // namespace

absl::Status DumpText(TraceReader& trace, const DumpView& view, std::ostream& out) {
  PrintHead(trace, view, out);
  absl::Status status = trace.end_status();
  if (view.columns.empty()) {
    out << "\nsamples: no column ever changes (--counters '*' shows them all)\n";
  } else {
    out << "\nsamples\n";
    status = PrintSamples(trace, view, out);
  }
  if (trace.index().events() > 0) {
    out << "\nevents\n";
    EventLines events(view.width, out);
    status.Update(trace.Read(view.range, &events));
  }
  if (trace.index().spans() > 0) {
    out << "\nspans\n";
    SpanLines spans(view.width, out);
    status.Update(trace.Read(view.range, &spans));
  }
  if (trace.index().locks() > 0) {
    out << "\nlocks\n";
    LockLines locks;
    status.Update(trace.Read(kNoTime, &locks));
    locks.Print(view.width, out);
  }
  if (trace.index().operations() > 0) {
    out << "\noperations\n";
    OperationLines operations;
    status.Update(trace.Read(kNoTime, &operations));
    operations.Print(view.width, out);
  }
  if (trace.index().pageblock_maps() > 0) {
    out << "\npageblocks at the end\n";
    PageblockLines pageblocks;
    status.Update(trace.Read(kNoTime, &pageblocks));
    pageblocks.Print(view.width, out);
  }
  return status;
}

}  // namespace numasim
