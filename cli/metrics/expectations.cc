#include "cli/metrics/expectations.h"

#include <fnmatch.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/metrics/verdict.h"
#include "workloads/nearest_name.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using workloads::Condition;
using workloads::Quoted;

// Metrics that no column gives: what they are called shows when the run has ended.
bool IsOfNoColumn(const std::string& metric) {
  return absl::StartsWith(metric, "operation.") || absl::StartsWith(metric, "events.") ||
         absl::StartsWith(metric, "lock.") || metric == "simulated_ns";
}

// The metrics of a trace's columns.
std::vector<std::string> OfColumns(const trace::Header& header) {
  std::vector<std::string> names;
  for (const trace::Column& column : header.column()) {
    names.push_back(column.name());
    if (!column.gauge()) continue;
    names.push_back(column.name() + ".least");
    names.push_back(column.name() + ".peak");
    names.push_back(column.name() + ".mean");
  }
  return names;
}

}  // namespace

absl::StatusOr<Expectations> Expectations::Create(const workloads::LoadedScenario& scenario,
                                                  const std::vector<std::string>& fail_on) {
  Expectations expectations;
  for (const workloads::Expectation& expected : scenario.expectations)
    expectations.all_.push_back({expected.condition, expected.place + ": expect", true});
  for (const std::string& text : fail_on) {
    absl::StatusOr<Condition> condition = workloads::ParseCondition(text);
    if (!condition.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--fail-on: ", Quoted(text), " ", condition.status().message()));
    }
    expectations.all_.push_back({*std::move(condition), "--fail-on", false});
  }
  return expectations;
}

absl::Status Expectations::CheckCounters(const trace::Header& header) const {
  const std::vector<std::string> names = OfColumns(header);
  for (const Expected& expected : all_) {
    const std::string& metric = expected.condition.metric;
    // A glob that begins with one may mean metrics of any kind.
    if (IsOfNoColumn(metric) || absl::StartsWith(metric, "*")) continue;
    const bool any = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return fnmatch(metric.c_str(), name.c_str(), 0) == 0;
    });
    if (any) continue;
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    return absl::InvalidArgumentError(
        absl::StrCat(expected.place, ": ", Quoted(expected.condition.text),
                     " is about no counter of the trace", workloads::DidYouMean(metric, candidates),
                     "; expected a counter that trace.counters lets through, or a metric that begins with "
                     "operation., events. or lock."));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Expectations::NotMet(const RunMetrics& run) const {
  std::vector<std::string> lines;
  for (const Expected& expected : all_) {
    const absl::StatusOr<std::vector<Judgement>> judgements = Judge(expected.condition, run);
    const std::string condition = absl::StrCat(expected.place, ": ", Quoted(expected.condition.text));
    if (!judgements.ok())
      return absl::InvalidArgumentError(absl::StrCat(condition, " ", judgements.status().message()));
    for (const Judgement& judgement : *judgements) {
      if (judgement.holds == expected.should_hold) continue;
      lines.push_back(absl::StrCat(condition, expected.should_hold ? " does not hold: " : " holds: ",
                                   judgement.metric, " is ", judgement.value));
    }
  }
  return lines;
}

}  // namespace numasim
