// How fast transparent huge pages are: faults, khugepaged's scan, and what they cost those who have none.
#include <benchmark/benchmark.h>

#include <fstream>
#include <optional>
#include <string>

#include "bench/machine.h"

namespace numasim {
namespace {

using Enabled = ThpSettings::Enabled;

constexpr int64_t kGiB = BenchMachine::kGiBPages;

// One access to each huge page.
sim::Task<void> TouchHugePages(sim::Path& path, BenchMachine& machine, int64_t pages) {
  MapRequest request;
  request.pages = pages;
  const MapResult mapped = co_await machine.ops().Map(path, machine.process(), request);
  const uint64_t begin = mapped.start.value << kPageShift;
  const uint64_t end = (mapped.start + pages).value << kPageShift;
  const TouchRequest touch{begin, end, uint64_t{kPageblockPages} << kPageShift, true};
  const TouchCounts counts = co_await machine.ops().Touch(path, machine.process(), touch);
  if (counts.ok != pages / kPageblockPages) abort();
}

int64_t ResidentKiB() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    int64_t kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib;
  }
  return 0;
}

// Faults of a 1 TiB mapping: huge pages a second, and the host memory that the machine takes with them.
void BM_ThpFaults1TiB(benchmark::State& state) {
  constexpr int64_t kPages = 1024 * kGiB;
  int64_t host_kib = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const int64_t before = ResidentKiB();
    std::optional<BenchMachine> machine;
    machine.emplace(1, kPages + 64 * kGiB, MachineConfig(), BenchMachine::WithThp(Enabled::kAlways));
    state.ResumeTiming();
    machine->Run(
        [&](sim::Path& path) -> sim::Task<void> { co_await TouchHugePages(path, *machine, kPages); });
    state.PauseTiming();
    host_kib = ResidentKiB() - before;
    if (machine->memory().node(NodeId{0}).counters[THP_FAULT_ALLOC] != kPages / kPageblockPages) abort();
    machine.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kPages / kPageblockPages);
  state.counters["host_MiB"] = static_cast<double>(host_kib) / 1024;
}
BENCHMARK(BM_ThpFaults1TiB)->Unit(benchmark::kMillisecond);

// Faults of a 64 GiB mapping on a machine that was in use before: without the host's own page faults.
void BM_ThpFaults(benchmark::State& state) {
  constexpr int64_t kPages = 64 * kGiB;
  BenchMachine machine(1, kPages + 4 * kGiB, MachineConfig(), BenchMachine::WithThp(Enabled::kAlways));
  int64_t rounds = 0;
  for (auto _ : state) {
    machine.Run([&](sim::Path& path) -> sim::Task<void> { co_await TouchHugePages(path, machine, kPages); });
    state.PauseTiming();
    machine.Run([&](sim::Path& path) -> sim::Task<void> {
      co_await machine.ops().Unmap(path, machine.process(), Vpn{0}, AddressSpace::kNoRoom);
    });
    if (machine.memory().node(NodeId{0}).counters[THP_FAULT_ALLOC] != ++rounds * kPages / kPageblockPages)
      abort();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kPages / kPageblockPages);
}
BENCHMARK(BM_ThpFaults)->Unit(benchmark::kMillisecond);

// khugepaged goes over 4 GiB of base pages that it must leave: entries a second. Nothing is writable.
void BM_KhugepagedScan(benchmark::State& state) {
  constexpr int64_t kPages = 4 * kGiB;
  BenchMachine machine(1, 6 * kGiB, {}, BenchMachine::WithThp(Enabled::kMadvise));
  Khugepaged& khugepaged = machine.kernel().thp().khugepaged();
  khugepaged.settings().pages_to_scan = 2 * kPages;  // all of it, once
  machine.Run([&](sim::Path& path) -> sim::Task<void> {
    const Vpn start = co_await machine.MapAndTouch(path, kPages, std::nullopt);
    co_await machine.ops().Protect(path, machine.process(), start, start + kPages, Access::kRead);
    co_await machine.ops().Advise(path, machine.process(), start, start + kPages, Advice::kHugepage);
  });
  for (auto _ : state) {
    machine.engine().Start(
        machine.memory().global_lp(), machine.engine().now(), "khugepaged",
        [&](sim::Path& path) -> sim::Task<void> { co_await khugepaged.DoScan(path, CpuId{0}); });
    if (!machine.engine().Run().ok()) abort();
  }
  if (khugepaged.counter(KHUGEPAGED_PAGES_COLLAPSED) != 0 || khugepaged.counter(KHUGEPAGED_FULL_SCANS) == 0)
    abort();
  state.SetItemsProcessed(state.iterations() * kPages);
}
BENCHMARK(BM_KhugepagedScan)->Unit(benchmark::kMillisecond);

// Faults of base pages where huge pages are switched off, and where they are not but this mapping has none.
void BM_BaseFaults(benchmark::State& state) {
  constexpr int64_t kPages = 4 * kGiB;
  const Enabled enabled = state.range(0) == 0 ? Enabled::kNever : Enabled::kMadvise;
  for (auto _ : state) {
    state.PauseTiming();
    std::optional<BenchMachine> machine;
    machine.emplace(1, 6 * kGiB, MachineConfig(), BenchMachine::WithThp(enabled));
    state.ResumeTiming();
    machine->Run([&](sim::Path& path) -> sim::Task<void> {
      co_await machine->MapAndTouch(path, kPages, std::nullopt);
    });
    state.PauseTiming();
    machine.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kPages);
}
BENCHMARK(BM_BaseFaults)->ArgName("thp")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace numasim

BENCHMARK_MAIN();
