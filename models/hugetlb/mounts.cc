// Names: mounting hugetlbfs, opening and unlinking its files.
#include <utility>

#include "models/hugetlb/hugetlb.h"

namespace numasim {

sim::Task<HugeOpened> Hugetlb::Open(sim::Path& path, const std::string& name, HugeSize page_size,
                                    int64_t bytes, CpuId cpu) {
  const sim::LpId home = path.lp();
  co_await path.Take(memory_.costs().syscall);
  co_await ToGlobal(path);
  const HugetlbFiles::Place place = files_.Resolve(name, page_size);
  HugeOpened opened{place.mount < 0 ? Errno::kNoEnt : Errno::kOk, kNoFile};
  if (place.mount >= 0) {
    HugetlbMount& mount = files_.mount(place.mount);
    const auto found = mount.names.find(place.name);
    if (found != mount.names.end()) {
      opened.file = found->second;
    } else {
      HugeFile& fresh = files_.Create(mount.page_size, place.mount);
      fresh.linked = true;
      mount.names.emplace(place.name, fresh.id);
      opened.file = fresh.id;
    }
    HugeFile& file = files_.At(opened.file);
    ++file.opens;
    co_await file.lock->Acquire(path);
    const bool aligned = bytes % (PagesOf(file.page_size) << kPageShift) == 0;
    if (file.bytes < bytes && !aligned) {
      opened.error = Errno::kInval;
    } else if (file.bytes < bytes) {
      co_await TruncateTo(path, file, bytes, cpu);
    }
    file.lock->Release(path);
    if (opened.error != Errno::kOk) --file.opens;
  }
  co_await GoHome(path, home);
  co_return opened;
}

sim::Task<void> Hugetlb::ReOpen(sim::Path& path, FileId file) {
  const sim::LpId home = path.lp();
  co_await ToGlobal(path);
  ++files_.At(file).opens;
  co_await GoHome(path, home);
}

sim::Task<void> Hugetlb::CloseFile(sim::Path& path, FileId id, CpuId cpu) {
  const sim::LpId home = path.lp();
  co_await ToGlobal(path);
  HugeFile& file = files_.At(id);
  --file.opens;
  co_await DropIfUnused(path, file, cpu);
  co_await GoHome(path, home);
}

sim::Task<Errno> Hugetlb::Unlink(sim::Path& path, const std::string& name, CpuId cpu) {
  const sim::LpId home = path.lp();
  co_await path.Take(memory_.costs().syscall);
  co_await ToGlobal(path);
  const HugetlbFiles::Place place = files_.Resolve(name, HugeSize::k2M);
  Errno error = Errno::kNoEnt;
  if (place.mount >= 0) {
    auto& names = files_.mount(place.mount).names;
    const auto found = names.find(place.name);
    if (found != names.end()) {
      error = Errno::kOk;
      HugeFile& file = files_.At(found->second);
      names.erase(found);
      file.linked = false;
      co_await DropIfUnused(path, file, cpu);
    }
  }
  co_await GoHome(path, home);
  co_return error;
}

// hugetlbfs_validate() and hugetlbfs_fill_super()
sim::Task<Errno> Hugetlb::Mount(sim::Path& path, const HugetlbMountRequest& request, CpuId cpu) {
  const sim::LpId home = path.lp();
  co_await path.Take(memory_.costs().syscall);
  co_await ToGlobal(path);
  const int64_t size = PagesOf(request.page_size) << kPageShift;
  const int64_t most = request.bytes.has_value() ? *request.bytes / size : Subpool::kNone;
  const int64_t least = request.min_bytes.has_value() ? *request.min_bytes / size : Subpool::kNone;
  Errno error = request.bytes.has_value() && least > most ? Errno::kInval : Errno::kOk;
  HugetlbMount mount;
  mount.directory = request.directory;
  mount.page_size = request.page_size;
  if (error == Errno::kOk && (request.bytes.has_value() || request.min_bytes.has_value())) {
    mount.subpool = std::make_unique<Subpool>(request.page_size, most, least);
    if (request.min_bytes.has_value()) {
      const HugeRequester who{cpu, MemPolicy{}};
      if (!co_await pool_.Account(path, request.page_size, least, who)) error = Errno::kNoMem;
    }
  }
  if (error == Errno::kOk) files_.AddMount(std::move(mount));
  co_await GoHome(path, home);
  co_return error;
}

sim::Task<Errno> Hugetlb::Unmount(sim::Path& path, const std::string& directory, CpuId cpu) {
  const sim::LpId home = path.lp();
  co_await path.Take(memory_.costs().syscall);
  co_await ToGlobal(path);
  const int index = files_.FindMount(directory);
  Errno error = index < 0 ? Errno::kInval : Errno::kOk;
  if (index >= 0 && files_.MountBusy(index)) error = Errno::kBusy;
  if (error == Errno::kOk) {
    files_.Unmounted(index);
    // kill_litter_super(): what is left has no user but its name.
    auto& names = files_.mount(index).names;
    while (!names.empty()) {
      HugeFile& file = files_.At(names.begin()->second);
      names.erase(names.begin());
      file.linked = false;
      co_await DropIfUnused(path, file, cpu);
    }
    Subpool* const subpool = files_.mount(index).subpool.get();
    if (subpool != nullptr) {
      subpool->mounted = false;
      co_await pool_.ReleaseIfUnused(path, *subpool, cpu);
    }
  }
  co_await GoHome(path, home);
  co_return error;
}

}  // namespace numasim
