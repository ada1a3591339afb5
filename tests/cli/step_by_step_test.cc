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

std::string CostModel(Draws& draws) {
  if (draws.OneIn(3)) return "";
  std::string text = "cost_model {\n";
  // Few different values, some of them 0: much happens at the same instant.
  for (const char* cost : {"pcp_alloc_ns", "pcp_free_ns", "buddy_page_ns", "fault_ns", "clear_page_ns",
                           "map_page_ns", "copy_page_ns", "unmap_page_ns", "touch_ns"})
    absl::StrAppend(&text, "  ", cost, ": ", 100 * draws.Below(4), "\n");
  return text + "}\n";
}

std::string ScenarioOf(uint64_t seed) {
  Draws draws(seed);
  const int nodes = 1 + static_cast<int>(draws.Below(3));
  const int cpus = 1 + static_cast<int>(draws.Below(4));
  std::string text = absl::StrCat("name: 'random'\n", CostModel(draws), "machine {\n");
  for (int n = 0; n < nodes; ++n)
    absl::StrAppend(&text, "  node { memory: '", 4 * (12 + draws.Below(16)), "M' cpus: ", cpus, " }\n");
  const bool thp = draws.OneIn(3);
  absl::StrAppend(&text, "}\nkernel { thp { enabled: '", thp ? "always" : "never", "' } }\nworkload {\n");
  for (int k = 0; k < 2 * cpus; ++k) {
    const int64_t start = draws.OneIn(2) ? 0 : draws.Below(100'000);
    absl::StrAppend(&text, ScriptOf(absl::StrCat("forking", k), ForkingLines(draws, nodes * cpus), start));
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

std::string TraceOf(const workloads::LoadedScenario& scenario, bool step_by_step, int threads) {
  const std::string path = testing::TempDir() + "t.pb";
  {
    auto run =
        TracedRun::Create(scenario, {.trace_path = path,
                                     .seed = {},
                                     .threads = threads,
                                     .scheme = threads > 1 ? sim::Scheme::kParallel : sim::Scheme::kInline,
                                     .step_by_step = step_by_step});
    EXPECT_TRUE(run.ok()) << run.status();
    if (!run.ok()) return "";
    const absl::Status status = (*run)->Run();
    EXPECT_TRUE(status.ok()) << status;
  }
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(StepByStepTest, GivesTheSameTrace) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const std::string text = ScenarioOf(seed);
    const std::string path = testing::TempDir() + "s.textproto";
    std::ofstream(path) << text;
    const auto scenario = LoadInput(path);
    ASSERT_TRUE(scenario.ok()) << scenario.status() << "\n" << text;
    const std::string trace = TraceOf(*scenario, /*step_by_step=*/true, 1);
    ASSERT_GT(trace.size(), 1000u) << text;
    for (const int threads : {1, 2, 3, 8}) {
      if (threads > 2 && seed % 4 != 0) continue;
      // Not shown as they are: traces are long.
      ASSERT_TRUE(trace == TraceOf(*scenario, /*step_by_step=*/false, threads))
          << "seed " << seed << ", " << threads << " threads:\n"
          << text;
    }
  }
}

}  // namespace
}  // namespace numasim
