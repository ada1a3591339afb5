#include "files/read_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

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

TEST(BeginningOfTest, IsOfRegularFilesAlone) {
  const std::string path = ::testing::TempDir() + "/beginning";
  std::ofstream(path, std::ios::binary) << "abcdef";
  EXPECT_EQ(BeginningOf(path, 3), "abc");
  EXPECT_EQ(BeginningOf(path, 9), "abcdef");
  EXPECT_EQ(BeginningOf("/none", 3), "");
  EXPECT_EQ(BeginningOf("/", 3), "");
  EXPECT_EQ(BeginningOf("/dev/zero", 3), "");
  const std::string pipe = ::testing::TempDir() + "/beginning_pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(BeginningOf(pipe, 3), "") << "it waited for who writes";
}

TEST(ReadInputFileTest, SaysWhyAFileCannotBeRead) {
  EXPECT_EQ(ReadInputFile("/none").status(), absl::NotFoundError("No such file or directory"));
  EXPECT_EQ(ReadInputFile("/").status().message(), "it is a folder");
}

// The first page of a process is not there: the kernel answers a read of it with EIO.
TEST(ReadInputFileTest, ReadErrorIsNotTheEndOfTheFile) {
  EXPECT_EQ(ReadInputFile("/proc/self/mem").status().message(), "Input/output error");
}

TEST(ReadInputFileTest, LargerFilesThanTheLimitAreRefused) {
  const std::string path = ::testing::TempDir() + "/large";
  std::ofstream(path, std::ios::binary) << std::string(size_t{3} << 20, 'x');
  EXPECT_TRUE(ReadInputFile(path, {.bytes = int64_t{3} << 20}).ok());
  EXPECT_EQ(ReadInputFile(path, {.bytes = int64_t{2} << 20}).status(),
            absl::ResourceExhaustedError("it is larger than 2 MiB, the most that is read of an input"));
  // With holes only, and nothing of it is read.
  std::filesystem::resize_file(path, uint64_t{1} << 40);
  EXPECT_EQ(ReadInputFile(path).status().message(),
            "it is larger than 1024 MiB, the most that is read of an input");
}

TEST(ReadInputFileTest, DevicesAreRefused) {
  for (const char* device : {"/dev/zero", "/dev/null"})
    EXPECT_EQ(ReadInputFile(device).status().message(), "it is a device; expected a file or a pipe")
        << device;
}

std::string NewPipe() {
  std::string path = ::testing::TempDir() + "/pipe";
  std::remove(path.c_str());
  EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
  return path;
}

TEST(ReadInputFileTest, PipeThatNobodyWritesToIsNotWaitedForForEver) {
  EXPECT_EQ(ReadInputFile(NewPipe(), {.pipe_patience_ms = 50}).status(),
            absl::DeadlineExceededError("it is a pipe that nobody has written to or closed for 0.05 s"));
}

TEST(ReadInputFileTest, PipeIsReadUntilItsWriterClosesIt) {
  const std::string path = NewPipe();
  const std::string bytes(size_t{5} << 20, 'x');
  std::thread writer(
      [&] { std::ofstream(path, std::ios::binary) << bytes.substr(0, 9) << std::flush << bytes.substr(9); });
  const absl::StatusOr<std::string> text = ReadInputFile(path);
  writer.join();
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_TRUE(*text == bytes);
}

TEST(ReadInputFileTest, PipeWithoutEndIsRefusedAtTheLimit) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::signal(SIGPIPE, SIG_IGN);
  std::thread writer([&] {
    const std::string bytes(1 << 16, 'x');
    while (write(ends[1], bytes.data(), bytes.size()) > 0) {
    }
  });
  // As a shell names what `<(...)` gives.
  const absl::Status status =
      ReadInputFile("/dev/fd/" + std::to_string(ends[0]), {.bytes = int64_t{2} << 20}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  close(ends[0]);
  writer.join();
  close(ends[1]);
}

}  // namespace
}  // namespace numasim
