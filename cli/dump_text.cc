// The listing for people.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/dump_format.h"
#include "cli/time_text.h"

namespace numasim {
namespace {

constexpr size_t kTimeWidth = 14;

std::string PadLeft(absl::string_view text, size_t width) {
  return absl::StrCat(std::string(width - std::min(width, text.size()), ' '), text);
}

std::string PadRight(absl::string_view text, size_t width) {
  return absl::StrCat(text, std::string(width - std::min(width, text.size()), ' '));
}

// Rows of cells, each column as wide as its widest cell, the first to the left.
class Table {
 public:
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  void Print(std::ostream& out) const {
    std::vector<size_t> widths;
    for (const std::vector<std::string>& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()), 0);
      for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (const std::vector<std::string>& row : rows_) {
      out << "  " << PadRight(row[0], widths[0]);
      for (size_t i = 1; i < row.size(); ++i) out << "  " << PadLeft(row[i], widths[i]);
      out << "\n";
    }
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

void PrintHead(const TraceReader& trace, const DumpView& view, std::ostream& out) {
  const trace::Header& header = trace.header();
  const trace::Footer& index = trace.index();
  out << "trace " << view.path << (trace.complete() ? "" : " (not complete)") << "\n";
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
  out << "  events    " << index.events() << (index.events() == 0 ? "" : ": ")
      << absl::StrJoin(index.event_kind(), ", ", kind) << "\n";
  if (index.has_first_ns()) {
    out << "  time      " << TimeText(index.first_ns()) << " to " << TimeText(index.last_ns()) << "\n";
  }
}

// A line per sample whose shown values differ from the sample before; the others are counted.
class SampleLines : public TraceVisitor {
 public:
  SampleLines(const trace::Header& header, const DumpView& view, std::ostream& out)
      : header_(header), view_(view), out_(out) {
    for (size_t i = 0; i < view.columns.size(); ++i) {
      const trace::Column& column = header.column(static_cast<int>(view.columns[i]));
      widths_.push_back(std::max({view.widths[i], column.name().size(), column.unit().size()}));
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
      for (size_t i = 0; i < view_.columns.size(); ++i) {
        shown_.push_back(samples.values[view_.columns[i]]);
        absl::StrAppend(&line, "  ", PadLeft(absl::StrCat(shown_[i]), widths_[i]));
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
      if (shown_[i] != samples.values[view_.columns[i]]) return false;
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
    std::string names = PadLeft("time", kTimeWidth);
    std::string units(kTimeWidth, ' ');
    for (size_t i = 0; i < view_.columns.size(); ++i) {
      const trace::Column& column = header_.column(static_cast<int>(view_.columns[i]));
      absl::StrAppend(&names, "  ", PadLeft(column.name(), widths_[i]));
      absl::StrAppend(&units, "  ", PadLeft(column.unit(), widths_[i]));
    }
    out_ << names << "\n" << units << "\n";
  }

  const trace::Header& header_;
  const DumpView& view_;
  std::ostream& out_;
  std::vector<size_t> widths_;
  bool any_ = false;
  std::vector<int64_t> shown_;  // values of the last line
  int64_t same_ = 0;            // samples after it that show the same
  int64_t same_to_ns_ = 0;
};

class EventLines : public TraceVisitor {
 public:
  explicit EventLines(std::ostream& out) : out_(out) {}
  void OnEvent(const trace::Event& event) override {
    out_ << PadLeft(TimeText(event.time_ns()), kTimeWidth) << "  " << event.lp() << "  " << event.kind()
         << "  " << event.path() << ": " << event.detail() << "\n";
  }

 private:
  std::ostream& out_;
};

// Greatest value of the bucket below which `percent` of the values lie.
int64_t Percentile(const trace::Histogram& histogram, uint64_t percent) {
  uint64_t total = 0;
  for (const trace::Histogram::Bucket& bucket : histogram.bucket()) total += bucket.count();
  uint64_t seen = 0;
  for (const trace::Histogram::Bucket& bucket : histogram.bucket()) {
    seen += bucket.count();
    // seen / total >= percent / 100, without a product that overflows.
    if (seen >= total / 100 * percent + (total % 100 * percent + 99) / 100) {
      return std::min(bucket.high(), histogram.max());
    }
  }
  return histogram.max();
}

class LockLines : public TraceVisitor {
 public:
  LockLines() {
    table_.AddRow({"lock", "kind", "acquired", "contended", "wait mean", "50%", "99%", "max", "hold mean",
                   "50%", "99%", "max"});
  }

  void OnLock(const trace::LockStats& lock) override {
    std::vector<std::string> row = {lock.name(), lock.kind(), absl::StrCat(lock.acquired()),
                                    absl::StrCat(lock.contended())};
    AddTimes(lock.wait_ns(), lock.contended(), &row);
    AddTimes(lock.hold_ns(), lock.acquired(), &row);
    table_.AddRow(std::move(row));
  }

  void Print(std::ostream& out) const { table_.Print(out); }

 private:
  static void AddTimes(const trace::Histogram& times, uint64_t count, std::vector<std::string>* row) {
    if (count == 0) {
      row->insert(row->end(), 4, "-");
      return;
    }
    row->push_back(TimeText(static_cast<int64_t>(static_cast<uint64_t>(times.sum()) / count)));
    row->push_back(TimeText(Percentile(times, 50)));
    row->push_back(TimeText(Percentile(times, 99)));
    row->push_back(TimeText(times.max()));
  }

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
    SampleLines samples(trace.header(), view, out);
    status = trace.Read(view.range, &samples);
    samples.End();
  }
  if (trace.index().events() > 0) {
    out << "\nevents\n";
    EventLines events(out);
    status.Update(trace.Read(view.range, &events));
  }
  if (trace.index().locks() > 0) {
    out << "\nlocks\n";
    LockLines locks;
    status.Update(trace.Read(kNoTime, &locks));
    locks.Print(out);
  }
  return status;
}

}  // namespace numasim
