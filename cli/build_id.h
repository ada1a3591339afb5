// Which build of the program this is.
#ifndef NUMASIM_CLI_BUILD_ID_H_
#define NUMASIM_CLI_BUILD_ID_H_

#include <string>

#include "absl/status/statusor.h"

namespace numasim {

// The version and a hash of the program's file, as "0.1 (9f86d081884c7d65)": two builds that may give other
// results have different ones, though both be version 0.1.
absl::StatusOr<std::string> BuildId();

}  // namespace numasim

#endif  // NUMASIM_CLI_BUILD_ID_H_
