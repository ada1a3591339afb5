#include "workloads/batch/lublin_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "workloads/batch/log_values.h"

namespace numasim::workloads {
namespace {

constexpr int64_t kJobs = 50'000;

JobLog Log(double pace = 1, uint64_t seed = 1) {
  return LublinModel{kJobs, 128, pace}.Generate(seed, "test");
}

double Share(const JobLog& log, bool (*holds)(int64_t cpus)) {
  const auto count = std::count_if(log.jobs.begin(), log.jobs.end(),
                                   [&](const Job& job) { return holds(job.millicpus / 1000); });
  return static_cast<double>(count) / static_cast<double>(log.jobs.size());
}

TEST(LublinModelTest, SameSeedIsTheSameLog) {
  const auto jobs = [](const JobLog& log) {
    std::vector<std::vector<int64_t>> all;
    for (const Job& job : log.jobs) all.push_back({job.submit_ns, job.run_ns, job.millicpus});
    return all;
  };
  EXPECT_TRUE(jobs(Log()) == jobs(Log()));
  EXPECT_FALSE(jobs(Log()) == jobs(Log(1, 2)));
}

// 29.27% by the first draw. 66.86% are a power of two for certain, and others by chance.
TEST(LublinModelTest, CpusAreAsPublished) {
  const JobLog log = Log();
  EXPECT_NEAR(Share(log, [](int64_t cpus) { return cpus == 1; }), 0.2927, 0.01);
  EXPECT_GT(Share(log, [](int64_t cpus) { return (cpus & (cpus - 1)) == 0; }), 0.2927 + 0.6686);
  EXPECT_EQ(Share(log, [](int64_t cpus) { return cpus < 1 || cpus > 128; }), 0);
  // Of the upper stage, from 2^5 to 2^7, those of a power of two are more than 32 from 2^5.5 on.
  EXPECT_NEAR(Share(log, [](int64_t cpus) { return cpus > 32; }), 0.125 * (0.6686 * 0.75 + 0.0387), 0.01);
}

// The mean of ln(run time) is that of the two gamma distributions, 6.57 * 0.823 and 639.1 * 0.0156, in the
// share that jobs of one CPU have of each. Runs of whole seconds are shorter by half of one on average.
TEST(LublinModelTest, RunTimesOfSerialJobsHaveThePublishedMean) {
  double sum = 0;
  int64_t serial = 0;
  for (const Job& job : Log().jobs) {
    if (job.millicpus != 1000) continue;
    ++serial;
    sum += std::log(static_cast<double>(job.run_ns) / 1e9);
    EXPECT_LE(job.run_ns, static_cast<int64_t>(std::exp(12.0) * 1e9));
  }
  const double shorts = 0.6986 - 0.003;
  EXPECT_NEAR(sum / static_cast<double>(serial), shorts * 6.57 * 0.823 + (1 - shorts) * 639.1 * 0.0156, 0.1);
}

// The density of gamma(6.1271, 5.274) has its peak at (6.1271 - 1) * 5.274 = 27.04 half hours: most jobs come
// round 13:00, and fewest before the day begins, at half hour 11.
TEST(LublinModelTest, MostJobsComeInTheMiddleOfTheDay) {
  std::vector<int64_t> by_hour(24);
  for (const Job& job : Log().jobs) ++by_hour[static_cast<size_t>(job.submit_ns / kNsPerSecond / 3600 % 24)];
  const auto most = std::max_element(by_hour.begin(), by_hour.end()) - by_hour.begin();
  const auto least = std::min_element(by_hour.begin(), by_hour.end()) - by_hour.begin();
  EXPECT_NEAR(static_cast<double>(most), 13, 1);
  EXPECT_NEAR(static_cast<double>(least), 4.5, 1.5);
  EXPECT_GT(by_hour[13], 4 * by_hour[4]);
}

TEST(LublinModelTest, PaceDividesTheTimesBetweenArrivals) {
  const JobLog one = Log(1);
  const JobLog two = Log(2);
  EXPECT_NEAR(static_cast<double>(two.jobs.back().submit_ns) / static_cast<double>(one.jobs.back().submit_ns),
              0.5, 0.001);
  EXPECT_TRUE(std::is_sorted(two.jobs.begin(), two.jobs.end(),
                             [](const Job& a, const Job& b) { return a.submit_ns < b.submit_ns; }));
}

TEST(LublinModelTest, SmallMachinesHaveSmallJobs) {
  for (const int32_t cpus : {8, 16, 24}) {
    for (const Job& job : LublinModel{5000, cpus, 1}.Generate(1, "test").jobs)
      EXPECT_LE(job.millicpus, cpus * 1000);
  }
}

}  // namespace
}  // namespace numasim::workloads
