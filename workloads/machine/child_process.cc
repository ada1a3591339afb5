#include "workloads/machine/child_process.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "files/shared_file.h"

namespace numasim::workloads {
namespace {

// The result is a status code as one byte, then the text or the status's message.
std::string Encode(const absl::StatusOr<std::string>& made) {
  return absl::StrCat(std::string(1, static_cast<char>(made.status().raw_code())),
                      made.ok() ? *made : std::string(made.status().message()));
}

absl::StatusOr<std::string> Decode(const std::string& text) {
  const auto code = static_cast<absl::StatusCode>(text.front());
  if (code == absl::StatusCode::kOk) return text.substr(1);
  return absl::Status(code, text.substr(1));
}

[[noreturn]] void BeChild(const std::function<absl::StatusOr<std::string>()>& make, unsigned seconds,
                          const SharedFile& result, const SharedFile& complaints) {
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (const int number : {SIGALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, SIG_DFL);
  dup2(complaints.descriptor(), STDERR_FILENO);
  alarm(seconds);
  const bool written = result.Write(Encode(make()));
  // Nothing of the parent's is flushed or destroyed twice.
  _exit(written ? 0 : 1);
}

absl::Status HowItEnded(int status, unsigned seconds) {
  if (!WIFSIGNALED(status)) return absl::AbortedError("ended early");
  if (WTERMSIG(status) == SIGALRM) return absl::AbortedError(absl::StrCat("not done after ", seconds, " s"));
  return absl::AbortedError(absl::StrCat("ended by SIG", sigabbrev_np(WTERMSIG(status))));
}

absl::Status NoChild() {
  return absl::ResourceExhaustedError(absl::StrCat("no process to do it in: ", std::strerror(errno)));
}

}  // namespace

std::string FirstComplaint(const ChildResult& result) {
  constexpr size_t kShown = 200;
  for (const absl::string_view line : absl::StrSplit(result.complaints, '\n')) {
    if (!line.empty()) return absl::StrCat(" (", line.substr(0, kShown), ")");
  }
  return "";
}

ChildResult RunInChild(const std::function<absl::StatusOr<std::string>()>& make, unsigned seconds) {
  const SharedFile result;
  const SharedFile complaints;
  if (result.descriptor() < 0 || complaints.descriptor() < 0) return {NoChild(), ""};
  const pid_t child = fork();
  if (child < 0) return {NoChild(), ""};
  if (child == 0) BeChild(make, seconds, result, complaints);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string text = result.Read();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || text.empty())
    return {HowItEnded(status, seconds), complaints.Read()};
  return {Decode(text), complaints.Read()};
}

}  // namespace numasim::workloads
