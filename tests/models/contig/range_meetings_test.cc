// Random streams on machines so small, and so many of them taking ranges, that who takes memory back meets
// what somebody else is just moving, allocating or giving up: CMA, virtio-mem, offlining and gigantic pages
// against each other, resized pools, faults, pins and moves. After each phase the whole state is as it must
// be, and in the end nothing is left in use.
#include <algorithm>
#include <any>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/base/failure.h"
#include "sim/random.h"
#include "tests/models/contig/contig_layouts.h"
#include "tests/models/contig/contig_streams.h"
#include "tests/workloads/random_contig_script.h"

namespace numasim {
namespace {

#ifdef NUMASIM_MANY_CONTIG_OPERATIONS
constexpr int kGroups = 200;
constexpr int kScenarios = 100;  // of each
#else
constexpr int kGroups = 8;
constexpr int kScenarios = 40;
#endif

constexpr int64_t kGiB = 1024 * kMiB;

// On one node, mostly: what is moved out of one range then goes to where others take theirs.
std::vector<ContigLayout> Layouts() {
  return {
      {.name = "AreaAndDevice",
       .nodes = {96 * kMiB},
       .device = 256 * kMiB,
       .area = 16 * kMiB,
       .pool = 40,
       .cpus = 6},
      {.name = "AreaAndMovableDevice",
       .nodes = {96 * kMiB},
       .device = 256 * kMiB,
       .device_zone = ZoneType::kMovable,
       .area = 16 * kMiB,
       .pool = 40,
       .cpus = 6},
      {.name = "AreaAndBlocks", .nodes = {320 * kMiB, 64 * kMiB}, .area = 16 * kMiB, .cpus = 4},
      {.name = "MovableBlocks",
       .nodes = {256 * kMiB, 256 * kMiB},
       .movablecore = 384 * kMiB,
       .area = 8 * kMiB,
       .cpus = 4},
      {.name = "Gigantic",
       .nodes = {2 * kGiB + 128 * kMiB},
       .device = 256 * kMiB,
       .area = 16 * kMiB,
       .gigantic = 1,
       .offline = false,
       .pool = 900,
       .cpus = 6},
      {.name = "GiganticArea",
       .nodes = {2 * kGiB + 512 * kMiB},
       .area = 16 * kMiB,
       .gigantic = 2,
       .gigantic_area = 1 * kGiB,
       .pool = 900,
       .cpus = 6},
  };
}

class Scenario {
 public:
  explicit Scenario(uint64_t seed) : seed_(seed), random_(seed, "range_meetings") {
    const std::vector<ContigLayout> layouts = Layouts();
    layout_ = layouts[Draw(layouts.size())];
    knobs_ = Knobs::Of(static_cast<int>(Draw(32)));
    knobs_.thp = seed % 4 == 0;
    int64_t memory = layout_.device / 2;
    for (const int64_t pages : layout_.nodes) memory += pages;
    const uint64_t streams = 3 + Draw(4);
    for (uint64_t i = 0; i < streams; ++i) {
      workloads::RandomContigOptions options = layout_.options();
      options.max_processes = 2;
      // The first uses memory, much of it as a rule. Half of the others mostly take ranges.
      const uint64_t kind = i == 0 ? 5 : Draw(6);
      if (kind < 3) options.ranges = 70;
      if (kind == 3) options.pools = 60;
      if (i == 0) options.max_mapping = std::min(memory / 3, 96 * kMiB) * kPageSize;
      if (Draw(3) == 0) options.offline_one_in = layout_.offline ? 2 : 0;
      const int count = 10 + static_cast<int>(Draw(Streams::kPhase));
      scripts_.push_back(workloads::RandomContigOps(options, seed * 8 + i, count));
    }
  }

  std::string Text() const {
    return absl::StrCat("seed ", seed_, ": ", layout_.name, " ", knobs_.Name(), " with ", scripts_.size(),
                        " streams");
  }
  Streams MakeStreams() const { return {layout_, knobs_, scripts_, 1, SystemCpu::kOfTheStream}; }

 private:
  uint64_t Draw(uint64_t below) { return random_.Uniform(below); }

  uint64_t seed_;
  sim::RandomStream random_;
  ContigLayout layout_;
  Knobs knobs_;
  std::vector<Streams::Script> scripts_;
};

// Counts failures by what was in the way.
class Meetings : public sim::SampleSink {
 public:
  void OnSample(sim::SimTime, std::span<const int64_t>) override {}
  void OnRepeat(sim::SimTime, sim::Duration, int64_t) override {}
  void OnLog(const sim::LogRecord& record) override {
    const auto& failure = *std::any_cast<Failure>(&record.facts);
    if (failure.user.held == FrameUser::Held::kMigrating) ++migrating;
  }
  int64_t migrating = 0;  // a frame that another path was moving a page from or to
};

// A failed check of the models ends the program: it must say in which scenario.
char current[128] = "";
void SayCurrent(int) {
  std::fputs("aborted in ", stderr);
  std::fputs(current, stderr);
  std::fputs("\n", stderr);
  std::signal(SIGABRT, SIG_DFL);
}

class RangeMeetingsTest : public ::testing::TestWithParam<int> {
 protected:
  static void TearDownTestSuite() {
    EXPECT_GT(meetings_.migrating, 0) << "nobody met a page on its way: the test has lost its subject";
  }

  static inline Meetings meetings_;
};

TEST_P(RangeMeetingsTest, LeaveAWholeStateAndNothingInUse) {
  std::signal(SIGABRT, SayCurrent);
  for (int i = 1; i <= kScenarios; ++i) {
    const Scenario scenario(static_cast<uint64_t>(GetParam() * kScenarios + i));
    SCOPED_TRACE(scenario.Text());
    std::snprintf(current, sizeof(current), "%s", scenario.Text().c_str());
    Streams streams = scenario.MakeStreams();
    streams.machine().engine().SetSampler(sim::Milliseconds(60'000), &meetings_);
    for (size_t at = 0; at < streams.operations(); at += Streams::kPhase) {
      streams.RunPhase(at);
      if (HasFatalFailure()) return;
    }
    streams.Finish();
    if (HasFatalFailure()) return;
  }
  std::signal(SIGABRT, SIG_DFL);
}

INSTANTIATE_TEST_SUITE_P(Groups, RangeMeetingsTest, ::testing::Range(0, kGroups));

}  // namespace
}  // namespace numasim
