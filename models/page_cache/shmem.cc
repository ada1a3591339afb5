#include "models/page_cache/shmem.h"

#include "sim/check.h"

namespace numasim {

ShmemFiles::ShmemFiles(int nodes) {
  for (int n = 0; n < nodes; ++n) homes_.push_back(std::make_unique<Home>());
}

FileId ShmemFiles::TakeId(NodeId home) {
  if (free_numbers_.empty()) {
    if (ids_.size() >= kMaxFiles) return kNoFile;
    free_numbers_.push_back(static_cast<int32_t>(ids_.size()));
    ids_.push_back(kNoFile);
  }
  const FileId id{free_numbers_.back(), home};
  free_numbers_.pop_back();
  ids_[static_cast<size_t>(id.value)] = id;
  return id;
}

void ShmemFiles::ReturnId(FileId file) {
  FileId& id = ids_[static_cast<size_t>(file.value)];
  NUMASIM_CHECK(id == file);
  id = kNoFile;
  free_numbers_.push_back(file.value);
}

ShmemFile& ShmemFiles::Make(FileId file) {
  std::unique_ptr<ShmemFile>& made = homes_[static_cast<size_t>(file.home.value)]->files[file.value];
  NUMASIM_CHECK(made == nullptr);
  made = std::make_unique<ShmemFile>();
  return *made;
}

std::vector<FileId> ShmemFiles::DiskFilesOf(NodeId home) const {
  std::vector<FileId> files;
  for (const auto& [number, file] : FilesOf(*homes_[static_cast<size_t>(home.value)])) {
    if (file->of_disk()) files.push_back({number, home});
  }
  return files;
}

ShmemFiles::Dropped ShmemFiles::DropIfUnused(FileId file) {
  ShmemFile& unused = FileAt(file);
  if (unused.InUse()) return {};
  Dropped dropped{true, unused.mapping.TakeAll()};
  homes_[static_cast<size_t>(file.home.value)]->files.erase(file.value);
  return dropped;
}

absl::btree_map<int32_t, const ShmemFile*> ShmemFiles::FilesOf(const Home& home) {
  absl::btree_map<int32_t, const ShmemFile*> by_number;
  for (const auto& [number, file] : home.files) by_number.emplace(number, file.get());
  return by_number;
}

}  // namespace numasim
