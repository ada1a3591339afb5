// mmap, munmap, fork and exit of HugeTLB mappings.
#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "models/hugetlb/hugetlb.h"
#include "sim/check.h"

namespace numasim {

// hugetlbfs_file_mmap()
sim::Task<Errno> Hugetlb::Map(sim::Path& path, Process& process, Vpn start) {
  const Vma vma = *process.space.Find(start);
  const HugeRequester who{process.cpu, process.policy};
  const int64_t pages = vma.pages() >> vma.huge.order;
  const sim::LpId home = path.lp();
  // Written back at home, where others may look at the VMA meanwhile.
  FileId id = vma.file;
  HugeVma huge = vma.huge;
  const int64_t bytes = vma.pages() << kPageShift;
  co_await ToGlobal(path);
  if (id == kNoFile) id = files_.Create(HugeSizeOf(huge.order), -1).id;
  HugeFile& file = files_.At(id);
  ++file.opens;
  co_await file.lock->Acquire(path);
  const Errno error = co_await ReserveForMap(path, file, huge, pages, who);
  if (error == Errno::kOk) {
    file.bytes = std::max(file.bytes, bytes);
    file.mapping.AddMapper(process.id);
  }
  file.lock->Release(path);
  --file.opens;
  co_await DropIfUnused(path, file, who.cpu);
  co_await GoHome(path, home);
  Vma& made = *process.space.Find(start);
  made.huge = std::move(huge);
  process.space.SetFile(made, id);
  co_return error;
}

// hugetlb_reserve_pages() for [0, pages) of the file.
sim::Task<Errno> Hugetlb::ReserveForMap(sim::Path& path, HugeFile& file, HugeVma& huge, int64_t pages,
                                        const HugeRequester& who) {
  if (huge.noreserve) co_return Errno::kOk;
  co_await path.Take(memory_.costs().hugetlb_resv);
  const auto end = static_cast<uint64_t>(pages);
  const int64_t wanted = huge.shared ? file.resv.Missing(0, end) : pages;
  int64_t global = wanted;
  if (file.subpool != nullptr) {
    const std::optional<int64_t> got = file.subpool->Get(wanted);
    if (!got.has_value()) {
      memory_.LogFailure(path, {.kind = LogKind::kHugetlbFailed,
                                .error = Errno::kNoMem,
                                .function = "hugepage_subpool_get_pages",
                                .size = file.page_size,
                                .pages = wanted});
      co_return Errno::kNoMem;
    }
    global = *got;
  }
  if (!co_await pool_.Account(path, file.page_size, global, who)) {
    if (file.subpool != nullptr) file.subpool->Put(wanted);
    co_return Errno::kNoMem;
  }
  if (!huge.shared) {
    huge.resv = std::make_shared<ResvMap>();
    huge.resv_owner = true;
    co_return Errno::kOk;
  }
  const int64_t added = file.resv.Add(0, end);
  if (added < wanted) {
    // Pages came into the file meanwhile.
    const int64_t too_many = file.subpool != nullptr ? file.subpool->Put(wanted - added) : wanted - added;
    co_await pool_.Account(path, file.page_size, -too_many, who);
  }
  co_return Errno::kOk;
}

sim::Task<void> Hugetlb::Zap(sim::Path& path, Process& process, Vpn begin, Vpn end) {
  std::vector<Pfn> pages;
  process.space.page_table().TakeHuge(begin, end, pages);
  if (pages.empty()) co_return;
  co_await path.Take(memory_.costs().unmap_page * std::ssize(pages));
  const sim::LpId home = path.lp();
  const CpuId cpu = process.cpu;
  co_await ToGlobal(path);
  co_await Unreference(path, cpu, pages);
  co_await GoHome(path, home);
}

sim::Task<void> Hugetlb::Close(sim::Path& path, Process& process, const std::vector<Vma>& removed) {
  if (std::none_of(removed.begin(), removed.end(), [](const Vma& vma) { return vma.hugetlb(); })) co_return;
  // A file that still has a VMA of the process stays mapped by it.
  std::vector<bool> last(removed.size(), false);
  absl::flat_hash_set<int32_t> later;
  for (size_t i = removed.size(); i-- > 0;) {
    const Vma& vma = removed[i];
    last[i] = vma.hugetlb() && !process.space.MapsFile(true, vma.file) && later.insert(vma.file.value).second;
  }
  const sim::LpId home = path.lp();
  const CpuId cpu = process.cpu;
  co_await ToGlobal(path);
  for (size_t i = 0; i < removed.size(); ++i) {
    if (!removed[i].hugetlb()) continue;
    co_await CloseVma(path, removed[i], cpu);
    if (!last[i]) continue;
    HugeFile& file = files_.At(removed[i].file);
    file.mapping.DropMapper(process.id);
    co_await DropIfUnused(path, file, cpu);
  }
  co_await GoHome(path, home);
}

// hugetlb_vm_op_close(): the owner gives up the reservations that it did not use.
sim::Task<void> Hugetlb::CloseVma(sim::Path& path, const Vma& vma, CpuId cpu) {
  if (!vma.huge.resv_owner) co_return;
  co_await path.Take(memory_.costs().hugetlb_resv);
  const uint64_t from = vma.HugeIndexOf(vma.start);
  const int64_t unused = vma.huge.resv->Missing(from, vma.HugeIndexOf(vma.end));
  if (unused == 0) co_return;
  Subpool* const subpool = files_.At(vma.file).subpool;
  const int64_t global = subpool != nullptr ? subpool->Put(unused) : unused;
  const HugeRequester who{cpu, MemPolicy{}};
  co_await pool_.Account(path, HugeSizeOf(vma.huge.order), -global, who);
}

sim::Task<void> Hugetlb::Fork(sim::Path& path, Process& parent, Process& child, bool entries) {
  std::vector<FileId> files;
  std::vector<Pfn> shared;
  child.space.ForEach([&](Vma& vma) {
    if (!vma.hugetlb()) return;
    files.push_back(vma.file);
    if (vma.huge.shared) return;
    // hugetlb_dup_vma_private(): the reservation stays with the parent.
    vma.huge.resv.reset();
    vma.huge.resv_owner = false;
    vma.huge.resv_unmapped = false;
    if (!entries || !ForkCopies(vma)) return;
    parent.space.page_table().Walk(vma.start, vma.end, [&](Vpn first, Entry& entry, int order) {
      entry = entry.WithWritable(false);
      child.space.page_table().SetHuge(first, order, entry);
      shared.push_back(entry.pfn());
    });
  });
  if (files.empty()) co_return;
  co_await path.Take(memory_.costs().fork_page * std::ssize(shared));
  const sim::LpId home = path.lp();
  co_await ToGlobal(path);
  for (const FileId file : files) files_.At(file).mapping.AddMapper(child.id);
  for (const Pfn pfn : shared) ++pool_.pages().Used(pfn).mapcount;
  co_await GoHome(path, home);
}

}  // namespace numasim
