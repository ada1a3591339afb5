// The map of pageblocks at the end of a run, in its trace: it says what the counters say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kScenario[] = R"(machine { node { memory: "6G" cpus: 2 } }
workload {
  script {
    name: "load"
    line: "pool 1G all 1"
    line: "pool 2M all 100"
    line: "spawn p"
    line: "@p map huge 64M anon thp=hugepage"
    line: "@p touch huge"
    line: "@p map small 64M anon thp=nohugepage"
    line: "@p touch small"
    line: "sleep 10s"
  }
}
stop_after: "1s"
)";

class PageblocksTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    Write("s.textproto", kScenario);
    const Outcome run = Numasim({"run", "s.textproto", "--out", "t.pb", "--quiet"});
    ASSERT_EQ(run.exit_status, 0) << run.err;
  }

  static Json Output(std::vector<std::string> arguments) {
    const Outcome out = Numasim(arguments);
    EXPECT_EQ(out.exit_status, 0) << out.err;
    return Json::parse(out.out, nullptr, /*allow_exceptions=*/false);
  }
};

TEST_F(PageblocksTest, SumsAreThoseOfTheCounters) {
  const Json dump = Output({"dump", "t.pb", "--format", "json"});
  std::map<std::string, int64_t> uses;
  std::map<std::string, int64_t> zones;
  for (const Json& map : dump["pageblocks"]) {
    for (const Json& run : map["runs"]) {
      uses[run["use"]] += run["count"].get<int64_t>();
      zones[map["zone"]] += run["count"].get<int64_t>();
    }
  }
  const Json metrics = Output({"metrics", "t.pb", "--format", "json"});
  const auto value = [&](const char* name) { return metrics[name]["value"].get<int64_t>(); };
  EXPECT_EQ(value("hugetlb-1G.nr_hugepages"), 1);
  EXPECT_EQ(uses["hugetlb"], value("hugetlb-2M.nr_hugepages") + 512 * value("hugetlb-1G.nr_hugepages"));
  EXPECT_EQ(uses["thp"], value("node0.nr_anon_transparent_hugepages"));
  EXPECT_EQ(uses["thp"], 32);
  // 64 MiB of small pages, each pageblock full but for the last.
  EXPECT_GE(uses["movable"], 31);
  EXPECT_LE(uses["movable"] + uses["part_movable"] + uses["part_unmovable"], 40);
  const int64_t free_pages = value("node0.DMA.nr_free_pages") + value("node0.DMA32.nr_free_pages") +
                             value("node0.Normal.nr_free_pages");
  EXPECT_LE(uses["free"] * 512, free_pages);
  EXPECT_GE((uses["free"] + uses["part_movable"] + uses["part_unmovable"]) * 512, free_pages);
  // The tables of a zone cover whole blocks of the largest order.
  EXPECT_EQ(zones["node0.DMA"], 8);
  EXPECT_GE(zones["node0.DMA32"] + zones["node0.Normal"], (6 << 9) - 8);
}

TEST_F(PageblocksTest, TextHasALineForEachZone) {
  const Outcome text = Numasim({"dump", "t.pb"});
  EXPECT_THAT(text.out, HasSubstr("\npageblocks at the end\n"));
  EXPECT_THAT(text.out, ContainsRegex("\n  node0.Normal +[0-9]+ +[0-9]+ "));
}

}  // namespace
}  // namespace numasim
