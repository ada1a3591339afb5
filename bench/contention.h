// What a call of the page allocator takes, in simulated time, on CPUs that all want memory of one node at
// once: the benchmarks `bulk`, `repeat` and `rand` of LLFree's kernel module (luhsra/linux-alloc-bench),
// whose figures for Linux's allocator the cost model is compared with.
#ifndef NUMASIM_BENCH_CONTENTION_H_
#define NUMASIM_BENCH_CONTENTION_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "models/kernel.h"
#include "sim/engine.h"

namespace numasim {

class Contention {
 public:
  // Mean over all calls, in simulated nanoseconds.
  struct Times {
    double alloc = 0;
    double free = 0;
  };

  // A node of so many pages with so many CPUs.
  Contention(int cpus, int64_t pages);
  ~Contention();

  // Each CPU allocates its share of the blocks, and when all have theirs, frees it in the same order.
  Times Bulk(int order, int64_t blocks);
  // Each CPU allocates a block and frees it again, so many times. Of both calls together.
  double Repeat(int order, int64_t times);
  // Frees, each CPU an equal share, blocks that were allocated by all and then mixed.
  double Random(int order, int64_t blocks);

 private:
  // Runs work(path, CPU) on all CPUs at once. Returns the mean of what it took them, in simulated
  // nanoseconds.
  template <typename Work>
  double OnAllCpus(Work work);
  double AllocShares(int order, int64_t blocks);
  double FreeShares(int order);

  int cpus_;
  sim::Engine engine_;
  std::unique_ptr<Kernel> kernel_;
  std::vector<std::vector<Pfn>> blocks_;  // by CPU
};

}  // namespace numasim

#endif  // NUMASIM_BENCH_CONTENTION_H_
