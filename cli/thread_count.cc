#include "cli/thread_count.h"

#include <algorithm>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sim/host_memory.h"

namespace numasim {

absl::StatusOr<int> ThreadsToUse(int asked) {
  const int cpus = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  // More than CPUs are not made.
  const int wanted = asked > 0 ? std::min(asked, cpus) : cpus;
  const int given = sim::ThreadsOfHost(wanted);
  if (asked == 0 || given == wanted) return given;
  return absl::ResourceExhaustedError(absl::StrCat("--threads: '", asked, "' is more than the host gives (",
                                                   given, "; ulimit -u, ulimit -v); expected at most ",
                                                   given));
}

}  // namespace numasim
