// A writer leaves a complete trace or none: errors, discarded runs, killed runs, broken contracts.
#include "proto/trace_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/trace.pb.h"
#include "proto/trace_reader.h"
#include "tests/proto/trace_test_util.h"

namespace numasim {
namespace {

using ::testing::HasSubstr;

// Reports changing values until the writer fails or `samples` are done.
void Report(int64_t samples, int columns, TraceWriter* writer) {
  std::vector<int64_t> values(columns);
  for (int64_t i = 0; i < samples && writer->status().ok(); ++i) {
    for (int column = 0; column < columns; ++column) values[column] += i * 2654435761 % (column + 2);
    writer->AddSample(i, values);
  }
}

TEST(TraceWriter, FullDeviceIsAnErrorThatNamesItAndTheReason) {
  const auto writer = TraceWriter::Create("/dev/full", HeaderWithColumns(1));
  EXPECT_EQ(writer.status().message(), "cannot write trace /dev/full: No space left on device");
  EXPECT_TRUE(Exists("/dev/full"));
}

TEST(TraceWriter, MissingFolderIsAnErrorThatNamesIt) {
  const auto writer = TraceWriter::Create("/nonexistent/t.pb", HeaderWithColumns(1));
  EXPECT_EQ(writer.status().message(), "cannot create trace /nonexistent/t.pb: No such file or directory");
}

// A file system of 256 KiB, where the test may mount one.
class SmallDisk {
 public:
  SmallDisk() : folder_(absl::StrCat(testing::TempDir(), "/disk", getpid())) {
    mkdir(folder_.c_str(), 0700);
    mounted_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=256k") == 0;
    error_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) umount(folder_.c_str());
    rmdir(folder_.c_str());
  }
  bool mounted() const { return mounted_; }
  const std::string& error() const { return error_; }
  const std::string& folder() const { return folder_; }

 private:
  const std::string folder_;
  bool mounted_;
  std::string error_;
};

TEST(TraceWriter, DiskThatFillsUpDuringTheRunLeavesNoFile) {
  SmallDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small tmpfs: " << disk.error();
  const std::string path = disk.folder() + "/t.pb";
  auto writer = TraceWriter::Create(path, HeaderWithColumns(20));
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_TRUE(Exists(path + ".partial"));
  Report(1000000, 20, writer->get());
  const std::string message = absl::StrCat("cannot write trace ", path, ": No space left on device");
  EXPECT_EQ((*writer)->status().message(), message);
  EXPECT_FALSE(Exists(path));
  EXPECT_FALSE(Exists(path + ".partial"));
  // The error stays, and nothing brings the file back.
  (*writer)->AddSample(int64_t{1} << 40, std::vector<int64_t>(20));
  (*writer)->AddEvent(EventAt(0, "x"));
  (*writer)->AddLockStats(LockNamed("l"));
  EXPECT_EQ((*writer)->Finish().message(), message);
  EXPECT_FALSE(Exists(path));
}

TEST(TraceWriter, UnfinishedTraceIsRemoved) {
  TempPath path("unfinished.pb");
  {
    auto writer = TraceWriter::Create(path.get(), HeaderWithColumns(2));
    ASSERT_TRUE(writer.ok()) << writer.status();
    Report(100000, 2, writer->get());
    EXPECT_TRUE(Exists(path.partial()));
  }
  EXPECT_FALSE(Exists(path.get()));
  EXPECT_FALSE(Exists(path.partial()));
}

TEST(TraceWriter, DiscardedTraceCannotBeFinished) {
  TempPath path("discarded.pb");
  auto writer = TraceWriter::Create(path.get(), HeaderWithColumns(2));
  ASSERT_TRUE(writer.ok()) << writer.status();
  (*writer)->Discard();
  EXPECT_FALSE(Exists(path.get()));
  EXPECT_FALSE(Exists(path.partial()));
  EXPECT_EQ((*writer)->Finish().message(), absl::StrCat("trace ", path.get(), " was discarded"));
}

TEST(TraceWriter, FinishedTraceStays) {
  TempPath path("finished.pb");
  auto writer = TraceWriter::Create(path.get(), HeaderWithColumns(2));
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Finish().ok());
  (*writer)->Discard();
  writer->reset();
  EXPECT_TRUE(Exists(path.get()));
  EXPECT_FALSE(Exists(path.partial()));
}

TEST(TraceWriter, DiscardLeavesDevicesAlone) {
  auto writer = TraceWriter::Create("/dev/null", HeaderWithColumns(2));
  ASSERT_TRUE(writer.ok()) << writer.status();
  (*writer)->Discard();
  EXPECT_TRUE(Exists("/dev/null"));
}

TEST(TraceWriter, KilledRunLeavesAReadableTraceThatIsCut) {
  TempPath path("killed.pb");
  const pid_t child = fork();
  if (child == 0) {
    auto writer = TraceWriter::Create(path.get(), HeaderWithColumns(4));
    if (writer.ok()) Report(20000, 4, writer->get());
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(Exists(path.get()));
  auto reader = TraceReader::Open(path.partial());
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_FALSE((*reader)->complete());
  Content content;
  EXPECT_THAT(std::string((*reader)->Read({}, &content).message()), HasSubstr("is cut after"));
  EXPECT_GT(content.samples.size(), 0u);
}

TEST(TraceWriter, CompleteTraceStaysUntilTheNextIsComplete) {
  TempPath path("again.pb");
  const auto run = [&path](bool finish) {
    auto writer = TraceWriter::Create(path.get(), HeaderWithColumns(2));
    ASSERT_TRUE(writer.ok()) << writer.status();
    Report(finish ? 10 : 100000, 2, writer->get());
    if (finish) {
      ASSERT_TRUE((*writer)->Finish().ok());
    }
  };
  run(true);
  const std::string first = ReadFile(path.get());
  run(false);
  EXPECT_EQ(ReadFile(path.get()), first);
}

TEST(TraceWriter, SavedTailsShowAllThatCameAndLeaveNoMarkInTheFinishedTrace) {
  // Few columns that change in few rows, then in all: the tail shrinks when the block's form changes.
  constexpr int64_t kSamples = 10000;
  const auto write = [](const TempPath& path, int64_t save_every) {
    auto writer = TraceWriter::Create(path.get(), HeaderWithColumns(3));
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (int64_t i = 0; i < kSamples; ++i) {
      (*writer)->AddSample(i * 1000, {i / 100 * 1000000, i > 5000 ? i : 0, 7});
      if (i % 500 == 3) (*writer)->AddEvent(EventAt(i * 1000, "alloc_failed"));
      if (save_every == 0 || i % save_every != 0) continue;
      (*writer)->SaveTail();
      (*writer)->SaveTail();
      const auto reader = TraceReader::Open(path.partial());
      ASSERT_TRUE(reader.ok()) << reader.status();
      EXPECT_THAT(std::string((*reader)->end_status().message()), HasSubstr("is cut after"));
      EXPECT_EQ((*reader)->index().samples(), static_cast<uint64_t>(i + 1));
      EXPECT_EQ((*reader)->index().last_ns(), i * 1000);
    }
    ASSERT_TRUE((*writer)->Finish().ok());
  };
  TempPath plain("plain.pb");
  TempPath saved("saved.pb");
  write(plain, 0);
  write(saved, 37);
  EXPECT_TRUE(ReadFile(plain.get()) == ReadFile(saved.get()));
}

TEST(TraceWriter, TraceOfARunThatWasEndedIsWholeButPartial) {
  TempPath path("ended.pb");
  auto writer = TraceWriter::Create(path.get(), HeaderWithColumns(2));
  ASSERT_TRUE(writer.ok()) << writer.status();
  Report(100, 2, writer->get());
  ASSERT_TRUE((*writer)->Finish("SIGINT").ok());
  EXPECT_EQ((*writer)->partial_path(), path.partial());
  writer->reset();
  EXPECT_FALSE(Exists(path.get()));
  const auto reader = TraceReader::Open(path.partial());
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_TRUE((*reader)->complete());
  EXPECT_EQ((*reader)->index().ended_by(), "SIGINT");
  EXPECT_EQ((*reader)->index().samples(), 100u);
  // Whoever looks for the trace is told of it.
  EXPECT_THAT(std::string(TraceReader::Open(path.get()).status().message()),
              HasSubstr(absl::StrCat("there is ", path.partial())));
}

using TraceWriterDeathTest = testing::Test;

TEST(TraceWriterDeathTest, BrokenContractsStopTheProgramWithTheNumbers) {
  TempPath path("contract.pb");
  auto created = TraceWriter::Create(path.get(), HeaderWithColumns(2));
  ASSERT_TRUE(created.ok()) << created.status();
  TraceWriter& writer = **created;
  EXPECT_DEATH(writer.AddSample(0, {1}), "values in a sample: 1 against 2");
  EXPECT_DEATH(writer.AddRepeat(5, 1, 1), "a repeat before the first sample");
  writer.AddSample(10, {1, 2});
  EXPECT_DEATH(writer.AddSample(10, {1, 2}), "not after the last one's: 10 against 10");
  EXPECT_DEATH(writer.AddRepeat(9, 1, 1), "not after the last sample's: 9 against 10");
  EXPECT_DEATH(writer.AddRepeat(11, 1000, int64_t{1} << 60), "passes the end of time");
  EXPECT_DEATH(writer.AddEvent(EventAt(-1, "x")), "time of an event: -1 against 0");
}

}  // namespace
}  // namespace numasim
