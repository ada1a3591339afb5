// How long it takes to read a long script, by its number of lines.
#include <string>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "workloads/script.h"

namespace numasim::workloads {
namespace {

// Generations of processes, each of which inherits the first one's mapping and makes, uses and drops one of
// its own.
std::string LongScript(int64_t lines) {
  std::string text = "machine nodes=4 node_mem=1G\nspawn p0\n@p0 map shared 1G anon policy=interleave:0-3\n";
  for (int64_t line = 3, generation = 0; line < lines; line += 6, ++generation) {
    const std::string parent = "@p" + std::to_string(generation);
    const std::string child = "@p" + std::to_string(generation + 1);
    const std::string id = "m" + std::to_string(generation);
    absl::StrAppend(&text, parent, " fork ", child.substr(1), "\n");
    absl::StrAppend(&text, parent, " exit\n");
    absl::StrAppend(&text, child, " map ", id, " 64M anon thp=hugepage policy=bind:1,3\n");
    absl::StrAppend(&text, child, " touch ", id, " 4M 16M 8K r\n");
    absl::StrAppend(&text, child, " touch shared 0 4M\n");
    absl::StrAppend(&text, child, " unmap ", id, " 2M 60M\n");
  }
  return text;
}

void BM_ParseScript(benchmark::State& state) {
  const std::string text = LongScript(state.range(0));
  for (auto _ : state) {
    absl::StatusOr<Script> script = ParseScript(text, "long.mm");
    if (!script.ok()) state.SkipWithError(std::string(script.status().message()).c_str());
    benchmark::DoNotOptimize(script);
  }
  state.counters["lines/s"] = benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)),
                                                 benchmark::Counter::kIsRate);
}
BENCHMARK(BM_ParseScript)->Arg(1'000)->Arg(30'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace numasim::workloads
