// The comparison for people: a table of what differs, and counts of the rest. As text, and as Markdown.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/compare/compare_format.h"
#include "cli/metrics/metric_text.h"
#include "cli/text/text_table.h"

namespace numasim {
namespace {

std::string ChangeText(const ComparedMetric& metric) {
  return std::isinf(metric.change) ? "from 0" : absl::StrFormat("%+.1f%%", 100 * metric.change);
}

std::string PText(const ComparedMetric& metric) {
  return metric.p.has_value() ? absl::StrFormat("%.2g", *metric.p) : "";
}

std::string PercentText(double share) { return absl::StrFormat("%g%%", 100 * share); }

std::string RunsText(size_t runs) { return absl::StrCat(runs, runs == 1 ? " run" : " runs"); }

std::string MetricsText(size_t count) { return absl::StrCat(count, count == 1 ? " metric" : " metrics"); }

std::string SideText(const std::string& path, const Side& side) {
  const size_t scenarios = side.scenario_names().size();
  return absl::StrCat(
      path, ": ", RunsText(side.runs()), " of ",
      scenarios == 1 ? *side.scenario_names().begin() : absl::StrCat(scenarios, " scenarios"));
}

std::string MethodText(const CompareReport& report) {
  const std::string least = PercentText(report.rules.min_effect);
  if (report.comparison.exact)
    return absl::StrCat("compared exactly; times and means differ from ", least, " on");
  return absl::StrFormat("medians that differ by %s or more, Mann-Whitney, level %g for all %s together",
                         least, report.rules.level, MetricsText(report.comparison.tests));
}

// What the table shows, the worst first.
std::vector<const ComparedMetric*> Shown(const Comparison& comparison) {
  std::vector<const ComparedMetric*> shown;
  for (const ComparedMetric& metric : comparison.metrics) {
    if (metric.verdict <= Verdict::kTooFewRuns) shown.push_back(&metric);
  }
  std::stable_sort(shown.begin(), shown.end(),
                   [](const auto* a, const auto* b) { return a->verdict < b->verdict; });
  return shown;
}

// Where a line is too narrow for all, what comes first is what stays together.
std::vector<std::string> Titles(bool exact) {
  if (exact) return {"metric", "verdict", "change", "base", "new"};
  return {"metric", "verdict", "change", "p", "base", "+/-", "new", "+/-"};
}

std::vector<std::string> Cells(const ComparedMetric& metric, bool exact) {
  const std::string verdict = VerdictName(metric.verdict);
  const std::string base = ValueText(metric.info, metric.base.median);
  const std::string changed = ValueText(metric.info, metric.changed.median);
  if (exact) return {metric.name, verdict, ChangeText(metric), base, changed};
  return {metric.name,
          verdict,
          ChangeText(metric),
          PText(metric),
          base,
          SpreadText(metric.base),
          changed,
          SpreadText(metric.changed)};
}

// "3 worse, 1 better, 200 equal"; "no difference in 12 metrics" where there is none.
std::string CountsText(const CompareReport& report) {
  const Comparison& comparison = report.comparison;
  const size_t all = comparison.metrics.size();
  if (comparison.Count(Verdict::kEqual) == all) return absl::StrCat("no difference in ", MetricsText(all));
  const std::pair<Verdict, std::string> kCounts[] = {
      {Verdict::kWorse, "worse"},
      {Verdict::kBetter, "better"},
      {Verdict::kDiffers, "otherwise different"},
      {Verdict::kTooFewRuns, "not judged"},
      {Verdict::kChance, "different, which may be chance"},
      {Verdict::kSmall, absl::StrCat("different by less than ", PercentText(report.rules.min_effect))},
      {Verdict::kEqual, "equal"}};
  std::vector<std::string> parts;
  for (const auto& [verdict, what] : kCounts) {
    if (const size_t count = comparison.Count(verdict); count > 0)
      parts.push_back(absl::StrCat(count, " ", what));
  }
  return absl::StrCat(MetricsText(all), ": ", absl::StrJoin(parts, ", "));
}

std::string OnlyText(const char* side, const std::vector<std::string>& names) {
  return absl::StrCat("only in ", side, ": ", absl::StrJoin(names, ", "));
}

// What stands below the table.
std::vector<std::string> Ends(const CompareReport& report) {
  const Comparison& comparison = report.comparison;
  std::vector<std::string> ends = {CountsText(report)};
  if (comparison.Count(Verdict::kTooFewRuns) > 0) {
    ends.push_back(absl::StrCat("too few runs to judge by: need at least ", comparison.runs_needed,
                                " runs a side, or fewer metrics (--metrics)"));
  }
  if (!comparison.only_base.empty()) ends.push_back(OnlyText("base", comparison.only_base));
  if (!comparison.only_changed.empty()) ends.push_back(OnlyText("new", comparison.only_changed));
  return ends;
}

std::string MarkdownRow(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const std::string& cell : cells)
    absl::StrAppend(&row, " ", absl::StrReplaceAll(cell, {{"|", "\\|"}}), " |");
  return row + "\n";
}

}  // namespace

void CompareText(const CompareReport& report, std::ostream& out) {
  constexpr size_t kIndent = 6;
  const auto print = [&](const std::string& line) { PrintFolded(line, kIndent, report.width, out); };
  print(absl::StrCat("base  ", SideText(report.base_path, report.base)));
  print(absl::StrCat("new   ", SideText(report.changed_path, report.changed)));
  print(MethodText(report));
  for (const std::string& note : report.notes) print(absl::StrCat("note: ", note));
  out << "\n";
  const bool exact = report.comparison.exact;
  if (const auto shown = Shown(report.comparison); !shown.empty()) {
    Table table;
    table.AddRow(Titles(exact));
    for (const ComparedMetric* metric : shown) table.AddRow(Cells(*metric, exact));
    table.Print(report.width, out);
    out << "\n";
  }
  for (const std::string& end : Ends(report)) print(end);
}

void CompareMarkdown(const CompareReport& report, std::ostream& out) {
  out << "- base: " << SideText(report.base_path, report.base) << "\n";
  out << "- new: " << SideText(report.changed_path, report.changed) << "\n";
  out << "- " << MethodText(report) << "\n";
  for (const std::string& note : report.notes) out << "- " << note << "\n";
  out << "\n";
  const bool exact = report.comparison.exact;
  if (const auto shown = Shown(report.comparison); !shown.empty()) {
    std::vector<std::string> titles = Titles(exact);
    titles.push_back("unit");
    out << MarkdownRow(titles) << MarkdownRow(std::vector<std::string>(titles.size(), "---"));
    for (const ComparedMetric* metric : shown) {
      std::vector<std::string> cells = Cells(*metric, exact);
      cells.push_back(metric->info.unit);
      out << MarkdownRow(cells);
    }
    out << "\n";
  }
  for (const std::string& end : Ends(report)) out << "- " << end << "\n";
}

}  // namespace numasim
