#include "models/page_cache/mapping_check.h"

#include <algorithm>

namespace numasim {

void MappingCheck::Check(const Mapping& mapping, const std::string& file, ProblemList& problems) {
  int64_t pages = 0;
  int64_t shadows = 0;
  for (const auto& [chunk, leaf] : mapping.leaves_) {
    pages += __builtin_popcountll(leaf->present);
    shadows += __builtin_popcountll(leaf->shadow);
    if ((leaf->present & leaf->shadow) != 0)
      problems.Add(file, ": the leaf of page ", chunk * Mapping::kLeafPages,
                   " has a page and what is left of one in the same slot");
    if (leaf->empty())
      problems.Add(file, ": the leaf of page ", chunk * Mapping::kLeafPages, " is left though it is empty");
  }
  for (const auto& [number, head] : mapping.huge_) {
    pages += kPageblockPages;
    const uint64_t first = number * Mapping::kHugePages;
    const std::optional<Mapping::Page> inside = mapping.FirstFrom(first);
    if (inside.has_value() && inside->index < first + Mapping::kHugePages)
      problems.Add(file, ": page ", inside->index, " is there twice, as a base page and in a huge one");
  }
  problems.Expect(mapping.pages_, pages, file, ": the count of pages");
  problems.Expect(mapping.shadows_, shadows, file, ": the count of shadows");
  for (const auto& [number, process] : mapping.mappers_) {
    const auto found = mapping.mapper_numbers_.find(process);
    const bool same = found != mapping.mapper_numbers_.end() && found->second == number;
    if (!same) problems.Add(file, ": mapper ", number, " is process ", process, ", which has another number");
    if (number >= mapping.next_mapper_) problems.Add(file, ": mapper ", number, " will be given again");
  }
  problems.Expect(mapping.mapper_numbers_.size(), mapping.mappers_.size(), file,
                  ": the count of numbers of mappers");
}

int64_t MappingCheck::ShadowNodes(const Mapping& mapping) {
  return std::count_if(mapping.leaves_.begin(), mapping.leaves_.end(), [](const auto& leaf) {
    return leaf.second->present == 0 && leaf.second->shadow != 0;
  });
}

}  // namespace numasim
