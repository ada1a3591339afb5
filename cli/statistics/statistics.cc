#include "cli/statistics/statistics.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace numasim {

std::string LockName(const trace::LockStats& lock) {
  const std::string place = lock.lp().empty() ? "" : lock.lp() + ".";
  return absl::StrCat("lock.", absl::StartsWith(lock.name(), place) ? "" : place, lock.name());
}

std::string OperationName(const trace::OperationStats& operation) {
  return absl::StrCat("operation.", operation.script(), operation.has_script() ? "." : "",
                      operation.operation());
}

uint64_t FailedTimes(const trace::OperationStats& operation) {
  uint64_t failed = 0;
  for (const trace::FailureCount& reason : operation.failed()) failed += reason.count();
  return failed;
}

}  // namespace numasim
