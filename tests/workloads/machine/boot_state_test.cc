// Recorded boot states whose parts are of other types, or numbers, than those of a recording.
#include "workloads/machine/boot_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace numasim::workloads {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json Recording() {
  std::ifstream in(
      absl::StrCat(std::getenv("TEST_SRCDIR"), "/numasim/tests/kernel_truth/hugetlb_fork_cow.truth.json"));
  json root = json::parse(in);
  root["steps"].erase(root["steps"].begin() + 1, root["steps"].end());
  return root;
}

std::string MistakeIn(const std::string& text) {
  return std::string(ParseBootState("boot.json", text).status().message());
}
std::string MistakeIn(const json& root) { return MistakeIn(root.dump()); }

json& CountersOf(json& root) { return root["steps"][0]["counters"]; }

TEST(BootStateTest, RecordingIsRead) { EXPECT_EQ(MistakeIn(Recording()), ""); }

TEST(BootStateTest, CountersOfAnotherTypeAreNamed) {
  for (const std::string place : {"vmstat", "meminfo", "numastat", "node_meminfo", "hugetlb"}) {
    json root = Recording();
    CountersOf(root)[place] = json::array();
    EXPECT_EQ(MistakeIn(root),
              absl::StrCat("boot.json: steps[0].counters.", place,
                           ": '[]' is wrong; expected an object (a recorded boot state: its machine "
                           "and step 0)"));
  }
}

// Whatever stands in whatever place of the counters, the file is refused with a message or read.
TEST(BootStateTest, NoTypeInAnyPlaceIsTakenForAnother) {
  const json whole = Recording().flatten();
  const std::vector<json> values = {nullptr, true, 1.5, -1, "x", json::array(), json::object()};
  size_t refused = 0;
  for (const auto& [place, old] : whole.items()) {
    const json& value = values[std::hash<std::string>()(place) % values.size()];
    json root = Recording();
    root[json::json_pointer(place)] = value;
    const std::string mistake = MistakeIn(root);
    refused += !mistake.empty();
    if (old.is_number() && place.find("/hugetlb/") != std::string::npos && !value.is_number_unsigned()) {
      EXPECT_THAT(mistake, HasSubstr("expected a whole number from 0 to")) << place;
    }
  }
  EXPECT_GT(refused, whole.size() / 2);
}

// A simulation counts on from these numbers, up to 2^62 of anything.
TEST(BootStateTest, CountersThatLeaveNoRoomToCountOnAreRefused) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  json root = Recording();
  CountersOf(root)["vmstat"]["numa_hit"] = kMost / 2;
  EXPECT_EQ(MistakeIn(root), "");
  for (const json& value : {json(kMost / 2 + 1), json(kMost), json(static_cast<uint64_t>(kMost) + 1)}) {
    CountersOf(root)["vmstat"]["numa_hit"] = value;
    EXPECT_THAT(MistakeIn(root), HasSubstr(absl::StrCat("steps[0].counters.vmstat.numa_hit: '", value.dump(),
                                                        "' is wrong; expected a whole number from 0 to")));
  }
}

TEST(BootStateTest, DeepNestingIsRefused) {
  EXPECT_THAT(MistakeIn(std::string(1'000'000, '[')), HasSubstr("is nested more than 32 levels deep"));
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_THAT(MistakeIn(std::string("{\"steps\": " + deep + "}")),
              HasSubstr("is nested more than 32 levels deep"));
}

// The file may be any file of the machine.
TEST(BootStateTest, FileThatIsNoJsonIsNotQuoted) {
  const std::string mistake = MistakeIn(std::string("{\"root\n:x:secret\n"));
  EXPECT_THAT(mistake, HasSubstr("boot.json: parse error at line "));
  EXPECT_EQ(mistake.find("secret"), std::string::npos) << mistake;
  EXPECT_EQ(mistake.find("root"), std::string::npos) << mistake;
}

}  // namespace
}  // namespace numasim::workloads
