#include "models/page_cache/shmem.h"

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
  files_[static_cast<size_t>(id)].AddMapper(process);
  ++live_;
  return FileId{id};
}

std::vector<Pfn> ShmemFiles::DropMapping(FileId id, uint16_t process) {
  Mapping& file = At(id);
  file.DropMapper(process);
  if (file.mapped()) return {};
  free_ids_.push_back(id.value);
  --live_;
  return file.TakeAll();
}

}  // namespace numasim
