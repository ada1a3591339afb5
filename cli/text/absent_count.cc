#include "cli/text/absent_count.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "models/base/errno.h"
#include "models/base/failure.h"

namespace numasim {

std::vector<std::string> EventKinds() {
  std::vector<std::string> kinds;
  for (int32_t kind = 1; kind <= static_cast<int32_t>(LogKind::kLast); ++kind)
    kinds.emplace_back(LogKindName(static_cast<LogKind>(kind)));
  return kinds;
}

std::vector<std::string> FailureReasons() {
  std::vector<std::string> reasons = {"SIGBUS", "SIGSEGV", "beyond"};
  for (int error = 1; error <= static_cast<int>(Errno::kLast); ++error)
    reasons.emplace_back(ErrnoName(static_cast<Errno>(error)));
  return reasons;
}

namespace {

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<std::string> ZeroBeside(const std::string& metric) {
  constexpr std::string_view kEvents = "events.";
  constexpr std::string_view kFailed = ".failed.";
  const size_t events = metric.find(kEvents);
  // Of the whole run, or of a period, whose name has no dot.
  if (events != std::string::npos && (events == 0 || metric.find('.') + 1 == events))
    return Contains(EventKinds(), metric.substr(events + kEvents.size())) ? std::optional<std::string>("")
                                                                          : std::nullopt;
  const size_t failed = metric.rfind(kFailed);
  if (failed == std::string::npos || !Contains(FailureReasons(), metric.substr(failed + kFailed.size())))
    return std::nullopt;
  return absl::StrCat(metric.substr(0, failed), ".tried");
}

}  // namespace numasim
