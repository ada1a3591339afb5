// A metric of a sweep over its points: the median over seeds, how sure it is, and the runs themselves. A
// value.
#ifndef NUMASIM_CLI_REPORT_SWEEP_SERIES_H_
#define NUMASIM_CLI_REPORT_SWEEP_SERIES_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "cli/sweep/shown_metrics.h"

namespace numasim {

// The values of its runs by point, as ValuesByPoint() reads them.
using PointValues = std::map<size_t, std::vector<double>>;

// Whether it is the same in all runs that have it. No point's values are empty.
bool IsConstant(const PointValues& values);

// JSON without its last brace: "name", "unit", "median" by point of `points`, null where no run has it, and
// "low" and "high" of the median's interval, null where there are too few runs for one; absent: null for all.
std::string SeriesJson(const NamedMetric& metric, const PointValues& values,
                       const std::vector<size_t>& points);

// "runs": the values of each of `points`; empty where none has more than one, or where there are so many that
// a plot could not tell them apart.
std::string RunsJson(const PointValues& values, const std::vector<size_t>& points);

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_SWEEP_SERIES_H_
