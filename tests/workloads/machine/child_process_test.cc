#include "workloads/machine/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace numasim::workloads {
namespace {

using ::testing::HasSubstr;

TEST(ChildProcessTest, ReturnsWhatTheChildMade) {
  const pid_t here = getpid();
  const ChildResult result = RunInChild(
      [here]() -> absl::StatusOr<std::string> {
        std::fprintf(stderr, "a remark");
        return getpid() == here ? "not a child" : std::string(1 << 20, 'x');
      },
      60);
  ASSERT_TRUE(result.made.ok()) << result.made.status();
  EXPECT_EQ(*result.made, std::string(1 << 20, 'x'));
  EXPECT_EQ(result.complaints, "a remark");
}

TEST(ChildProcessTest, ReturnsTheChildsStatus) {
  const ChildResult result =
      RunInChild([]() -> absl::StatusOr<std::string> { return absl::NotFoundError("no node 3"); }, 60);
  EXPECT_EQ(result.made.status(), absl::NotFoundError("no node 3"));
}

TEST(ChildProcessTest, ChildThatAbortsIsAStatusThatNamesTheSignal) {
  const ChildResult result = RunInChild(
      []() -> absl::StatusOr<std::string> {
        std::fprintf(stderr, "assertion failed");
        std::abort();
      },
      60);
  EXPECT_EQ(result.made.status(), absl::AbortedError("ended by SIGABRT"));
  EXPECT_EQ(result.complaints, "assertion failed");
}

TEST(ChildProcessTest, ChildThatExitsByItselfHasNotMadeAnything) {
  const ChildResult result = RunInChild([]() -> absl::StatusOr<std::string> { _exit(0); }, 60);
  EXPECT_EQ(result.made.status(), absl::AbortedError("ended early"));
}

TEST(ChildProcessTest, ChildThatNeverEndsIsStopped) {
  const ChildResult result = RunInChild(
      []() -> absl::StatusOr<std::string> {
        for (;;) pause();
      },
      1);
  EXPECT_EQ(result.made.status(), absl::AbortedError("not done after 1 s"));
}

}  // namespace
}  // namespace numasim::workloads
