#include "cli/slurm/command.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "files/shared_file.h"

namespace numasim::slurm {
namespace {

std::string InOneLine(const std::string& text) {
  return absl::StrJoin(absl::StrSplit(text, '\n', absl::SkipWhitespace()), "; ");
}

// Starts the program; an errno if that cannot be done.
int Spawn(const std::vector<std::string>& arguments, const SharedFile& out, const SharedFile& err,
          pid_t* child) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t streams;
  posix_spawn_file_actions_init(&streams);
  const absl::Cleanup forget_streams = [&] { posix_spawn_file_actions_destroy(&streams); };
  posix_spawn_file_actions_addopen(&streams, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&streams, out.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&streams, err.descriptor(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  const absl::Cleanup forget_attributes = [&] { posix_spawnattr_destroy(&attributes); };
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  // What this program ignores (cli/signals.h).
  sigset_t ignored;
  sigemptyset(&ignored);
  sigaddset(&ignored, SIGPIPE);
  sigaddset(&ignored, SIGXFSZ);
  posix_spawnattr_setsigdefault(&attributes, &ignored);
  return posix_spawnp(child, argv[0], &streams, &attributes, argv.data(), environ);
}

std::string HowItEnded(int status) {
  if (WIFSIGNALED(status)) return absl::StrCat("ended by SIG", sigabbrev_np(WTERMSIG(status)));
  return absl::StrCat("exit status ", WEXITSTATUS(status));
}

}  // namespace

absl::StatusOr<std::string> RunCommand(const std::vector<std::string>& arguments) {
  const std::string& name = arguments.front();
  const SharedFile out;
  const SharedFile err;
  pid_t child = 0;
  const int error = out.descriptor() < 0 || err.descriptor() < 0 ? errno : Spawn(arguments, out, err, &child);
  if (error == ENOENT) return absl::NotFoundError(absl::StrCat(name, ": there is no such program"));
  if (error != 0) return absl::UnavailableError(absl::StrCat(name, ": ", std::strerror(error)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return absl::UnavailableError(absl::StrCat(name, ": ", std::strerror(errno)));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return out.Read();
  const std::string said = InOneLine(err.Read());
  return absl::UnavailableError(absl::StrCat(name, ": ", HowItEnded(status), said.empty() ? "" : ": ", said));
}

}  // namespace numasim::slurm
