#include "workloads/batch/batch_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "workloads/batch/log_values.h"
#include "workloads/generate/distribution_text.h"
#include "workloads/integer_math.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

bool Draws(const std::optional<Distribution>& of) { return of.has_value() && of->random(); }

// Jobs of one user's program are alike, as far as nothing better is known. The two numbers make one.
uint64_t LikeNumber(const Job& job, size_t number) {
  if (job.program < 0 && job.user < 0) return number;
  constexpr int kHalf = 32;
  return (uint64_t{1} << (2 * kHalf - 1)) |
         static_cast<uint64_t>(static_cast<uint32_t>(job.user + 1)) << kHalf |
         static_cast<uint32_t>(job.program + 1);
}

int64_t BytesForUnknown(const BatchPlan& plan, uint64_t seed, size_t number) {
  const Job& job = plan.log.jobs[number];
  sim::RandomStream stream = plan.StreamOf(seed, "memory", LikeNumber(job, number));
  const int64_t each = plan.memory_per_cpu->Draw(stream);
  return Times(each, job.whole_cpus()).value_or(std::numeric_limits<int64_t>::max());
}

// Up to whole pages of the plan's size; as it is where that would be too large for a number.
int64_t WholePages(const BatchPlan& plan, int64_t bytes) {
  const int64_t page = UnitOf(plan.pages) * static_cast<int64_t>(kPageSize);
  return Times(UpToWhole(bytes, page), page).value_or(bytes);
}

}  // namespace

sim::RandomStream BatchPlan::StreamOf(uint64_t seed, std::string_view what, uint64_t k) const {
  return {seed, Cat("batch.", name, ".", what), k};
}

BatchPlan BatchPlan::WithLog(uint64_t seed) const {
  BatchPlan plan = *this;
  if (model.has_value()) plan.log = model->Generate(seed, Cat("batch.", name, ".lublin"));
  return plan;
}

bool BatchPlan::random() const {
  if (model.has_value()) return true;
  const bool any_unknown =
      std::any_of(log.jobs.begin(), log.jobs.end(), [](const Job& job) { return job.bytes_to_use() == 0; });
  return (any_unknown && Draws(memory_per_cpu)) || Draws(first) || Draws(over);
}

std::vector<size_t> BatchPlan::Order() const {
  std::vector<size_t> order(log.jobs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (policy != BatchPolicy::kLogStartTimes) return order;
  const auto time = [&](size_t number) {
    return log.jobs[number].start_ns.value_or(log.jobs[number].submit_ns);
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return time(a) < time(b); });
  return order;
}

std::optional<int64_t> BatchPlan::TimeOf(const Job& job) const {
  const bool by_start = policy == BatchPolicy::kLogStartTimes && job.start_ns.has_value();
  int64_t time = 0;
  if (__builtin_add_overflow(start_ns, by_start ? *job.start_ns : job.submit_ns, &time)) return std::nullopt;
  return time;
}

JobDemand DemandOf(const BatchPlan& plan, uint64_t seed, size_t number) {
  const Job& job = plan.log.jobs[number];
  const auto draw = [&](const std::optional<Distribution>& of, std::string_view what, int64_t otherwise) {
    if (!of.has_value()) return otherwise;
    sim::RandomStream stream = plan.StreamOf(seed, what, number);
    return of->Draw(stream);
  };
  JobDemand demand;
  demand.bytes = job.bytes_to_use();
  demand.booked = {job.millicpus, job.bytes_to_book()};
  if (demand.bytes == 0 && plan.memory_per_cpu.has_value()) {
    demand.bytes = BytesForUnknown(plan, seed, number);
    demand.booked.bytes = demand.bytes;
  }
  demand.bytes = WholePages(plan, demand.bytes);
  demand.booked.bytes = WholePages(plan, demand.booked.bytes);
  demand.limit_ns = job.limit_ns.value_or(job.run_ns);
  demand.first = draw(plan.first, "first", kWholeShare / plan.steps);
  demand.over = draw(plan.over, "over", kWholeShare);
  return demand;
}

// After the first part the others are alike; rounded so that the last one makes it whole.
int64_t UnitsAfter(const BatchPlan& plan, const JobDemand& demand, int64_t units, int step) {
  if (step == plan.steps - 1) return units;
  const int64_t first = InProportion(units, demand.first, kWholeShare);
  return first + InProportion(units - first, step, plan.steps - 1);
}

}  // namespace numasim::workloads
