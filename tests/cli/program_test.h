// What the tests of the program `numasim` as its users run it have in common: each works in an empty folder
// of its own and looks at what the program prints, writes and leaves behind.
#ifndef NUMASIM_TESTS_CLI_PROGRAM_TEST_H_
#define NUMASIM_TESTS_CLI_PROGRAM_TEST_H_

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace numasim {

namespace fs = std::filesystem;

inline std::string Runfile(const std::string& path) {
  return absl::StrCat(std::getenv("TEST_SRCDIR"), "/numasim/", path);
}

inline std::string FileText(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Outcome {
  int exit_status = -1;
  std::string out;
  std::string err;
};

// Each test works in an empty folder of its own.
class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "/run_test.XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    fs::current_path(folder_);
  }
  void TearDown() override {
    fs::current_path(testing::TempDir());
    fs::remove_all(folder_);
  }

  static void Write(const std::string& name, const std::string& text) {
    std::ofstream(name, std::ios::binary) << text;
  }

  // Starts the program; its output goes to the files .out and .err.
  static pid_t Start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), Runfile("cli/numasim"));
    const pid_t child = fork();
    if (child != 0) return child;
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (std::freopen(".out", "w", stdout) == nullptr || std::freopen(".err", "w", stderr) == nullptr)
      _exit(99);
    execv(argv[0], argv.data());
    _exit(98);
  }

  static Outcome Numasim(const std::vector<std::string>& arguments) {
    int status = 0;
    waitpid(Start(arguments), &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, FileText(".out"), FileText(".err")};
  }

  static std::vector<std::string> Files() {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(".")) {
      const std::string name = entry.path().filename();
      if (!name.starts_with(".")) files.push_back(name);
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  // The run fails with one message, and leaves nothing that was not there.
  static std::string Refused(const std::vector<std::string>& arguments) {
    const std::vector<std::string> before = Files();
    const Outcome outcome = Numasim(arguments);
    EXPECT_EQ(outcome.exit_status, 1) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(Files(), before);
    return outcome.err;
  }
  static std::string RefusedScenario(const std::string& text) {
    Write("s.textproto", text);
    return Refused({"run", "s.textproto"});
  }
  static std::string RefusedScript(const std::string& text) {
    Write("s.mm", text);
    return Refused({"run", "s.mm"});
  }

  fs::path folder_;
};

}  // namespace numasim

#endif  // NUMASIM_TESTS_CLI_PROGRAM_TEST_H_
