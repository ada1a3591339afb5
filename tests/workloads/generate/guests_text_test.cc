// What groups of guests in a scenario are read as, and the messages for what is wrong.
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "workloads/generate/distribution_text.h"
#include "workloads/scenario.h"

namespace numasim::workloads {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using Files = std::map<std::string, std::string>;

constexpr char kGood[] =
    "name: 'vms' arrival { gap { constant: '1s' } } count: 3 size { constant: '4G' } "
    "lifetime { constant: '1h' } ";

absl::StatusOr<LoadedScenario> Load(const std::string& guests, const std::string& rest = "",
                                    const Files& files = {}) {
  const ScenarioReaders readers = {[&files](const std::string& name) -> absl::StatusOr<std::string> {
                                     const auto file = files.find(name);
                                     if (file == files.end())
                                       return absl::NotFoundError("No such file or directory");
                                     return file->second;
                                   },
                                   nullptr};
  return ParseScenario("s.textproto",
                       "machine { node { memory: '1G' cpus: 2 } node { memory: '1G' } } " + rest +
                           "\nworkload { guests {\n" + guests + "\n} }\n",
                       readers);
}

GuestPlan Plan(const std::string& guests, const std::string& rest = "", const Files& files = {}) {
  auto loaded = Load(guests, rest, files);
  EXPECT_TRUE(loaded.ok()) << loaded.status() << "\nin: " << guests;
  return loaded.ok() ? loaded->guests.at(0) : GuestPlan();
}

std::string Mistake(const std::string& guests, const std::string& rest = "", const Files& files = {}) {
  const auto loaded = Load(guests, rest, files);
  if (loaded.ok()) return "(no mistake found)";
  EXPECT_EQ(loaded.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(loaded.status().message());
}

// `kGood` with one of its fields replaced.
std::string With(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string Size(const std::string& distribution) { return With("constant: '4G'", distribution); }

TEST(GuestsTextTest, FieldsComeToThePlan) {
  const GuestPlan plan =
      Plan(std::string(kGood) +
           "start: '2s' until: '1m' page_size: ['2M', '1G'] page_size_weight: [3, 1] node: [1, 0] "
           "placement: 'most_free' policy: 'bind:own' policy: 'interleave:0-1' policy_of: 'mapping' "
           "touch { share { constant: '50%' } steps: 4 order: 'random' } "
           "on_failure { other_node: true retry { after { constant: '5m' } times: 2 } }");
  EXPECT_EQ(plan.name, "vms");
  EXPECT_EQ(plan.place, "s.textproto:3: guests 'vms'");
  EXPECT_EQ(plan.count, 3);
  EXPECT_EQ(plan.start_ns, 2'000'000'000);
  EXPECT_EQ(plan.until_ns, 60'000'000'000);
  EXPECT_THAT(plan.pages, ElementsAre(GuestPages::k2M, GuestPages::k1G));
  EXPECT_THAT(plan.pages_up_to, ElementsAre(3, 4));
  EXPECT_THAT(plan.nodes, ElementsAre(NodeId{1}, NodeId{0}));
  EXPECT_EQ(plan.placement, GuestPlan::Placement::kMostFree);
  ASSERT_EQ(plan.policies.size(), 2u);
  EXPECT_TRUE(plan.policies[0].own);
  EXPECT_EQ(plan.policies[0].policy.mode, Policy::Mode::kBind);
  EXPECT_FALSE(plan.policies[1].own);
  EXPECT_EQ(plan.policies[1].policy.nodes.bits(), 3u);
  EXPECT_THAT(plan.policies_up_to, ElementsAre(1, 2));
  EXPECT_TRUE(plan.policy_of_mapping);
  EXPECT_EQ(plan.share.Greatest(), kWholeShare / 2.0);
  EXPECT_EQ(plan.steps, 4);
  EXPECT_EQ(plan.order, GuestPlan::Order::kRandom);
  EXPECT_TRUE(plan.other_node);
  EXPECT_EQ(plan.retries, 2);
  EXPECT_EQ(plan.retry_after.Greatest(), 300e9);
}

TEST(GuestsTextTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(Mistake(With("name: 'vms'", "")), HasSubstr("workload.guests[0].name: is missing"));
  EXPECT_THAT(Mistake(With("arrival { gap { constant: '1s' } }", "")),
              HasSubstr("guests[0].arrival: is missing"));
  EXPECT_THAT(Mistake(With("gap { constant: '1s' }", "")),
              HasSubstr("arrival.poisson: is missing; expected exactly one of"));
  EXPECT_THAT(Mistake(With("constant: '1s'", "")),
              HasSubstr("arrival.gap.constant: is missing; expected exactly one of"));
  EXPECT_THAT(Mistake(With("count: 3", "")), HasSubstr("guests[0].count: is missing"));
  EXPECT_THAT(Mistake(With("size { constant: '4G' }", "")), HasSubstr("guests[0].size: is missing"));
  EXPECT_THAT(Mistake(With("lifetime { constant: '1h' }", "")), HasSubstr("guests[0].lifetime: is missing"));
  EXPECT_THAT(Mistake(Size("lognormal { median: '4G' }")), HasSubstr("lognormal.sigma: is missing"));
  EXPECT_THAT(Mistake(Size("exponential { }")), HasSubstr("exponential.mean: is missing"));
  EXPECT_THAT(Mistake(Size("weibull { scale: '1G' }")), HasSubstr("weibull.shape: is missing"));
  EXPECT_THAT(Mistake(Size("uniform { min: '1G' }")), HasSubstr("uniform.max: is missing"));
  EXPECT_THAT(Mistake(Size("zipf { step: '1G' }")), HasSubstr("zipf.ranks: is missing"));
}

// With stop_after, arrivals need no other end, and a guest may stay.
TEST(GuestsTextTest, StopAfterMayEndAll) {
  const GuestPlan plan =
      Plan("name: 'v' arrival { poisson { mean: '1s' } } size { constant: '2M' }", "stop_after: '1h'");
  EXPECT_FALSE(plan.lifetime.has_value());
  EXPECT_FALSE(plan.count.has_value());
}

TEST(GuestsTextTest, ValuesAreChecked) {
  EXPECT_THAT(Mistake(Size("constant: '4X'")), HasSubstr("size.constant: '4X' has the unknown unit 'X'"));
  EXPECT_THAT(Mistake(Size("constant: '1h'")), HasSubstr("size.constant: '1h' has the unknown unit"));
  EXPECT_THAT(Mistake(Size("constant: '0'")), HasSubstr("guests[0].size: gives no memory"));
  EXPECT_THAT(Mistake(Size("constant: '65T'")),
              HasSubstr("size.constant: '65T' is too large; expected at most 64T"));
  EXPECT_THAT(Mistake(With("'1h'", "'4G'")), HasSubstr("lifetime.constant: '4G' has the unknown unit 'G'"));
  EXPECT_THAT(Mistake(Size("uniform { min: '2G' max: '1G' }")),
              HasSubstr("uniform.max: '1G' is less than min; expected at least 2G"));
  EXPECT_THAT(Mistake(Size("exponential { mean: '0' }")), HasSubstr("exponential.mean: '0' is nothing"));
  EXPECT_THAT(Mistake(Size("lognormal { median: '1G' sigma: nan }")),
              HasSubstr("lognormal.sigma: 'nan' is not a number"));
  EXPECT_THAT(Mistake(Size("lognormal { median: '1G' sigma: -1 }")),
              HasSubstr("lognormal.sigma: '-1' is too small; expected from 0 to 100"));
  EXPECT_THAT(Mistake(Size("weibull { scale: '1G' shape: 0 }")),
              HasSubstr("weibull.shape: '0' is too small"));
  EXPECT_THAT(Mistake(Size("zipf { step: '1G' ranks: 0 }")), HasSubstr("zipf.ranks: '0' is too small"));
  EXPECT_THAT(Mistake(Size("constant: '1G' uniform { min: '1G' max: '2G' }")),
              HasSubstr("size.uniform: is given beside constant; expected exactly one of constant, uniform"));
  EXPECT_THAT(Mistake(Size("constant: '1G' weight: 2")), HasSubstr("size.weight: is given beside constant"));
  EXPECT_THAT(Mistake(Size("choice: '1G' choice: '2G' weight: 1")),
              HasSubstr("size.weight: holds 1 weights; expected 2"));
  EXPECT_THAT(Mistake(Size("choice: '1G' weight: 1")), HasSubstr("size.weight: is of a single choice"));
  EXPECT_THAT(Mistake(Size("choice: ['1G', '2G'] weight: [0, 0]")), HasSubstr("holds only weights of 0"));
  EXPECT_THAT(Mistake(With("gap { constant: '1s' }", "gap { constant: '0s' }")),
              HasSubstr("arrival.gap: lets no time pass"));
  EXPECT_THAT(Mistake(With("gap { constant: '1s' }", "poisson { mean: '0s' }")),
              HasSubstr("poisson.mean: '0s' lets no time pass"));
}

// A distribution whose largest draw is no size or time any more is refused before anything is drawn.
TEST(GuestsTextTest, DistributionsThatReachTooFarAreRefused) {
  EXPECT_THAT(Mistake(Size("exponential { mean: '2T' }")),
              HasSubstr("size.exponential: may draw more than 64T; expected smaller values, or max"));
  EXPECT_THAT(Mistake(Size("lognormal { median: '4G' sigma: 100 }")),
              HasSubstr("size.lognormal: may draw more than 64T"));
  EXPECT_THAT(Mistake(Size("weibull { scale: '4G' shape: 0.001 }")),
              HasSubstr("size.weibull: may draw more than 64T"));
  EXPECT_THAT(Mistake(Size("zipf { step: '1T' ranks: 65 }")), HasSubstr("size.zipf: may draw more than 64T"));
  EXPECT_THAT(Mistake(Size("zipf { step: '64T' ranks: 1000000000 }")),
              HasSubstr("zipf.ranks: '1000000000' times step is more than 64T"));
  EXPECT_THAT(Mistake(With("constant: '1h'", "exponential { mean: '9223372036s' }")),
              HasSubstr("lifetime.exponential: may draw more than 9223372036s"));
  EXPECT_THAT(Mistake(With("gap { constant: '1s' }", "poisson { mean: '9223372036s' }")),
              HasSubstr("poisson.mean: '9223372036s' is too long"));
  // With limits they are not.
  Plan(Size("exponential { mean: '2T' max: '4T' }"));
  Plan(Size("lognormal { median: '4G' sigma: 100 max: '64T' }"));
  Plan(With("constant: '1h'", "constant: '9223372036s'"));
}

TEST(GuestsTextTest, LimitsThatLeaveNothingAreRefused) {
  EXPECT_THAT(Mistake(Size("lognormal { median: '4G' sigma: 0.1 min: '8G' max: '9G' }")),
              HasSubstr("lognormal.max: '9G' leaves less than 1 in 1000"));
  EXPECT_THAT(Mistake(Size("exponential { mean: '1G' min: '7G' }")),
              HasSubstr("exponential.min: '7G' leaves less than 1 in 1000"));
  EXPECT_THAT(Mistake(Size("exponential { mean: '1G' min: '2G' max: '1G' }")),
              HasSubstr("exponential.max: '1G' is less than min"));
  Plan(Size("exponential { mean: '1G' min: '6G' max: '1T' }"));  // e^-6 is 0.0025
}

TEST(GuestsTextTest, SharesAreOfTheWhole) {
  const auto share = [](const std::string& text) {
    return std::string(kGood) + "touch { share { constant: '" + text + "' } }";
  };
  EXPECT_EQ(Plan(share("100%")).share.Greatest(), kWholeShare);
  EXPECT_EQ(Plan(share("0.25")).share.Greatest(), kWholeShare / 4.0);
  EXPECT_THAT(Mistake(share("101%")), HasSubstr("share.constant: '101%' is more than the whole"));
  EXPECT_THAT(Mistake(share("half")), HasSubstr("share.constant: 'half' is not a share"));
  EXPECT_THAT(Mistake(share("-1%")), HasSubstr("share.constant: '-1%' is negative"));
}

TEST(GuestsTextTest, WhatWouldHaveNoEffectIsRefused) {
  const std::string good = kGood;
  EXPECT_THAT(Mistake(good + "populate: true touch { steps: 2 }"),
              HasSubstr("guests[0].touch: is given beside populate"));
  EXPECT_THAT(Mistake(good + "policy_of: 'mapping'"),
              HasSubstr("policy_of: 'mapping' is given without a policy"));
  EXPECT_THAT(Mistake(good + "node: 0 placement: 'random'"),
              HasSubstr("placement: 'random' is given beside a single node"));
  EXPECT_THAT(Mistake(good + "node: 0 on_failure { other_node: true }"),
              HasSubstr("other_node: 'true' is given beside a single node"));
  EXPECT_THAT(Mistake(good + "until: '0s'"), HasSubstr("until: '0s' is not after start"));
  EXPECT_THAT(Mistake(With("lifetime { constant: '1h' }", "touch { steps: 2 }"), "stop_after: '1h'"),
              HasSubstr("touch.steps: '2'"));
  EXPECT_THAT(Mistake(With("gap { constant: '1s' }", "closed_loop { guests: 4 }")),
              HasSubstr("count: '3' is less than are there at once"));
}

TEST(GuestsTextTest, AnEndAfterTheRunsIsWarnedOf) {
  const auto loaded = Load(std::string(kGood) + "until: '1h'", "stop_after: '1m'");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(
      loaded->warnings,
      ElementsAre("s.textproto:3: workload.guests[0].until: '1h' has no effect: the run stops at 1m"));
}

TEST(GuestsTextTest, NodesAndPoliciesMustBeOfTheMachine) {
  const std::string good = kGood;
  EXPECT_THAT(Mistake(good + "node: 2"),
              HasSubstr("node[0]: '2' is a node that does not exist; expected 0 to 1"));
  EXPECT_THAT(Mistake(good + "node: [1, 1]"), HasSubstr("node[1]: '1' is given twice"));
  EXPECT_THAT(Mistake(good + "policy: 'bind'"),
              HasSubstr("policy[0]: 'bind' names no node; expected such as bind:0 or bind:own"));
  EXPECT_THAT(Mistake(good + "policy: 'bind:2'"),
              HasSubstr("policy[0]: 'bind:2' names node 2, which does not exist"));
  EXPECT_THAT(Mistake(good + "policy: 'local:own'"),
              HasSubstr("policy[0]: 'local:own' is a policy without nodes"));
  EXPECT_THAT(Mistake(good + "policy: 'bound:0'"),
              HasSubstr("policy[0]: 'bound:0' has a mode that is not known"));
  EXPECT_THAT(Mistake(good + "page_size: '4M'"),
              HasSubstr("page_size[0]: '4M' is not known; expected one of anon, 4K, thp, 2M, 1G"));
}

TEST(GuestsTextTest, NamesAreUniqueAndPlain) {
  EXPECT_THAT(Mistake(With("'vms'", "'a b'")), HasSubstr("guests[0].name: 'a b' is no name of a group"));
  EXPECT_THAT(Mistake(std::string(kGood) + "}\nguests {" + kGood),
              HasSubstr("guests[1].name: 'vms' is another group's or script's name too"));
  EXPECT_THAT(Mistake(std::string(kGood) + "}\nscript { name: 'vms' line: 'compact' "),
              HasSubstr("guests[0].name: 'vms' is another"));
}

TEST(GuestsTextTest, FilesHoldValuesWithWeights) {
  const Files files = {{"sizes.txt", "# measured\n4G 3\n\n  8G # larger\r\n"}};
  const GuestPlan plan = Plan(Size("file: 'sizes.txt'"), "", files);
  EXPECT_EQ(plan.size.Greatest(), 8.0 * (int64_t{1} << 30));
  EXPECT_TRUE(plan.size.random());
  const auto mistake = [](const std::string& text) {
    return Mistake(Size("file: 'sizes.txt'"), "", {{"sizes.txt", text}});
  };
  EXPECT_THAT(mistake("4G\n4X\n"), StartsWith("sizes.txt:2: '4X' has the unknown unit 'X'"));
  EXPECT_THAT(mistake("4G -1\n"), StartsWith("sizes.txt:1: '-1' is no weight"));
  EXPECT_THAT(mistake("4G 1 2\n"), StartsWith("sizes.txt:1: '2' is more than a value and its weight"));
  EXPECT_THAT(mistake("# nothing\n"), HasSubstr("size.file: 'sizes.txt' holds no value"));
  EXPECT_THAT(mistake("4G 0\n"), HasSubstr("size.file: 'sizes.txt' holds only weights of 0"));
  EXPECT_THAT(Mistake(Size("file: 'none.txt'")), HasSubstr("size.file: 'none.txt' cannot be read"));
  EXPECT_THAT(Mistake(Size("file: 'passwd'")),
              HasSubstr("size.file: 'passwd' is not named as a file of values"));
}

TEST(GuestsTextTest, TimesComeFromAFileInTheirOrder) {
  const std::string from_file =
      "name: 'v' arrival { file: 't.txt' } size { constant: '2M' } lifetime { constant: '1s' } ";
  const auto with = [&](const std::string& text) { return Files{{"t.txt", text}}; };
  const GuestPlan plan = Plan(from_file, "", with("0s\n1.5s # second\n1.5s\n"));
  EXPECT_THAT(std::get<TimesArrival>(plan.arrival).times, ElementsAre(0, 1'500'000'000, 1'500'000'000));
  EXPECT_THAT(Mistake(from_file, "", with("2s\n1s\n")), StartsWith("t.txt:2: '1s' is before the time above"));
  EXPECT_THAT(Mistake(from_file, "", with("2\n")), StartsWith("t.txt:1: '2' has no unit"));
  EXPECT_THAT(Mistake(from_file, "", with("2s 3s\n")), StartsWith("t.txt:1: '3s' follows a time"));
  EXPECT_THAT(Mistake(from_file, "", with("")), HasSubstr("arrival.file: 't.txt' holds no time"));
  EXPECT_THAT(Mistake(from_file + "count: 2", "", with("2s\n")),
              HasSubstr("count: '2' is more than the file has times; expected at most 1"));
}

TEST(GuestsTextTest, SeedMattersWhereSomethingIsDrawn) {
  const auto warnings = [](const std::string& guests) {
    const auto loaded = Load(guests, "seed: 5");
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return loaded.ok() ? loaded->warnings.size() : 99;
  };
  EXPECT_EQ(warnings(kGood), 1u);
  EXPECT_EQ(warnings(Size("uniform { min: '1G' max: '2G' }")), 0u);
  EXPECT_EQ(warnings(With("gap { constant: '1s' }", "poisson { mean: '1s' }")), 0u);
  EXPECT_EQ(warnings(std::string(kGood) + "placement: 'random'"), 0u);
  EXPECT_EQ(warnings(std::string(kGood) + "policy: ['bind:0', 'bind:1']"), 0u);
  EXPECT_EQ(warnings(std::string(kGood) + "touch { order: 'random' }"), 0u);
}

}  // namespace
}  // namespace numasim::workloads
