// A machine under load: random scripts at the same time, with more memory than there is, of everything that
// reclaim, compaction and the OOM killer meet: page cache, anonymous memory with and without huge pages,
// pipes, pinned buffers, forks, pools that grow. Whenever nothing runs the whole state is as it must be, and
// in the end nothing is left in use.
#include <algorithm>
#include <array>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/models/contig/contig_layouts.h"
#include "tests/models/contig/contig_streams.h"
#include "tests/models/test_machine.h"
#include "workloads/script.h"

namespace numasim {
namespace {

#ifdef NUMASIM_MANY_LOADS
constexpr uint64_t kSeeds = 400;
#else
constexpr uint64_t kSeeds = 6;
#endif
constexpr int kStreams = 4;
constexpr int kLives = 4;        // of a stream's process, one after another
constexpr int kOperations = 22;  // of a life

// The lives of one stream's process and of its children.
class Lines {
 public:
  Lines(uint64_t seed, int stream, int nodes, int cpus)
      : random_(seed * kStreams + static_cast<uint64_t>(stream)), nodes_(nodes), cpus_(cpus) {}

  std::string Lives() {
    std::string text;
    for (int life = 0; life < kLives; ++life) absl::StrAppend(&text, Life());
    return text;
  }

 private:
  uint32_t Below(uint32_t end) { return static_cast<uint32_t>(random_()) % end; }
  std::string Megabytes(uint32_t end) { return absl::StrCat(Below(end), "M "); }
  std::string Length(uint32_t most) { return absl::StrCat(1 + Below(most), "M"); }
  std::string File() { return Below(2) == 0 ? "f" : "g"; }
  static std::string Of(std::string_view who, std::string_view what) {
    return absl::StrCat("@", std::string(who), " ", std::string(what), "\n");
  }

  std::string Life() {
    pipes_ = 0;
    std::string text =
        absl::StrCat("spawn p\n", Of("p", absl::StrCat("cpu ", Below(cpus_))), "@p map a 64M anon",
                     Below(3) == 0 ? " thp=nohugepage\n" : "\n", "@p map f 96M file file=x",
                     Below(2) == 0 ? " shared\n" : "\n", "@p map g 64M file file=y\n");
    for (int i = 0; i < kOperations; ++i) absl::StrAppend(&text, Next());
    return absl::StrCat(text, "@p exit\n");
  }

  std::string Next() {
    const uint32_t kind = Below(26);
    if (kind < 6) return Of("p", absl::StrCat("read ", File(), " ", Megabytes(64), Length(32)));
    if (kind < 8) return Of("p", absl::StrCat("touch ", File(), " ", Megabytes(56), Length(8), " r"));
    if (kind < 13) return Of("p", absl::StrCat("touch a ", Megabytes(32), Length(32)));
    switch (kind) {
      case 13:
        return Of("p", absl::StrCat("advise a ", Megabytes(32), Length(32), " dontneed"));
      case 14:
        return Of("p", absl::StrCat("advise a ", Megabytes(32), "256K dontneed"));
      case 15:
        return Of("p", absl::StrCat("advise a ", 2 * Below(16), "M 4M collapse"));
      case 16: {
        const std::string name = absl::StrCat("t", pipes_++);
        return absl::StrCat(Of("p", absl::StrCat("pipes ", name, " ", Length(6))),
                            Below(2) == 0 ? "" : Of("p", absl::StrCat("drain_pipes ", name, " 2")));
      }
      case 17:
        return Of("p", "pin a 0 2M");
      case 18:
        return Of("p", "unpin a");
      case 19:
        return Family();
      case 20:
        return "compact\n";
      case 21:
        return absl::StrCat("pool 2M node", Below(static_cast<uint32_t>(nodes_)), " ", Below(24), "\n");
      case 22:
        return Of("p", absl::StrCat("punch ", File(), " ", Megabytes(56), Length(8)));
      case 23:
        return Of("p", absl::StrCat("move a ", Below(static_cast<uint32_t>(nodes_))));
      case 24:
        return absl::StrCat("drop_caches ", 2 + Below(2), "\n");
      default:
        return Of("p", absl::StrCat("oom_score_adj ", 500 * Below(2)));
    }
  }

  // A child that writes to what it shares.
  std::string Family() {
    return absl::StrCat("@p fork c\n", Of("c", absl::StrCat("cpu ", Below(cpus_))),
                        Of("c", absl::StrCat("touch a ", Megabytes(32), Length(32))), "@c exit\n");
  }

  std::mt19937_64 random_;
  int nodes_;
  uint32_t cpus_;
  int pipes_ = 0;
};

std::vector<Streams::Script> Scripts(const ContigLayout& layout, uint64_t seed) {
  const int nodes = static_cast<int>(layout.nodes.size());
  std::vector<Streams::Script> scripts;
  for (int stream = 0; stream < kStreams; ++stream) {
    Lines lines(seed, stream, nodes, layout.cpus * nodes);
    const auto script = workloads::ParseScript(lines.Lives(), "lines.mm");
    EXPECT_TRUE(script.ok()) << script.status();
    scripts.push_back(script->ops);
  }
  return scripts;
}

class RandomLoadTest : public ::testing::TestWithParam<ContigLayout> {
 protected:
  enum Work : size_t { kReclaimed, kCompacted, kKilled, kSplit, kWorks };
  using Done = std::array<int64_t, kWorks>;

  static Done DoneBy(TestMachine& machine) {
    Done done{};
    for (int n = 0; n < machine.memory().node_count(); ++n) {
      done[kReclaimed] += machine.counter(n, PGSTEAL_KSWAPD) + machine.counter(n, PGSTEAL_DIRECT);
      done[kCompacted] += machine.counter(n, COMPACT_MIGRATE_SCANNED);
      done[kKilled] += machine.counter(n, OOM_KILL);
      done[kSplit] += machine.counter(n, THP_SPLIT_PAGE);
    }
    return done;
  }
};

TEST_P(RandomLoadTest, LeavesAWholeStateAndNothingInUse) {
  Done sum{};
  int all_at_once = 0;  // phases in which there was reclaim, compaction and an OOM kill
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Knobs knobs = Knobs::Of(static_cast<int>(seed % 32));
    knobs.thp = seed % 4 != 0;
    Streams streams(GetParam(), knobs, Scripts(GetParam(), seed));
    streams.machine().Run("sysctl vm.overcommit_memory 1");
    for (size_t at = 0; at < streams.operations(); at += Streams::kPhase) {
      const Done before = DoneBy(streams.machine());
      streams.RunPhase(at);
      if (HasFatalFailure()) return;
      const Done after = DoneBy(streams.machine());
      bool all = true;
      for (size_t work = 0; work < kWorks; ++work) {
        sum[work] += after[work] - before[work];
        all &= work == kSplit || after[work] > before[work];
      }
      all_at_once += all;
    }
    streams.Finish();
    if (HasFatalFailure()) return;
  }
  for (const int64_t work : sum) EXPECT_GT(work, 0);
  EXPECT_GT(all_at_once, 0);
  std::cout << sum[kReclaimed] << " pages reclaimed, " << sum[kCompacted] << " scanned to be moved, "
            << sum[kKilled] << " processes killed, " << sum[kSplit] << " huge pages split; " << all_at_once
            << " phases with all but the last\n";
}

INSTANTIATE_TEST_SUITE_P(
    Layouts, RandomLoadTest,
    ::testing::Values(ContigLayout{.name = "OneNode", .nodes = {96 * kMiB}, .disk = 1024 * kMiB, .cpus = 4},
                      ContigLayout{.name = "TwoNodes", .nodes = {96 * kMiB, 64 * kMiB}, .disk = 1024 * kMiB},
                      ContigLayout{.name = "MovableZones",
                                   .nodes = {96 * kMiB, 96 * kMiB},
                                   .movablecore = 96 * kMiB,
                                   .disk = 1024 * kMiB}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace numasim
