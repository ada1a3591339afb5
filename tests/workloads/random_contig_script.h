// RandomContigScript: random scripts, for tests, of those who take memory away (virtio-mem, offlining, CMA,
// gigantic pages) among those who use it: processes with private, shared and huge pages, pins, forks, moves.
// Like RandomHugetlbScript it knows what it made, not what came of it: an operation may fail.
#ifndef NUMASIM_TESTS_WORKLOADS_RANDOM_CONTIG_SCRIPT_H_
#define NUMASIM_TESTS_WORKLOADS_RANDOM_CONTIG_SCRIPT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/workloads/random_processes.h"
#include "workloads/operations.h"

namespace numasim::workloads {

struct RandomContigOptions {
  int nodes = 2;
  int cpus = 2;
  int ranges = 12;    // of 100 operations, those that take or give back a range
  int pools = 10;     // of 100 operations, those on a pool
  int64_t pool = 30;  // pages of 2 MiB that a resize asks for at most
  int max_processes = 4;
  int max_mappings = 5;                          // of a process
  int64_t max_mapping = int64_t{24} << 20;       // bytes, of base pages
  int64_t max_huge_mapping = int64_t{16} << 20;  // bytes, of huge pages
  int files = 2;                                 // on hugetlbfs
  int64_t gigantic = 0;                          // pages of 1 GiB that a resize asks for at most
  int64_t device = 0;                            // bytes that a virtio-mem device may have; 0: there is none
  int offline_one_in = 0;                        // of the operations on ranges; 0: none
  std::vector<std::string> areas;                // CMA areas for drivers
  int64_t area_size = int64_t{16} << 20;
};

class RandomContigScript : public RandomProcesses {
 public:
  RandomContigScript(const RandomContigOptions& options, uint64_t seed);

 private:
  std::optional<Op> TryMake() override;
  Policy AnyPolicy() override;
  std::vector<Op> FinishMore() override;
  std::optional<Op> MakeRange();
  std::optional<Op> MakePool();
  std::optional<Op> MakeMap();
  std::optional<Op> MakeOfMapping();
  std::optional<Op> MakeOfFile(const Process& process, const Mapping& mapping);
  OpKind AnyUse(const Mapping& mapping);

  Range AnyRange(const Mapping& mapping);
  int AnyNode() { return static_cast<int>(Draw(options_.nodes)); }

  RandomContigOptions options_;
  std::vector<std::string> ranges_;  // of CMA areas
  int mapped_ = 0;
  int allocated_ = 0;
};

// `count` operations and those of Finish().
std::vector<Op> RandomContigOps(const RandomContigOptions& options, uint64_t seed, int count);

}  // namespace numasim::workloads

#endif  // NUMASIM_TESTS_WORKLOADS_RANDOM_CONTIG_SCRIPT_H_
