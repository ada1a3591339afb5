// Random operations on files of the disk, on machines too small for them, with the validator after each few.
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

// Lines of a script for two processes, p and its child q, that use two files and some anonymous memory.
class Lines {
 public:
  explicit Lines(uint32_t seed) : random_(seed) {}

  std::string Next() {
    switch (Below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Of(absl::StrCat("read ", File(), " ", Below(96), "M ", 1 + Below(64), "M"));
      case 4:
      case 5:
        return Of(absl::StrCat("touch ", File(), " ", Below(96), "M ", 1 + Below(16), "M r"));
      case 6:
        return Of(absl::StrCat("touch ", File(), " ", Below(96), "M ", 1 + Below(16), "M"));
      case 7:
        return Of(absl::StrCat("touch a ", Below(64), "M ", 1 + Below(32), "M"));
      case 8:
        return Of(absl::StrCat("advise ", Below(2) == 0 ? "a" : File(), " ", Below(64), "M ", 1 + Below(32),
                               "M dontneed"));
      case 9:
        return Of(absl::StrCat("move ", File(), " ", Below(2)));
      case 10:
        return Of(absl::StrCat("punch ", File(), " ", Below(96), "M ", 1 + Below(32), "M"));
      case 11:
        return Of(absl::StrCat("truncate ", File(), " ", 32 + Below(96), "M"));
      case 12:
        return Of(Below(2) == 0 ? "policy bind:1" : "policy default");
      case 13:
        return absl::StrCat("drop_caches ", 1 + Below(3));
      case 14:
        return absl::StrCat("pool 2M node", Below(2), " ", Below(12));
      default:
        return Of(absl::StrCat("lock ", File(), " ", Below(96), "M 1M"));
    }
  }

 private:
  uint32_t Below(uint32_t end) { return static_cast<uint32_t>(random_()) % end; }
  std::string File() { return Below(2) == 0 ? "private" : "shared"; }
  std::string Of(std::string_view operation) {
    return absl::StrCat(Below(2) == 0 ? "@p " : "@q ", std::string(operation));
  }

  std::mt19937 random_;
};

class RandomCacheTest : public ::testing::TestWithParam<uint32_t> {};

TEST_P(RandomCacheTest, TheValidatorFindsNothing) {
  MachineConfig config = DescribedMachine({64 * kMiB, 64 * kMiB});
  config.disk_pages = 1024 * kMiB;
  TestMachine machine(config);
  std::string script =
      "machine nodes=2 node_mem=64M disk=1G\nspawn p\n@p map private 100M file file=x\n"
      "@p map shared 100M file file=y shared\n@p map a 64M anon\n@p touch private 0 1M\n@p fork q\n@q cpu 1";
  machine.Run(script);
  Lines lines(GetParam());
  for (int i = 0; i < 60; ++i) {
    const std::string line = lines.Next();
    absl::StrAppend(&script, "\n", line);
    machine.Run(line);
    if (i % 4 == 0) {
      ASSERT_THAT(machine.Problems(), IsEmpty()) << script;
    }
  }
  machine.Run("@p exit\n@q exit\ndrop_caches 3");
  EXPECT_THAT(machine.Problems(), IsEmpty()) << script;
  for (int node = 0; node < 2; ++node) EXPECT_EQ(machine.counter(node, NR_FILE_PAGES), 0) << script;
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomCacheTest, ::testing::Range(uint32_t{0}, uint32_t{8}));

}  // namespace
}  // namespace numasim
