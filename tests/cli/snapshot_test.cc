#include "cli/snapshot.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/scenario.pb.h"

namespace numasim {
namespace {

using ::testing::HasSubstr;

struct Outcome {
  int exit_status = -1;
  std::string out;
  std::string err;
};

// Runs `numasim snapshot ARGUMENTS` in this process.
Outcome RunSnapshot(std::vector<std::string> arguments) {
  CLI::App app("numasim");
  Outcome outcome;
  AddSnapshotCommand(app, &outcome.exit_status);
  arguments.insert(arguments.begin(), "snapshot");
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  app.parse(reversed);
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.err = ::testing::internal::GetCapturedStderr();
  return outcome;
}

const std::string& TestData() {
  static const std::string* const path =
      new std::string(absl::StrCat(std::getenv("TEST_SRCDIR"), "/numasim/tests/workloads/machine/testdata/"));
  return *path;
}

std::vector<std::string> TwoNodes() {
  return {"--root", TestData() + "two_nodes", "--topology", TestData() + "two_nodes.xml"};
}

TEST(SnapshotCommandTest, PrintsTheMachine) {
  const Outcome outcome = RunSnapshot(TwoNodes());
  EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
  Machine machine;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(outcome.out, &machine));
  EXPECT_EQ(machine.zone_size(), 3);
}

TEST(SnapshotCommandTest, FileHoldsWhatWouldBePrinted) {
  const std::string path = ::testing::TempDir() + "/machine.textproto";
  std::vector<std::string> arguments = TwoNodes();
  arguments.insert(arguments.end(), {"--out", path});
  const Outcome outcome = RunSnapshot(arguments);
  EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  std::ifstream file(path);
  const std::string written((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(written, RunSnapshot(TwoNodes()).out);
}

TEST(SnapshotCommandTest, FailureIsOneMessageStatusOneAndNoFile) {
  const std::string path = ::testing::TempDir() + "/no_machine.textproto";
  const Outcome outcome =
      RunSnapshot({"--root", "/nonexistent", "--topology", TestData() + "two_nodes.xml", "--out", path});
  EXPECT_EQ(outcome.exit_status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("numasim snapshot: /nonexistent/proc/"));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SnapshotCommandTest, OtherRootWithoutTopologyIsAnError) {
  const Outcome outcome = RunSnapshot({"--root", TestData() + "two_nodes"});
  EXPECT_EQ(outcome.exit_status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("--root needs --topology"));
}

}  // namespace
}  // namespace numasim
