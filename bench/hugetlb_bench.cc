// How fast HugeTLB pools are filled and emptied, and huge pages faulted in and unmapped, one thread.
#include <benchmark/benchmark.h>

#include "bench/machine.h"

namespace numasim {
namespace {

constexpr int64_t kHugePages = PagesOf(HugeSize::k2M);
constexpr int64_t kMachinePages = 2048 * BenchMachine::kGiBPages;  // 2 TiB

constexpr int64_t kPool = 524288;

void BM_FillPool(benchmark::State& state) {
  const auto nodes = static_cast<int>(state.range(0));
  BenchMachine machine(nodes, kMachinePages / nodes);
  for (auto _ : state) {
    state.SetIterationTime(machine.ResizePool(kPool));
    machine.ResizePool(0);
  }
  state.SetItemsProcessed(state.iterations() * kPool);
}
BENCHMARK(BM_FillPool)->ArgName("nodes")->Arg(2)->Arg(1)->UseManualTime()->Unit(benchmark::kMillisecond);

void BM_EmptyPool(benchmark::State& state) {
  const auto nodes = static_cast<int>(state.range(0));
  BenchMachine machine(nodes, kMachinePages / nodes);
  for (auto _ : state) {
    machine.ResizePool(kPool);
    state.SetIterationTime(machine.ResizePool(0));
  }
  state.SetItemsProcessed(state.iterations() * kPool);
}
BENCHMARK(BM_EmptyPool)->ArgName("nodes")->Arg(2)->Arg(1)->UseManualTime()->Unit(benchmark::kMillisecond);

// A pair is one huge page faulted in and unmapped; the mapping reserves.
void BM_FaultAndUnmap(benchmark::State& state) {
  constexpr int64_t kPairs = 65536;
  const int64_t pages = state.range(0);
  BenchMachine machine(2, kMachinePages / 2);
  machine.ResizePool(2 * 512);
  for (auto _ : state) {
    machine.Run([&](sim::Path& path) -> sim::Task<void> {
      for (int64_t done = 0; done < kPairs; done += pages) {
        const Vpn start = co_await machine.MapAndTouch(path, pages * kHugePages, HugeSize::k2M);
        co_await machine.ops().Unmap(path, machine.process(), start, start + pages * kHugePages);
      }
    });
  }
  state.SetItemsProcessed(state.iterations() * kPairs);
}
BENCHMARK(BM_FaultAndUnmap)->ArgName("pages")->Arg(512)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace numasim
