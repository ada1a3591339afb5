// Simulated nanoseconds, as a trace holds them, in the form in which all times are printed.
#ifndef NUMASIM_CLI_TEXT_TIME_TEXT_H_
#define NUMASIM_CLI_TEXT_TIME_TEXT_H_

#include <cstdint>
#include <string>

#include "sim/time.h"

namespace numasim {

inline std::string TimeText(int64_t time_ns) { return sim::ToString(sim::Duration{time_ns}); }

}  // namespace numasim

#endif  // NUMASIM_CLI_TEXT_TIME_TEXT_H_
