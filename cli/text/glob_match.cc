#include "cli/text/glob_match.h"

#include <fnmatch.h>

#include <algorithm>
#include <vector>

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

// meet[j]: whether a name can match what is left of both, a from i on and b from j on.
bool GlobsMeet(absl::string_view a, absl::string_view b) {
  constexpr absl::string_view kOthers = "[\\";
  if (a.find_first_of(kOthers) != a.npos || b.find_first_of(kOthers) != b.npos) return true;
  std::vector<bool> next(b.size() + 1), meet(b.size() + 1);
  for (size_t i = a.size() + 1; i-- > 0;) {
    for (size_t j = b.size() + 1; j-- > 0;) {
      const bool in_a = i < a.size();
      const bool in_b = j < b.size();
      if (in_a && a[i] == '*') {
        meet[j] = next[j] || (in_b && meet[j + 1]);
      } else if (in_b && b[j] == '*') {
        meet[j] = meet[j + 1] || (in_a && next[j]);
      } else if (in_a && in_b) {
        meet[j] = (a[i] == b[j] || a[i] == '?' || b[j] == '?') && next[j + 1];
      } else {
        meet[j] = !in_a && !in_b;
      }
    }
    next = meet;
  }
  return meet[0];
}

}  // namespace numasim
