// BatchPlan: a batch system of a scenario, read and checked, with the jobs of its log; and what is drawn for
// each of them.
//
// A plan is a value: part of the LoadedScenario, read from everywhere. What is drawn for a job depends on the
// run's seed, the plan's name and the job's place in the log, or its user and program, and on nothing else.
#ifndef NUMASIM_WORKLOADS_BATCH_BATCH_PLAN_H_
#define NUMASIM_WORKLOADS_BATCH_BATCH_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/random.h"
#include "workloads/batch/batch_scheduler.h"
#include "workloads/batch/job.h"
#include "workloads/batch/lublin_model.h"
#include "workloads/batch/node_placement.h"
#include "workloads/generate/distribution.h"
#include "workloads/generate/guest_plan.h"

namespace numasim::workloads {

enum class BatchPolicy : uint8_t { kFcfs, kEasyBackfill, kLogStartTimes };

struct BatchPlan {
  std::string name;
  std::string place;  // "FILE:LINE: batch 'NAME'", for messages
  JobLog log;         // empty where there is a model instead
  std::optional<LublinModel> model;
  int64_t start_ns = 0;
  BatchPolicy policy = BatchPolicy::kEasyBackfill;
  int backfill_depth = 0;
  JobPlacement placement = JobPlacement::kPack;
  int64_t bookable = 0;                        // parts of kWholeShare
  std::optional<Distribution> memory_per_cpu;  // bytes, of jobs of which the log does not say
  GuestPages pages = GuestPages::kAnon;
  int steps = 1;                      // in which the memory comes
  std::optional<Distribution> first;  // the share of the first; none: as the others
  std::optional<Distribution> over;   // the share of the run time that they are spread over; none: all

  // The same with a log, where it has a model: the one that it makes of this seed.
  BatchPlan WithLog(uint64_t seed) const;
  // Whether anything of it is drawn, so that another seed makes another run.
  bool random() const;
  // Stream `k` for one kind of choice.
  sim::RandomStream StreamOf(uint64_t seed, std::string_view what, uint64_t k) const;
  // The jobs' numbers, in the log, in the order in which the batch system comes to know of them: by
  // submission, or by their own start times. A job without one comes at its submission.
  std::vector<size_t> Order() const;
  // When that is, in ns of the run; none: after the end of simulated time.
  std::optional<int64_t> TimeOf(const Job& job) const;
};

// What a job wants of the machine; sizes are whole pages of the plan's size.
struct JobDemand {
  BatchRoom booked;
  int64_t bytes = 0;  // that it uses
  int64_t limit_ns = 0;
  int64_t first = 0;  // the share of its memory at its start, and
  int64_t over = 0;   // the share of its run time until it has all, in parts of kWholeShare
};

// Of job `number` of the plan's log.
JobDemand DemandOf(const BatchPlan& plan, uint64_t seed, size_t number);

// How many of `units` pages a job has touched after part `step` of the plan's parts, from 0.
int64_t UnitsAfter(const BatchPlan& plan, const JobDemand& demand, int64_t units, int step);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_BATCH_PLAN_H_
