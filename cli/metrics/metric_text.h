// Values of metrics for people.
#ifndef NUMASIM_CLI_METRICS_METRIC_TEXT_H_
#define NUMASIM_CLI_METRICS_METRIC_TEXT_H_

#include <string>

#include "cli/metrics/metrics.h"
#include "cli/statistics/significance.h"

namespace numasim {

// "12.892808ms" of a time, "0.4%" of a share, "104.5" of anything else.
std::string ValueText(const MetricInfo& info, double value);

// The unit, unless ValueText() says it.
std::string UnitText(const MetricInfo& info);

// How far the interval reaches from the median at most: "3%"; "inf" where there are too few runs for one.
std::string SpreadText(const MedianInterval& interval);

}  // namespace numasim

#endif  // NUMASIM_CLI_METRICS_METRIC_TEXT_H_
