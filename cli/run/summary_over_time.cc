#include "cli/run/summary_over_time.h"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/metrics/metric_text.h"
#include "cli/text/size_text.h"
#include "cli/text/text_table.h"
#include "models/base/types.h"

namespace numasim {
namespace {

// The trace has all.
constexpr size_t kShownGauges = 24;
constexpr absl::string_view kLeast = ".least";

struct Gauge {
  std::string name;
  MetricInfo info;
  double least = 0;
  double mean = 0;
  double peak = 0;
  double last = 0;
};

// Unset where the metric is no gauge's least value.
std::optional<Gauge> GaugeOf(const RunMetrics& run, const std::string& metric) {
  if (!absl::EndsWith(metric, kLeast)) return std::nullopt;
  const std::string name(absl::StripSuffix(metric, kLeast));
  const auto last = run.metrics.find(name);
  if (last == run.metrics.end()) return std::nullopt;
  return Gauge{.name = name,
               .info = last->second.info,
               .least = run.metrics.at(metric).value,
               .mean = run.metrics.at(name + ".mean").value,
               .peak = run.metrics.at(name + ".peak").value,
               .last = last->second.value};
}

bool IsForSummary(const Gauge& gauge) {
  return gauge.least != gauge.peak && !absl::StrContains(gauge.name, ".free_blocks.") &&
         !absl::EndsWith(gauge.name, ".pcp_count");
}

std::string GaugeText(const MetricInfo& info, double value) {
  if (info.unit == "pages") return SizeForPeople(std::llround(value * static_cast<double>(kPageSize)));
  return ValueText(info, value);
}

}  // namespace

void PrintOverTime(const RunMetrics& run, std::ostream& out) {
  Table table;
  table.AddRow({"over time", "least", "mean", "peak", "end"});
  size_t gauges = 0;
  for (const auto& [name, metric] : run.metrics) {
    const std::optional<Gauge> gauge = GaugeOf(run, name);
    if (!gauge.has_value() || !IsForSummary(*gauge) || ++gauges > kShownGauges) continue;
    MetricInfo mean = gauge->info;
    if (mean.kind == MetricInfo::Kind::kCount) mean.kind = MetricInfo::Kind::kMean;
    table.AddRow({gauge->name, GaugeText(gauge->info, gauge->least), GaugeText(mean, gauge->mean),
                  GaugeText(gauge->info, gauge->peak), GaugeText(gauge->info, gauge->last)});
  }
  if (gauges == 0) return;
  table.Print(/*width=*/0, out);
  if (gauges > kShownGauges)
    out << absl::StrCat("  and ", gauges - kShownGauges, " more; see numasim metrics\n");
}

}  // namespace numasim
