// How fast HugeTLB pools are filled and emptied, and huge pages faulted in and unmapped, one thread.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>

#include "models/address_space/address_space_ops.h"
#include "models/memory_system.h"
#include "sim/engine.h"

namespace numasim {
namespace {

constexpr int64_t kGiBPages = int64_t{1} << (30 - kPageShift);
constexpr int64_t kHugePages = PagesOf(HugeSize::k2M);

// A described machine of 2 TiB with a CPU on every node.
class Machine {
 public:
  explicit Machine(int nodes)
      : engine_({.threads = 1, .lookahead = sim::Nanoseconds(CostModel().hop_ns())}), process_("p") {
    MachineConfig config;
    for (int n = 0; n < nodes; ++n) {
      config.nodes.push_back({2048 * kGiBPages / nodes});
      config.node_of_cpu.push_back(NodeId{n});
    }
    Kernel kernel;
    kernel.mutable_thp()->set_enabled("never");
    memory_ = *MemorySystem::Create(engine_, config, kernel, CostModel());
    ops_ = std::make_unique<AddressSpaceOps>(*memory_);
    Run([this](sim::Path& path) -> sim::Task<void> { co_await ops_->Spawn(path, process_); });
  }
  ~Machine() { engine_.DropPaths(); }

  // Runs a path on CPU 0 to its end. Returns how long that took.
  double Run(sim::PathFn fn) {
    engine_.Start(memory_->node(NodeId{0}).lp, engine_.now(), "bench",
                  [this, &fn](sim::Path& path) -> sim::Task<void> {
                    co_await memory_->cpu(CpuId{0}).Acquire(path);
                    co_await fn(path);
                    memory_->cpu(CpuId{0}).Release(path);
                  });
    const auto begin = std::chrono::steady_clock::now();
    if (!engine_.Run().ok()) abort();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  double Resize(int64_t count) {
    return Run([this, count](sim::Path& path) -> sim::Task<void> {
      co_await ops_->hugetlb().Resize(path, CpuId{0}, HugeSize::k2M, kNoNode, count);
    });
  }
  int64_t pool() { return ops_->hugetlb().pool().hstate(HugeSize::k2M).counter(NR_HUGEPAGES); }

  // Maps `pages` huge pages, touches all and unmaps them, `rounds` times.
  double FaultAndUnmap(int64_t pages, int64_t rounds) {
    return Run([this, pages, rounds](sim::Path& path) -> sim::Task<void> {
      MapRequest request;
      request.pages = pages * kHugePages;
      request.huge = HugeSize::k2M;
      for (int64_t round = 0; round < rounds; ++round) {
        const MapResult mapped = co_await ops_->Map(path, process_, request);
        const uint64_t begin = mapped.start.value << kPageShift;
        const uint64_t end = (mapped.start + request.pages).value << kPageShift;
        const TouchRequest touch{begin, end, kHugePages << kPageShift, true};
        const TouchCounts counts = co_await ops_->Touch(path, process_, touch);
        if (counts.ok != pages) abort();
        co_await ops_->Unmap(path, process_, mapped.start, mapped.start + request.pages);
      }
    });
  }

 private:
  sim::Engine engine_;
  std::unique_ptr<MemorySystem> memory_;
  std::unique_ptr<AddressSpaceOps> ops_;
  Process process_;
};

constexpr int64_t kPool = 524288;

void BM_FillPool(benchmark::State& state) {
  Machine machine(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    state.SetIterationTime(machine.Resize(kPool));
    if (machine.pool() != kPool) abort();
    machine.Resize(0);
  }
  state.SetItemsProcessed(state.iterations() * kPool);
}
BENCHMARK(BM_FillPool)->ArgName("nodes")->Arg(2)->Arg(1)->UseManualTime()->Unit(benchmark::kMillisecond);

void BM_EmptyPool(benchmark::State& state) {
  Machine machine(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    machine.Resize(kPool);
    state.SetIterationTime(machine.Resize(0));
    if (machine.pool() != 0) abort();
  }
  state.SetItemsProcessed(state.iterations() * kPool);
}
BENCHMARK(BM_EmptyPool)->ArgName("nodes")->Arg(2)->Arg(1)->UseManualTime()->Unit(benchmark::kMillisecond);

// A pair is one huge page faulted in and unmapped; the mapping reserves.
void BM_FaultAndUnmap(benchmark::State& state) {
  constexpr int64_t kPairs = 65536;
  const int64_t pages = state.range(0);
  Machine machine(2);
  machine.Resize(2 * 512);
  for (auto _ : state) machine.FaultAndUnmap(pages, kPairs / pages);
  state.SetItemsProcessed(state.iterations() * kPairs);
}
BENCHMARK(BM_FaultAndUnmap)->ArgName("pages")->Arg(512)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace numasim
