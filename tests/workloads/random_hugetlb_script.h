// RandomHugetlbScript: random scripts of HugeTLB operations, for tests. Like RandomScript, but on the pool of
// 2 MiB pages: resizes, reservations, files, forks, moves. It knows what it made, not what came of it: an
// operation may fail, and later ones may name mappings that a failure left out, as a careless user's would.
#ifndef NUMASIM_TESTS_WORKLOADS_RANDOM_HUGETLB_SCRIPT_H_
#define NUMASIM_TESTS_WORKLOADS_RANDOM_HUGETLB_SCRIPT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/workloads/random_processes.h"
#include "workloads/operations.h"

namespace numasim::workloads {

struct RandomHugetlbOptions {
  int nodes = 2;
  int cpus = 2;
  int64_t pool = 24;  // pages that a resize asks for at most
  int max_processes = 5;
  int max_mappings = 6;      // of a process
  int64_t max_mapping = 10;  // pages
  int files = 3;
  int mounts = 0;         // that files may be on besides the default one
  bool min_size = false;  // whether mounts may have one
  bool pins = false;
};

class RandomHugetlbScript : public RandomProcesses {
 public:
  RandomHugetlbScript(const RandomHugetlbOptions& options, uint64_t seed);

 private:
  std::optional<Op> TryMake() override;
  Policy AnyPolicy() override;
  std::vector<Op> FinishMore() override;
  std::optional<Op> MakePool();
  std::optional<Op> MakeMap();
  std::optional<Op> MakeOfMapping();
  std::optional<Op> MakeOfFile();
  std::optional<Op> MakeName();

  Range AnyRange(const Mapping& mapping);
  std::string AnyFile();

  RandomHugetlbOptions options_;
  std::vector<bool> mounted_;
  int mapped_ = 0;
};

// `count` operations and those of Finish().
std::vector<Op> RandomHugetlbOps(const RandomHugetlbOptions& options, uint64_t seed, int count);

}  // namespace numasim::workloads

#endif  // NUMASIM_TESTS_WORKLOADS_RANDOM_HUGETLB_SCRIPT_H_
