// RandomHugetlbScript: random scripts of HugeTLB operations, for tests. Like RandomScript, but on the pool of
// 2 MiB pages: resizes, reservations, files, forks, moves. It knows what it made, not what came of it: an
// operation may fail, and later ones may name mappings that a failure left out, as a careless user's would.
#ifndef NUMASIM_WORKLOADS_RANDOM_HUGETLB_SCRIPT_H_
#define NUMASIM_WORKLOADS_RANDOM_HUGETLB_SCRIPT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/random.h"
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

class RandomHugetlbScript {
 public:
  RandomHugetlbScript(const RandomHugetlbOptions& options, uint64_t seed);

  // The next operation, with its text and line (counted from 1).
  Op Next();
  // What leaves nothing in use: processes exit, files and mounts go, the pool shrinks to nothing.
  std::vector<Op> Finish();

 private:
  struct Mapping {
    std::string id;
    int64_t pages;
    bool file;
  };
  struct Process {
    std::string name;
    std::vector<Mapping> mappings;
  };

  Op Numbered(Op op);
  std::optional<Op> TryMake();
  std::optional<Op> MakePool();
  std::optional<Op> MakeProcess();
  std::optional<Op> MakeOfProcess();
  std::optional<Op> MakeMap();
  std::optional<Op> MakeOfMapping();
  std::optional<Op> MakeOfFile();
  std::optional<Op> MakeName();

  int64_t Draw(int64_t below) { return static_cast<int64_t>(random_.Uniform(static_cast<uint64_t>(below))); }
  bool OneIn(int64_t n) { return Draw(n) == 0; }
  Range AnyRange(int64_t pages);
  Policy AnyPolicy();
  std::string AnyFile();
  Process* AnyProcess();

  RandomHugetlbOptions options_;
  sim::RandomStream random_;
  std::vector<Process> processes_;
  std::vector<bool> mounted_;
  int spawned_ = 0;
  int mapped_ = 0;
  int line_ = 0;
};

// `count` operations and those of Finish().
std::vector<Op> RandomHugetlbOps(const RandomHugetlbOptions& options, uint64_t seed, int count);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_RANDOM_HUGETLB_SCRIPT_H_
