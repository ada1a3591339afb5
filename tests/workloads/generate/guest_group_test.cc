// Groups of guests in whole simulations.
#include "workloads/generate/guest_group.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/trace_reader.h"
#include "tests/workloads/finished_run.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim {
namespace {

using testing::ElementsAre;
using testing::Pair;
using workloads::GuestGroup;

workloads::ScenarioReaders NoFiles() {
  return {[](const std::string&) { return absl::NotFoundError("no files in this test"); }, nullptr};
}

// Two nodes with so many huge pages of 2 MiB each.
std::string Host(int pool, const std::string& rest = "") {
  return absl::StrCat(
      "kernel { thp { enabled: 'never' } } machine { node { memory: '256M' cpus: 2 } "
      "node { memory: '256M' cpus: 2 } hugepages { node: 0 size: '2M' nr: ",
      pool, " } hugepages { node: 1 size: '2M' nr: ", pool, " } } trace { interval: '10ms' } ", rest);
}

std::string Guests(const std::string& name, const std::string& fields) {
  return absl::StrCat("guests { name: '", name, "' ", fields, " } ");
}

std::string Workload(const std::string& groups) { return "workload { " + groups + " }"; }

// A finished run, with what is asked of it.
class Ran : public FinishedRun {
 public:
  explicit Ran(const std::string& scenario, uint64_t seed = 1, int threads = 1,
               sim::Scheme scheme = sim::Scheme::kAuto)
      : FinishedRun(scenario, NoFiles(), seed, threads, scheme) {}

  const GuestGroup& group(size_t i = 0) { return *simulation().groups().at(i); }
  int64_t Counter(GuestCounter c, size_t i = 0) { return group(i).counter(c); }
  int64_t Pool(HugetlbCounter c) { return simulation().kernel().pool().hstate(HugeSize::k2M).counter(c); }

  // The state holds together, and every guest that came is accounted for.
  void Check() {
    CheckState();
    for (const auto& group : simulation().groups()) {
      const auto c = [&](GuestCounter counter) { return group->counter(counter); };
      EXPECT_EQ(c(GUESTS_STARTED), c(GUESTS_FINISHED) + c(GUESTS_DIED) + c(GUESTS_LIVE));
      if (group->ended()) {
        EXPECT_EQ(c(GUESTS_ARRIVED), c(GUESTS_STARTED) + c(GUESTS_DROPPED));
      }
      EXPECT_EQ(static_cast<int64_t>(group->starts().tried()), c(GUESTS_STARTED) + c(GUESTS_DROPPED));
    }
  }
  // Besides, nobody is left, and nothing of what they had.
  void CheckAllGone() {
    Check();
    EXPECT_EQ(simulation().streams_done(), simulation().streams());
    EXPECT_THAT(simulation().LiveProcesses(), testing::IsEmpty());
    EXPECT_EQ(Pool(FREE_HUGEPAGES), Pool(NR_HUGEPAGES));
    EXPECT_EQ(Pool(RESV_HUGEPAGES), 0);
    for (size_t i = 0; i < simulation().groups().size(); ++i) {
      for (const GuestCounter c : {GUESTS_LIVE, GUESTS_MAPPED_PAGES, GUESTS_TOUCHED_PAGES})
        EXPECT_EQ(Counter(c, i), 0);
    }
  }
};

// Many guests of all kinds, more than the host has room for.
std::string Mixed(const std::string& more = "") {
  return Host(40) +
         Workload(
             Guests(
                 "vms",
                 "arrival { poisson { mean: '3ms' } } count: 80 size { lognormal { median: '6M' sigma: 0.8 "
                 "max: '64M' } } lifetime { exponential { mean: '40ms' } } page_size: '2M' policy: "
                 "'bind:own' placement: 'random' on_failure { other_node: true retry { after { exponential "
                 "{ mean: '5ms' } } times: 2 } }") +
             Guests(
                 "small",
                 "arrival { closed_loop { guests: 4 pause { uniform { min: '0s' max: '2ms' } } } } count: 40 "
                 "size { zipf { step: '64K' ranks: 40 } } lifetime { weibull { scale: '5ms' shape: 0.7 } } "
                 "page_size: ['anon', 'thp', '4K', '2M'] page_size_weight: [3, 1, 1, 1] policy: "
                 "['default', 'interleave:0-1'] touch { share { uniform { min: '10%' max: '100%' } } steps: "
                 "3 "
                 "order: 'random' } placement: 'most_free'") +
             more);
}

TEST(GuestGroupTest, SameBytesForAnyNumberOfThreads) {
  const std::string one = Ran(Mixed(), 7, 1, sim::Scheme::kInline).TraceText();
  EXPECT_GT(one.size(), 1000u);
  for (const int threads : {2, 3, 8})
    EXPECT_TRUE(Ran(Mixed(), 7, threads, sim::Scheme::kParallel).TraceText() == one) << threads << " threads";
}

TEST(GuestGroupTest, AnotherSeedIsAnotherRun) {
  Ran one(Mixed(), 7);
  Ran other(Mixed(), 8);
  EXPECT_NE(one.simulation().engine().events_executed(), other.simulation().engine().events_executed());
}

TEST(GuestGroupTest, GuestsGiveBackAllTheyHad) {
  Ran run(Mixed());
  EXPECT_EQ(run.Counter(GUESTS_ARRIVED), 80);
  EXPECT_EQ(run.Counter(GUESTS_ARRIVED, 1), 40);
  EXPECT_GT(run.Counter(GUESTS_FAILED_ATTEMPTS), 0);
  EXPECT_GT(run.Counter(GUESTS_STARTED), 0);
  run.CheckAllGone();
}

// The values of a column, by sample.
std::vector<int64_t> ColumnOf(const std::string& path, const std::string& name) {
  class Reader : public TraceVisitor {
   public:
    explicit Reader(size_t column) : column_(column) {}
    void OnSamples(const SampleSpan& samples) override {
      for (int64_t i = 0; i < samples.count; ++i) values.push_back(samples.values[column_]);
    }
    std::vector<int64_t> values;

   private:
    size_t column_;
  };
  auto trace = TraceReader::Open(path);
  EXPECT_TRUE(trace.ok()) << trace.status();
  size_t column = 0;
  const auto& columns = (*trace)->header().column();
  while (static_cast<int>(column) < columns.size() && columns[static_cast<int>(column)].name() != name)
    ++column;
  EXPECT_LT(static_cast<int>(column), columns.size()) << name;
  Reader reader(column);
  EXPECT_TRUE((*trace)->Read({}, &reader).ok());
  return reader.values;
}

// Guests that stay: at the end the memory of all that came is there, as it was drawn for them.
TEST(GuestGroupTest, AnotherGroupLeavesTheGuestsOfThisOneAsTheyWere) {
  const std::string stay =
      Guests("stay", "arrival { poisson { mean: '2ms' } } size { uniform { min: '64K' max: '1M' } }");
  const std::string others = Guests(
      "aa", "arrival { poisson { mean: '1ms' } } size { constant: '128K' } lifetime { constant: '3ms' }");
  const std::string host = Host(4, "stop_after: '100ms' ");
  Ran alone(host + Workload(stay));
  const std::vector<int64_t> arrivals = ColumnOf(alone.path(), "guests.stay.arrived");
  Ran both(host + Workload(others + stay));
  EXPECT_EQ(ColumnOf(both.path(), "guests.stay.arrived"), arrivals);
  EXPECT_GT(arrivals.back(), 10);
  for (Ran* const run : {&alone, &both}) {
    const size_t i = run == &alone ? 0 : 1;
    // At the end there may be one on its way.
    const int64_t live = run->Counter(GUESTS_LIVE, i);
    EXPECT_GE(live, arrivals.back() - 2);
    int64_t pages = 0;
    for (int64_t k = 0; k < live; ++k) pages += workloads::ChoicesOf(run->group(i).plan(), 1, k).base_pages();
    EXPECT_EQ(run->Counter(GUESTS_MAPPED_PAGES, i), pages);
    EXPECT_EQ(run->Counter(GUESTS_TOUCHED_PAGES, i), pages);
  }
}

// Of three guests of 4 pages on a node with 10, the third is refused.
constexpr char kThree[] =
    "arrival { gap { constant: '10ms' } } count: 3 size { constant: '8M' } "
    "lifetime { constant: '1s' } page_size: '2M' ";

TEST(GuestGroupTest, AStartThatLacksMemoryFailsWithErrorAndNode) {
  Ran run(Host(10) + Workload(Guests("vms", absl::StrCat(kThree, "node: 1 policy: 'bind:own'"))));
  EXPECT_EQ(run.Counter(GUESTS_STARTED), 2);
  EXPECT_EQ(run.Counter(GUESTS_FAILED_ATTEMPTS), 1);
  EXPECT_EQ(run.Counter(GUESTS_DROPPED), 1);
  EXPECT_EQ(run.Counter(GUESTS_FINISHED), 2);
  EXPECT_THAT(run.group().starts().failed(), ElementsAre(Pair("ENOMEM", 1)));
  EXPECT_EQ(run.group().starts().latency().count(), 3u);
  EXPECT_THAT(run.group().shortages(), ElementsAre(Pair(GuestGroup::Shortage{"attempt", "ENOMEM", "1"}, 1)));
  run.CheckAllGone();
}

// Bound by mbind after mmap, the reservation was made against both nodes.
TEST(GuestGroupTest, APolicyOfTheMappingFailsAtTheFirstTouch) {
  Ran run(Host(10) +
          Workload(Guests("vms", absl::StrCat(kThree, "node: 1 policy: 'bind:own' policy_of: 'mapping'"))));
  EXPECT_EQ(run.Counter(GUESTS_DROPPED), 1);
  EXPECT_THAT(run.group().shortages(), ElementsAre(Pair(GuestGroup::Shortage{"attempt", "SIGBUS", "1"}, 1)));
  run.CheckAllGone();
}

TEST(GuestGroupTest, PopulatingIsRefusedAsTheKernelDoes) {
  Ran run(
      Host(10) +
      Workload(Guests(
          "vms", absl::StrCat(kThree, "node: 1 policy: 'bind:own' policy_of: 'mapping' populate: true"))));
  EXPECT_EQ(run.Counter(GUESTS_STARTED), 2);
  EXPECT_THAT(run.group().shortages(), ElementsAre(Pair(GuestGroup::Shortage{"attempt", "EFAULT", "1"}, 1)));
  run.CheckAllGone();
}

TEST(GuestGroupTest, AnotherNodeServesWhereItMay) {
  Ran run(Host(6) + Workload(Guests(
                        "vms", absl::StrCat(kThree, "policy: 'bind:own' on_failure { other_node: true }"))));
  // Guests 0 and 1 go to nodes 0 and 1; guest 2 finds 2 pages on each.
  EXPECT_EQ(run.Counter(GUESTS_STARTED), 2);
  EXPECT_EQ(run.Counter(GUESTS_FAILED_ATTEMPTS), 2);
  EXPECT_EQ(run.Counter(GUESTS_DROPPED), 1);
  EXPECT_THAT(run.group().shortages(), ElementsAre(Pair(GuestGroup::Shortage{"attempt", "ENOMEM", "0"}, 1),
                                                   Pair(GuestGroup::Shortage{"attempt", "ENOMEM", "1"}, 1)));
  run.CheckAllGone();
  // With 4 pages on node 0 taken by a script, the first guest goes to node 1.
  Ran moved(
      Host(4) +
      Workload(
          "script { line: 'spawn p' line: '@p policy bind:0' line: '@p map m 8M hugetlb-2M' "
          "line: '@p touch m' line: 'sleep 500' } " +
          Guests("vms",
                 "arrival { gap { constant: '50ms' } } count: 1 size { constant: '8M' } lifetime "
                 "{ constant: '1s' } page_size: '2M' policy: 'bind:own' on_failure { other_node: true }")));
  EXPECT_EQ(moved.Counter(GUESTS_STARTED), 1);
  EXPECT_EQ(moved.Counter(GUESTS_FAILED_ATTEMPTS), 1);
  moved.CheckAllGone();
}

// The first two live for a second, the third comes 30 ms after the beginning: tried every 300 ms it has room
// at the fourth retry.
TEST(GuestGroupTest, ARetryHasItsChanceLater) {
  const std::string fields = absl::StrCat(
      kThree, "node: 0 policy: 'bind:own' on_failure { retry { after { constant: '300ms' } times: ");
  Ran enough(Host(10) + Workload(Guests("vms", fields + "4 } }")));
  EXPECT_EQ(enough.Counter(GUESTS_STARTED), 3);
  EXPECT_EQ(enough.Counter(GUESTS_RETRIED), 4);
  EXPECT_EQ(enough.Counter(GUESTS_FAILED_ATTEMPTS), 4);
  EXPECT_EQ(enough.Counter(GUESTS_DROPPED), 0);
  // Its start took as long as the four pauses, and was one in the end.
  EXPECT_EQ(enough.group().starts().tried(), 3u);
  EXPECT_EQ(enough.group().attempts().tried(), 7u);
  EXPECT_THAT(enough.group().starts().failed(), testing::IsEmpty());
  EXPECT_GE(enough.group().starts().latency().max(), 1'200'000'000);
  enough.CheckAllGone();
  Ran few(Host(10) + Workload(Guests("vms", fields + "3 } }")));
  EXPECT_EQ(few.Counter(GUESTS_STARTED), 2);
  EXPECT_EQ(few.Counter(GUESTS_RETRIED), 3);
  EXPECT_EQ(few.Counter(GUESTS_DROPPED), 1);
  few.CheckAllGone();
}

// Three guests reserve nothing of a node: what they touch step by step runs out on node 0.
TEST(GuestGroupTest, AGuestThatDoesNotGetWhatItGrowsIntoDies) {
  Ran run(Host(10) +
          Workload(Guests(
              "vms",
              absl::StrCat(kThree, "node: 0 policy: 'bind:own' policy_of: 'mapping' touch { steps: 4 }"))));
  // 20 pages in all, 12 wanted on node 0, which has 10: at the fourth step, of the first two each has one
  // more.
  EXPECT_EQ(run.Counter(GUESTS_STARTED), 3);
  EXPECT_EQ(run.Counter(GUESTS_DIED), 1);
  EXPECT_EQ(run.Counter(GUESTS_FINISHED), 2);
  EXPECT_EQ(run.group().growths().tried(), 9u);
  EXPECT_THAT(run.group().shortages(), ElementsAre(Pair(GuestGroup::Shortage{"grow", "SIGBUS", "0"}, 1)));
  run.CheckAllGone();
}

TEST(GuestGroupTest, AClosedLoopKeepsItsNumber) {
  Ran run(Host(30) +
          Workload(Guests("vms",
                          "arrival { closed_loop { guests: 5 } } count: 23 size { constant: '4M' } "
                          "lifetime { constant: '95ms' } page_size: '2M'")));
  EXPECT_EQ(run.Counter(GUESTS_FINISHED), 23);
  const std::vector<int64_t> live = ColumnOf(run.path(), "guests.vms.live");
  EXPECT_EQ(*std::max_element(live.begin(), live.end()), 5);
  // 23 guests by fives: five rounds of 95 ms and a little.
  EXPECT_GE(run.simulation().engine().now().ns, 5 * 95'000'000);
  EXPECT_LT(run.simulation().engine().now().ns, 5 * 100'000'000);
  run.CheckAllGone();
}

// Of guests that stay, with 20 pages on each node and 2 each: which node they came to is what it lacks.
TEST(GuestGroupTest, PlacementChoosesTheNode) {
  const auto taken = [](const std::string& fields, int before_on_0 = 0) {
    const std::string before =
        before_on_0 == 0
            ? ""
            : Guests("first",
                     absl::StrCat("arrival { gap { constant: '1ms' } } count: ", before_on_0,
                                  " size { constant: '4M' } page_size: '2M' node: 0 policy: 'bind:own'"));
    Ran run(
        Host(20, "stop_after: '200ms' ") +
        Workload(before +
                 Guests("vms",
                        "start: '50ms' arrival { gap { constant: '5ms' } } count: 4 size { constant: '4M' } "
                        "page_size: '2M' policy: 'bind:own' " +
                            fields)));
    run.Check();
    return std::pair(20 - run.FreeOn(0), 20 - run.FreeOn(1));
  };
  EXPECT_EQ(taken(""), std::pair(int64_t{4}, int64_t{4}));
  EXPECT_EQ(taken("node: 1"), std::pair(int64_t{0}, int64_t{8}));
  // Node 0 has 8 pages less to begin with, which the four guests make up for.
  EXPECT_EQ(taken("placement: 'most_free'", 4), std::pair(int64_t{8}, int64_t{8}));
  EXPECT_EQ(taken("placement: 'round_robin'", 4), std::pair(int64_t{12}, int64_t{4}));
}

TEST(GuestGroupTest, MostFreeLooksAtPagesOfTheGuestsKind) {
  // All huge pages of node 0 are free, its base pages are in use.
  Ran run(
      Host(20, "stop_after: '300ms' ") +
      Workload(
          "script { line: 'spawn p' line: '@p policy bind:0' line: '@p map m 120M anon' line: '@p touch m' } "
          "script { name: 'stay' line: 'spawn q' line: '@q policy bind:0' line: '@q map m 120M anon' line: "
          "'@q touch m' line: 'sleep 1000' } " +
          Guests("vms",
                 "start: '150ms' arrival { gap { constant: '5ms' } } count: 3 size { constant: '4M' } "
                 "placement: 'most_free' page_size: '4K'")));
  run.Check();
  EXPECT_EQ(run.Counter(GUESTS_LIVE), 3);
  EXPECT_GE(run.simulation().memory().node(NodeId{1}).counters[NR_ANON_PAGES], 3 * 1024);
}

TEST(GuestGroupTest, EachKindOfPageIsMapped) {
  const auto run = [](const std::string& page_size, const std::string& thp) {
    return Ran(
        "kernel { thp { enabled: '" + thp +
        "' } } machine { node { memory: '1G' cpus: 2 } hugepages { node: 0 size: '2M' nr: 8 } } "
        "stop_after: '100ms' " +
        Workload(Guests("vms",
                        "arrival { gap { constant: '1ms' } } count: 1 size { constant: '4M' } page_size: '" +
                            page_size + "'")));
  };
  const auto huge = [](Ran& ran) { return ran.simulation().memory().node(NodeId{0}).counters[NR_ANON_THPS]; };
  const auto base = [](Ran& ran) {
    return ran.simulation().memory().node(NodeId{0}).counters[NR_ANON_PAGES];
  };
  for (const auto& [size, thp, expected] : std::vector<std::tuple<std::string, std::string, int>>{
           {"4K", "always", 0}, {"thp", "madvise", 2}, {"anon", "madvise", 0}, {"anon", "always", 2}}) {
    Ran ran = run(size, thp);
    EXPECT_EQ(huge(ran), expected) << size << " " << thp;
    EXPECT_EQ(base(ran), 1024) << size << " " << thp;
  }
  Ran hugetlb = run("2M", "always");
  EXPECT_EQ(base(hugetlb), 0);
  EXPECT_EQ(hugetlb.FreeOn(0), 6);
}

// A page of each order is used once, and only the share that is asked for.
TEST(GuestGroupTest, ARandomOrderTouchesAsManyPages) {
  for (const std::string order : {"ascending", "random"}) {
    Ran run(Host(4, "stop_after: '100ms' ") +
            Workload(
                Guests("vms",
                       "arrival { gap { constant: '1ms' } } count: 1 size { constant: '4M' } page_size: '4K' "
                       "touch { share { constant: '30%' } order: '" +
                           order + "' }")));
    EXPECT_EQ(run.Counter(GUESTS_MAPPED_PAGES), 1024);
    EXPECT_EQ(run.Counter(GUESTS_TOUCHED_PAGES), 308);  // 1024 * 0.3, rounded up
    int64_t pages = 0;
    for (int n = 0; n < 2; ++n) pages += run.simulation().memory().node(NodeId{n}).counters[NR_ANON_PAGES];
    EXPECT_EQ(pages, 308);
    run.Check();
  }
}

TEST(GuestGroupTest, ANodeWithoutCpusIsRefused) {
  const workloads::LoadedScenario scenario = LoadScenarioText(
      "machine { node { memory: '64M' cpus: 1 } node { memory: '64M' cpus: 0 } }\n" +
          Workload(Guests("vms",
                          "node: 1 arrival { gap { constant: '1s' } } count: 1 size { constant: '4M' } "
                          "lifetime { constant: '1s' }")),
      NoFiles());
  const auto simulation = workloads::Simulation::Create(scenario, {});
  ASSERT_FALSE(simulation.ok());
  EXPECT_EQ(simulation.status().message(),
            "test.textproto:2: guests 'vms': node: '1' has no CPU; expected a node that has some");
}

// khugepaged runs for ever; the run ends with the last guest.
TEST(GuestGroupTest, ARunEndsWithItsLastGuest) {
  Ran run("machine { node { memory: '256M' cpus: 2 } } " +
          Workload(Guests("vms",
                          "arrival { gap { constant: '10ms' } } count: 2 size { constant: '4M' } lifetime { "
                          "constant: '40ms' }")));
  EXPECT_EQ(run.Counter(GUESTS_FINISHED), 2);
  EXPECT_LT(run.simulation().engine().now().ns, 100'000'000);
}

}  // namespace
}  // namespace numasim
