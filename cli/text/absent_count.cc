#include "cli/text/absent_count.h"

#include <cstdint>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "models/base/errno.h"
#include "models/base/failure.h"

namespace numasim {
namespace {

bool IsKnownEvent(const std::string& kind) {
  for (int32_t known = 1; known <= static_cast<int32_t>(LogKind::kLast); ++known) {
    if (kind == LogKindName(static_cast<LogKind>(known))) return true;
  }
  return false;
}

bool IsKnownReason(const std::string& reason) {
  if (reason == "SIGBUS" || reason == "SIGSEGV" || reason == "beyond") return true;
  for (int known = 1; known <= static_cast<int>(Errno::kLast); ++known) {
    if (reason == ErrnoName(static_cast<Errno>(known))) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> ZeroBeside(const std::string& metric) {
  constexpr std::string_view kEvents = "events.";
  constexpr std::string_view kFailed = ".failed.";
  const size_t events = metric.find(kEvents);
  // Of the whole run, or of a period, whose name has no dot.
  if (events != std::string::npos && (events == 0 || metric.find('.') + 1 == events))
    return IsKnownEvent(metric.substr(events + kEvents.size())) ? std::optional<std::string>("")
                                                                : std::nullopt;
  const size_t failed = metric.rfind(kFailed);
  if (failed == std::string::npos || !IsKnownReason(metric.substr(failed + kFailed.size())))
    return std::nullopt;
  return absl::StrCat(metric.substr(0, failed), ".tried");
}

}  // namespace numasim
