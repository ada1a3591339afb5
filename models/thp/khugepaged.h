// Khugepaged: the kernel thread that looks for ranges of base pages to collapse (mm/khugepaged.c, Linux 6.1),
// with its settings and the list of address spaces it goes round. These live on the global LP; to scan an
// address space a path visits the process's LP.
//
// In a run the thread is there as long as there is work for it, and sleeps between its scans. Recordings let
// it scan on request only (RunScans); then there is no such thread.
#ifndef NUMASIM_MODELS_THP_KHUGEPAGED_H_
#define NUMASIM_MODELS_THP_KHUGEPAGED_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "models/address_space/process.h"
#include "models/address_space/process_table.h"
#include "models/base/errno.h"
#include "models/physical/memory_system.h"
#include "models/thp/collapse.h"
#include "models/thp/file_collapse.h"
#include "models/thp/mm_slots.h"
#include "models/thp/scan.h"
#include "proto/counters.h"
#include "sim/path.h"
#include "sim/sync.h"
#include "sim/task.h"

namespace numasim {

class Khugepaged {
 public:
  // transparent_hugepage/khugepaged/...
  struct Settings {
    int64_t max_ptes_none = kThpPages - 1;
    int64_t max_ptes_swap = kThpPages / 8;
    int64_t max_ptes_shared = kThpPages / 2;
    int64_t pages_to_scan = kThpPages * 8;
    int64_t scan_sleep_millisecs = 10'000;
    int64_t alloc_sleep_millisecs = 60'000;
    bool defrag = true;
  };

  Khugepaged(MemorySystem& memory, Collapser& collapser, FileCollapser& file_collapser,
             const ProcessTable& processes, MmSlots& slots)
      : memory_(memory),
        collapser_(collapser),
        file_collapser_(file_collapser),
        processes_(processes),
        slots_(slots) {}

  // --- a process's path, on its LP, where it ends too ---
  // khugepaged_enter_vma(): the process is scanned from now on, where a VMA of it may have huge pages.
  sim::Task<void> EnterVma(sim::Path& path, Process& process, const Vma& vma);
  // __khugepaged_enter(), of a child whose parent is scanned.
  sim::Task<void> Enter(sim::Path& path, Process& process);
  // khugepaged_exit(): nobody looks at the process any more when it returns.
  sim::Task<void> Exit(sim::Path& path, Process& process);

  // --- the thread, on the global LP ---
  // From now on there is a thread, where there is work for it. Before the run.
  void RunAsThread() { as_thread_ = true; }
  // khugepaged_do_scan() on a CPU: up to pages_to_scan pages, but no address space twice.
  sim::Task<void> DoScan(sim::Path& path, CpuId cpu);
  // What a write to scan_sleep_millisecs, many more full scans and another write come to, as recordings are
  // made: it wakes up every 100 ms until it has finished `scans` more, and once more then. EAGAIN where it
  // does not within 7.5 s.
  sim::Task<Errno> RunScans(sim::Path& path, CpuId cpu, int64_t scans);
  // kthread_run() by the path, which is on the global LP: the thread scans at once.
  void Start(sim::Path& path);
  // kthread_stop(): it scans no more, and where it is started again it begins at the head of the list.
  void Stop(sim::Path& path);
  // A write to one of the settings that tell how long it sleeps: it does not sleep any longer.
  void WakeUp(sim::Path& path);
  bool HasWork() const;
  bool running() const { return running_; }
  // Something of it is still to come, if only a timer.
  bool pending() const { return running_ || timers_ > 0; }
  // The first of the list is an address space that is not simulated, with so many pages to scan and nothing
  // to collapse: khugepaged goes round it too.
  void AddForeign(int64_t pages);

  // Where the thread runs as a rule.
  static constexpr CpuId kCpu{0};

  Settings& settings() { return settings_; }
  int64_t counter(ThpCounter c) const { return counters_[c]; }
  const int64_t* counter_ref(ThpCounter c) const { return &counters_[static_cast<size_t>(c)]; }

 private:
  sim::Task<void> WaitForVisitor(sim::Path& path, MmSlots::Iterator slot);
  // It is one thread: a second path that puts it to work waits for the first.
  sim::Task<void> DoScanAlone(sim::Path& path, CpuId cpu);
  sim::Task<void> Thread(sim::Path& path);
  // Without its CPU, until the time is over or somebody wakes it.
  sim::Task<void> Sleep(sim::Path& path, int64_t millisecs);
  // A visit of an address space.
  struct Visit {
    int64_t progress = 0;
    Vpn next;               // where the next one begins
    bool finished = false;  // all of its VMAs were scanned
    int64_t collapsed = 0;
    ScanResult result = ScanResult::kFail;     // of the last range
    std::optional<FileCollapser::Place> file;  // the last range is of a file, and still to be scanned
    size_t pte_mapped = 0;                     // so many of those that were noted were tried again
  };

  sim::Task<int64_t> ScanSlot(sim::Path& path, CpuId cpu, int64_t pages, ScanResult& result);
  sim::Task<Visit> VisitProcess(sim::Path& path, CpuId cpu, const MmSlot& slot, int64_t pages);
  sim::Task<size_t> CollapsePteMapped(sim::Path& path, CpuId cpu, Process& process,
                                      std::span<const Vpn> noted);
  sim::Task<void> ScanFile(sim::Path& path, CpuId cpu, CollapseLimits limits, Visit& visit);
  sim::Task<void> ScanProcess(sim::Path& path, CpuId cpu, Process& process, int64_t pages,
                              CollapseLimits limits, Visit& visit);
  CollapseLimits Limits() const;

  MemorySystem& memory_;
  Collapser& collapser_;
  FileCollapser& file_collapser_;
  const ProcessTable& processes_;
  Settings settings_;
  MmSlots& slots_;
  MmSlots::Iterator current_ =
      slots_.end();  // khugepaged_scan.mm_slot; end: the next scan begins at the head
  Vpn address_{0};   // where it goes on in that one
  std::map<uint64_t, sim::Completion*> sleepers_;  // khugepaged_wait, by number of the sleep
  uint64_t sleeps_ = 0;                            // so many were begun
  int timers_ = 0;
  bool as_thread_ = false;
  bool running_ = false;   // there is a thread
  uint64_t stops_ = 0;     // a thread that was started before the last one is to end
  bool scanning_ = false;  // a path is in DoScan()
  bool visiting_ = false;  // the path is at the process of `current_`
  std::array<int64_t, ThpCounter_ARRAYSIZE> counters_ = {};
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_KHUGEPAGED_H_
