#include "models/hugetlb/resv_map.h"

#include <algorithm>
#include <iterator>

#include "sim/check.h"

namespace numasim {

ResvMap::Regions::const_iterator ResvMap::FirstBehind(uint64_t from) const {
  auto it = regions_.upper_bound(from);
  if (it != regions_.begin() && std::prev(it)->second > from) --it;
  return it;
}

int64_t ResvMap::Count(uint64_t from, uint64_t to) const {
  int64_t count = 0;
  for (auto it = FirstBehind(from); it != regions_.end() && it->first < to; ++it) {
    count += static_cast<int64_t>(std::min(it->second, to) - std::max(it->first, from));
  }
  return count;
}

int64_t ResvMap::Add(uint64_t from, uint64_t to) {
  NUMASIM_CHECK_LT(from, to);
  const int64_t added = Missing(from, to);
  auto it = regions_.upper_bound(from);
  if (it != regions_.begin() && std::prev(it)->second >= from) --it;
  while (it != regions_.end() && it->first <= to) {
    from = std::min(from, it->first);
    to = std::max(to, it->second);
    it = regions_.erase(it);
  }
  regions_.emplace(from, to);
  return added;
}

int64_t ResvMap::Delete(uint64_t from, uint64_t to) {
  int64_t deleted = 0;
  for (auto it = FirstBehind(from); it != regions_.end() && it->first < to;) {
    const uint64_t begin = it->first;
    const uint64_t end = it->second;
    it = regions_.erase(it);
    deleted += static_cast<int64_t>(std::min(end, to) - std::max(begin, from));
    if (begin < from) regions_.emplace(begin, from);
    if (end > to) {
      regions_.emplace(to, end);
      break;
    }
    it = regions_.lower_bound(end);
  }
  return deleted;
}

}  // namespace numasim
