#include "workloads/not_modelled.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace numasim::workloads {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr std::string_view kMappings =
    "spawn p\n"
    "@p map anon 4M anon\n"
    "@p map shmem 4M shmem\n"
    "@p map huge 4M hugetlb-2M file=f\n";

std::string First(const std::string& line) {
  const auto script = ParseScript(absl::StrCat(std::string(kMappings), line), "s.mm");
  EXPECT_TRUE(script.ok()) << script.status();
  return FirstNotModelled(*script, [](int number) { return absl::StrCat("s.mm:", number); });
}

TEST(NotModelledTest, MessageHasThePlaceTheLineAndWhatIsMissing) {
  const struct {
    std::string line;
    std::string part;
  } kCases[] = {
      {"sysctl vm.overcommit_memory 2", "sysctl vm.overcommit_memory 2"},
      {"sysctl vm.swappiness 60", "sysctl vm.swappiness"},
  };
  for (const auto& [line, part] : kCases)
    EXPECT_EQ(First(line), absl::StrCat("s.mm:5: '", line, "': ", part, " is not modelled yet"));
}

TEST(NotModelledTest, MessageSaysWhatIsThereInstead) {
  EXPECT_THAT(First("sysctl vm.min_free_kbyte 60"), EndsWith("yet; did you mean 'vm.min_free_kbytes'?"));
  EXPECT_THAT(First("sysctl vm.drop_caches 1"), EndsWith("yet; the operation 'drop_caches' writes it"));
  EXPECT_THAT(First("sysctl vm.lowmem_reserve_ratio 1"),
              HasSubstr("kernel.lowmem_reserve_ratio is its value"));
}

TEST(NotModelledTest, SameOperationOnWhatIsModelledPasses) {
  for (const char* line : {"thp enabled never",
                           "thp shmem_enabled deny",
                           "thp defrag always",
                           "thp use_zero_page 0",
                           "khugepaged 1",
                           "khugepaged_set defrag 1",
                           "drop_caches 3",
                           "@p advise anon 0 4M collapse",
                           "sysctl vm.max_map_count 100",
                           "sysctl vm.extfrag_threshold 1000",
                           "sysctl vm.overcommit_memory 1",
                           "sysctl vm.watermark_boost_factor 0",
                           "sysctl vm.compaction_proactiveness 0",
                           "compact",
                           "@p pipes k 1M",
                           "@p map m 4M hugetlb-2M file=g",
                           "@p advise anon 0 4M remove",
                           "@p advise huge 0 4M remove",
                           "@p advise huge 0 4M collapse",
                           "@p advise shmem 0 4M collapse",
                           "@p move huge 0",
                           "@p move anon 0",
                           "@p move shmem 0",
                           "@p fallocate huge 0 4M",
                           "@p punch huge 0 4M",
                           "@p truncate huge 0",
                           "@p fallocate anon 0 4M",
                           "@p map m 4M shmem file=g",
                           "@p fallocate shmem 0 4M",
                           "@p punch shmem 0 4M",
                           "@p truncate shmem 0",
                           "@p advise shmem 0 4M remove"}) {
    EXPECT_EQ(First(line), "") << line;
  }
}

}  // namespace
}  // namespace numasim::workloads
