// OomKiller: ends a process where an allocation finds nothing and nothing can be reclaimed (out_of_memory,
// mm/oom_kill.c, Linux 6.1): the one with the most pages of those that may have memory on the nodes that were
// asked. On the global LP with its list of victims; it visits processes at home.
//
// A victim in a call sees at its end, or at the next page that it touches, that it was killed, and exits. One
// that does nothing meanwhile is reaped by a path of its own. As long as a victim is not gone, others wait
// for its memory, unless it may not have any where they may.
//
// Here an exit gives back what the address space has. What a script's process holds beside it (names of
// files, pipes) goes when the script comes to its next line.
#ifndef NUMASIM_MODELS_OOM_OOM_KILLER_H_
#define NUMASIM_MODELS_OOM_OOM_KILLER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "models/address_space/process.h"
#include "models/address_space/process_table.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/physical/pressure.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

class OomKiller {
 public:
  // Makes a process exit that nobody else does anything with, on the LP of its node, where it ends too.
  using Reap = std::function<sim::Task<void>(sim::Path&, Process&)>;

  OomKiller(MemorySystem& memory, const ProcessTable& processes) : memory_(memory), processes_(processes) {}
  void SetReap(Reap reap) { reap_ = std::move(reap); }

  // out_of_memory(), for a request that found nothing. May begin on any LP, and ends on any.
  sim::Task<OomAnswer> Kill(sim::Path& path, const AllocRequest& request);

 private:
  // A process as the kernel's table shows it.
  struct Candidate {
    TaskId id;
    uint64_t birth;
    std::string name;
    int64_t pages = 0;  // resident, and its page tables
    int adj = 0;        // oom_score_adj
    std::vector<int64_t> node_pages;
  };
  struct Victim {
    TaskId id;
    uint64_t birth;
  };

  void ForgetGone();
  bool IsVictim(TaskId task) const;
  bool Constrained(const AllocRequest& request) const;
  // What select_bad_process() finds.
  struct Selection {
    std::vector<Candidate> candidates;  // those with the most points first
    bool victim_goes = false;           // a victim is about to leave memory to the request
  };
  int64_t TotalPages(const AllocRequest& request) const;
  sim::Task<Selection> Select(sim::Path& path, const AllocRequest& request);
  Candidate Look(const Process& process, uint64_t birth) const;
  sim::Task<bool> KillProcess(sim::Path& path, const Candidate& victim, const AllocRequest& request,
                              const std::vector<Candidate>& candidates);
  void StartReaper(sim::Path& path, Process& process);
  NodeMask AskedNodes(const AllocRequest& request) const;
  void Report(sim::Path& path, const Candidate& victim, const AllocRequest& request,
              const std::vector<Candidate>& candidates) const;
  sim::Task<void> SleepOneTick(sim::Path& path) const;

  MemorySystem& memory_;
  const ProcessTable& processes_;
  Reap reap_;
  std::vector<Victim> victims_;  // not gone yet
  bool busy_ = false;            // oom_lock: somebody looks for a victim
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_OOM_OOM_KILLER_H_
