// Runs windows by several threads. Made and owned by the run loop for the length of one Run.
//
// Each LP lives with a thread, which runs it unless it is late. The thread that waits for the others does as
// little as it can alone: messages are sorted by where the destination lives when they are sent, and put into
// the queues there at the start of the next window, since there the queues are in the cache. So between two
// windows only the times of the LPs' next events are merged.
#ifndef NUMASIM_SIM_TEAM_RUNNER_H_
#define NUMASIM_SIM_TEAM_RUNNER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sim/lane.h"
#include "sim/lp.h"
#include "sim/worker_team.h"

namespace numasim::sim::internal {

// How far each LP may run in a window.
struct Horizons {
  int64_t first;  // of the LP that may be the first to send
  int64_t others;
};

class TeamRunner {
 public:
  static constexpr uint32_t kNoLp = ~uint32_t{0};

  // `next` is by LP the time of its next event, `out` that of the first that may send: they are kept up to
  // date.
  TeamRunner(int threads, std::span<const std::unique_ptr<Lp>> lps, std::span<int64_t> next,
             std::span<int64_t> out);

  // Runs the LPs `active`; `first` is the one that may be the first to send, kNoLp if
  // that is none of them. Returns how many events ran.
  // `timed`: cpu_ns() is wanted.
  uint64_t Run(std::span<const uint32_t> active, uint32_t first, const Horizons& horizons, bool timed);

  // The LPs that failed in the last window.
  std::span<const uint32_t> failed() const { return failed_; }
  // CPU time of the host that the LPs took, in all threads.
  int64_t cpu_ns() const { return cpu_ns_; }
  // Whether any of those that ran has pledges.
  bool pledges() const { return pledges_; }

  // Puts the messages of the last window into the queues; before a window is run in another way.
  void Deliver();

 private:
  // An item of work that is not an LP: only to take the mail for a thread's LPs.
  static constexpr uint32_t kOnlyMail = uint32_t{1} << 31;

  struct alignas(64) ThreadPart {
    Lane lane;
    // Of even and odd windows, by thread: one is filled while the other is taken.
    std::vector<Mailbox> mail[2];
    // Twice the window in which the mail for the LPs that live here is being taken; one more when it is
    // taken.
    alignas(64) std::atomic<uint64_t> taken{0};
  };

  void DoItem(size_t thread, uint32_t item);
  void BeginWindow(ThreadPart& part);
  // Returns when the last window's mail for the LPs that live here is in their queues. Whoever comes first
  // does it.
  void EnsureMailTaken(size_t home);
  void TakeMail(size_t home, uint64_t window);
  // Deals the LPs out to the threads so that each has about the same number of events. While there is no
  // mail.
  void DealHomes();
  void DealWork(std::span<const uint32_t> active);
  uint64_t Merge(std::span<const uint32_t> active);

  std::span<const std::unique_ptr<Lp>> lps_;
  std::span<int64_t> next_;
  std::span<int64_t> out_;
  std::vector<ThreadPart> parts_;
  std::vector<uint32_t> home_;          // by LP: the thread it lives with
  std::vector<uint64_t> dealt_events_;  // by LP: its events when the homes were dealt
  std::vector<uint32_t> failed_;
  bool pledges_ = false;
  int64_t cpu_ns_ = 0;
  uint64_t mail_for_ = 0;  // a bit for each thread with mail from the last window

  // What the threads read in a window.
  struct alignas(64) Order {
    Horizons horizons{};
    uint32_t first = 0;
    bool timed = false;
    uint64_t window = 0;  // counts from 1
  };
  Order order_;

  WorkerTeam team_;  // ends first
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_TEAM_RUNNER_H_
