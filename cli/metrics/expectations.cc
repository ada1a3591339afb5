#include "cli/metrics/expectations.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/metrics/verdict.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using workloads::Condition;
using workloads::Quoted;

// Metrics that no column gives.
bool IsOfNoColumn(const std::string& metric) {
  return absl::StartsWith(metric, "operation.") || absl::StartsWith(metric, "events.");
}

// That `metric` is none of the possible ones: said in the words of its kind.
std::string MeansNothing(const std::string& metric, const RunMetrics& possible) {
  const std::string suggestion = DidYouMeanMetric(metric, possible);
  if (IsOfNoColumn(metric))
    return absl::StrCat(" is about nothing that this run can do", suggestion,
                        "; expected operation.SCRIPT.OPERATION.VALUE, operation.KIND.VALUE or events.KIND");
  return absl::StrCat(" is about no counter of the trace", suggestion,
                      "; expected a counter that trace.counters lets through, or a metric that begins with "
                      "operation., events. or lock.");
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

absl::Status Expectations::CheckNames(const RunMetrics& possible) {
  for (Expected& expected : all_) {
    const std::string& metric = expected.condition.metric;
    const absl::StatusOr<std::vector<Judgement>> judgements = Judge(expected.condition, possible);
    expected.possible = judgements.ok();
    if (expected.possible || (absl::IsNotFound(judgements.status()) && MayBeOfLock(metric))) continue;
    return absl::InvalidArgumentError(absl::StrCat(expected.place, ": ", Quoted(expected.condition.text),
                                                   absl::IsNotFound(judgements.status())
                                                       ? MeansNothing(metric, possible)
                                                       : absl::StrCat(" ", judgements.status().message())));
  }
  return absl::OkStatus();
}

Expectations::Verdict Expectations::Judged(const RunMetrics& run) const {
  Verdict verdict;
  for (const Expected& expected : all_) {
    const absl::StatusOr<std::vector<Judgement>> judgements = Judge(expected.condition, run);
    const std::string condition = absl::StrCat(expected.place, ": ", Quoted(expected.condition.text));
    if (!judgements.ok()) {
      const bool did_not_happen = expected.possible && absl::IsNotFound(judgements.status());
      verdict.mistakes.push_back(
          absl::StrCat(condition, " ",
                       did_not_happen ? "is about what did not happen in this run, which has no such metric; "
                                        "expected one that numasim metrics shows"
                                      : judgements.status().message()));
      continue;
    }
    for (const Judgement& judgement : *judgements) {
      if (judgement.holds == expected.should_hold) continue;
      verdict.not_met.push_back(
          absl::StrCat(condition, expected.should_hold ? " does not hold: " : " holds: ", judgement.metric,
                       " is ", judgement.value));
    }
  }
  return verdict;
}

}  // namespace numasim
