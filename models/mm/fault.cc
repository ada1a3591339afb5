// Faults: what an access to memory does when the page table does not allow it as it stands.
#include <algorithm>
#include <optional>
#include <utility>

#include "models/mempolicy/placed_alloc.h"
#include "models/mm/address_space_ops.h"
#include "models/mm/copy_stretch.h"
#include "models/mm/fault_stretch.h"
#include "models/mm/local_pledge.h"
#include "models/mm/touch_loop.h"
#include "models/physical/thp_page.h"
#include "models/physical/without_cpu.h"
#include "models/thp/thp_allowed.h"
#include "sim/check.h"

namespace numasim {
namespace {

FrameOwner TableOwner(const Process& process) { return {FrameOwner::kPageTable, 1, process.id, 0}; }

int64_t& CountOf(TouchCounts& counts, AddressSpaceOps::FaultResult result) {
  using Result = AddressSpaceOps::FaultResult;
  switch (result) {
    case Result::kOom:
      return counts.oom;
    case Result::kSigbus:
      return counts.sigbus;
    case Result::kSigsegv:
      return counts.sigsegv;
    case Result::kDone:
    case Result::kRetry:
    case Result::kFallback:
      break;
  }
  return counts.ok;
}

// What the access meets; empty where nothing is wrong.
const char* FailureOf(AddressSpaceOps::FaultResult result) {
  using Result = AddressSpaceOps::FaultResult;
  switch (result) {
    case Result::kOom:
      return "ENOMEM";
    case Result::kSigbus:
      return "SIGBUS";
    case Result::kSigsegv:
      return "SIGSEGV";
    case Result::kDone:
    case Result::kRetry:
    case Result::kFallback:
      break;
  }
  return "";
}

constexpr bool Allows(Access access, bool write) {
  return write ? access == Access::kReadWrite : access != Access::kNone;
}

// Whether the page table allows the access as it stands.
bool Hits(Process& process, const Vma& vma, Cursor& entries, Vpn vpn, const TouchRequest& request) {
  if (!Allows(vma.access, request.write)) return false;
  Entry* entry = nullptr;
  if (vma.hugetlb()) {
    entry = process.space.page_table().FindHuge(vma.HugePageOf(vpn), vma.huge.order);
  } else {
    entry = entries.Find(vpn);
    if (entry == nullptr) entry = process.space.page_table().FindHuge(ThpStart(vpn), ThpPage::kOrder);
  }
  if (entry == nullptr || !entry->present() || (request.write && !entry->writable())) return false;
  if (entry->old()) *entry = entry->WithOld(false);  // the CPU sets the accessed bit
  return true;
}

// What interleaving counts by (interleave_nid). Anonymous memory counts from where a process's first mapping
// is, which so begins on the policy's first node. In the kernel it does where that is at 16 TiB:
// offset_il_node() takes the page number modulo 2^32.
uint64_t InterleaveIndex(const Vma& vma, Vpn vpn) {
  return vma.anonymous() ? vma.IndexOf(vpn) - AddressSpace::kStartOfSpace.value : vma.IndexOf(vpn);
}
// The same for huge pages, whose number it takes: that of the first one does not end in zeros.
uint64_t InterleaveIndexOfThp(const Vma& vma, Vpn first) {
  constexpr uint64_t kFirstMapping = uint64_t{1} << 32;
  return (InterleaveIndex(vma, first) + (vma.anonymous() ? kFirstMapping : 0)) >> kPageblockOrder;
}

// An access that a mapping of anonymous memory, not of huge pages, allows to write.
bool WritesAnonymous(const Vma* vma, const TouchRequest& request) {
  return vma != nullptr && request.write && vma->anonymous() && !vma->hugetlb() &&
         vma->access == Access::kReadWrite;
}

}  // namespace

FrameOwner AddressSpaceOps::AnonOwner(const Process& process, Vpn vpn) const {
  return FrameOwner{FrameOwner::kAnon, 1, process.anon_vma, vpn.value};
}

sim::Task<TouchCounts> AddressSpaceOps::Touch(sim::Path& path, Process& process, TouchRequest request) {
  return TouchPages(path, process, request, Locking::kEachFault);
}

// Records how long the fault took; the path is on the LP of the process's node. `began` is empty then.
void AddressSpaceOps::EndFault(const sim::Path& path, Process& process, const Vma* vma, Vpn vpn,
                               std::optional<sim::SimTime>& began, FaultResult result) {
  const sim::Duration took = path.now() - *std::exchange(began, std::nullopt);
  Timed kind = Timed::kFaultBase;
  if (vma != nullptr && vma->hugetlb()) {
    kind = Timed::kFaultHugetlb;
  } else if (result == FaultResult::kDone &&
             process.space.page_table().FindHuge(ThpStart(vpn), ThpPage::kOrder) != nullptr) {
    kind = Timed::kFaultThp;
  }
  memory_.timed(path.lp())[kind].Record(took, FailureOf(result));
}

sim::Task<TouchCounts> AddressSpaceOps::TouchPages(sim::Path& path, Process& process, TouchRequest request,
                                                   Locking locking) {
  sim::Cpu& cpu = memory_.cpu(process.cpu);
  Node& home = memory_.node(NodeOf(process));
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  TouchCounts counts;
  VmaCursor vmas(process.space);
  Cursor entries(process.space.page_table());
  OperationStats& base_faults = memory_.timed(home.lp)[Timed::kFaultBase];
  std::optional<sim::SimTime> began;  // of the fault that is under way, and may have to be tried again
  const bool locks = locking == Locking::kEachFault;
  uint64_t at = request.begin;
  const TouchLoop loop{path,        process,     home, cpu,   locks,    request.stride,
                       request.end, base_faults, at,   began, counts.ok};
  FaultStretch faults(memory_, allocator_, loop);
  CopyStretch copies(memory_, allocator_, loop);
  NUMASIM_DCHECK(memory_.IsOn(path, home.id));
  std::optional<TouchPledge> pledge;
  std::optional<sim::PledgeScope> scope;
  if (request.write && TouchPledge::IsWorthIt(loop)) scope.emplace(path, pledge.emplace(memory_, loop));
  for (; at < request.end; at += request.stride) {
    if (scope.has_value()) scope->Renew();
    const Vpn vpn{at >> kPageShift};
    if (const Vma* const vma = vmas.Find(vpn); vma != nullptr && Hits(process, *vma, entries, vpn, request)) {
      ++counts.ok;
      // What it waited for, such as a page's move, made it good.
      if (began.has_value()) EndFault(path, process, vma, vpn, began, FaultResult::kDone);
      co_await path.Take(memory_.costs().touch);
      continue;
    }
    if (!began.has_value()) began = path.now();
    if (locks) co_await mmap_lock.AcquireRead(path);
    Vma* const vma = vmas.Find(vpn);  // looked up again: another path may have had the lock
    FaultResult result = FaultResult::kDone;
    std::optional<sim::Duration> took = FaultAtOnce(process, home, vma, entries, vpn, request, faults);
    if (took.has_value()) {
      co_await path.Take(*took, faults);
      if (faults.stage() != FaultStretch::Stage::kMapped) {
        const Vpn last{at >> kPageShift};
        result = co_await EndRefillingFault(path, process, *vmas.Find(last), last, faults);
        took.reset();
      }
    } else if (CopiesOnWrite(process, vma, entries, vpn, request, copies)) {
      result = co_await CopyPages(path, process, *vma, copies, at);
    } else {
      result = co_await HandleFault(path, process, vma, vpn, request.write);
    }
    if (locks) mmap_lock.ReleaseRead(path);
    if (result == FaultResult::kRetry) {
      at -= request.stride;
      continue;
    }
    if (took.has_value()) {
      base_faults.Record(path.now() - *std::exchange(began, std::nullopt));
    } else {
      const Vpn last{at >> kPageShift};
      EndFault(path, process, vmas.Find(last), last, began, result);
    }
    ++CountOf(counts, result);
    if (result == FaultResult::kSigsegv) continue;
    const bool ends = result == FaultResult::kOom || process.killed;
    if (ends || (result == FaultResult::kSigbus && request.ends_at_sigbus)) break;
    co_await cpu.MaybeYield(path);
  }
  co_return counts;
}

// The hot path, without a coroutine: a first write to private memory, a page at hand on this node. Returns
// how long it took; none where it is another kind of fault, and nothing has happened. The faults behind it
// that are like it are for `stretch` to do.
std::optional<sim::Duration> AddressSpaceOps::FaultAtOnce(Process& process, Node& home, Vma* vma,
                                                          Cursor& entries, Vpn vpn,
                                                          const TouchRequest& request,
                                                          FaultStretch& stretch) {
  if (!WritesAnonymous(vma, request)) return std::nullopt;
  // Where there is a table, no huge page is asked for.
  Entry* const entry = entries.Find(vpn);
  if (entry == nullptr || !entry->none()) return std::nullopt;
  const MemPolicy& policy = PolicyOf(process, *vma);
  const Placement placement = PlaceInVma(policy, home.id, InterleaveIndex(*vma, vpn));
  const AllocRequest alloc = RequestFor(kGfpHighuserMovable, placement, process.cpu, AnonOwner(process, vpn));
  const Pfn pfn = allocator_.TryAllocLocal(home, alloc);
  if (pfn == kNoPfn) return std::nullopt;
  ++home.counter(PGFAULT);
  process.space.PrepareAnonVma(*vma);
  *entry = Entry::NewAnon(pfn);
  const Costs& costs = memory_.costs();
  const sim::Duration took = costs.fault + costs.pcp_alloc + costs.clear_page + costs.map_page;
  // An interleaving policy has another node for each page.
  if (policy.mode == MemPolicy::Mode::kInterleave) {
    stretch.Stop();
  } else {
    stretch.Follow(*vma, entry, alloc, took);
  }
  return took;
}

// The fault of `vpn`, which `faults` has left on its way: what becomes of it.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::EndRefillingFault(sim::Path& path, Process& process,
                                                                           Vma vma, Vpn vpn,
                                                                           FaultStretch& faults) {
  using Stage = FaultStretch::Stage;
  const Costs& costs = memory_.costs();
  switch (faults.stage()) {
    case Stage::kMapped:
      co_return FaultResult::kDone;
    case Stage::kEntered:
      co_return co_await Fault(path, process, vma, vpn, true, /*entered=*/true);
    case Stage::kHolding:
    case Stage::kReleased:
      co_await EndRefill(path, faults.supply());
      [[fallthrough]];
    case Stage::kCounted:
      co_await path.Take(costs.clear_page + costs.map_page);
      break;
    case Stage::kCleared:
      break;
  }
  co_return co_await Install(path, process, vpn, Entry(), faults.supply().fresh());
}

// The rest of an allocation whose page `supply` has, with zone->lock or without it (FromZone, Alloc).
sim::Task<void> AddressSpaceOps::EndRefill(sim::Path& path, PageSupply& supply) const {
  if (supply.holds_lock()) co_await path.Take(supply.ReleaseLock());
  supply.Count();
  co_await path.HopTo(path.lp(), memory_.costs().hop);
}

// Whether the access is a write to a page that a fork has shared, which `copies` may go on from.
bool AddressSpaceOps::CopiesOnWrite(const Process& process, const Vma* vma, Cursor& entries, Vpn vpn,
                                    const TouchRequest& request, CopyStretch& copies) const {
  if (!WritesAnonymous(vma, request) || vma->anon_vma == 0) return false;
  Entry* const entry = entries.Find(vpn);
  if (entry == nullptr || !entry->present()) return false;
  const MemPolicy& policy = PolicyOf(process, *vma);
  if (policy.mode == MemPolicy::Mode::kInterleave) return false;
  const Placement placement = PlaceInVma(policy, NodeOf(process), InterleaveIndex(*vma, vpn));
  return copies.Begins(*vma, entry,
                       RequestFor(kGfpHighuserMovable, placement, process.cpu, AnonOwner(process, vpn)));
}

// The fault of the access at `at` and those behind it that copy pages as well, up to the first that has to
// wait for something or is of another kind: what became of that one, which `at` then says.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::CopyPages(sim::Path& path, Process& process, Vma vma,
                                                                   CopyStretch& copies, const uint64_t& at) {
  using Stage = CopyStretch::Stage;
  const Costs& costs = memory_.costs();
  ++memory_.node(NodeOf(process)).counter(PGFAULT);
  co_await path.Take(costs.fault, copies);
  copies.End();
  const Vpn vpn{at >> kPageShift};
  switch (copies.stage()) {
    case Stage::kEntered:
      co_return co_await Fault(path, process, vma, vpn, true, /*entered=*/true);
    case Stage::kHolding:
    case Stage::kReleased:
      co_await EndRefill(path, copies.supply());
      [[fallthrough]];
    case Stage::kTook:
      co_await path.Take(costs.copy_page + costs.map_page);
      break;
    case Stage::kCopied:
      break;
    case Stage::kDropped:
      co_return FaultResult::kDone;
  }
  co_return co_await Install(path, process, vpn, copies.old(), copies.fresh());
}

// handle_mm_fault(). No coroutine: the one that it returns has a copy of the VMA.
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::HandleFault(sim::Path& path, Process& process,
                                                                     Vma* vma, Vpn vpn, bool write) {
  if (vma == nullptr || !Allows(vma->access, write)) return BadAccess(path);
  ++memory_.node(NodeOf(process)).counter(PGFAULT);
  if (vma->hugetlb()) return HugeFault(path, process, *vma, vma->HugePageOf(vpn), write);
  if (write && (vma->anonymous() || vma->cow)) process.space.PrepareAnonVma(*vma);
  return Fault(path, process, *vma, vpn, write);
}

sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::BadAccess(sim::Path& path) const {
  co_await path.Take(memory_.costs().fault);
  co_return FaultResult::kSigsegv;
}

sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::HugeFault(sim::Path& path, Process& process, Vma vma,
                                                                   Vpn first, bool write) {
  co_await path.Take(memory_.costs().fault);
  // A page of 1 GiB has its entry a level above. Asked first, as most faults find the table there.
  const bool lacks_pmd = vma.huge.order < kPmdTableShift && !process.space.page_table().HasPmd(first);
  if (lacks_pmd && !co_await EnsurePmd(path, process, first)) co_return FaultResult::kOom;
  switch (co_await hugetlb_.Fault(path, process, vma, first, write)) {
    case Hugetlb::FaultResult::kSigbus:
      co_return FaultResult::kSigbus;
    case Hugetlb::FaultResult::kAgain:  // the page moves, or has gone meanwhile
      co_await WaitForMove(path);
      co_return FaultResult::kRetry;
    case Hugetlb::FaultResult::kDone:
      break;
  }
  co_return FaultResult::kDone;
}

sim::Task<void> AddressSpaceOps::WaitForMove(sim::Path& path) const {
  const sim::Duration hop = memory_.costs().hop;
  co_await WithoutCpu(path, hop, [&]() -> sim::Task<void> { co_await path.Take(hop); });
}

sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::Fault(sim::Path& path, Process& process, Vma vma,
                                                               Vpn vpn, bool write, bool entered) {
  const Costs& costs = memory_.costs();
  if (!entered) co_await path.Take(costs.fault);
  const bool lacks_pmd = !process.space.page_table().HasPmd(vpn);
  if (!vma.anonymous() && !HasAnonymousPage(process, vpn)) {
    if (lacks_pmd && !co_await EnsurePmd(path, process, vpn)) co_return FaultResult::kOom;
    co_return co_await FileFault(path, process, vma, vpn, write);
  }
  if (vma.anonymous() && process.space.page_table().Find(vpn) == nullptr) {
    if (lacks_pmd && !co_await EnsurePmd(path, process, vpn)) co_return FaultResult::kOom;
    const FaultResult huge = co_await ThpFault(path, process, vma, vpn, write);
    if (huge != FaultResult::kFallback) co_return huge;
  }
  if (!co_await EnsureTable(path, process, vpn)) co_return FaultResult::kOom;
  if (process.space.page_table().FindEntry(vpn) == nullptr)
    co_return FaultResult::kRetry;  // a huge page by now
  const Entry old = EntryOf(process, vpn);
  FaultResult result = FaultResult::kDone;
  if (old.migrating()) {
    co_await WaitForMove(path);
    result = FaultResult::kRetry;
  } else if (old.present() && (!write || old.writable())) {
    // It was a migration entry when the access was made, and is none any more.
  } else if (!old.none()) {
    // do_wp_page(): present, but not writable.
    result = co_await CopyOnWrite(path, process, vma, vpn);
  } else if (!write) {
    // do_anonymous_page() of a read: the zero page.
    EntryOf(process, vpn) = Entry::ZeroPage();
  } else {
    const Pfn pfn = co_await AllocForVma(path, process, vma, vpn, AnonOwner(process, vpn));
    if (pfn == kNoPfn) co_return FaultResult::kOom;
    co_await path.Take(costs.clear_page + costs.map_page);
    result = co_await Install(path, process, vpn, old, pfn);
  }
  co_return result;
}

sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::Install(sim::Path& path, Process& process, Vpn vpn,
                                                                 Entry old, Pfn fresh) {
  const bool same = StillIs(process, vpn, old);
  if (same) EntryOf(process, vpn) = Entry::NewAnon(fresh);
  // A copy takes the place of what it was made of.
  const Pfn unused = same ? (old.none() || old.zero_page() ? kNoPfn : old.pfn()) : fresh;
  if (unused != kNoPfn) co_await allocator_.Release(path, process.cpu, Folio(unused));
  co_return same ? FaultResult::kDone : FaultResult::kRetry;
}

// do_wp_page()
sim::Task<AddressSpaceOps::FaultResult> AddressSpaceOps::CopyOnWrite(sim::Path& path, Process& process,
                                                                     const Vma& vma, Vpn vpn) {
  const Costs& costs = memory_.costs();
  const Entry old = EntryOf(process, vpn);
  Sharing sharing = Sharing::kShared;
  if (!old.zero_page()) {
    sharing = Sharing::kAlone;
    if (!old.exclusive()) sharing = co_await SharingOf(path, old.pfn());
  }
  if (sharing == Sharing::kSettling) co_await WaitForMove(path);
  if (sharing == Sharing::kSettling || !StillIs(process, vpn, old)) co_return FaultResult::kRetry;
  if (sharing == Sharing::kAlone) {
    ++memory_.node(NodeOf(process)).counter(PGREUSE);
    EntryOf(process, vpn) = old.WithWritable(true);
    co_return FaultResult::kDone;
  }
  // wp_page_copy()
  const Pfn pfn = co_await AllocForVma(path, process, vma, vpn, AnonOwner(process, vpn));
  if (pfn == kNoPfn) co_return FaultResult::kOom;
  co_await path.Take((old.zero_page() ? costs.clear_page : costs.copy_page) + costs.map_page);
  co_return co_await Install(path, process, vpn, old, pfn);
}

// Whether there is a PMD table for `vpn` now.
sim::Task<bool> AddressSpaceOps::EnsurePmd(sim::Path& path, Process& process, Vpn vpn) {
  PageTable& tables = process.space.page_table();
  if (tables.HasPmd(vpn)) co_return true;
  const Pfn pmd = co_await AllocTable(path, process);
  if (pmd == kNoPfn) co_return false;
  tables.AddPmd(vpn, pmd);
  co_return true;
}

// Whether there is a PTE table for `vpn` now.
sim::Task<bool> AddressSpaceOps::EnsureTable(sim::Path& path, Process& process, Vpn vpn) {
  PageTable& tables = process.space.page_table();
  if (tables.Find(vpn) != nullptr) co_return true;
  if (!co_await EnsurePmd(path, process, vpn)) co_return false;
  const Pfn frame = co_await AllocTable(path, process);
  if (frame == kNoPfn) co_return false;
  if (NothingAt(process, ThpStart(vpn))) {
    tables.AddTable(vpn, frame);
  } else {
    // Somebody else was faster: khugepaged works here too.
    co_await allocator_.Release(path, process.cpu, Folio(frame));
  }
  co_return true;
}

bool AddressSpaceOps::HasAnonymousPage(const Process& process, Vpn vpn) {
  const Entry* const entry = process.space.page_table().FindEntry(vpn);
  return entry != nullptr && entry->anon();
}

// pte_same()
bool AddressSpaceOps::StillIs(Process& process, Vpn vpn, Entry old) {
  const Entry* const entry = process.space.page_table().FindEntry(vpn);
  return entry != nullptr && *entry == old;
}

// The entry of a base page whose table is there: that goes with the VMA only, and not under a fault.
Entry& AddressSpaceOps::EntryOf(Process& process, Vpn vpn) {
  Entry* const entry = process.space.page_table().FindEntry(vpn);
  NUMASIM_CHECK(entry != nullptr);
  return *entry;
}

// Whether this mapping is the page's only one, told on the LP of its node. References that are no mappings
// leave it the process's own (PageAnonExclusive). A migration counts all mappings that it took away at the
// new page before it knows which of them come back; it has the page locked until then, and do_wp_page() waits
// for that lock.
sim::Task<AddressSpaceOps::Sharing> AddressSpaceOps::SharingOf(sim::Path& path, Pfn pfn) {
  const sim::LpId home = path.lp();
  Zone& zone = *memory_.ZoneOf(pfn);
  const sim::LpId there = memory_.node(zone.node()).lp;
  co_await path.GoTo(there, memory_.costs().hop);
  const FrameIndex frame = zone.frames().Index(pfn);
  Sharing sharing = Sharing::kAlone;
  if (ThpPage::Holds(zone.frames(), frame)) {
    // Every mapping of any part is a reference to the huge page.
    const ThpPage page(zone.frames(), frame);
    const bool alone = page.total_mapcount() == 1 && !zone.frames().IsHeld(page.head(), ThpPage::kOrder);
    const bool settles = page.total_mapcount() != 1 && zone.IsMigrating(page.head(), ThpPage::kOrder);
    sharing = alone ? Sharing::kAlone : settles ? Sharing::kSettling : Sharing::kShared;
  } else if (zone.frames().owner(frame, 0).mapcount != 1) {
    sharing = zone.IsMigrating(frame, 0) ? Sharing::kSettling : Sharing::kShared;
  }
  co_await path.GoTo(home, memory_.costs().hop);
  co_return sharing;
}

// vma_alloc_folio() for one page
sim::Task<Pfn> AddressSpaceOps::AllocForVma(sim::Path& path, Process& process, const Vma& vma, Vpn vpn,
                                            FrameOwner owner) {
  const MemPolicy& policy = PolicyOf(process, vma);
  const Placement placement = PlaceInVma(policy, NodeOf(process), InterleaveIndex(vma, vpn));
  AllocRequest request = RequestFor(kGfpHighuserMovable, placement, process.cpu, owner);
  request.task = process.task;
  co_return co_await allocator_.AllocPlaced(path, request, placement.retry_anywhere);
}

// vma_alloc_folio() for a huge page
sim::Task<Pfn> AddressSpaceOps::AllocThpForVma(sim::Path& path, Process& process, const Vma& vma, Vpn first,
                                               GfpFlags gfp) {
  const MemPolicy& policy = PolicyOf(process, vma);
  return AllocThp(path, allocator_, gfp, policy, NodeOf(process), InterleaveIndexOfThp(vma, first),
                  process.cpu, AnonOwner(process, first));
}

// alloc_pages() of the huge zero page: under the task's policy, not movable.
sim::Task<Pfn> AddressSpaceOps::AllocZeroPage(sim::Path& path, Process& process) {
  const Placement placement = PlaceForTask(process, NodeOf(process));
  AllocRequest request = RequestFor(kGfpTranshuge.Without(kGfpMovable), placement, process.cpu, FrameOwner{});
  request.order = ThpPage::kOrder;
  co_return co_await allocator_.AllocPlaced(path, request, placement.retry_anywhere);
}

// pte_alloc_one() and its like: alloc_pages() under the task's policy.
sim::Task<Pfn> AddressSpaceOps::AllocTable(sim::Path& path, Process& process) {
  NUMASIM_DCHECK(memory_.IsOn(path, NodeOf(process)));
  const Costs& costs = memory_.costs();
  Pfn pfn = TryAllocTable(process);
  if (pfn != kNoPfn) {
    co_await path.Take(costs.pcp_alloc + costs.clear_page);
    co_return pfn;
  }
  co_return co_await AllocCleared(path, process, TableOwner(process), 0);
}

sim::Task<Pfn> AddressSpaceOps::AllocCleared(sim::Path& path, Process& process, FrameOwner owner, int order) {
  const Placement placement = PlaceForTask(process, NodeOf(process));
  AllocRequest request = RequestFor(kGfpKernel, placement, process.cpu, owner);
  request.order = order;
  request.task = process.task;
  const Pfn pfn = co_await allocator_.AllocPlaced(path, request, placement.retry_anywhere);
  if (pfn != kNoPfn) co_await path.Take(memory_.costs().clear_page * (int64_t{1} << order));
  co_return pfn;
}

Pfn AddressSpaceOps::TryAllocTable(Process& process) {
  // To ask where it would go moves the turn of an interleaving task on.
  if (process.policy.mode == MemPolicy::Mode::kInterleave) return kNoPfn;
  Node& home = memory_.node(NodeOf(process));
  const Placement placement = PlaceForTask(process, home.id);
  return allocator_.TryAllocLocal(home, RequestFor(kGfpKernel, placement, process.cpu, TableOwner(process)));
}

}  // namespace numasim
