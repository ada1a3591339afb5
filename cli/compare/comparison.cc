#include "cli/compare/comparison.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

constexpr std::array<const char*, kVerdicts> kVerdictNames = {
    "worse", "better", "differs", "too few runs", "may be chance", "small", "equal"};

bool AllEqual(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); });
}

// `values` of the same metric on both sides.
struct Pair {
  std::string name;
  MetricInfo info;
  std::vector<double> base;
  std::vector<double> changed;

  bool Constant() const { return AllEqual(base) && AllEqual(changed) && base.front() == changed.front(); }
};

double ChangeOf(double base, double changed) {
  if (base == changed) return 0;
  if (base == 0) return std::copysign(std::numeric_limits<double>::infinity(), changed);
  return (changed - base) / std::abs(base);
}

Verdict VerdictOf(Direction direction, double change) {
  // Two samples may differ and have one median.
  if (direction == Direction::kNeither || change == 0) return Verdict::kDiffers;
  return (change > 0) == (direction == Direction::kMoreIsWorse) ? Verdict::kWorse : Verdict::kBetter;
}

ComparedMetric Describe(const Pair& pair, double confidence) {
  ComparedMetric metric = {.name = pair.name,
                           .info = pair.info,
                           .base = MedianOf(pair.base, confidence),
                           .changed = MedianOf(pair.changed, confidence),
                           .base_runs = pair.base.size(),
                           .changed_runs = pair.changed.size(),
                           .p = std::nullopt};
  metric.change = ChangeOf(metric.base.median, metric.changed.median);
  return metric;
}

Verdict JudgeExact(const ComparedMetric& metric, const CompareRules& rules) {
  if (metric.change == 0) return Verdict::kEqual;
  const bool is_count = metric.info.kind == MetricInfo::Kind::kCount;
  if (!is_count && std::abs(metric.change) < rules.min_effect) return Verdict::kSmall;
  return VerdictOf(metric.info.direction, metric.change);
}

// Of a metric that was tested among `tests`.
Verdict JudgeTested(const ComparedMetric& metric, const CompareRules& rules, size_t tests) {
  if (std::abs(metric.change) < rules.min_effect) return Verdict::kSmall;
  if (*metric.p <= rules.level) return VerdictOf(metric.info.direction, metric.change);
  const double least = LeastMannWhitney(metric.base_runs, metric.changed_runs);
  return least * static_cast<double>(tests) > rules.level ? Verdict::kTooFewRuns : Verdict::kChance;
}

// Of a metric that only `other` runs name.
Side::Series Zeros(const MetricInfo& info, size_t runs) { return {info, std::vector<double>(runs, 0.0)}; }

// The wanted metrics that both sides have. The others are noted in `comparison`.
std::vector<Pair> PairUp(const Side& base, const Side& changed, const std::set<std::string>& wanted,
                         Comparison* comparison) {
  std::vector<Pair> pairs;
  for (const std::string& name : wanted) {
    const auto b = base.series().find(name);
    const auto c = changed.series().find(name);
    const bool in_base = b != base.series().end();
    const bool in_changed = c != changed.series().end();
    if (!in_base && !in_changed) continue;
    MetricInfo info = in_base ? b->second.info : c->second.info;
    // A trace from before directions were noted has none.
    if (in_changed && info.direction == Direction::kNeither) info.direction = c->second.info.direction;
    if ((!in_base || !in_changed) && !info.absent_is_zero) {
      (in_base ? comparison->only_base : comparison->only_changed).push_back(name);
      continue;
    }
    pairs.push_back({name, info, (in_base ? b->second : Zeros(info, base.runs())).values,
                     (in_changed ? c->second : Zeros(info, changed.runs())).values});
  }
  return pairs;
}

// Fills in p-values and verdicts. What has one value throughout is not tested: that this is so is known from
// the values of both sides together, before it is looked at which is whose, so that leaving such metrics out
// makes no false alarm more likely, and fewer tests find more.
void Test(const std::vector<Pair>& pairs, const CompareRules& rules, Comparison* comparison) {
  std::vector<size_t> tested;
  std::vector<double> p_values;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].Constant()) continue;
    tested.push_back(i);
    p_values.push_back(MannWhitney(pairs[i].base, pairs[i].changed));
  }
  const std::vector<double> adjusted = HolmAdjusted(p_values);
  for (size_t t = 0; t < tested.size(); ++t) {
    ComparedMetric& metric = comparison->metrics[tested[t]];
    metric.p = adjusted[t];
    metric.verdict = JudgeTested(metric, rules, tested.size());
  }
  comparison->tests = tested.size();
  comparison->runs_needed = ValuesNeeded(std::max<size_t>(1, tested.size()), rules.level);
}

}  // namespace

const char* VerdictName(Verdict verdict) { return kVerdictNames.at(static_cast<size_t>(verdict)); }

void Side::Add(const RunMetrics& run) {
  const std::string identity = absl::StrCat(run.scenario_hash, " ", run.seed, " ", run.program_version);
  const auto [first, is_new] = paths_by_run_.emplace(identity, run.path);
  if (!is_new) {
    same_runs_.push_back(absl::StrCat(run.path, " is the same run as ", first->second));
    return;
  }
  const size_t before = runs_++;
  scenario_names_.insert(run.scenario_name);
  scenario_hashes_.insert(run.scenario_hash);
  for (const auto& [name, metric] : run.metrics) {
    const auto [at, added] = series_.emplace(name, Series{metric.info, {}});
    if (added && metric.info.absent_is_zero) at->second.values.assign(before, 0.0);
    at->second.values.push_back(metric.value);
  }
  for (auto& [name, series] : series_) {
    if (series.info.absent_is_zero && !run.metrics.contains(name)) series.values.push_back(0);
  }
}

bool Side::alike() const {
  return std::all_of(series_.begin(), series_.end(), [this](const auto& named) {
    return named.second.values.size() == runs() && AllEqual(named.second.values);
  });
}

size_t Comparison::Count(Verdict verdict) const {
  return static_cast<size_t>(std::count_if(
      metrics.begin(), metrics.end(), [verdict](const auto& metric) { return metric.verdict == verdict; }));
}

Comparison Compare(const Side& base, const Side& changed, const CompareRules& rules,
                   const std::set<std::string>& wanted) {
  Comparison comparison;
  comparison.exact = base.alike() && changed.alike();
  const std::vector<Pair> pairs = PairUp(base, changed, wanted, &comparison);
  for (const Pair& pair : pairs) comparison.metrics.push_back(Describe(pair, 1 - rules.level));
  if (!comparison.exact) {
    Test(pairs, rules, &comparison);
    return comparison;
  }
  for (ComparedMetric& metric : comparison.metrics) metric.verdict = JudgeExact(metric, rules);
  return comparison;
}

}  // namespace numasim
