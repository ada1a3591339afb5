// Process: what runs on a CPU and owns an address space (struct task_struct with its mm; one thread). Owned
// by who starts it; lives on the LP of its CPU's node and moves there with it.
#ifndef NUMASIM_MODELS_ADDRESS_SPACE_PROCESS_H_
#define NUMASIM_MODELS_ADDRESS_SPACE_PROCESS_H_

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/address_space/address_space.h"
#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/mempolicy/mempolicy.h"

namespace numasim {

// Pages that a process holds beyond its mappings (pin_user_pages: O_DIRECT, RDMA), one for each page and time
// it was pinned.
struct PinnedPages {
  uint64_t id = 0;
  std::vector<Folio> pages;
  std::vector<Pfn> huge;  // of HugeTLB, by their heads
};

// The range of Process::oom_score_adj (OOM_SCORE_ADJ_MIN and _MAX).
struct OomScoreAdj {
  static constexpr int kNever = -1000;
  static constexpr int kMost = 1000;
};

struct Process {
  explicit Process(std::string process_name) : name(std::move(process_name)) {}

  std::string name;
  uint16_t id = 0;        // below pid_max
  uint16_t anon_vma = 0;  // names it in FrameOwner, for the pages that it faults in (AnonVmas)
  CpuId cpu{0};
  MemPolicy policy;               // set_mempolicy
  int oom_score_adj = 0;          // thousandths of the memory that an OOM killer adds to its pages
  NodeId il_prev{kMaxNodes - 1};  // where interleaved allocations without an address were last
  AddressSpace space;
  // Two pages: with page table isolation, as x86-64 is built, the second is what the CPU uses in user mode
  // (PGD_ALLOCATION_ORDER).
  std::optional<Folio> pgd;
  std::vector<Folio> base_tables;  // the tables of text and stack
  TaskId task = kNoTask;  // whose path asks for its memory: its parent's, until it can be killed itself
  std::deque<PinnedPages> pins;  // the oldest first: by rising id
  uint64_t next_pin = 1;
  bool in_khugepaged = false;   // MMF_VM_HUGEPAGE: khugepaged looks for what it can collapse
  bool huge_zero_page = false;  // MMF_HUGE_ZERO_PAGE: has mapped it
  int64_t zero_page_refs = 0;   // and its references to it (ZeroPageRefs)
  int visitors = 0;             // paths of others that are here and hold or wait for its locks
  bool exiting = false;         // nobody uses it any more (mm_users is 0)
  bool in_call = false;         // its own path is in a call of it, and so looks for signals at the end
  bool killed = false;          // SIGKILL is pending
  bool alive = false;
};

// get_vma_policy(): the mapping's own, else the process's.
inline const MemPolicy& PolicyOf(const Process& process, const Vma& vma) {
  return vma.policy.IsDefault() ? process.policy : vma.policy;
}

// The placement of what a process allocates for no address, page tables and page cache above all: its own
// turn where it interleaves (interleave_nodes).
inline Placement PlaceForTask(Process& process, NodeId local) {
  if (process.policy.mode != MemPolicy::Mode::kInterleave) return PlaceNear(process.policy, local);
  process.il_prev = process.policy.nodes.NextAfter(process.il_prev);
  return {process.il_prev, NodeMask::All(), true};
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_ADDRESS_SPACE_PROCESS_H_
