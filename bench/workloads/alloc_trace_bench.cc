// How fast traces of allocations are read and replayed, in events.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "sim/random.h"
#include "workloads/alloc_trace/alloc_trace.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim::workloads {
namespace {

constexpr char kScenario[] =
    "machine { node { memory: '16G' cpus: 8 } node { memory: '16G' cpus: 8 } } kernel { thp { enabled: "
    "'never' } } "
    "workload { allocations { name: 'trace' trace: 'a.ftrace' } } trace { interval: '1s' counters: "
    "'allocations.*' }";

// As ftrace writes it: turns of a few hundred events on one CPU, mostly pages of processes, of its node, and
// some blocks of slabs; frees in batches, as of an exit, of what the node's CPUs have taken, and in one turn
// of 16 of what the other node's have.
class TraceText {
 public:
  explicit TraceText(int64_t events) : random_(1, "alloc_trace_bench"), events_(events) {
    text_.reserve(static_cast<size_t>(events) * 140);
    while (count_ < events_) Turn();
  }
  std::string Take() { return std::move(text_); }

 private:
  struct Block {
    int64_t pfn;
    int order;
  };
  static constexpr size_t kMostLive = 250'000;  // blocks of each node, some 1 GiB
  static constexpr int kCpus = 16;

  int64_t Below(int64_t n) { return static_cast<int64_t>(random_.Uniform(static_cast<uint64_t>(n))); }

  void Turn() {
    const int cpu = static_cast<int>(Below(kCpus));
    const int64_t length = 100 + Below(400);
    const int node = cpu * 2 / kCpus;
    std::vector<Block>& live = live_[Below(16) == 0 ? 1 - node : node];
    const bool frees = live.size() > static_cast<size_t>(Below(kMostLive));
    for (int64_t i = 0; i < length && count_ < events_; ++i) {
      if (frees && !live.empty()) {
        Free(cpu, live);
      } else {
        Alloc(cpu);
      }
    }
  }

  void Line(int cpu, const char* event, const Block& block, const char* rest) {
    char line[256];
    time_ += 300 + Below(600);
    const int size =
        std::snprintf(line, sizeof(line),
                      "            task-%-6d [%03d] ..... %5lld.%06lld: %s: page=00000000%08llx pfn=0x%llx "
                      "order=%d%s\n",
                      1000 + cpu, cpu, static_cast<long long>(time_ / 1'000'000'000),
                      static_cast<long long>(time_ / 1000 % 1'000'000), event,
                      static_cast<unsigned long long>(block.pfn * 2654435761 % 0xffffffff),
                      static_cast<unsigned long long>(block.pfn), block.order, rest);
    text_.append(line, static_cast<size_t>(size));
    ++count_;
  }

  void Alloc(int cpu) {
    const int order = Below(50) == 0 ? 3 : 0;
    // Frames of the CPU's node, one after another.
    int64_t& next = next_[cpu * 2 / kCpus];
    next = (next + (1 << order) - 1) >> order << order;
    const Block block = {(cpu < kCpus / 2 ? 0 : 4'500'000) + next % 4'000'000 + 4096, order};
    next += 1 << order;
    Line(cpu, "mm_page_alloc", block,
         order > 0 ? " migratetype=0 gfp_flags=GFP_KERNEL|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP"
                   : " migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP");
    live_[cpu * 2 / kCpus].push_back(block);
  }

  void Free(int cpu, std::vector<Block>& live) {
    const size_t at = std::max<size_t>(live.size(), 1000) - 1 - static_cast<size_t>(Below(900));
    const size_t taken = std::min(at, live.size() - 1);
    const Block block = live[taken];
    live[taken] = live.back();
    live.pop_back();
    Line(cpu, "mm_page_free", block, "");
  }

  sim::RandomStream random_;
  int64_t events_;
  int64_t count_ = 0;
  int64_t time_ = 0;
  int64_t next_[2] = {};
  std::vector<Block> live_[2];  // by node
  std::string text_;
};

const std::string& TextOf(int64_t events) {
  static std::string* const text = new std::string;
  static int64_t of = 0;
  if (of != events) *text = TraceText(events).Take();
  of = events;
  return *text;
}

void CountEvents(benchmark::State& state) {
  state.counters["events/s"] = benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)),
                                                  benchmark::Counter::kIsRate);
  state.counters["bytes/event"] =
      static_cast<double>(TextOf(state.range(0)).size()) / static_cast<double>(state.range(0));
}

void BM_ReadFtrace(benchmark::State& state) {
  const std::string& text = TextOf(state.range(0));
  for (auto _ : state) {
    absl::StatusOr<AllocTrace> trace = ParseAllocTrace("a.ftrace", text, TraceFormat::kFtrace);
    if (!trace.ok()) state.SkipWithError(std::string(trace.status().message()).c_str());
    benchmark::DoNotOptimize(trace);
  }
  CountEvents(state);
}
BENCHMARK(BM_ReadFtrace)->Arg(10'000'000)->Unit(benchmark::kMillisecond);

// The machine boots outside of the time.
void Replay(benchmark::State& state, const LoadedScenario& scenario) {
  absl::StatusOr<std::unique_ptr<Simulation>> simulation = Simulation::Create(scenario, {});
  if (!simulation.ok()) return state.SkipWithError(std::string(simulation.status().message()).c_str());
  state.ResumeTiming();
  const absl::Status status = (*simulation)->Run();
  state.PauseTiming();
  if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
  const AllocReplay& replay = *(*simulation)->replays().front();
  if (replay.counter(ALLOCATIONS_FAILED) + replay.counter(ALLOCATIONS_FREED_UNSEEN) > 0)
    state.SkipWithError("the trace is not as it should be");
}

absl::StatusOr<LoadedScenario> Load(int64_t events) {
  return ParseScenario(
      "bench.textproto", kScenario,
      {[events](const std::string&) -> absl::StatusOr<std::string> { return TextOf(events); }, nullptr});
}

void BM_Replay(benchmark::State& state) {
  const absl::StatusOr<LoadedScenario> scenario = Load(state.range(0));
  if (!scenario.ok()) return state.SkipWithError(std::string(scenario.status().message()).c_str());
  for (auto _ : state) {
    state.PauseTiming();
    Replay(state, *scenario);
    state.ResumeTiming();
  }
  CountEvents(state);
}
BENCHMARK(BM_Replay)->Arg(10'000'000)->Unit(benchmark::kMillisecond);

// From the text in memory to the end of the run.
void BM_ReadAndReplay(benchmark::State& state) {
  TextOf(state.range(0));
  for (auto _ : state) {
    const absl::StatusOr<LoadedScenario> scenario = Load(state.range(0));
    state.PauseTiming();
    if (!scenario.ok()) return state.SkipWithError(std::string(scenario.status().message()).c_str());
    Replay(state, *scenario);
    state.ResumeTiming();
  }
  CountEvents(state);
}
BENCHMARK(BM_ReadAndReplay)->Arg(10'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace numasim::workloads
