// Random operations of processes and their address spaces, for tests that compare or check a model after each
// one.
//
// RandomScript is a value on the stack of a test. It follows which processes live and what they have mapped,
// so that nearly all of its operations do something; now and then one goes past a mapping's end or into a
// hole, as programs do. The same options and seed give the same operations on every machine. Each operation
// prints as a script line, so that a failure can be kept as a script.
#ifndef NUMASIM_TESTS_WORKLOADS_RANDOM_SCRIPT_H_
#define NUMASIM_TESTS_WORKLOADS_RANDOM_SCRIPT_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/random.h"
#include "workloads/operations.h"

namespace numasim::workloads {

// How often each operation is drawn, relative to the others; 0: never.
struct RandomScriptWeights {
  int spawn = 3;
  int fork = 4;
  int exit = 2;
  int cpu = 4;
  int policy = 4;
  int map_anon = 10;
  int map_shmem = 6;
  int touch = 40;
  int unmap = 8;
  int protect = 5;
  int advise_dontneed = 6;
  int bind = 4;
  // Of transparent huge pages.
  int advise_thp = 0;  // hugepage, nohugepage, free, collapse
  int khugepaged = 0;
  int drop_caches = 0;
  int thp = 0;  // enabled, use_zero_page, and the limits of khugepaged
  int pin = 0;
  // What fragments memory, and what mends that.
  int pipes = 0;  // and drain_pipes
  int compact = 0;
  // Of files of shared memory: fallocate, punch, truncate, advise remove.
  int change_file = 0;

  // The same, and what fragments memory.
  RandomScriptWeights WithFragments() const {
    RandomScriptWeights weights = *this;
    weights.pipes = 6;
    weights.compact = 2;
    return weights;
  }
  // The same, and what makes, splits and collapses huge pages.
  RandomScriptWeights WithThp() const {
    RandomScriptWeights weights = *this;
    weights.advise_thp = 10;
    weights.khugepaged = weights.drop_caches = weights.pin = 4;
    weights.thp = 2;
    weights.change_file = 8;
    return weights;
  }
};

struct RandomScriptOptions {
  int nodes = 2;
  int cpus = 2;
  int max_processes = 6;                   // that live at a time
  int max_mappings = 6;                    // of a process
  int64_t max_mapping = int64_t{8} << 20;  // bytes of one mapping
  int64_t max_mapped =
      int64_t{128} << 20;  // bytes of all mappings of all processes, counted anew for each child
  int shmem_files = 3;     // different files that shmem mappings share
  RandomScriptWeights weights = {};
};

class RandomScript {
 public:
  RandomScript(const RandomScriptOptions& options, uint64_t seed);

  // The next operation, with its text and line (counted from 1).
  Op Next();

  // The exits of all processes that live, and the unlinks of all files; nothing is left after them.
  std::vector<Op> Finish();

 private:
  struct Mapping {
    std::string id;
    int64_t size;
    bool shared;
  };
  struct Process {
    std::string name;
    std::vector<Mapping> mappings;
    bool pipes = false;
  };
  // One kind of operation: its weight and what makes one; nothing if none is possible now.
  struct Maker {
    int RandomScriptWeights::* weight;
    std::optional<Op> (RandomScript::*make)();
  };
  static const Maker kMakers[];

  std::optional<Op> MakeSpawn();
  std::optional<Op> MakeFork();
  std::optional<Op> MakeExit();
  std::optional<Op> MakeCpu();
  std::optional<Op> MakePolicy();
  std::optional<Op> MakeMapAnon();
  std::optional<Op> MakeMapShmem();
  std::optional<Op> MakeTouch();
  std::optional<Op> MakeUnmap();
  std::optional<Op> MakeProtect();
  std::optional<Op> MakeAdviseDontneed();
  std::optional<Op> MakeBind();
  std::optional<Op> MakeAdviseThp();
  std::optional<Op> MakeKhugepaged();
  std::optional<Op> MakeDropCaches();
  std::optional<Op> MakeThp();
  std::optional<Op> MakePin();
  std::optional<Op> MakePipes();
  std::optional<Op> MakeCompact();
  std::optional<Op> MakeChangeFile();

  std::optional<Op> MakeMap(Backing backing);
  std::optional<Op> TryMake();
  Op Numbered(Op op);

  // Draws; null if there is nothing to draw from.
  Process* AnyProcess();
  Process* AnyProcessWithMapping();
  int64_t Draw(int64_t below) { return static_cast<int64_t>(random_.Uniform(static_cast<uint64_t>(below))); }
  bool OneIn(int64_t n) { return Draw(n) == 0; }
  int64_t AnySize(int64_t most);
  Range AnyRange(int64_t size);
  Policy AnyPolicy();
  NodeMask AnyNodes();

  int64_t Mapped() const;

  RandomScriptOptions options_;
  sim::RandomStream random_;
  std::vector<Process> processes_;
  int spawned_ = 0;
  int mapped_ = 0;
  std::set<std::string> files_;  // that have names
  int line_ = 0;
};

// `count` operations and the exits of the processes that live then.
std::vector<Op> RandomOps(const RandomScriptOptions& options, uint64_t seed, int count);

}  // namespace numasim::workloads

#endif  // NUMASIM_TESTS_WORKLOADS_RANDOM_SCRIPT_H_
