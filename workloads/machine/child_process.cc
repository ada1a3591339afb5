#include "workloads/machine/child_process.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace numasim::workloads {
namespace {

// A file without a name that parent and child share: unlike a pipe it takes any amount while nobody reads.
class SharedFile {
 public:
  SharedFile() : descriptor_(memfd_create("numasim", 0)) {}
  ~SharedFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;

  int descriptor() const { return descriptor_; }

  bool Write(const std::string& text) const {
    for (size_t done = 0; done < text.size();) {
      const ssize_t written = write(descriptor_, text.data() + done, text.size() - done);
      if (written < 0 && errno != EINTR) return false;
      if (written > 0) done += static_cast<size_t>(written);
    }
    return true;
  }

  std::string Read() const {
    std::string text;
    char buffer[1 << 16];
    for (;;) {
      const ssize_t length = pread(descriptor_, buffer, sizeof buffer, static_cast<off_t>(text.size()));
      if (length < 0 && errno == EINTR) continue;
      if (length <= 0) return text;
      text.append(buffer, static_cast<size_t>(length));
    }
  }

 private:
  const int descriptor_;
};

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
