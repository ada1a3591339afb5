// RandomProcesses: what random scripts of huge pages have in common, for tests: the processes and mappings
// that they made, and draws from these. A script knows what it made, not what came of it: an operation may
// fail, and later ones may name mappings that a failure left out, as a careless user's would.
#ifndef NUMASIM_TESTS_WORKLOADS_RANDOM_PROCESSES_H_
#define NUMASIM_TESTS_WORKLOADS_RANDOM_PROCESSES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/random.h"
#include "workloads/operations.h"

namespace numasim::workloads {

class RandomProcesses {
 public:
  virtual ~RandomProcesses() = default;

  // The next operation, with its text and line (counted from 1).
  Op Next();
  // `count` operations and those that leave nothing in use.
  std::vector<Op> Ops(int count);
  // What leaves nothing in use.
  std::vector<Op> Finish();

 protected:
  struct Mapping {
    std::string id;
    int64_t bytes;
    int64_t page;  // bytes
    bool file;
  };
  struct Process {
    std::string name;
    std::vector<Mapping> mappings;
  };

  RandomProcesses(uint64_t seed, std::string_view stream) : random_(seed, stream) {}

  // An operation, or nothing where what was drawn cannot be done now.
  virtual std::optional<Op> TryMake() = 0;
  virtual Policy AnyPolicy() = 0;
  // What is to be undone after the processes have exited.
  virtual std::vector<Op> FinishMore() = 0;

  int64_t Draw(int64_t below) { return static_cast<int64_t>(random_.Uniform(static_cast<uint64_t>(below))); }
  bool OneIn(int64_t n) { return Draw(n) == 0; }
  Process* AnyProcess();
  // Spawn (at least every `spawn_one_in`th time while there are less than `most` processes), fork or exit.
  std::optional<Op> MakeProcess(int most, int spawn_one_in);
  // Another CPU or policy for a process.
  std::optional<Op> MakeOfProcess(int cpus);

  std::vector<Process> processes_;

 private:
  Op Numbered(Op op);

  sim::RandomStream random_;
  int spawned_ = 0;
  int line_ = 0;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_TESTS_WORKLOADS_RANDOM_PROCESSES_H_
