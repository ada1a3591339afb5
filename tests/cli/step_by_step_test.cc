// The same trace, to the last byte, whether private steps are run together (sim/stretch.h) or one by one, for
// any number of threads: random scripts on small machines, with costs at random, so that all kinds of events
// meet.
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cli/run/traced_run.h"
#include "gtest/gtest.h"
#include "sim/random.h"
#include "tests/workloads/random_script.h"

namespace numasim {
namespace {

using workloads::Op;

class Draws {
 public:
  explicit Draws(uint64_t seed) : random_(seed, "step_by_step_test") {}
  int64_t Below(int64_t n) { return static_cast<int64_t>(random_.Uniform(static_cast<uint64_t>(n))); }
  bool OneIn(int64_t n) { return Below(n) == 0; }

 private:
  sim::RandomStream random_;
};

std::string ScriptOf(const std::string& name, const std::vector<std::string>& lines, int64_t start) {
  std::string text = absl::StrCat("  script {\n    name: '", name, "'\n    start: '", start, "ns'\n");
  for (const std::string& line : lines) absl::StrAppend(&text, "    line: '", absl::CEscape(line), "'\n");
  return text + "  }\n";
}

// A process that writes to its memory, forks, and has parent or child write to what they share.
std::vector<std::string> ForkingLines(Draws& draws, int cpus) {
  const int64_t pages = 100 + draws.Below(1500);
  std::vector<std::string> lines = {"spawn p", absl::StrCat("@p cpu ", draws.Below(cpus)),
                                    absl::StrCat("@p map m ", pages * 4, "K anon"), "@p touch m",
                                    "@p fork c"};
  if (draws.OneIn(2)) lines.push_back(absl::StrCat("@c cpu ", draws.Below(cpus)));
  if (draws.OneIn(3)) lines.push_back("@p fork d");
  lines.push_back(absl::StrCat("@c touch m 0 ", (1 + draws.Below(pages)) * 4, "K"));
  if (draws.OneIn(2)) lines.push_back(absl::StrCat("@p touch m 0 ", (1 + draws.Below(pages)) * 4, "K"));
  lines.insert(lines.end(), {"@c exit", "@p touch m", "@p unmap m", "@p exit"});
  return lines;
}

// Watermarks that go up and down while others fault.
std::vector<std::string> WatermarkLines(Draws& draws) {
  std::vector<std::string> lines;
  for (int k = 0; k < 12; ++k) {
    lines.push_back(absl::StrCat("sleep ", draws.Below(400), "us"));
    lines.push_back(absl::StrCat("sysctl vm.min_free_kbytes ", 512 + draws.Below(12'000)));
  }
  return lines;
}

// A process that wants more memory than there is, so that it or another one is killed. One mapping of all
// that would be refused (vm.overcommit_memory).
std::vector<std::string> GreedyLines(Draws& draws, int64_t megabytes, int cpus) {
  const std::string part = absl::StrCat(megabytes * 6 / 10, "M anon");
  return {"spawn g",
          absl::StrCat("@g cpu ", draws.Below(cpus)),
          absl::StrCat("@g map m ", part),
          "@g touch m",
          absl::StrCat("@g map n ", part),
          "@g touch n",
          "@g exit"};
}

std::string CostModel(Draws& draws) {
  if (draws.OneIn(3)) return "";
  std::string text = "cost_model {\n";
  // Few different values, some of them 0: much happens at the same instant.
  for (const char* cost :
       {"pcp_alloc_ns", "pcp_free_ns", "buddy_page_ns", "buddy_miss_ns", "zone_lock_ns", "lru_lock_ns",
        "fault_ns", "clear_page_ns", "map_page_ns", "copy_page_ns", "unmap_page_ns", "touch_ns"})
    absl::StrAppend(&text, "  ", cost, ": ", 100 * draws.Below(4), "\n");
  return text + "}\n";
}

std::string ScenarioOf(uint64_t seed) {
  Draws draws(seed);
  const int nodes = 1 + static_cast<int>(draws.Below(3));
  const int cpus = 1 + static_cast<int>(draws.Below(4));
  std::string text = absl::StrCat("name: 'random'\n", CostModel(draws), "machine {\n");
  int64_t megabytes = 0;
  for (int n = 0; n < nodes; ++n) {
    const int64_t of_node = 4 * (12 + draws.Below(16));
    megabytes += of_node;
    absl::StrAppend(&text, "  node { memory: '", of_node, "M' cpus: ", cpus, " }\n");
  }
  const bool thp = draws.OneIn(3);
  absl::StrAppend(&text, "}\nkernel { thp { enabled: '", thp ? "always" : "never", "' } }\nworkload {\n");
  for (int k = 0; k < 2 * cpus; ++k) {
    const int64_t start = draws.OneIn(2) ? 0 : draws.Below(100'000);
    absl::StrAppend(&text, ScriptOf(absl::StrCat("forking", k), ForkingLines(draws, nodes * cpus), start));
  }
  if (draws.OneIn(4)) absl::StrAppend(&text, ScriptOf("watermarks", WatermarkLines(draws), 0));
  if (draws.OneIn(4)) {
    const std::vector<std::string> lines = GreedyLines(draws, megabytes, nodes * cpus);
    absl::StrAppend(&text, ScriptOf("greedy", lines, draws.Below(100'000)));
  }
  workloads::RandomScriptOptions options;
  options.nodes = nodes;
  options.cpus = nodes * cpus;
  options.max_mapping = int64_t{8} << 20;
  if (thp) options.weights = options.weights.WithThp();
  for (int k = 0; k < 2; ++k) {
    std::vector<std::string> lines;
    for (const Op& op : workloads::RandomOps(options, 2 * seed + static_cast<uint64_t>(k), 40))
      lines.push_back(op.text);
    absl::StrAppend(&text, ScriptOf(absl::StrCat("random", k), lines, draws.Below(1000)));
  }
  return absl::StrCat(text, "}\ntrace { interval: '", draws.OneIn(2) ? "30us" : "1ms",
                      "' spans: ", draws.OneIn(2) ? "true" : "false", " }\n");
}

struct Result {
  std::string trace;
  int64_t killed = 0;  // processes, for want of memory
};

Result ResultOf(const workloads::LoadedScenario& scenario, bool step_by_step, int threads) {
  const std::string path = testing::TempDir() + "t.pb";
  Result result;
  {
    auto run =
        TracedRun::Create(scenario, {.trace_path = path,
                                     .seed = {},
                                     .threads = threads,
                                     .scheme = threads > 1 ? sim::Scheme::kParallel : sim::Scheme::kInline,
                                     .step_by_step = step_by_step});
    EXPECT_TRUE(run.ok()) << run.status();
    if (!run.ok()) return result;
    const absl::Status status = (*run)->Run();
    EXPECT_TRUE(status.ok()) << status;
    const MemorySystem& memory = (*run)->simulation().memory();
    for (int n = 0; n < memory.node_count(); ++n) result.killed += memory.node(NodeId{n}).counters[OOM_KILL];
  }
  std::ifstream file(path, std::ios::binary);
  result.trace = std::string(std::istreambuf_iterator<char>(file), {});
  return result;
}

TEST(StepByStepTest, GivesTheSameTrace) {
  int64_t killed = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const std::string text = ScenarioOf(seed);
    const std::string path = testing::TempDir() + "s.textproto";
    std::ofstream(path) << text;
    const auto scenario = LoadInput(path);
    ASSERT_TRUE(scenario.ok()) << scenario.status() << "\n" << text;
    const auto [trace, killed_here] = ResultOf(*scenario, /*step_by_step=*/true, 1);
    ASSERT_GT(trace.size(), 1000u) << text;
    killed += killed_here;
    for (const int threads : {1, 2, 3, 8}) {
      if (threads > 2 && seed % 4 != 0) continue;
      // Not shown as they are: traces are long.
      ASSERT_TRUE(trace == ResultOf(*scenario, /*step_by_step=*/false, threads).trace)
          << "seed " << seed << ", " << threads << " threads:\n"
          << text;
    }
  }
  EXPECT_GE(killed, 20);
}

}  // namespace
}  // namespace numasim
