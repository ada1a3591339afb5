#include "workloads/text_patch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "proto/scenario.pb.h"
#include "proto/trace.pb.h"

namespace numasim::workloads {
namespace {

using ::testing::HasSubstr;

std::vector<FieldSetting> Settings(const std::vector<std::string>& texts) {
  std::vector<FieldSetting> settings;
  for (const std::string& text : texts) {
    const auto setting = ParseFieldSetting("--set", text);
    EXPECT_TRUE(setting.ok()) << setting.status();
    settings.push_back(*setting);
  }
  return settings;
}

std::string Patched(const std::string& text, const std::vector<std::string>& settings) {
  const auto patched = PatchText("s.textproto", text, Scenario(), Settings(settings));
  EXPECT_TRUE(patched.ok()) << patched.status();
  return patched.ok() ? *patched : "";
}

std::string Refused(const std::string& text, const std::vector<std::string>& settings) {
  const auto patched = PatchText("s.textproto", text, Scenario(), Settings(settings));
  EXPECT_FALSE(patched.ok()) << *patched;
  return std::string(patched.status().message());
}

constexpr char kScenario[] = R"(# A host.
name: "host"  # its name
machine {
  node { memory: "64G" cpus: 16 }  # the first
  node { memory: "32G", cpus: 8; }
}
workload {
  script {
    name: "boot"
    line: "pool 2M all 100"
    line: "sleep 5"
  }
  script { name: "guests" copies: 3 line: "spawn vm" }
}
)";

// A copy of `text` in which `from`, which is there once, is `to`.
std::string With(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(text.find(from, at + 1), std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(TextPatchTest, ValueThatIsWrittenIsReplacedInItsPlace) {
  EXPECT_EQ(Patched(kScenario, {"workload.script[guests].copies=12"}),
            With(kScenario, "copies: 3", "copies: 12"));
  EXPECT_EQ(Patched(kScenario, {"machine.node[1].memory=128G"}), With(kScenario, "\"32G\"", "\"128G\""));
  EXPECT_EQ(Patched(kScenario, {"name=other"}), With(kScenario, "\"host\"", "\"other\""));
  EXPECT_EQ(Patched(kScenario, {"workload.script[0].line[0]=pool 2M all 7"}),
            With(kScenario, "pool 2M all 100", "pool 2M all 7"));
}

TEST(TextPatchTest, FieldThatIsNotWrittenIsInsertedBehindTheBrace) {
  EXPECT_EQ(Patched(kScenario, {"workload.script[boot].copies=2"}),
            With(kScenario, "  script {\n", "  script { copies: 2\n"));
  EXPECT_EQ(Patched(kScenario, {"workload.script[guests].start=1s"}),
            With(kScenario, "script { name: \"guests\"", "script { start: \"1s\" name: \"guests\""));
  EXPECT_EQ(Patched(kScenario, {"seed=7"}), absl::StrCat("seed: 7 ", kScenario));
}

TEST(TextPatchTest, MissingParentsAreMade) {
  EXPECT_EQ(Patched(kScenario, {"kernel.thp.enabled=never"}),
            absl::StrCat("kernel { thp { enabled: \"never\" } } ", kScenario));
  EXPECT_EQ(Patched("kernel { }", {"kernel.thp.enabled=never"}), "kernel { thp { enabled: \"never\" } }");
  EXPECT_EQ(Patched("kernel{}", {"kernel.thp.enabled=never"}), "kernel{ thp { enabled: \"never\" } }");
  EXPECT_EQ(Patched("", {"kernel.thp.enabled=never"}), "kernel { thp { enabled: \"never\" } } ");
}

TEST(TextPatchTest, SeveralFieldsOfOneMissingParentShareIt) {
  Scenario scenario;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      Patched(kScenario,
              {"kernel.thp.enabled=never", "kernel.max_map_count=9", "kernel.thp.use_zero_page=false"}),
      &scenario));
  EXPECT_EQ(scenario.kernel().ShortDebugString(),
            "thp { enabled: \"never\" use_zero_page: false } max_map_count: 9");
}

TEST(TextPatchTest, LinesKeepTheirNumbers) {
  const std::string text = "name: \"a\"\n  \"b\"\nseed: 3\n";
  EXPECT_EQ(Patched(text, {"name=c"}), "name: \"c\"\n\nseed: 3\n");
  const std::string patched =
      Patched(kScenario, {"kernel.thp.enabled=never", "workload.script[boot].start=1s",
                          "machine.node[0].cpus=2", "stop_after=5s"});
  EXPECT_EQ(std::count(patched.begin(), patched.end(), '\n'),
            std::count(std::begin(kScenario), std::end(kScenario), '\n'));
}

// What looks like the value or a brace elsewhere is left alone.
TEST(TextPatchTest, CommentsAndTextsAreNoPlaces) {
  EXPECT_EQ(Patched("machine # { node { memory: '1G' }\n{ node { # {\nmemory: '2G' } }",
                    {"machine.node[0].memory=3G"}),
            "machine # { node { memory: '1G' }\n{ node { # {\nmemory: \"3G\" } }");
  EXPECT_EQ(Patched("name: 'seed: 3 {' seed: 4 # seed: 5\n", {"seed=6"}),
            "name: 'seed: 3 {' seed: 6 # seed: 5\n");
  EXPECT_EQ(Patched("\tname:\t'x'\tseed:\t4\n", {"seed=6"}), "\tname:\t'x'\tseed:\t6\n");
  EXPECT_EQ(Patched("name: 'h\xc3\xb6st' seed: 4", {"seed=6"}), "name: 'h\xc3\xb6st' seed: 6");
}

TEST(TextPatchTest, OtherFormsOfMessagesAreFollowed) {
  EXPECT_EQ(Patched("workload: < script < copies: 1 > >", {"workload.script[0].copies=2"}),
            "workload: < script < copies: 2 > >");
  EXPECT_EQ(Patched("workload { script: [ { copies: 1 }, { } ] }",
                    {"workload.script[0].copies=2", "workload.script[1].copies=3"}),
            "workload { script: [ { copies: 2 }, { copies: 3 } ] }");
}

TEST(TextPatchTest, OneValueOfARepeatedFieldIsFoundHoweverItIsWritten) {
  const std::string lists = "trace { counters: ['a', 'b'] counters: 'c' }";
  EXPECT_EQ(Patched(lists, {"trace.counters[1]=x"}), "trace { counters: ['a', \"x\"] counters: 'c' }");
  EXPECT_EQ(Patched(lists, {"trace.counters[2]=x"}), "trace { counters: ['a', 'b'] counters: \"x\" }");
}

TEST(TextPatchTest, RepeatedFieldAsAWholeIsReplacedWhereverItIsWritten) {
  EXPECT_EQ(Patched("trace { counters: ['a', 'b']\n counters: 'c', interval: '1ms' }", {"trace.counters=x*"}),
            "trace { counters: [\"x*\"]\n  interval: '1ms' }");
  EXPECT_EQ(Patched("kernel { lowmem_reserve_ratio: 4 lowmem_reserve_ratio: 5 }",
                    {"kernel.lowmem_reserve_ratio=[1, 2,3]"}),
            "kernel { lowmem_reserve_ratio: [1, 2, 3]  }");
  EXPECT_EQ(Patched("kernel { lowmem_reserve_ratio: [] }", {"kernel.lowmem_reserve_ratio=7"}),
            "kernel { lowmem_reserve_ratio: [7] }");
  EXPECT_EQ(Patched("trace { }", {"trace.counters=[a, b]"}), "trace { counters: [\"a\", \"b\"] }");
  EXPECT_EQ(Patched("trace { counters: 'a' }", {"trace.counters=[]"}), "trace { counters: [] }");
}

TEST(TextPatchTest, TextsNeedNoQuotesAndMayHoldAnything) {
  for (const std::string value : {"a b", "", "with \"quotes\" and \\", "h\xc3\xb6st", "x: 3 } #", "a=b"}) {
    Scenario scenario;
    ASSERT_TRUE(
        google::protobuf::TextFormat::ParseFromString(Patched(kScenario, {"name=" + value}), &scenario));
    EXPECT_EQ(scenario.name(), value);
  }
}

// Of fields that exclude each other one is there: it takes the other's place. A trace's record has such
// fields.
TEST(TextPatchTest, FieldOfAOneofTakesTheOthersPlace) {
  const auto patch = [](const std::string& text, const std::vector<std::string>& settings) {
    const auto patched = PatchText("r", text, trace::Record(), Settings(settings));
    return patched.ok() ? *patched : std::string(patched.status().message());
  };
  EXPECT_EQ(patch("header { seed: 3\n }", {"footer.samples=4"}), "footer { samples: 4 }\n");
  EXPECT_EQ(patch("header { seed: 3 }", {"header.seed=4"}), "header { seed: 4 }");
  EXPECT_EQ(patch("header { seed: 3 }", {"footer.samples=4", "footer.events=5"}),
            "footer { events: 5 samples: 4 }");
  EXPECT_THAT(patch("header { seed: 3 }", {"header.seed=2", "footer.events=5"}),
              HasSubstr("--set footer.events=5: sets again what --set header.seed=2 sets"));
}

TEST(TextPatchTest, EachFieldIsSetOnce) {
  EXPECT_EQ(Refused(kScenario, {"workload.script[guests].copies=1", "workload.script[1].copies=2"}),
            "--set workload.script[1].copies=2: sets again what --set workload.script[guests].copies=1 sets "
            "(workload.script[1].copies); expected one of them only");
  EXPECT_THAT(Refused("trace { counters: 'a' }", {"trace.counters=x", "trace.counters[0]=y"}),
              HasSubstr("sets again"));
}

// Names are those of the text as it is given, in whatever order it is changed.
TEST(TextPatchTest, NamesAreThoseBeforeAnyChange) {
  Scenario scenario;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      Patched(kScenario, {"workload.script[guests].name=vms", "workload.script[guests].copies=5"}),
      &scenario));
  EXPECT_EQ(scenario.workload().script(1).name(), "vms");
  EXPECT_EQ(scenario.workload().script(1).copies(), 5);
  EXPECT_THAT(Refused(kScenario, {"workload.script[guests].name=vms", "workload.script[vms].copies=5"}),
              HasSubstr("workload.script[vms]"));
}

TEST(TextPatchTest, WrongPathIsNamedWithWhatThereIs) {
  EXPECT_EQ(Refused(kScenario, {"workload.scrpt[guests].copies=4"}),
            "--set workload.scrpt[guests].copies=4: workload.scrpt[guests]: is not a field of Workload; "
            "expected one "
            "of script, guests, batch, allocations, churn, readers, slab; did you mean 'script'?");
  EXPECT_THAT(
      Refused(kScenario, {"workload.script[guest].copies=4"}),
      HasSubstr("workload.script[guest]: there are 2; expected [0] to [1], or by name [boot], [guests]; did "
                "you mean 'guests'?"));
  EXPECT_THAT(Refused(kScenario, {"workload.script[2].copies=4"}),
              HasSubstr("there are 2; expected [0] to [1]"));
  EXPECT_THAT(Refused(kScenario, {"workload.script.copies=4"}),
              HasSubstr("workload.script: does not say which"));
  EXPECT_THAT(Refused(kScenario, {"workload[0].script[0].copies=4"}),
              HasSubstr("workload[0]: there is only one of it; expected it without [..]"));
  EXPECT_THAT(Refused(kScenario, {"machine.virtio_mem=4"}),
              HasSubstr("machine.virtio_mem: is a message; expected one of its fields, node, max, plugged"));
  EXPECT_THAT(Refused(kScenario, {"name.x=4"}), HasSubstr("name: is a value and has no fields"));
  EXPECT_THAT(Refused(kScenario, {"machine.hugepages[0].nr=4"}), HasSubstr("there is none of it"));
  for (const std::string path :
       {"workload.", ".workload", "workload..script", "workload.script[0", "a b", "x[]"})
    EXPECT_THAT(Refused(kScenario, {path + "=1"}), HasSubstr("is no path; expected names of fields"));
}

TEST(TextPatchTest, WrongValueIsNamedWithItsSetting) {
  EXPECT_EQ(Refused(kScenario, {"workload.script[guests].copies=many"}),
            "--set workload.script[guests].copies=many: copies: 'many' is not a whole number; expected "
            "digits only");
  EXPECT_EQ(Refused(kScenario, {"workload.script[guests].copies=-1"}),
            "--set workload.script[guests].copies=-1: copies: '-1' is too small; expected from 0 to 1000000 "
            "(streams)");
  EXPECT_THAT(Refused(kScenario, {"machine.node[0].memory=64Q"}), HasSubstr("memory: '64Q'"));
  EXPECT_THAT(Refused(kScenario, {"kernel.thp.enabled=nevr"}), HasSubstr("did you mean 'never'?"));
  EXPECT_THAT(Refused(kScenario, {"kernel.thp.use_zero_page=2"}), HasSubstr("is not true or false"));
  // Nothing but a value gets into the text.
  EXPECT_THAT(Refused(kScenario, {"seed=3 name: 'x'"}),
              HasSubstr("is no value of seed; expected a whole number"));
  EXPECT_THAT(Refused(kScenario, {"seed=3#"}), HasSubstr("is no value of seed"));
  EXPECT_THAT(Refused(kScenario, {"seed="}), HasSubstr("'' is no value of seed"));
  EXPECT_THAT(Refused(kScenario, {"kernel.lowmem_reserve_ratio=4,4"}),
              HasSubstr("is no value of lowmem_reserve_ratio"));
}

TEST(TextPatchTest, SettingHasAPathAndAnEqualsSign) {
  for (const char* text : {"seed", "=3", ""}) {
    EXPECT_THAT(std::string(ParseFieldSetting("--set", text).status().message()),
                HasSubstr("is no setting; expected PATH=VALUE"));
  }
  EXPECT_EQ(ParseFieldSetting("--set", "name=a=b")->value, "a=b");
}

TEST(TextPatchTest, MistakeInTheTextItselfIsToldAsEver) {
  EXPECT_THAT(Refused("nme: 'x'", {"seed=3"}), HasSubstr("s.textproto:1:4: nme: is not a field of Scenario"));
}

// Whatever is set is what a reader of the patched text then finds, and nothing else changes.
TEST(TextPatchTest, PatchedTextDiffersInTheFieldAlone) {
  Scenario expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(kScenario, &expected));
  expected.mutable_workload()->mutable_script(1)->set_stagger("3ms");
  expected.mutable_cost_model()->set_hop_ns(700);
  expected.mutable_machine()->mutable_virtio_mem()->set_max("1G");
  Scenario patched;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      Patched(kScenario,
              {"workload.script[1].stagger=3ms", "cost_model.hop_ns=700", "machine.virtio_mem.max=1G"}),
      &patched));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(expected, patched)) << patched.DebugString();
}

}  // namespace
}  // namespace numasim::workloads
