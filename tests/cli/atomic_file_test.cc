#include "cli/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AtomicFileTest : public ::testing::Test {
 protected:
  AtomicFileTest()
      : directory_(absl::StrCat(::testing::TempDir(), "/",
                                ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directory(directory_);
  }

  std::string Contents(const std::string& name) const {
    std::ifstream file(directory_ / name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      names.push_back(entry.path().filename());
    return names;
  }

  const std::filesystem::path directory_;
};

TEST_F(AtomicFileTest, NewContentsReplaceOldOnesAndNothingElseIsLeft) {
  ASSERT_TRUE(WriteFileAtomically(directory_ / "file", std::string(100000, 'x')).ok());
  ASSERT_TRUE(WriteFileAtomically(directory_ / "file", "new").ok());
  EXPECT_EQ(Contents("file"), "new");
  EXPECT_THAT(Names(), ElementsAre("file"));
}

TEST_F(AtomicFileTest, LinkIsFollowedAndNotReplaced) {
  std::filesystem::create_directory(directory_ / "below");
  std::ofstream(directory_ / "below" / "target") << "old";
  std::filesystem::create_symlink("below/target", directory_ / "link");
  ASSERT_TRUE(WriteFileAtomically(directory_ / "link", "new").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(directory_ / "link"));
  EXPECT_EQ(Contents("below/target"), "new");
}

TEST_F(AtomicFileTest, DirectoryThatDoesNotExistIsAnErrorThatNamesThePath) {
  const absl::Status status = WriteFileAtomically(directory_ / "none" / "file", "x");
  EXPECT_THAT(std::string(status.message()), HasSubstr("/none/file: cannot be written"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("No such file or directory"));
}

TEST_F(AtomicFileTest, TargetThatIsADirectoryIsAnErrorAndStays) {
  std::filesystem::create_directory(directory_ / "sub");
  EXPECT_FALSE(WriteFileAtomically(directory_ / "sub", "x").ok());
  EXPECT_THAT(Names(), ElementsAre("sub"));
}

TEST_F(AtomicFileTest, FullDeviceIsAnError) {
  const absl::Status status = WriteFileAtomically("/dev/full", "x");
  EXPECT_THAT(std::string(status.message()), HasSubstr("/dev/full: cannot be written"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("No space left on device"));
}

}  // namespace
}  // namespace numasim
