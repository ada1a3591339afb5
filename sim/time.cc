#include "sim/time.h"

#include "absl/strings/str_format.h"

namespace numasim::sim {

std::string ToString(Duration d) {
  constexpr uint64_t kPerSecond = 1'000'000'000;
  const uint64_t magnitude = d.ns < 0 ? -static_cast<uint64_t>(d.ns) : static_cast<uint64_t>(d.ns);
  const char* sign = d.ns < 0 ? "-" : "";
  const uint64_t seconds = magnitude / kPerSecond;
  const uint64_t rest = magnitude % kPerSecond;
  if (rest % 1000 == 0) return absl::StrFormat("%s%u.%06u s", sign, seconds, rest / 1000);
  return absl::StrFormat("%s%u.%09u s", sign, seconds, rest);
}

std::string ToString(SimTime t) { return t == kNever ? "never" : ToString(Duration{t.ns}); }

std::ostream& operator<<(std::ostream& out, Duration d) { return out << ToString(d); }
std::ostream& operator<<(std::ostream& out, SimTime t) { return out << ToString(t); }

}  // namespace numasim::sim
