#include "cli/dump/pageblock_stretches.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace numasim {

std::vector<PageblockStretch> PageblockStretches(const trace::PageblockMap& map) {
  std::vector<PageblockStretch> runs;
  for (int i = 0; i < std::min(map.use_size(), map.count_size()); ++i)
    runs.push_back({map.use(i), map.count(i)});
  return runs;
}

std::string PageblockUseName(trace::PageblockMap::Use use) {
  return absl::AsciiStrToLower(trace::PageblockMap::Use_Name(use));
}

}  // namespace numasim
