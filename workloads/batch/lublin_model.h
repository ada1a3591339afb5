// LublinModel: makes logs of batch jobs. U. Lublin and D. G. Feitelson, The workload on parallel
// supercomputers: modeling the characteristics of rigid jobs, Journal of Parallel and Distributed Computing
// 63 (11), 2003; with the parameters that they published for batch jobs.
//
// - CPUs: one with a probability of its own; else 2^x with x of a uniform distribution in two stages, made
//   whole for most jobs.
// - Run time: e^x with x of one of two gamma distributions, the longer one more often for wide jobs.
// - Arrivals: e^x with x of a gamma distribution, stretched and pressed by the time of the day, whose half
//   hours have shares after another gamma distribution.
//
// Values are drawn as all of a workload are: the same on every machine.
#ifndef NUMASIM_WORKLOADS_BATCH_LUBLIN_MODEL_H_
#define NUMASIM_WORKLOADS_BATCH_LUBLIN_MODEL_H_

#include <cstdint>
#include <string>

#include "workloads/batch/job.h"

namespace numasim::workloads {

struct LublinModel {
  int64_t jobs = 1;
  int32_t cpus = 8;  // of the largest job, at least 8
  double pace = 1;   // by which times between arrivals are divided; more than 0

  // The log begins at midnight. CPUs, run times and arrivals have a stream each, named after `component`.
  JobLog Generate(uint64_t seed, const std::string& component) const;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_LUBLIN_MODEL_H_
