// Globs on the command line that choose among names, such as those of counters.
#ifndef NUMASIM_CLI_TEXT_GLOB_MATCH_H_
#define NUMASIM_CLI_TEXT_GLOB_MATCH_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace numasim {

// Which of `names`, by rising index, match any of the globs; all where there is no glob. A glob that matches
// none is a mistake: "OPTION GLOB: matches none of the N WHAT, such as ...".
absl::StatusOr<std::vector<size_t>> MatchGlobs(absl::string_view option,
                                               const std::vector<std::string>& globs,
                                               const std::vector<std::string>& names, absl::string_view what);

// Whether a name can match both globs. Also true where one has [..] or a backslash.
bool GlobsMeet(absl::string_view a, absl::string_view b);

}  // namespace numasim

#endif  // NUMASIM_CLI_TEXT_GLOB_MATCH_H_
