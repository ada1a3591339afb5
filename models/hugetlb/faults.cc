// Faults on HugeTLB mappings (hugetlb_fault and its callees).
#include <optional>
#include <utility>

#include "models/hugetlb/hugetlb.h"
#include "sim/check.h"

namespace numasim {
namespace {

// restore_reserve_on_error(): the page will not be used after all; its map entry is put back as it was.
void RestoreReservation(const HugeClaim& claim, const HugePage& page) {
  if (claim.resv == nullptr) return;
  const bool entry = claim.resv->Count(claim.index, claim.index + 1) != 0;
  const bool reserved = claim.shared == entry;
  if (page.restore_reserve == reserved) return;
  if (entry) {
    claim.resv->Delete(claim.index, claim.index + 1);
  } else {
    claim.resv->Add(claim.index, claim.index + 1);
  }
}

}  // namespace

sim::Task<Hugetlb::FaultResult> Hugetlb::Fault(sim::Path& path, Process& process, const Vma& vma, Vpn first,
                                               bool write) {
  FaultState fault;
  fault.claim = ClaimOf(process, vma, vma.HugeIndexOf(first));
  fault.write = write;
  fault.writable = vma.access == Access::kReadWrite;
  fault.process = &process;
  PageTable& tables = process.space.page_table();
  const int order = vma.huge.order;
  if (const Entry* const old = tables.FindHuge(first, order); old != nullptr) fault.old = *old;
  if (fault.old.has_value() && fault.old->migrating()) co_return FaultResult::kAgain;
  if (!fault.old.has_value() && vma.huge.resv_unmapped) co_return FaultResult::kSigbus;
  if (fault.old.has_value() && vma.huge.shared) {
    *tables.FindHuge(first, order) = fault.old->WithWritable(fault.writable);
    co_return FaultResult::kDone;
  }
  const FileId id = vma.file;
  const sim::LpId home = path.lp();
  co_await ToGlobal(path);
  HugeFile& file = files_.At(id);
  if (fault.claim.shared) fault.claim.resv = &file.resv;
  fault.claim.subpool = file.subpool;
  if (fault.claim.shared) co_await file.vma_lock->AcquireRead(path);
  sim::Mutex& mutex = FaultMutex(id, fault.claim.index);
  co_await mutex.Acquire(path);
  if (MustWait(file, fault)) {
    fault.result = FaultResult::kAgain;
  } else {
    co_await FaultIn(path, file, fault);
  }
  mutex.Release(path);
  if (fault.claim.shared) file.vma_lock->ReleaseRead(path);
  co_await GoHome(path, home);

  if (fault.anon) process.space.Find(first)->huge.anon_vma = true;
  if (!fault.fresh.has_value()) co_return fault.result;
  co_await path.Take(memory_.costs().map_page);
  // Whether the entry is still as the fault found it (pte_same).
  const Entry* const now = tables.FindHuge(first, order);
  const bool same = now == nullptr ? !fault.old.has_value() : fault.old == *now;
  if (same) tables.SetHuge(first, order, *fault.fresh);
  if (fault.replaces) {
    co_await ToGlobal(path);
    co_await FinishCopy(path, fault, same);
    co_await GoHome(path, home);
  }
  co_return same ? fault.result : FaultResult::kAgain;
}

// Whether what the fault is about is moved at the moment, or was since the fault saw its entry.
bool Hugetlb::MustWait(const HugeFile& file, const FaultState& fault) const {
  const auto locked = [this](Pfn pfn) { return pool_.pages().Used(pfn).locked; };
  const Pfn cached = file.mapping.Lookup(fault.claim.index);
  if (cached != kNoPfn && locked(cached)) return true;
  if (!fault.old.has_value()) return false;
  return !IsPageOf(fault.old->pfn(), file, fault.claim.index) || locked(fault.old->pfn());
}

// Whether a huge page in use is, or is a copy of, this page of the file.
bool Hugetlb::IsPageOf(Pfn pfn, const HugeFile& file, uint64_t index) const {
  const HugePage* const page = pool_.pages().Find(pfn);
  return page != nullptr && page->state == HugePageState::kUsed && page->file == &file &&
         page->index == index;
}

// hugetlb_no_page(), or the copy on a write to what is mapped read-only.
sim::Task<void> Hugetlb::FaultIn(sim::Path& path, HugeFile& file, FaultState& fault) {
  const uint64_t index = fault.claim.index;
  const Pfn in_cache = file.mapping.Lookup(index);
  if (fault.old.has_value()) {
    co_await CopyOnWrite(path, file, fault, in_cache);
    co_return;
  }
  Pfn pfn = in_cache;
  if (pfn == kNoPfn) {
    fault.result = FaultResult::kSigbus;
    const auto pages = static_cast<uint64_t>(file.bytes >> kPageShift) >> OrderOf(file.page_size);
    if (index >= pages) co_return;
    pfn = co_await pool_.Alloc(path, fault.claim, false);
    if (pfn == kNoPfn) co_return;
    fault.result = FaultResult::kDone;
    co_await path.Take(memory_.costs().clear_page * PagesOf(file.page_size));
    HugePage& page = pool_.pages().Used(pfn);
    page.restore_reserve = false;
    page.anon = !fault.claim.shared;
    fault.anon = page.anon;
    page.file = &file;
    page.index = index;
    if (fault.claim.shared) {
      page.cached = true;
      file.mapping.Insert(index, pfn);
    }
  }
  ++pool_.pages().Used(pfn).mapcount;
  fault.fresh = Entry(pfn, Entry::kPresent).WithWritable(fault.claim.shared && fault.writable);
  if (!fault.write || fault.claim.shared) co_return;
  if (in_cache == kNoPfn) {
    fault.fresh = fault.fresh->WithWritable(true);  // just made, nobody else has it
    co_return;
  }
  // A write to a page of the file: copied at once, without a second fault. The entry never shows the
  // original.
  fault.old = fault.fresh;
  fault.fresh.reset();
  co_await CopyOnWrite(path, file, fault, in_cache);
  if (fault.fresh.has_value()) {
    std::vector<Pfn> original(1, fault.old->pfn());
    pool_.pages().Used(fault.fresh->pfn()).restore_reserve = false;
    co_await Unreference(path, fault.claim.cpu, original);
    fault.replaces = false;
  } else {
    fault.fresh = fault.old;
  }
  fault.old.reset();
}

// hugetlb_wp(): the original is held meanwhile, as its entry may go.
sim::Task<void> Hugetlb::CopyOnWrite(sim::Path& path, HugeFile& file, FaultState& fault, Pfn cached) {
  const std::vector<Pfn> original(1, fault.old->pfn());
  ++pool_.pages().Used(original[0]).refs;
  co_await CopyHeld(path, file, fault, cached);
  std::vector<Pfn> unused;
  DropReferences(original, unused);
  co_await pool_.Free(path, fault.claim.cpu, unused);
}

sim::Task<void> Hugetlb::CopyHeld(sim::Path& path, HugeFile& file, FaultState& fault, Pfn cached) {
  const Pfn old = fault.old->pfn();
  for (;;) {
    const HugePage& page = pool_.pages().Used(old);
    if (page.mapcount == 1 && page.anon) {
      fault.fresh = Entry(old, Entry::kPresent | Entry::kWritable);
      co_return;
    }
    // The owner's copy does not use the reservation, which the page that it copies has used up.
    const bool avoid_reserve = fault.claim.owner && old != cached;
    const Pfn copy = co_await pool_.Alloc(path, fault.claim, avoid_reserve);
    if (copy != kNoPfn) {
      co_await path.Take(memory_.costs().copy_page * PagesOf(file.page_size));
      HugePage& fresh = pool_.pages().Used(copy);
      fresh.anon = true;
      fresh.mapcount = 1;
      fresh.file = &file;
      fresh.index = fault.claim.index;
      fault.anon = true;
      fault.replaces = true;
      fault.fresh = Entry(copy, Entry::kPresent | Entry::kWritable);
      co_return;
    }
    if (!avoid_reserve) {
      fault.result = FaultResult::kSigbus;
      co_return;
    }
    sim::Mutex& mutex = FaultMutex(file.id, fault.claim.index);
    mutex.Release(path);
    co_await StealFromChildren(path, file, fault, old);
    co_await mutex.Acquire(path);
  }
}

// After a copy: the original loses its entry, or, where the entry went away meanwhile, the copy is given up.
sim::Task<void> Hugetlb::FinishCopy(sim::Path& path, FaultState& fault, bool installed) {
  HugePage& copy = pool_.pages().Used(fault.fresh->pfn());
  if (!installed) {
    RestoreReservation(fault.claim, copy);
    std::vector<Pfn> unused(1, fault.fresh->pfn());
    co_await Unreference(path, fault.claim.cpu, unused);
    co_return;
  }
  copy.restore_reserve = false;
  std::vector<Pfn> original(1, fault.old->pfn());
  co_await Unreference(path, fault.claim.cpu, original);
}

// unmap_ref_private(): takes the page away from those who have it by fork. They get SIGBUS if they want it
// back.
sim::Task<void> Hugetlb::StealFromChildren(sim::Path& path, HugeFile& file, const FaultState& fault,
                                           Pfn page) {
  std::vector<Pfn> taken;
  const uint64_t index = fault.claim.index;
  const Visitor visit = [&](Process& process) {
    if (&process == fault.process) return;
    process.space.ForEachOfFile(true, file.id, [&](Vma& vma) {
      if (vma.huge.shared || vma.huge.resv_owner) return;
      const std::optional<Vpn> first = vma.AddressOf(index);
      if (!first.has_value()) return;
      PageTable& tables = process.space.page_table();
      const Entry* const entry = tables.FindHuge(*first, vma.huge.order);
      if (entry == nullptr || !entry->present() || entry->pfn() != page) return;
      vma.huge.resv_unmapped = true;
      tables.SetHuge(*first, vma.huge.order, Entry());
      taken.push_back(page);
    });
  };
  co_await path.Take(
      memory_.costs().hop);  // also where nobody is left to be visited, but an entry is on its way
  co_await VisitMappers(path, file, visit);
  co_await Unreference(path, fault.claim.cpu, taken);
}

}  // namespace numasim
