#include "models/thp/khugepaged.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "models/physical/without_cpu.h"
#include "sim/check.h"

namespace numasim {

// ---- who is scanned ----

sim::Task<void> Khugepaged::EnterVma(sim::Path& path, Process& process, const Vma& vma) {
  const ThpSettings& settings = memory_.node(memory_.NodeOfCpu(process.cpu)).thp;
  if (process.in_khugepaged || !settings.any() || !MayCollapse(settings, vma, true)) co_return;
  co_await Enter(path, process);
}

// Just behind the scanning cursor is the end of the list.
sim::Task<void> Khugepaged::Enter(sim::Path& path, Process& process) {
  process.in_khugepaged = true;
  const sim::LpId home = path.lp();
  const uint16_t id = process.id;
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  slots_.Add(id);
  if (as_thread_ && !running_ && HasWork()) Start(path);
  co_await path.GoTo(home, memory_.costs().hop);
}

sim::Task<void> Khugepaged::Exit(sim::Path& path, Process& process) {
  if (!process.in_khugepaged) co_return;
  const sim::LpId home = path.lp();
  const uint16_t id = process.id;
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  const MmSlots::Iterator slot = slots_.Find(id);
  if (slot == current_) {
    slots_.MarkDead(slot);  // the thread sees it when it comes by
    co_await WaitForVisitor(path, slot);
  } else {
    slots_.Erase(slot);
  }
  co_await path.GoTo(home, memory_.costs().hop);
  process.in_khugepaged = false;
}

// The thread has mmap_lock meanwhile. Who waits for it sleeps: the thread may need this CPU to go on.
sim::Task<void> Khugepaged::WaitForVisitor(sim::Path& path, MmSlots::Iterator slot) {
  const auto visits = [&] { return visiting_ && current_ == slot; };
  if (!visits()) co_return;
  const sim::Duration hop = memory_.costs().hop;
  co_await WithoutCpu(path, hop, [&]() -> sim::Task<void> {
    co_await path.GoTo(memory_.global_lp(), hop);
    while (visits()) co_await path.Take(hop);
  });
}

void Khugepaged::AddForeign(int64_t pages) { slots_.AddForeign(pages); }

bool Khugepaged::HasWork() const { return !slots_.empty() && memory_.thp().any(); }

void Khugepaged::Stop(sim::Path& path) {
  ++stops_;
  running_ = false;
  WakeUp(path);
  if (visiting_) return;  // it ends with this visit
  if (current_ != slots_.end() && current_->dead) slots_.Erase(current_);
  current_ = slots_.end();
}

// ---- the thread ----

CollapseLimits Khugepaged::Limits() const {
  return {.max_ptes_none = settings_.max_ptes_none,
          .max_ptes_swap = settings_.max_ptes_swap,
          .max_ptes_shared = settings_.max_ptes_shared,
          .gfp = settings_.defrag ? kGfpTranshuge : kGfpTranshugeLight};
}

sim::Task<void> Khugepaged::DoScan(sim::Path& path, CpuId cpu) {
  sim::Cpu& runs_on = memory_.cpu(cpu);
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  while (scanning_) co_await path.Take(memory_.costs().timeslice);
  scanning_ = true;
  co_await path.GoTo(runs_on.lp(), memory_.costs().hop);
  co_await runs_on.Acquire(path);
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  co_await DoScanAlone(path, cpu);
  scanning_ = false;
  co_await path.GoTo(runs_on.lp(), memory_.costs().hop);
  runs_on.Release(path);
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
}

// khugepaged()
sim::Task<void> Khugepaged::Thread(sim::Path& path) {
  const uint64_t stops = stops_;
  for (;;) {
    co_await DoScan(path, kCpu);
    if (!as_thread_ || stops != stops_ || !HasWork()) break;
    co_await Sleep(path, settings_.scan_sleep_millisecs);
    if (stops != stops_ || !HasWork()) break;
  }
  if (stops == stops_) running_ = false;
}

// schedule_timeout() on khugepaged_wait. A timer that comes after its sleep is over does nothing.
sim::Task<void> Khugepaged::Sleep(sim::Path& path, int64_t millisecs) {
  if (millisecs == 0) co_return;
  sim::Completion wake(memory_.engine(), memory_.global_lp(), "khugepaged_wait");
  const uint64_t sleep = sleeps_++;
  sleepers_[sleep] = &wake;
  ++timers_;
  path.Start(path.lp(), sim::Milliseconds(millisecs), "khugepaged timer",
             [this, sleep](sim::Path& timer) -> sim::Task<void> {
               --timers_;
               if (const auto sleeper = sleepers_.find(sleep); sleeper != sleepers_.end())
                 sleeper->second->Signal(timer);
               co_return;
             });
  co_await wake.Wait(path);
  sleepers_.erase(sleep);
}

void Khugepaged::WakeUp(sim::Path& path) {
  for (const auto& [sleep, wake] : sleepers_) wake->Signal(path);
}

sim::Task<Errno> Khugepaged::RunScans(sim::Path& path, CpuId cpu, int64_t scans) {
  constexpr sim::Duration kSleep = sim::Nanoseconds(100'000'000);
  constexpr sim::Duration kPatience = sim::Nanoseconds(7'500'000'000);
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  const int64_t wanted = counters_[KHUGEPAGED_FULL_SCANS] + scans;
  const sim::SimTime end = Later(path.now(), kPatience);
  for (;;) {
    co_await DoScan(path, cpu);
    if (counters_[KHUGEPAGED_FULL_SCANS] >= wanted) break;
    if (path.now() >= end) co_return Errno::kAgain;
    co_await path.Take(kSleep);
  }
  co_await DoScan(path, cpu);
  co_return Errno::kOk;
}

void Khugepaged::Start(sim::Path& path) {
  if (running_ || !HasWork()) return;
  running_ = true;
  path.Start(path.lp(), sim::Duration{0}, "khugepaged",
             [this](sim::Path& thread) -> sim::Task<void> { co_await Thread(thread); });
}

sim::Task<void> Khugepaged::DoScanAlone(sim::Path& path, CpuId cpu) {
  const int64_t pages = settings_.pages_to_scan;
  int64_t progress = 0;
  int passes_through_head = 0;
  bool may_sleep = true;
  while (progress < pages) {
    if (current_ == slots_.end()) ++passes_through_head;
    if (!HasWork() || passes_through_head >= 2) co_return;
    ScanResult result = ScanResult::kFail;
    progress += co_await ScanSlot(path, cpu, pages - progress, result);
    co_await memory_.CondResched(path);
    if (progress >= pages || result != ScanResult::kAllocHugePageFail) continue;
    // The first time memory may come back while it sleeps.
    if (!may_sleep) co_return;
    may_sleep = false;
    co_await Sleep(path, settings_.alloc_sleep_millisecs);
  }
}

// khugepaged_scan_mm_slot(). Returns how many pages it has looked at.
sim::Task<int64_t> Khugepaged::ScanSlot(sim::Path& path, CpuId cpu, int64_t pages, ScanResult& result) {
  if (current_ == slots_.end()) {
    current_ = slots_.begin();
    address_ = Vpn{0};
  }
  const MmSlots::Iterator slot = current_;
  visiting_ = true;
  const Visit visit = co_await VisitProcess(path, cpu, *slot, pages);
  visiting_ = false;
  slots_.ForgetPteMapped(slot, visit.pte_mapped);
  counters_[KHUGEPAGED_PAGES_COLLAPSED] += visit.collapsed;
  result = visit.result;
  address_ = visit.next;
  if (slot->dead || visit.finished) {
    address_ = Vpn{0};
    current_ = std::next(slot);
    if (current_ == slots_.end()) ++counters_[KHUGEPAGED_FULL_SCANS];
    if (slot->dead) slots_.Erase(slot);
  }
  co_return visit.progress;
}

sim::Task<Khugepaged::Visit> Khugepaged::VisitProcess(sim::Path& path, CpuId cpu, const MmSlot& slot,
                                                      int64_t pages) {
  Visit visit;
  visit.next = address_;
  if (slot.foreign_pages > 0) {
    visit.progress = slot.foreign_pages;
    visit.finished = true;
    co_await path.Take(memory_.costs().scan_pte * slot.foreign_pages);
    co_return visit;
  }
  const ProcessTable::Entry entry = processes_.Find(slot.process);
  // A process on its way to another node has its lock with it: not to be had now.
  if (slot.dead || entry.process == nullptr || entry.moving) {
    visit.progress = slot.dead ? 1 : 0;
    visit.finished = true;
    co_return visit;
  }
  Process& process = *entry.process;
  const CollapseLimits limits = Limits();
  const std::array<Vpn, MmSlot::kMaxPteMapped> noted = slot.pte_mapped;
  const auto to_try = std::span(noted).first(slot.pte_mapped_count);
  co_await path.GoTo(entry.home, memory_.costs().hop);
  ++process.visitors;
  visit.pte_mapped = co_await CollapsePteMapped(path, cpu, process, to_try);
  if (process.space.mmap_lock().TryAcquireRead(path)) {
    co_await ScanProcess(path, cpu, process, pages, limits, visit);
  } else {
    visit.finished = true;
  }
  --process.visitors;
  if (visit.file.has_value()) co_await ScanFile(path, cpu, limits, visit);
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  co_return visit;
}

// khugepaged_collapse_pte_mapped_thps(). Returns how many are done with, whatever became of them.
sim::Task<size_t> Khugepaged::CollapsePteMapped(sim::Path& path, CpuId cpu, Process& process,
                                                std::span<const Vpn> noted) {
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  if (noted.empty() || !mmap_lock.TryAcquireWrite(path)) co_return 0;
  for (const Vpn first : noted) {
    if (process.exiting) break;
    co_await file_collapser_.CollapsePteMapped(path, cpu, process, first, FileCollapser::Install::kNo);
  }
  mmap_lock.ReleaseWrite(path);
  co_return noted.size();
}

// hpage_collapse_scan_file() of the range that the visit ended with, right after mmap_lock was let go. The
// process may go elsewhere meanwhile, and is looked for where it is then.
sim::Task<void> Khugepaged::ScanFile(sim::Path& path, CpuId cpu, CollapseLimits limits, Visit& visit) {
  const sim::Duration hop = memory_.costs().hop;
  const FileCollapser::Place place = *visit.file;
  visit.result = co_await file_collapser_.Scan(path, cpu, place, limits);
  if (visit.result == ScanResult::kPteMappedHugepage) {
    co_await path.GoTo(memory_.global_lp(), hop);
    ProcessTable::Entry entry = processes_.Find(place.process);
    for (; entry.moving; entry = processes_.Find(place.process)) co_await path.Take(hop);
    co_await path.GoTo(entry.home, hop);
    visit.result = FindPteTable(*entry.process, place.first);
    co_await path.GoTo(memory_.global_lp(), hop);
    const bool found = visit.result == ScanResult::kSucceed;
    if (found && slots_.NotePteMapped(place.process, place.first)) ++visit.collapsed;
  } else if (visit.result == ScanResult::kSucceed) {
    ++visit.collapsed;
  }
}

// The VMAs from the cursor on, until there are pages enough or mmap_lock was let go.
sim::Task<void> Khugepaged::ScanProcess(sim::Path& path, CpuId cpu, Process& process, int64_t pages,
                                        CollapseLimits limits, Visit& visit) {
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  visit.progress = 1;
  for (const Vma* vma = process.space.FindFrom(visit.next); vma != nullptr;) {
    const ThpSettings& settings = memory_.node(memory_.NodeOfCpu(process.cpu)).thp;
    const Vpn end = ThpStart(vma->end);
    const Vpn begin = ThpStart(vma->start + (kThpPages - 1));
    if (!MayCollapse(settings, *vma, true) || visit.next > end) {
      ++visit.progress;
      visit.next = std::max(visit.next, vma->end);
      vma = process.space.FindFrom(vma->end);
      continue;
    }
    visit.next = std::max(visit.next, begin);
    while (visit.next < end) {
      if (vma->shmem()) {
        visit.file = {vma->file, vma->IndexOf(visit.next), process.id, visit.next};
        visit.next = visit.next + kThpPages;
        visit.progress += kThpPages;
        mmap_lock.ReleaseRead(path);
        co_return;
      }
      const Collapser::Outcome outcome = co_await collapser_.ScanPmd(path, cpu, process, visit.next, limits);
      visit.result = outcome.result;
      if (outcome.result == ScanResult::kSucceed) ++visit.collapsed;
      visit.next = visit.next + kThpPages;
      visit.progress += kThpPages;
      if (!outcome.mmap_locked) co_return;
      if (visit.progress >= pages) {
        mmap_lock.ReleaseRead(path);
        co_return;
      }
    }
    vma = process.space.FindFrom(visit.next);
    if (vma != nullptr && vma->start < visit.next && ThpStart(vma->end) <= visit.next)
      vma = process.space.FindFrom(vma->end);
  }
  visit.progress += AddressSpace::kProgramVmas;
  visit.finished = true;
  mmap_lock.ReleaseRead(path);
}

}  // namespace numasim
