// Several random scripts at the same time on one machine, under each behaviour that can be set: whenever
// nothing runs the whole state is as it must be, in the end nothing is left in use, and what happened is the
// same for any number of threads.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/contig/contig_layouts.h"
#include "tests/models/test_machine.h"
#include "workloads/random_contig_script.h"
#include "workloads/script_runner.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

struct Knobs {
  bool workqueue = false, locked = false, racing = false, fails = false, mutex = false;

  static Knobs Of(int bits) {
    return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0};
  }
  Kernel kernel() const {
    Kernel kernel;
    kernel.mutable_hugetlb()->set_irq_free(workqueue ? "workqueue" : "direct");
    kernel.mutable_hugetlb()->set_shrink(locked ? "locked" : "batched");
    kernel.mutable_hugetlb()->set_resize(racing ? "racing" : "serialized");
    kernel.mutable_contig()->set_hugetlb(fails ? "fail" : "replace");
    kernel.mutable_cma()->set_lock(mutex ? "mutex" : "spinlock");
    return kernel;
  }
  int bits() const { return workqueue + 2 * locked + 4 * racing + 8 * fails + 16 * mutex; }
  std::string Name() const {
    return absl::StrCat(workqueue ? "Workqueue" : "Direct", locked ? "Locked" : "Batched",
                        racing ? "Racing" : "Serialized", fails ? "Fail" : "Replace",
                        mutex ? "Mutex" : "Spinlock");
  }
};
void PrintTo(const Knobs& knobs, std::ostream* out) { *out << knobs.Name(); }

// Streams of operations on one machine, in phases between which nothing runs.
class Streams {
 public:
  static constexpr int kStreams = 4;
  static constexpr size_t kPhase = 25;  // operations of each

  Streams(const ContigLayout& layout, const Knobs& knobs, uint64_t seed, int operations, int threads = 1)
      : machine_(layout.machine(), knobs.kernel(), threads),
        used_at_boot_(ManagedPages(machine_) - machine_.UnusedPages()) {
    for (int i = 0; i < kStreams; ++i) {
      scripts_.push_back(workloads::RandomContigOps(layout.options(),
                                                    seed * kStreams + static_cast<uint64_t>(i), operations));
      runners_.push_back(std::make_unique<workloads::ScriptRunner>(
          machine_.memory(), machine_.ops(), machine_.contig(), absl::StrCat("s", i),
          [](int line) { return absl::StrCat("line ", line); }));
      longest_ = std::max(longest_, scripts_.back().size());
    }
  }

  TestMachine& machine() { return machine_; }
  size_t operations() const { return longest_; }

  // Runs the phase that begins with that operation, to its end.
  void RunPhase(size_t from) {
    int ended = 0;
    std::vector<int> done(kStreams, 0);
    for (size_t i = 0; i < kStreams; ++i) {
      machine_.engine().Start(machine_.memory().global_lp(), machine_.engine().now(), absl::StrCat("s", i),
                              [this, i, from, &done](sim::Path& path) -> sim::Task<void> {
                                const std::vector<workloads::Op>& ops = scripts_[i];
                                const size_t end = std::min(from + kPhase, ops.size());
                                for (size_t at = from; at < end; ++at) {
                                  co_await runners_[i]->Perform(path, ops[at]);
                                }
                                done[i] = 1;
                              });
    }
    // Much longer than a phase takes, though a cma_alloc that tries every page of a pinned area takes
    // seconds: what has not ended by then never does.
    const sim::SimTime end = machine_.engine().now() + sim::Milliseconds(600'000);
    ASSERT_EQ(machine_.engine().Run(end).ToString(), "OK") << Text(from);
    std::string blocked;
    for (const sim::BlockedPath& path : machine_.engine().blocked_paths()) {
      absl::StrAppend(&blocked, path.path, " waits for ", path.waits_for, "\n");
    }
    ASSERT_EQ(blocked, "") << Text(from);
    for (const int end : done) ended += end;
    ASSERT_EQ(ended, kStreams) << Text(from);
    ASSERT_EQ(absl::StrJoin(Problems(), "\n"), "") << Text(from);
  }
  std::vector<std::string> Problems() const {
    std::vector<const Process*> processes;
    for (const auto& runner : runners_) {
      for (const Process* process : runner->LiveProcesses()) processes.push_back(process);
    }
    return machine_.Problems(processes);
  }

  // What other streams left to the pools goes, and then nothing is in use.
  void Finish() {
    machine_.Run(
        "unlink_hugetlb f0\nunlink_hugetlb f1\novercommit 2M 0\npool 1G all 0\npool 2M all 5000\npool 2M all "
        "0");
    ASSERT_THAT(Problems(), IsEmpty());
    for (const HugeSize size : kHugeSizes) {
      ASSERT_EQ(machine_.ops().hugetlb().pool().hstate(size).counter(NR_HUGEPAGES), 0);
    }
    for (const auto& area : machine_.contig().cma().areas()) {
      ASSERT_EQ(area->counters[CMA_FREE_PAGES], area->pages);
    }
    ASSERT_EQ(ManagedPages(machine_) - machine_.UnusedPages(), used_at_boot_);
  }

  // The phase's operations, to be found again.
  std::string Text(size_t from) const {
    std::string text;
    for (size_t i = 0; i < kStreams; ++i) {
      absl::StrAppend(&text, "# stream ", i, ", from line ", from + 1, "\n");
      for (size_t at = 0; at < std::min(from + kPhase, scripts_[i].size()); ++at) {
        absl::StrAppend(&text, scripts_[i][at].text, "\n");
      }
    }
    return text;
  }

 private:
  TestMachine machine_;
  int64_t used_at_boot_;
  std::vector<std::vector<workloads::Op>> scripts_;
  std::vector<std::unique_ptr<workloads::ScriptRunner>> runners_;
  size_t longest_ = 0;
};

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
      SCOPED_TRACE(absl::StrCat(layout.name, ", seed ", 1000 * GetParam().bits() + seed));
      Streams streams(layout, GetParam(), static_cast<uint64_t>(1000 * GetParam().bits() + seed),
                      kOperations);
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
    absl::StrAppend(&text, record.time.ns, " ", record.kind, " ", record.detail, "\n");
  }
  std::string text;
};

std::string TraceOf(const ContigLayout& layout, uint64_t seed, int threads) {
  Recorder recorder;
  Streams streams(layout, Knobs::Of(static_cast<int>(seed % 32)), seed, 60, threads);
  TestMachine& machine = streams.machine();
  std::vector<MemorySystem::CounterColumn> columns = machine.memory().Columns();
  for (auto& column : machine.ops().hugetlb().pool().Columns()) columns.push_back(std::move(column));
  for (auto& column : machine.contig().Columns()) columns.push_back(std::move(column));
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
