#include "workloads/kernel_settings.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim::workloads {
namespace {

class KernelSettingsTest : public testing::Test {
 protected:
  Errno Write(const std::string& name, const std::string& value) {
    return machine_.Run(absl::StrCat("sysctl ", name, " ", value)).error;
  }
  int64_t PcpHigh() { return machine_.memory().reserves().settings().back().pcp_high; }

  TestMachine machine_{DescribedMachine({1024 * kMiB})};
};

TEST_F(KernelSettingsTest, SysctlTakesValuesOfItsRangeOnly) {
  const struct {
    std::string name;
    std::vector<std::string> right;
    std::vector<std::string> wrong;
  } kRanges[] = {
      {"vm.min_free_kbytes", {"0", "2147483647"}, {"-1", "2147483648"}},
      {"vm.watermark_scale_factor", {"1", "3000"}, {"-1", "0", "3001"}},
      {"vm.percpu_pagelist_high_fraction", {"0", "8", "2147483647"}, {"-1", "1", "7"}},
      {"vm.max_map_count", {"0", "2147483647"}, {"-1"}},
      {"vm.watermark_boost_factor", {"0", "2147483647"}, {"-1"}},
      {"vm.compaction_proactiveness", {"0", "100"}, {"-1", "101"}},
  };
  for (const auto& range : kRanges) {
    EXPECT_TRUE(IsModelledSysctl(range.name));
    for (const std::string& value : range.right)
      EXPECT_EQ(Write(range.name, value), Errno::kOk) << range.name << " " << value;
    for (const std::string& value : range.wrong)
      EXPECT_EQ(Write(range.name, value), Errno::kInval) << range.name << " " << value;
    EXPECT_EQ(Write(range.name, "many"), Errno::kInval) << range.name;
    EXPECT_EQ(Write(range.name, "10 10"), Errno::kInval) << range.name;
  }
  EXPECT_FALSE(IsModelledSysctl("vm.swappiness"));
  EXPECT_FALSE(IsModelledSysctl("min_free_kbytes"));
}

TEST_F(KernelSettingsTest, EachSysctlSetsItsOwn) {
  const auto node = [this]() -> const Node& { return machine_.memory().node(NodeId{0}); };
  const auto low_to_min = [&] {
    const Watermarks marks = machine_.memory().reserves().settings().back().watermarks;
    return marks.low - marks.min;
  };
  Write("vm.min_free_kbytes", "12345");
  EXPECT_EQ(machine_.memory().reserves().min_free_kbytes(), 12345);
  Write("vm.max_map_count", "77");
  EXPECT_EQ(node().vm.max_map_count, 77);
  Write("vm.watermark_boost_factor", "20000");
  EXPECT_EQ(node().vm.watermark_boost_factor, 20000);
  Write("vm.compaction_proactiveness", "21");
  EXPECT_EQ(node().vm.compaction_proactiveness, 21);
  const int64_t gap = low_to_min();
  Write("vm.watermark_scale_factor", "3000");
  EXPECT_GT(low_to_min(), gap);
  Write("vm.percpu_pagelist_high_fraction", "8");
  EXPECT_EQ(PcpHigh(), machine_.memory().reserves().zones().back().managed / 8);
}

TEST_F(KernelSettingsTest, RefusedValueChangesNothing) {
  Write("vm.min_free_kbytes", "12345");
  const int64_t high = PcpHigh();
  EXPECT_EQ(Write("vm.min_free_kbytes", "-1"), Errno::kInval);
  EXPECT_EQ(Write("vm.percpu_pagelist_high_fraction", "7"), Errno::kInval);
  EXPECT_EQ(machine_.memory().reserves().min_free_kbytes(), 12345);
  EXPECT_EQ(PcpHigh(), high);
}

}  // namespace
}  // namespace numasim::workloads
