// What a trace costs a run: time per sample of 500 columns (8 nodes have about that many), of which some
// change from sample to sample, and bytes of file per sample. The run's own work is not in it.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/trace.pb.h"
#include "proto/trace_reader.h"
#include "proto/trace_writer.h"

namespace numasim {
namespace {

constexpr int kColumns = 500;
constexpr int64_t kMs = 1000000;

trace::Header BenchHeader() {
  trace::Header header;
  header.set_sampling_interval_ns(kMs);
  for (int i = 0; i < kColumns; ++i)
    header.add_column()->set_name(absl::StrCat("node", i / 60, ".counter", i));
  return header;
}

// Rows in which `changing` columns, chosen anew for each row, have gone on by up to 1000 pages.
std::vector<std::vector<int64_t>> BenchRows(int rows, int changing) {
  std::mt19937_64 random(1);
  std::vector<int64_t> values(kColumns, 1 << 20);
  std::vector<std::vector<int64_t>> result;
  for (int row = 0; row < rows; ++row) {
    const int first = static_cast<int>(random() % kColumns);
    for (int i = 0; i < changing; ++i)
      values[(first + i * 7) % kColumns] += static_cast<int64_t>(random() % 1000);
    result.push_back(values);
  }
  return result;
}

void AddSample(benchmark::State& state) {
  const auto rows = BenchRows(1024, static_cast<int>(state.range(0)));
  auto writer = TraceWriter::Create("/dev/null", BenchHeader());
  if (!writer.ok()) return state.SkipWithError(std::string(writer.status().message()).c_str());
  const auto start = static_cast<int64_t>((*writer)->bytes_written());
  int64_t time_ns = 0;
  for (auto _ : state) {
    (*writer)->AddSample(time_ns, rows[static_cast<size_t>(time_ns / kMs) % rows.size()]);
    time_ns += kMs;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes/sample"] = benchmark::Counter(
      static_cast<double>((*writer)->bytes_written() - start) / static_cast<double>(state.iterations()));
}
BENCHMARK(AddSample)->ArgName("changing")->Arg(0)->Arg(10)->Arg(50)->Arg(250)->Arg(500);

class Sum : public TraceVisitor {
 public:
  void OnSamples(const SampleSpan& span) override { sum += span.values[0] * span.count; }
  int64_t sum = 0;
};

void ReadSamples(benchmark::State& state) {
  const std::string path = absl::StrCat("/tmp/trace_bench.", getpid(), ".pb");
  const auto rows = BenchRows(4096, static_cast<int>(state.range(0)));
  auto writer = TraceWriter::Create(path, BenchHeader());
  if (!writer.ok()) return state.SkipWithError(std::string(writer.status().message()).c_str());
  int64_t time_ns = 0;
  for (const std::vector<int64_t>& row : rows) (*writer)->AddSample(time_ns += kMs, row);
  (*writer)->Finish().IgnoreError();
  auto reader = TraceReader::Open(path);
  unlink(path.c_str());
  if (!reader.ok()) return state.SkipWithError(std::string(reader.status().message()).c_str());
  for (auto _ : state) {
    Sum sum;
    if (!(*reader)->Read(TimeRange(), &sum).ok()) return state.SkipWithError("cannot read");
    benchmark::DoNotOptimize(sum.sum);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(rows.size()));
}
BENCHMARK(ReadSamples)->ArgName("changing")->Arg(10)->Arg(500);

}  // namespace
}  // namespace numasim
