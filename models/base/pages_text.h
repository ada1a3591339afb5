// Amounts of memory in messages, as scenarios and boot arguments write them.
#ifndef NUMASIM_MODELS_BASE_PAGES_TEXT_H_
#define NUMASIM_MODELS_BASE_PAGES_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "models/base/types.h"

namespace numasim {

// So many base pages: "3G", "1016M" or "12K", exactly.
inline std::string PagesText(int64_t pages) {
  constexpr int64_t kInMiB = (int64_t{1} << 20) / kPageSize;
  constexpr int64_t kInGiB = (int64_t{1} << 30) / kPageSize;
  if (pages == 0 || pages % kInMiB != 0) return absl::StrCat(pages * kPageSize >> 10, "K");
  return pages % kInGiB != 0 ? absl::StrCat(pages / kInMiB, "M") : absl::StrCat(pages / kInGiB, "G");
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_PAGES_TEXT_H_
