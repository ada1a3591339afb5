// Several random scripts at the same time on one machine, under each behaviour that can be set: whenever
// nothing runs the whole state is as it must be, in the end nothing is left in use, and what happened is the
// same for any number of threads.
#include <any>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "models/base/failure.h"
#include "tests/models/contig/contig_layouts.h"
#include "tests/models/contig/contig_streams.h"
#include "tests/models/test_machine.h"
#include "tests/workloads/random_contig_script.h"

namespace numasim {
namespace {

std::vector<Streams::Script> RandomScripts(const ContigLayout& layout, uint64_t seed, int operations) {
  constexpr uint64_t kStreams = 4;
  std::vector<Streams::Script> scripts;
  for (uint64_t i = 0; i < kStreams; ++i) {
    scripts.push_back(workloads::RandomContigOps(layout.options(), seed * kStreams + i, operations));
  }
  return scripts;
}

#ifdef NUMASIM_MANY_CONTIG_OPERATIONS
constexpr int kSeeds = 100;
constexpr int kOperations = 200;
#else
constexpr int kSeeds = 3;
constexpr int kOperations = 75;
#endif

class ConcurrentContigTest : public ::testing::TestWithParam<Knobs> {};

TEST_P(ConcurrentContigTest, StreamsLeaveAWholeStateAndNothingInUse) {
  for (const ContigLayout& layout : ContigLayouts()) {
    const int seeds = layout.gigantic > 0 ? (kSeeds + 2) / 3 : kSeeds;
    for (int seed = 1; seed <= seeds; ++seed) {
      const auto number = static_cast<uint64_t>(1000 * GetParam().bits() + seed);
      SCOPED_TRACE(absl::StrCat(layout.name, ", seed ", number));
      Streams streams(layout, GetParam(), RandomScripts(layout, number, kOperations));
      for (size_t at = 0; at < streams.operations(); at += Streams::kPhase) {
        streams.RunPhase(at);
        if (HasFatalFailure()) return;
      }
      streams.Finish();
      if (HasFatalFailure()) return;
    }
  }
}

std::vector<Knobs> AllKnobs() {
  std::vector<Knobs> all;
  for (int bits = 0; bits < 32; ++bits) all.push_back(Knobs::Of(bits));
  for (const int bits : {0, 21}) {
    all.push_back(Knobs::Of(bits));
    all.back().thp = true;
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Knobs, ConcurrentContigTest, ::testing::ValuesIn(AllKnobs()),
                         [](const auto& info) { return info.param.Name(); });

// ---- any number of threads ----

// All samples and log records, as text.
class Recorder : public sim::SampleSink {
 public:
  void OnSample(sim::SimTime t, std::span<const int64_t> values) override {
    absl::StrAppend(&text, t.ns, ": ", absl::StrJoin(values, " "), "\n");
  }
  void OnRepeat(sim::SimTime first, sim::Duration, int64_t count) override {
    absl::StrAppend(&text, first.ns, " ", count, " times\n");
  }
  void OnLog(const sim::LogRecord& record) override {
    const auto& failure = *std::any_cast<Failure>(&record.facts);
    absl::StrAppend(&text, record.time.ns, " ", record.kind, " ", ErrnoName(failure.error), " ",
                    failure.function, " ", failure.nodes.bits(), " ", failure.user.Text(), " ",
                    failure.start.value, " ", failure.pfn.value, "\n");
  }
  std::string text;
};

std::string TraceOf(const ContigLayout& layout, uint64_t seed, int threads) {
  Recorder recorder;
  Knobs knobs = Knobs::Of(static_cast<int>(seed % 32));
  knobs.thp = seed % 2 == 0;
  if (knobs.thp) knobs.zero_page_refs = ZeroPageRefs::kMapping;
  Streams streams(layout, knobs, RandomScripts(layout, seed, 60), threads);
  TestMachine& machine = streams.machine();
  std::vector<MemorySystem::CounterColumn> columns = machine.kernel().Columns();
  for (auto& column : columns) machine.engine().AddColumn(column.column);
  machine.engine().SetSampler(sim::Microseconds(500), &recorder);
  for (size_t at = 0; at < streams.operations(); at += Streams::kPhase) streams.RunPhase(at);
  absl::StrAppend(&recorder.text, machine.engine().now().ns, " ", machine.engine().events_executed());
  return recorder.text;
}

class ThreadsTest : public ::testing::TestWithParam<ContigLayout> {};

TEST_P(ThreadsTest, DoNotChangeTheTrace) {
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    const std::string one = TraceOf(GetParam(), seed, 1);
    ASSERT_GT(one.size(), 10'000u);
    for (const int threads : {2, 4}) {
      ASSERT_TRUE(TraceOf(GetParam(), seed, threads) == one)
          << "seed " << seed << ", " << threads << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, ThreadsTest, ::testing::ValuesIn(ContigLayouts()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace numasim
