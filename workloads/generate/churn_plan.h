// ChurnPlan: pages of the kernel that a scenario has come and go, read and checked. A value: part of the
// LoadedScenario, read from everywhere.
#ifndef NUMASIM_WORKLOADS_GENERATE_CHURN_PLAN_H_
#define NUMASIM_WORKLOADS_GENERATE_CHURN_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "models/base/types.h"

namespace numasim::workloads {

// Shares are in parts of kWholeShare.
struct ChurnPlan {
  std::string name;
  std::string place;  // "FILE:LINE: churn 'NAME'", for messages
  int64_t start_ns = 0;
  int cpus = 1;               // at once, of each node
  std::vector<NodeId> nodes;  // as given; none: all with CPUs
  int order = 0;
  Migratetype type = Migratetype::kUnmovable;
  int64_t fill = 0;  // of what is free on the node
  int64_t free = 0;  // of that, at random
  int rounds = 0;
  int64_t renew = 0;  // of what is left, at random, in each round
  int64_t pause_ns = 0;

  // Whether anything of it is drawn, so that another seed makes another run.
  bool random() const { return free > 0 || rounds > 0; }
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_CHURN_PLAN_H_
