#include "models/hugetlb/files.h"

#include <utility>

#include "sim/check.h"

namespace numasim {

HugetlbFiles::HugetlbFiles(sim::Engine& engine, sim::LpId lp) : engine_(engine), lp_(lp) {
  for (const HugeSize size : kHugeSizes) {
    HugetlbMount mount;
    mount.page_size = size;
    mounts_.push_back(std::move(mount));
  }
}

HugeFile& HugetlbFiles::Create(HugeSize page_size, int mount) {
  size_t id = files_.size();
  if (free_ids_.empty()) {
    files_.emplace_back();
  } else {
    id = static_cast<size_t>(free_ids_.back());
    free_ids_.pop_back();
  }
  files_[id] = std::make_unique<HugeFile>();
  HugeFile& file = *files_[id];
  file.id = FileId{static_cast<int32_t>(id)};
  file.page_size = page_size;
  file.mount = mount;
  file.subpool = mount < 0 ? nullptr : mounts_[static_cast<size_t>(mount)].subpool.get();
  file.lock = std::make_unique<sim::Mutex>(engine_, lp_, "hugetlbfs.i_rwsem");
  file.vma_lock = std::make_unique<sim::RwSem>(engine_, lp_, "hugetlb_vma_lock");
  return file;
}

void HugetlbFiles::Remove(FileId id) {
  NUMASIM_CHECK(!At(id).InUse());
  NUMASIM_CHECK(At(id).pages.empty());
  NUMASIM_CHECK(At(id).resv.empty());
  files_[static_cast<size_t>(id.value)].reset();
  free_ids_.push_back(id.value);
}

int HugetlbFiles::FindMount(std::string_view directory) const {
  for (int i = static_cast<int>(mounts_.size()) - 1; i >= static_cast<int>(kHstates); --i) {
    const HugetlbMount& mount = mounts_[static_cast<size_t>(i)];
    if (mount.mounted && mount.directory == directory) return i;
  }
  return -1;
}

HugetlbFiles::Place HugetlbFiles::Resolve(std::string_view path, HugeSize page_size) const {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {static_cast<int>(page_size), std::string(path)};
  return {FindMount(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

int HugetlbFiles::AddMount(HugetlbMount mount) {
  mounts_.push_back(std::move(mount));
  return static_cast<int>(mounts_.size()) - 1;
}

bool HugetlbFiles::MountBusy(int index) const {
  for (const auto& file : files_) {
    if (file != nullptr && file->mount == index && (file->opens > 0 || !file->mappers.empty())) return true;
  }
  return false;
}

void HugetlbFiles::AddMapper(HugeFile& file, Process& process) {
  for (const HugeMapper& mapper : file.mappers) {
    if (mapper.process == &process) return;
  }
  file.mappers.push_back({&process, next_mapper_++});
}

const HugeMapper* HugetlbFiles::NextMapper(const HugeFile& file, uint64_t number) {
  for (const HugeMapper& mapper : file.mappers) {
    if (mapper.number >= number) return &mapper;
  }
  return nullptr;
}

}  // namespace numasim
