#include "files/read_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "absl/status/status.h"

namespace numasim {
namespace {

TEST(ReadInputFileTest, ReadsAllBytesOfAnyKind) {
  const std::string path = ::testing::TempDir() + "/bytes";
  std::string bytes(size_t{3} << 20, 'x');
  bytes[5] = '\0';
  bytes.back() = '\xff';
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_EQ(*ReadInputFile(path), bytes);
}

TEST(ReadInputFileTest, FileOfUnknownSizeIsReadToItsEnd) {
  EXPECT_NE(ReadInputFile("/proc/self/status")->find("Pid:"), std::string::npos);
}

TEST(ReadInputFileTest, SaysWhyAFileCannotBeRead) {
  EXPECT_EQ(ReadInputFile("/none").status(), absl::NotFoundError("No such file or directory"));
  EXPECT_EQ(ReadInputFile("/").status().message(), "it is a folder");
}

// The first page of a process is not there: the kernel answers a read of it with EIO.
TEST(ReadInputFileTest, ReadErrorIsNotTheEndOfTheFile) {
  EXPECT_EQ(ReadInputFile("/proc/self/mem").status().message(), "Input/output error");
}

}  // namespace
}  // namespace numasim
