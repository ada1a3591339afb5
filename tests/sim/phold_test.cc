#include "tests/sim/phold.h"

#include <cmath>

#include "gtest/gtest.h"

namespace numasim::sim {
namespace {

struct Outcome {
  uint64_t steps;
  uint64_t events;
  uint64_t hash;
  bool operator==(const Outcome&) const = default;
};

Outcome RunPhold(Engine::Options engine_options, const Phold::Options& options, SimTime end, int pieces = 1) {
  Engine engine(engine_options);
  Phold model(engine, options);
  for (int i = 1; i <= pieces; ++i) EXPECT_TRUE(engine.Run(SimTime{end.ns / pieces * i}).ok());
  return {model.steps(), engine.events_executed(), model.hash()};
}

// A job is a renewal process: in a time T it makes about T / mean steps. The sum over N jobs of independent
// steps has a variance of N * T * variance of a step / mean^3.
TEST(PholdTest, StepCountIsThatOfARenewalProcess) {
  const Duration lookahead = Nanoseconds(500);
  const Phold::Options options{.lps = 64, .jobs_per_lp = 4, .remote = 0.3};
  const SimTime end{Milliseconds(5).ns};
  const Outcome outcome = RunPhold({.lookahead = lookahead}, options, end);
  const double jobs = options.lps * options.jobs_per_lp;
  const double mean = static_cast<double>(options.mean.ns) - 0.5;  // a step is rounded down to whole ns
  const double time = static_cast<double>(end.ns);
  const double deviation = static_cast<double>((options.mean - lookahead).ns);
  const double expected = jobs * time / mean;
  const double sigma = std::sqrt(jobs * time * deviation * deviation / (mean * mean * mean));
  EXPECT_NEAR(static_cast<double>(outcome.steps), expected, 5 * sigma + jobs);
  EXPECT_EQ(outcome.events, outcome.steps);
}

TEST(PholdTest, SameOutcomeHoweverTheRunIsCutUp) {
  const Phold::Options options{.lps = 16, .jobs_per_lp = 3, .remote = 0.5};
  const SimTime end{Milliseconds(1).ns};
  EXPECT_EQ(RunPhold({}, options, end, 1), RunPhold({}, options, end, 50));
}

TEST(PholdTest, SameOutcomeWithManyLpsInParallel) {
  const Phold::Options options{.lps = 300, .jobs_per_lp = 2, .remote = 0.5};
  const SimTime end{Microseconds(200).ns};
  const Outcome one = RunPhold({}, options, end);
  for (const int threads : {2, 4}) {
    EXPECT_EQ(one, RunPhold({.threads = threads, .scheme = Scheme::kParallel}, options, end)) << threads;
  }
}

TEST(PholdTest, AnotherSeedIsAnotherRun) {
  const Phold::Options options{.lps = 16};
  const SimTime end{Milliseconds(1).ns};
  EXPECT_NE(RunPhold({.seed = 1}, options, end).hash, RunPhold({.seed = 2}, options, end).hash);
}

}  // namespace
}  // namespace numasim::sim
