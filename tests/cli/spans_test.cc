// Spans (trace.spans): what took time, one by one. They are what the statistics of the same run were made of,
// and the run is the same without them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/cli/program_test.h"

namespace numasim {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

// Streams that wait for one another: two writers of nr_hugepages on resize_lock, faults on hugetlb_lock.
constexpr char kScenario[] = R"(machine { node { memory: "2G" cpus: 2 } node { memory: "2G" cpus: 2 } }
workload {
  script {
    name: "pools" copies: 4 loops: 3
    line: "spawn writer"
    line: "@writer cpu {copy}"
    line: "@writer pool 2M all 400"
    line: "@writer pool 2M all 300"
  }
  script {
    name: "users" copies: 4 start: "1ms"
    line: "spawn p"
    line: "@p cpu {copy}"
    line: "@p map a 64M hugetlb-2M"
    line: "@p touch a"
  }
  guests { name: "vms" count: 5 arrival { poisson { mean: "1ms" } } size { constant: "300M" } lifetime { constant: "5ms" } }
}
)";

class SpansTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    Write("s.textproto", kScenario);
  }

  static void Run(const std::string& out, std::vector<std::string> options) {
    options.insert(options.begin(), {"run", "s.textproto", "--quiet", "--out", out});
    const Outcome run = Numasim(options);
    ASSERT_EQ(run.exit_status, 0) << run.err;
  }
  static Json Dump(const std::string& trace) {
    const Outcome dump = Numasim({"dump", trace, "--format", "json"});
    EXPECT_EQ(dump.exit_status, 0) << dump.err;
    return Json::parse(dump.out, nullptr, /*allow_exceptions=*/false);
  }
};

struct Sums {
  uint64_t count = 0;
  int64_t time_ns = 0;

  bool operator==(const Sums&) const = default;
};

// The name of the script that a stream, or of the group that a guest, is of.
std::string OwnerOf(const std::string& path) { return path.substr(0, path.find('#')); }

// "touch" of the operation "@p touch a"; of a guest's span its kind.
std::string OperationOf(const std::string& kind, const std::string& name) {
  if (kind != "operation") return kind;
  const size_t begin = name.starts_with('@') ? name.find(' ') + 1 : 0;
  return name.substr(begin, name.find(' ', begin) - begin);
}

TEST_F(SpansTest, StatisticsAreMadeOfThem) {
  Run("t.pb", {"--set", "trace.spans=true"});
  const Json dump = Dump("t.pb");
  std::map<std::pair<std::string, std::string>, Sums> waits, wanted_waits;
  std::map<std::pair<std::string, std::string>, Sums> done, wanted_done;
  for (const Json& span : dump["spans"]) {
    const auto took_ns = span["ended_ns"].get<int64_t>() - span["began_ns"].get<int64_t>();
    ASSERT_GE(took_ns, 0);
    const std::string kind = span["kind"];
    Sums& sums = kind == "lock_wait" ? waits[{span["lp"], span["name"]}]
                                     : done[{OwnerOf(span["path"]), OperationOf(kind, span["name"])}];
    ++sums.count;
    sums.time_ns += took_ns;
  }
  for (const Json& lock : dump["locks"]) {
    if (lock["contended"] == 0) continue;
    wanted_waits[{lock["lp"], lock["name"]}] = {lock["contended"], lock["wait_ns"]["sum"]};
  }
  for (const Json& operation : dump["operations"]) {
    if (!operation.contains("script") || operation["operation"] == "access") continue;
    wanted_done[{operation["script"], operation["operation"]}] = {operation["tried"],
                                                                  operation["latency_ns"]["sum"]};
  }
  // The overlap that this is about took place.
  EXPECT_GT(wanted_waits[std::make_pair("kernel", "hugetlb-2M.resize_lock")].count, 0u);
  EXPECT_EQ(waits, wanted_waits);
  EXPECT_EQ(done, wanted_done);
}

TEST_F(SpansTest, AFailureSaysWhy) {
  Write("s.textproto", R"(machine { node { memory: "64M" } }
workload { script { name: "one" line: "spawn p" line: "@p map a 1G hugetlb-2M" } }
)");
  Run("t.pb", {"--set", "trace.spans=true"});
  EXPECT_THAT(Numasim({"dump", "t.pb"}).out, HasSubstr("operation  one: @p map a 1G hugetlb-2M took "));
  EXPECT_THAT(Numasim({"dump", "t.pb", "--format", "csv", "--table", "spans"}).out,
              HasSubstr(",operation,one,@p map a 1G hugetlb-2M,ENOMEM\n"));
}

TEST_F(SpansTest, TheRunIsTheSameWithoutThem) {
  Run("with.pb", {"--set", "trace.spans=true"});
  Run("without.pb", {});
  Json with = Dump("with.pb");
  Json without = Dump("without.pb");
  EXPECT_TRUE(without["spans"].empty());
  EXPECT_FALSE(with["spans"].empty());
  const Outcome table = Numasim({"dump", "without.pb", "--format", "csv", "--table", "spans"});
  EXPECT_EQ(table.exit_status, 1);
  EXPECT_THAT(table.err, HasSubstr("--table spans: without.pb has none; expected the trace of a run with "));
  EXPECT_EQ(table.out, "");
  for (const char* part : {"columns", "samples", "events", "locks", "operations", "pageblocks"})
    EXPECT_EQ(with[part], without[part]) << part;
}

TEST_F(SpansTest, AnyNumberOfThreadsGivesTheSameBytes) {
  Run("one.pb", {"--set", "trace.spans=true", "--threads", "1"});
  Run("three.pb", {"--set", "trace.spans=true", "--threads", "3"});
  EXPECT_EQ(FileText("one.pb"), FileText("three.pb"));
}

}  // namespace
}  // namespace numasim
