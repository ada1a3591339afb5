#include "workloads/nearest_name.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace numasim::workloads {
namespace {

const std::vector<std::string_view> kNames = {"touch", "unmap", "map", "khugepaged", "r", "rw"};

TEST(NearestNameTest, FindsOneEditOfEachKind) {
  EXPECT_EQ(NearestName("toch", kNames), "touch");    // missing
  EXPECT_EQ(NearestName("touuch", kNames), "touch");  // too many
  EXPECT_EQ(NearestName("tauch", kNames), "touch");   // other
  EXPECT_EQ(NearestName("tuoch", kNames), "touch");   // swapped
}

TEST(NearestNameTest, LongNamesMayHaveMoreEdits) {
  EXPECT_EQ(NearestName("khugepgade", kNames), "khugepaged");
  EXPECT_EQ(NearestName("kcompactd", kNames), "");
}

TEST(NearestNameTest, NothingIsNearToSomethingElse) {
  EXPECT_EQ(NearestName("frobnicate", kNames), "");
  EXPECT_EQ(NearestName("x", kNames), "");
  EXPECT_EQ(NearestName("", kNames), "");
  EXPECT_EQ(NearestName(std::string(100'000, 't'), kNames), "");
  EXPECT_EQ(NearestName("touch", {}), "");
}

TEST(NearestNameTest, MessagePartIsEmptyWithoutASuggestion) {
  EXPECT_EQ(DidYouMean("toch", kNames), "; did you mean 'touch'?");
  EXPECT_EQ(DidYouMean("frobnicate", kNames), "");
}

}  // namespace
}  // namespace numasim::workloads
