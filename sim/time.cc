#include "sim/time.h"

#include "absl/time/time.h"

namespace numasim::sim {

std::string ToString(Duration d) {
  if (d.ns == 0) return "0s";  // Abseil leaves out the unit.
  return absl::FormatDuration(absl::Nanoseconds(d.ns));
}

std::string ToString(SimTime t) { return t == kNever ? "never" : ToString(Duration{t.ns}); }

std::ostream& operator<<(std::ostream& out, Duration d) { return out << ToString(d); }
std::ostream& operator<<(std::ostream& out, SimTime t) { return out << ToString(t); }

}  // namespace numasim::sim
