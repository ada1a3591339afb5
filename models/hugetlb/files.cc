#include "models/hugetlb/files.h"

#include <algorithm>
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
  if (mount >= 0) {
    HugetlbMount& on = mounts_[mount];
    file.subpool = on.subpool.get();
    on.files.insert(file.id.value);
  }
  file.lock = std::make_unique<sim::Mutex>(engine_, lp_, "hugetlbfs.i_rwsem");
  file.vma_lock = std::make_unique<sim::RwSem>(engine_, lp_, "hugetlb_vma_lock");
  return file;
}

void HugetlbFiles::Remove(FileId id) {
  NUMASIM_CHECK(!At(id).InUse());
  NUMASIM_CHECK_EQ(At(id).mapping.pages(), 0);
  NUMASIM_CHECK(At(id).resv.empty());
  if (At(id).mount >= 0) mounts_[At(id).mount].files.erase(id.value);
  files_[id.value].reset();
  free_ids_.push_back(id.value);
}

int HugetlbFiles::FindMount(std::string_view directory) const {
  const auto found = mounted_.find(directory);
  return found == mounted_.end() ? -1 : found->second.back();
}

HugetlbFiles::Place HugetlbFiles::Resolve(std::string_view path, HugeSize page_size) const {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {static_cast<int>(page_size), std::string(path)};
  return {FindMount(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

int HugetlbFiles::AddMount(HugetlbMount mount) {
  const auto index = static_cast<int>(mounts_.size());
  mounted_[mount.directory].push_back(index);
  mounts_.push_back(std::move(mount));
  return index;
}

void HugetlbFiles::Unmounted(int index) {
  const auto found = mounted_.find(mounts_[index].directory);
  std::erase(found->second, index);
  if (found->second.empty()) mounted_.erase(found);
}

bool HugetlbFiles::MountBusy(int index) const {
  const auto& files = mounts_[index].files;
  return std::any_of(files.begin(), files.end(), [this](int32_t id) {
    const HugeFile& file = At(FileId{id});
    return file.opens > 0 || file.mapping.mapped();
  });
}

}  // namespace numasim
