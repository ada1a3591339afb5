#include "cli/text/glob_match.h"

#include <fnmatch.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace numasim {
namespace {

absl::Status NothingMatches(absl::string_view option, const std::string& glob,
                            const std::vector<std::string>& names, absl::string_view what) {
  constexpr size_t kShown = 5;
  const auto end = names.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, names.size()));
  return absl::InvalidArgumentError(absl::StrCat(option, " ", glob, ": matches none of the ", names.size(),
                                                 " ", what, names.empty() ? "" : ", such as ",
                                                 absl::StrJoin(names.begin(), end, ", ")));
}

}  // namespace

absl::StatusOr<std::vector<size_t>> MatchGlobs(absl::string_view option,
                                               const std::vector<std::string>& globs,
                                               const std::vector<std::string>& names,
                                               absl::string_view what) {
  std::vector<bool> chosen(names.size(), globs.empty());
  for (const std::string& glob : globs) {
    bool any = false;
    for (size_t i = 0; i < names.size(); ++i) {
      if (fnmatch(glob.c_str(), names[i].c_str(), 0) != 0) continue;
      chosen[i] = true;
      any = true;
    }
    if (!any) return NothingMatches(option, glob, names, what);
  }
  std::vector<size_t> indices;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i]) indices.push_back(i);
  }
  return indices;
}

}  // namespace numasim
