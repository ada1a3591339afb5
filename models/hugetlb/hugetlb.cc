// Resizing the pool as users do it, and what the other files share.
#include "models/hugetlb/hugetlb.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace numasim {

// hugetlb_init(): eight fault mutexes for every CPU, and a power of two. They are made when first used, but
// for one: a trace lists the lock also where nobody takes it.
Hugetlb::Hugetlb(MemorySystem& memory, PageAllocator& allocator, const ProcessTable& processes,
                 const Rmap& rmap)
    : memory_(memory),
      processes_(processes),
      rmap_(rmap),
      pool_(memory, allocator),
      files_(memory.engine(), memory.global_lp()) {
  fault_mutexes_.resize(std::bit_ceil(static_cast<size_t>(memory.cpu_count()) * 8));
  FaultMutex(FileId{0}, 0);
}

sim::Mutex& Hugetlb::FaultMutex(FileId file, uint64_t index) {
  const uint64_t key = (static_cast<uint64_t>(file.value) << 40 ^ index) * 0x9e3779b97f4a7c15;
  std::unique_ptr<sim::Mutex>& mutex = fault_mutexes_[(key >> 32) & (fault_mutexes_.size() - 1)];
  if (mutex == nullptr) {
    mutex = std::make_unique<sim::Mutex>(memory_.engine(), memory_.global_lp(), "hugetlb_fault_mutex");
  }
  return *mutex;
}

sim::Task<Errno> Hugetlb::Resize(sim::Path& path, CpuId cpu, HugeSize size, NodeId node, int64_t count) {
  const sim::LpId home = path.lp();
  co_await ToGlobal(path);
  co_await path.Take(memory_.costs().sysctl);
  NodeMask allowed = pool_.hstate(size).with_memory();
  if (node != kNoNode) {
    allowed = NodeMask();
    allowed.Set(node);
  }
  const Errno error = co_await pool_.Resize(path, size, count, node, allowed, cpu);
  co_await GoHome(path, home);
  co_return error;
}

sim::Task<Errno> Hugetlb::ResizeBy(sim::Path& path, Process& process, HugeSize size, bool mempolicy,
                                   int64_t count) {
  // init_nodemask_of_mempolicy()
  NodeMask allowed = process.policy.nodes;
  if (process.policy.mode == MemPolicy::Mode::kLocal) allowed.Set(memory_.NodeOfCpu(process.cpu));
  if (!mempolicy || process.policy.IsDefault()) allowed = pool_.hstate(size).with_memory();
  const CpuId cpu = process.cpu;
  const sim::LpId home = path.lp();
  co_await ToGlobal(path);
  co_await path.Take(memory_.costs().sysctl);
  const Errno error = co_await pool_.Resize(path, size, count, kNoNode, allowed, cpu);
  co_await GoHome(path, home);
  co_return error;
}

sim::Task<Errno> Hugetlb::SetOvercommit(sim::Path& path, HugeSize size, int64_t count) {
  const sim::LpId home = path.lp();
  co_await ToGlobal(path);
  co_await path.Take(memory_.costs().sysctl);
  const Errno error = co_await pool_.SetOvercommit(path, size, count);
  co_await GoHome(path, home);
  co_return error;
}

sim::Task<Errno> Hugetlb::Demote(sim::Path& path, CpuId cpu, NodeId node, int64_t count) {
  const sim::LpId home = path.lp();
  co_await ToGlobal(path);
  co_await path.Take(memory_.costs().sysctl);
  const Errno error = co_await pool_.Demote(path, count, node, cpu);
  co_await GoHome(path, home);
  co_return error;
}

// huge_node()
Placement Hugetlb::PlaceHuge(const MemPolicy& policy, CpuId cpu, uint64_t index) const {
  return PlaceInVma(policy, memory_.NodeOfCpu(cpu), index);
}

HugeClaim Hugetlb::ClaimOf(const Process& process, const Vma& vma, uint64_t index) const {
  HugeClaim claim;
  claim.size = HugeSizeOf(vma.huge.order);
  claim.cpu = process.cpu;
  claim.placement = PlaceHuge(PolicyOf(process, vma), process.cpu, index);
  claim.shared = vma.huge.shared;
  claim.noreserve = vma.huge.noreserve;
  claim.owner = vma.huge.resv_owner;
  claim.resv = vma.huge.resv.get();
  claim.index = index;
  return claim;
}

// The page is mapped no more by an entry that was removed; freed where that was the last use of it.
sim::Task<void> Hugetlb::Unreference(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages) {
  std::vector<Pfn> unused;
  for (const Pfn pfn : pages) {
    HugePage& page = pool_.pages().Used(pfn);
    NUMASIM_CHECK(page.mapcount > 0);
    if (--page.mapcount > 0 || page.cached) continue;
    page.file = nullptr;  // which may go before the page, if that is pinned
    if (!page.Held()) unused.push_back(pfn);
  }
  co_await pool_.Free(path, cpu, unused);
}

void Hugetlb::DropReferences(const std::vector<Pfn>& pages, std::vector<Pfn>& unused) {
  for (const Pfn pfn : pages) {
    HugePage& page = pool_.pages().Used(pfn);
    NUMASIM_CHECK(page.refs > 0);
    --page.refs;
    if (!page.Held()) unused.push_back(pfn);
  }
}

// The entries were there when the path left home. Whoever removes one since then, also to move the page, is
// on the global LP behind the path: messages from one LP to another keep their order.
sim::Task<void> Hugetlb::Pin(sim::Path& path, const std::vector<Pfn>& pages) {
  const sim::LpId home = path.lp();
  co_await ToGlobal(path);
  for (const Pfn pfn : pages) ++pool_.pages().Used(pfn).refs;
  co_await path.Take(memory_.costs().pin * std::ssize(pages));
  co_await GoHome(path, home);
}

// put_page() of each
sim::Task<void> Hugetlb::Unpin(sim::Path& path, const std::vector<Pfn>& pages, CpuId cpu, bool in_interrupt) {
  const sim::LpId home = path.lp();
  co_await ToGlobal(path);
  co_await path.Take(memory_.costs().pin * std::ssize(pages));
  std::vector<Pfn> unused;
  DropReferences(pages, unused);
  if (in_interrupt) {
    co_await pool_.FreeInInterrupt(path, cpu, unused);
  } else {
    co_await pool_.Free(path, cpu, unused);
  }
  co_await GoHome(path, home);
}

// add_page_for_migration()
sim::Task<Errno> Hugetlb::IsolateAlone(sim::Path& path, Pfn pfn, FileId file, uint64_t index) {
  if (!IsPageOf(pfn, files_.At(file), index)) co_return Errno::kNoEnt;
  if (pool_.pages().Used(pfn).mapcount != 1) co_return Errno::kAcces;
  co_return co_await pool_.Isolate(path, pfn) ? Errno::kOk : Errno::kBusy;
}

sim::Task<void> Hugetlb::VisitMappers(sim::Path& path, HugeFile& file, const Visitor& visit) {
  ++file.opens;  // stays while the path is away
  uint64_t next = 0;
  for (;;) {
    const std::optional<Mapping::Mapper> mapper = file.mapping.MapperFrom(next);
    if (!mapper.has_value()) break;
    next = mapper->number;
    const ProcessTable::Entry entry = processes_.Find(mapper->process);
    if (entry.moving) {  // it is somewhere soon; or gone
      co_await path.Take(memory_.costs().hop);
      continue;
    }
    ++next;
    co_await GoHome(path, entry.home);
    visit(*entry.process);
    co_await ToGlobal(path);
  }
  --file.opens;
}

}  // namespace numasim
