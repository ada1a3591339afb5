#include "models/page_cache/shmem.h"

#include <utility>

#include "sim/check.h"

namespace numasim {

FileId ShmemFiles::Create(uint16_t process) {
  int32_t id = 0;
  if (!free_ids_.empty()) {
    id = free_ids_.back();
    free_ids_.pop_back();
  } else {
    if (files_.size() >= kMaxFiles) return kNoFile;
    id = static_cast<int32_t>(files_.size());
    files_.emplace_back();
  }
  files_[static_cast<size_t>(id)].mappers.insert(process);
  ++live_;
  return FileId{id};
}

std::vector<Pfn> ShmemFiles::DropMapping(FileId id, uint16_t process) {
  File& file = At(id);
  NUMASIM_CHECK_EQ(file.mappers.erase(process), size_t{1});
  if (!file.mappers.empty()) return {};
  std::vector<Pfn> pages;
  pages.reserve(file.pages.size());
  for (const auto& [index, pfn] : file.pages) pages.push_back(pfn);
  file.pages.clear();
  free_ids_.push_back(id.value);
  --live_;
  return pages;
}

Pfn ShmemFiles::Lookup(FileId id, uint64_t index) const {
  const auto& pages = files_[static_cast<size_t>(id.value)].pages;
  const auto found = pages.find(index);
  return found == pages.end() ? kNoPfn : found->second;
}

void ShmemFiles::Insert(FileId id, uint64_t index, Pfn pfn) {
  const bool added = At(id).pages.emplace(index, pfn).second;
  NUMASIM_CHECK(added);
}

bool ShmemFiles::Replace(FileId id, uint64_t index, Pfn from, Pfn to) {
  auto& pages = At(id).pages;
  const auto found = pages.find(index);
  if (found == pages.end() || found->second != from) return false;
  found->second = to;
  return true;
}

}  // namespace numasim
