#include "files/replaced_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "files/read_file.h"

namespace numasim {
namespace {

namespace fs = std::filesystem;

class ReplacedFileTest : public ::testing::Test {
 protected:
  ReplacedFileTest() {
    std::string folder = ::testing::TempDir() + "/replaced.XXXXXX";
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = folder_ / "file";
    partial_ = folder_ / "file.partial";
  }
  ~ReplacedFileTest() override { fs::remove_all(folder_); }

  static std::unique_ptr<ReplacedFile> Create(const std::string& path) {
    auto file = ReplacedFile::Create(path);
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }
  static void Write(const std::string& path, const std::string& text) {
    auto file = Create(path);
    ASSERT_TRUE(file->Append(text).ok());
    ASSERT_TRUE(file->Commit().ok());
  }
  static std::string Text(const std::string& path) { return ReadInputFile(path).value_or("(none)"); }

  fs::path folder_;
  std::string path_;
  std::string partial_;
};

TEST_F(ReplacedFileTest, OldContentsStayUntilTheNewAreComplete) {
  Write(path_, "old");
  auto file = Create(path_);
  ASSERT_TRUE(file->Append("new").ok());
  EXPECT_EQ(Text(path_), "old");
  EXPECT_EQ(Text(partial_), "new");
  EXPECT_EQ(file->place(), partial_);
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_EQ(Text(path_), "new");
  EXPECT_FALSE(fs::exists(partial_));
}

TEST_F(ReplacedFileTest, WhatIsNotCompletedIsRemovedAndWhatIsKeptStays) {
  Write(path_, "old");
  ASSERT_TRUE(Create(path_)->Append("new").ok());
  EXPECT_FALSE(fs::exists(partial_));
  auto file = Create(path_);
  ASSERT_TRUE(file->Append("new").ok());
  ASSERT_TRUE(file->Keep().ok());
  file.reset();
  EXPECT_EQ(Text(partial_), "new");
  EXPECT_EQ(Text(path_), "old");
}

TEST_F(ReplacedFileTest, SecondWriterIsRefusedAndDisturbsNothing) {
  auto first = Create(path_);
  ASSERT_TRUE(first->Append("first").ok());
  EXPECT_EQ(ReplacedFile::Create(path_).status().message(),
            "another program is writing it (as " + partial_ + ")");
  fs::create_symlink("file", folder_ / "link");
  EXPECT_FALSE(ReplacedFile::Create(folder_ / "link").ok());
  ASSERT_TRUE(first->Commit().ok());
  EXPECT_EQ(Text(path_), "first");
  Write(path_, "second");
  EXPECT_EQ(Text(path_), "second");
}

TEST_F(ReplacedFileTest, LeftoversOfAKilledWriterAreNoHindrance) {
  auto file = Create(path_);
  ASSERT_TRUE(file->Append("much of an earlier one").ok());
  ASSERT_TRUE(file->Keep().ok());
  Write(path_, "new");
  EXPECT_EQ(Text(path_), "new");
}

TEST_F(ReplacedFileTest, LinksAreFollowedAlsoWhereNothingIsYet) {
  fs::create_directory(folder_ / "sub");
  fs::create_symlink("two", folder_ / "one");
  fs::create_symlink(folder_ / "sub" / "target", folder_ / "two");
  Write(folder_ / "one", "text");
  EXPECT_TRUE(fs::is_symlink(folder_ / "one"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "two"));
  EXPECT_EQ(Text(folder_ / "sub" / "target"), "text");
  EXPECT_EQ(PartialPath(folder_ / "one"), (folder_ / "sub" / "target.partial").string());
}

TEST_F(ReplacedFileTest, PermissionsOfWhatIsReplacedStay) {
  Write(path_, "old");
  ASSERT_EQ(chmod(path_.c_str(), 0640), 0);
  Write(path_, "new");
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms{0640});
}

TEST_F(ReplacedFileTest, TailIsReplacedByWhatComesNext) {
  auto file = Create(path_);
  ASSERT_TRUE(file->Append("start,").ok());
  ASSERT_TRUE(file->SetTail("a long tail").ok());
  EXPECT_EQ(Text(partial_), "start,a long tail");
  ASSERT_TRUE(file->SetTail("short").ok());
  EXPECT_EQ(Text(partial_), "start,short");
  EXPECT_EQ(file->size(), 6u);
  ASSERT_TRUE(file->Append("x").ok());
  EXPECT_EQ(Text(partial_), "start,x");
  ASSERT_TRUE(file->SetTail("tail").ok());
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_EQ(Text(path_), "start,x");
}

TEST_F(ReplacedFileTest, WhatIsNoFileIsWrittenDirectly) {
  for (const std::string device : {"/dev/null", "/dev/full"}) {
    auto file = Create(device);
    EXPECT_TRUE(file->direct());
    EXPECT_TRUE(file->SetTail("tail").ok());
    EXPECT_EQ(file->Append("text").message(), device == "/dev/full" ? "No space left on device" : "");
    file->Discard();
    EXPECT_TRUE(fs::exists(device));
  }
  EXPECT_FALSE(ReplacedFile::Create(folder_).ok());
}

TEST_F(ReplacedFileTest, FifoIsWrittenIfSomebodyReadsItAndNotWaitedForElse) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(ReplacedFile::Create(path_).status().message(), "no program reads this pipe");
  const int reader = open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  auto file = Create(path_);
  EXPECT_TRUE(file->Append("text").ok());
  EXPECT_TRUE(file->Commit().ok());
  char bytes[8] = {};
  EXPECT_EQ(read(reader, bytes, sizeof(bytes)), 4);
  EXPECT_EQ(std::string(bytes), "text");
  close(reader);
}

TEST_F(ReplacedFileTest, FailuresAreReasons) {
  EXPECT_EQ(ReplacedFile::Create(folder_ / "none" / "file").status().message(), "No such file or directory");
  EXPECT_EQ(ReplacedFile::Create("").status().message(), "No such file or directory");
  fs::create_directory(partial_);
  EXPECT_EQ(ReplacedFile::Create(path_).status().message(), partial_ + ": Is a directory");
}

}  // namespace
}  // namespace numasim
