#include "cli/sweep/shown_metrics.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstddef>
#include <map>

namespace numasim {

absl::StatusOr<std::vector<NamedMetric>> MetricsByName(Sqlite& database) {
  const absl::StatusOr<std::map<int64_t, StoredMetric>> stored = StoredMetrics(database);
  if (!stored.ok()) return stored.status();
  std::vector<NamedMetric> metrics;
  for (const auto& [number, metric] : *stored) metrics.push_back({number, metric});
  std::sort(metrics.begin(), metrics.end(),
            [](const NamedMetric& a, const NamedMetric& b) { return a.metric.name < b.metric.name; });
  return metrics;
}

ShownMetrics MetricsShownBy(const Study& study, const std::vector<NamedMetric>& metrics) {
  ShownMetrics shown = {.chosen = std::vector<bool>(metrics.size()), .idle = {}};
  for (int i = 0; i < study.show_size(); ++i) {
    bool any = false;
    for (size_t m = 0; m < metrics.size(); ++m) {
      if (fnmatch(study.show(i).c_str(), metrics[m].metric.name.c_str(), 0) != 0) continue;
      shown.chosen[m] = any = true;
    }
    if (!any) shown.idle.push_back(i);
  }
  return shown;
}

}  // namespace numasim
