// What lock_stat shows in a real kernel: how often a class of locks was taken, how often someone had to wait,
// and for how long. Locks of one name on one LP are one class, as in lockdep, so locks may come and go; they
// are of one kind. Owned by the LP.
#ifndef NUMASIM_SIM_LOCK_STATS_H_
#define NUMASIM_SIM_LOCK_STATS_H_

#include <cstdint>
#include <string>

#include "sim/histogram.h"

namespace numasim::sim {

struct LpId {
  int32_t value = 0;
  friend constexpr auto operator<=>(LpId, LpId) = default;
};

enum class LockKind { kSpinLock, kMutex, kRwSem };

// As a trace names it.
inline const char* LockKindName(LockKind kind) {
  switch (kind) {
    case LockKind::kSpinLock:
      return "spinlock";
    case LockKind::kMutex:
      return "mutex";
    case LockKind::kRwSem:
      return "rwsem";
  }
  return "";
}

struct LockStats {
  std::string name;
  LockKind kind = LockKind::kSpinLock;
  LpId lp;
  uint64_t acquisitions = 0;  // also successful trylocks
  uint64_t contended = 0;     // of these, had to wait
  uint64_t try_failed = 0;
  Histogram wait;  // ns of simulated time, each acquisition that had to wait
  Histogram hold;  // ns of simulated time, each release
};

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_LOCK_STATS_H_
