// What moving a page costs beside many processes that do not map it: it must not depend on how many there
// are. One thread. `simulated_ns` is of a page.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <deque>
#include <string>

#include "bench/machine.h"

namespace numasim {
namespace {

constexpr int64_t kPages = 4096;

// Two nodes; the process that every BenchMachine has maps pages, and others live beside it.
class Machine : public BenchMachine {
 public:
  explicit Machine(int64_t processes) : BenchMachine(2, 4 * kGiBPages) {
    Run([this, processes](sim::Path& path) -> sim::Task<void> {
      while (static_cast<int64_t>(others_.size()) < processes - 1) {
        others_.emplace_back(std::to_string(others_.size()));
        if (co_await ops().Spawn(path, others_.back()) != Errno::kOk) abort();
        co_await MapAndTouch(path, others_.back(), Request(4, false));
      }
    });
  }

  Vpn Map(bool file) {
    Vpn start;
    Run([&](sim::Path& path) -> sim::Task<void> {
      start = co_await MapAndTouch(path, process(), Request(kPages, file));
    });
    return start;
  }
  double Move(Vpn start, NodeId to) {
    return Run([&](sim::Path& path) -> sim::Task<void> {
      const MoveResult result = co_await ops().MovePages(path, process(), start, start + kPages, to);
      if (result.moved != kPages) abort();
    });
  }

 private:
  static MapRequest Request(int64_t pages, bool file) {
    MapRequest request;
    request.pages = pages;
    request.shared = file;
    return request;
  }

  std::deque<Process> others_;
};

void MovePages(benchmark::State& state, bool file) {
  Machine machine(state.range(0));
  const Vpn start = machine.Map(file);
  const sim::SimTime begin = machine.engine().now();
  int to = 1;
  for (auto _ : state) {
    state.SetIterationTime(machine.Move(start, NodeId{to}));
    to = 1 - to;
  }
  const auto pages = static_cast<double>(state.iterations() * kPages);
  state.counters["pages"] = benchmark::Counter(pages, benchmark::Counter::kIsRate);
  state.counters["simulated_ns"] = static_cast<double>((machine.engine().now() - begin).ns) / pages;
}
void MoveAnonymousPages(benchmark::State& state) { MovePages(state, false); }
void MoveFilePages(benchmark::State& state) { MovePages(state, true); }
BENCHMARK(MoveAnonymousPages)->Arg(2)->Arg(1000)->Arg(10'000)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(MoveFilePages)->Arg(2)->Arg(1000)->Arg(10'000)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace numasim
