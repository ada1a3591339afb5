// How fast compaction looks at frames, and moves pages.
#include <benchmark/benchmark.h>

#include "bench/machine.h"

namespace numasim {
namespace {

constexpr int64_t kFilled = 3 * BenchMachine::kGiBPages;

// One node of 4 GiB, 3 of them single pages of its process, of which every other one is given back.
class HalfFreeMachine {
 public:
  explicit HalfFreeMachine(bool pinned) : machine_(1, 4 * BenchMachine::kGiBPages) {
    machine_.Run([this, pinned](sim::Path& path) -> sim::Task<void> {
      const Vpn start = co_await machine_.MapAndTouch(path, kFilled, std::nullopt);
      for (Vpn page = start; page < start + kFilled; page = page + 2) {
        co_await machine_.ops().Advise(path, machine_.process(), page, page + 1, Advice::kDontneed);
        if (!pinned) continue;
        const auto pin = co_await machine_.ops().Pin(path, machine_.process(), page + 1, page + 2);
        if (pin.error != Errno::kOk) abort();
      }
    });
  }

  // A write to compact_memory. Returns how many seconds it took.
  double Compact() {
    return machine_.Run([this](sim::Path& path) -> sim::Task<void> {
      co_await machine_.kernel().compactor().CompactAll(path, CpuId{0});
    });
  }

  int64_t scanned() { return counter(COMPACT_MIGRATE_SCANNED) + counter(COMPACT_FREE_SCANNED); }
  int64_t moved() { return counter(PGMIGRATE_SUCCESS); }

 private:
  int64_t counter(NodeCounter which) { return machine_.memory().node(NodeId{0}).counter(which); }

  BenchMachine machine_;
};

// Every other frame is free, and the others stay: the migrate scanner goes through the whole zone.
void BM_CompactPinned(benchmark::State& state) {
  HalfFreeMachine machine(/*pinned=*/true);
  const int64_t before = machine.scanned();
  for (auto _ : state) state.SetIterationTime(machine.Compact());
  state.SetItemsProcessed(machine.scanned() - before);
}
BENCHMARK(BM_CompactPinned)->UseManualTime()->Unit(benchmark::kMillisecond);

// The others move: half of them go to the gaps among the rest.
void BM_CompactHalfFree(benchmark::State& state) {
  int64_t scanned = 0;
  int64_t moved = 0;
  for (auto _ : state) {
    HalfFreeMachine machine(/*pinned=*/false);
    state.SetIterationTime(machine.Compact());
    scanned += machine.scanned();
    moved += machine.moved();
  }
  state.SetItemsProcessed(scanned);
  state.counters["moved"] = benchmark::Counter(static_cast<double>(moved), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_CompactHalfFree)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace numasim
