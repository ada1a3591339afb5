// Simulated times as people write them: "250us", "1.5s", "1h5s".
#ifndef NUMASIM_CLI_TIME_TEXT_H_
#define NUMASIM_CLI_TIME_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace numasim {

// Simulated nanoseconds in the largest units that fit, exactly.
std::string TimeText(int64_t time_ns);

// Simulated nanoseconds from one or more numbers with units (ns, us, ms, s, m, h), such as TimeText writes. A
// number without a unit, a negative time, part of a nanosecond and a time beyond int64 are refused; the
// status says, after the text, what would be right.
absl::StatusOr<int64_t> ParseTimeText(absl::string_view text);

}  // namespace numasim

#endif  // NUMASIM_CLI_TIME_TEXT_H_
