// The threads that run the LPs of a window together: the caller and long-lived workers hosted by TBB. Made by
// the run loop for the length of one Run.
//
// Every thread has a list of items of its own, so that an LP's state stays in one CPU's cache, and takes what
// is left on the others' lists when its own is done. The caller takes part, so a worker that the machine
// gives no time to costs nothing but its help. Workers spin for some microseconds between windows, then
// yield, then sleep until the next window, so that a team without work takes no CPU from anyone.
#ifndef NUMASIM_SIM_WORKER_TEAM_H_
#define NUMASIM_SIM_WORKER_TEAM_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "sim/tbb_host.h"

namespace numasim::sim::internal {

class WorkerTeam {
 public:
  // Called with the thread that calls it, 0 .. threads - 1, and an item.
  using Job = std::function<void(size_t thread, uint32_t item)>;

  // threads >= 2, the caller among them.
  WorkerTeam(int threads, Job job);
  ~WorkerTeam();
  WorkerTeam(const WorkerTeam&) = delete;
  WorkerTeam& operator=(const WorkerTeam&) = delete;

  size_t threads() const { return slots_.size(); }

  // Adds an item for thread `t` in the next round; the caller is thread 0.
  void Add(size_t t, uint32_t item) {
    Slot& slot = slots_[t];
    if (slot.count < kNear) {
      slot.near[slot.count] = item;
    } else {
      slot.far.push_back(item);
    }
    ++slot.count;
  }
  bool HasItems(size_t t) const { return slots_[t].count > 0; }

  // Does all items of all lists, and empties them. What the caller wrote before, the job sees; what the job
  // wrote, the caller sees after.
  void Run();

 private:
  static constexpr uint32_t kNear = 12;

  // What a thread reads at the start of a round is mostly one cache line.
  struct alignas(64) Slot {
    // The round in the upper 24 bits, how many items in 20, the next to claim in 20.
    std::atomic<uint64_t> claims{0};
    uint32_t near[kNear];
    uint32_t count = 0;
    std::vector<uint32_t> far;  // the items after kNear
    uint32_t item(size_t i) const { return i < kNear ? near[i] : far[i - kNear]; }
  };
  static void Host(void* team, size_t self);
  void TellHandedOver();
  void TellTakenOver();
  void Work(size_t self);
  // Which items of another's list to take.
  enum class Help { kIfLate, kAlways };
  size_t RunClaimed(size_t self, Help help);
  void HelpOut(size_t self, Help help);
  bool IdleUntil(size_t self, uint64_t seen_round);

  Job job_;
  std::vector<Slot> slots_;
  uint32_t round_ = 0;
  alignas(64) std::atomic<bool> stop_{false};
  alignas(64) std::atomic<size_t> done_{0};
  alignas(64) std::atomic<uint32_t> asleep_{0};
  std::atomic<uint32_t> wake_{0};
  std::unique_ptr<TbbHost> host_;
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_WORKER_TEAM_H_
