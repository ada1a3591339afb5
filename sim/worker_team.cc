#include "sim/worker_team.h"

#include <thread>
#include <utility>

#include "sim/check.h"
#include "sim/tbb_host.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NUMASIM_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define NUMASIM_TSAN 1
#endif
#if defined(NUMASIM_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace numasim::sim::internal {
namespace {

constexpr int kItemBits = 20;
constexpr uint64_t kItemMask = (uint64_t{1} << kItemBits) - 1;

// A pause is 10 to 50 ns; so about 5 to 20 us of spinning and, each being a system call, some 50 us of
// yielding.
constexpr int kSpins = 400;
constexpr int kYields = 100;

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

// What TBB orders and ThreadSanitizer cannot see: a worker starts after the team that it is given, and the
// team ends after its workers.
void WorkerTeam::TellHandedOver() {
#if defined(NUMASIM_TSAN)
  __tsan_release(&job_);
#endif
}

void WorkerTeam::TellTakenOver() {
#if defined(NUMASIM_TSAN)
  __tsan_acquire(&job_);
#endif
}

WorkerTeam::WorkerTeam(int threads, Job job) : job_(std::move(job)), slots_(static_cast<size_t>(threads)) {
  NUMASIM_CHECK_GE(threads, 2);
  TellHandedOver();
  host_ = std::make_unique<TbbHost>(slots_.size(), &WorkerTeam::Host, this);
}

WorkerTeam::~WorkerTeam() {
  stop_.store(true);
  wake_.fetch_add(1);
  wake_.notify_all();
  host_->Wait();
  TellTakenOver();
}

void WorkerTeam::Host(void* team, size_t self) {
  auto* const worker_team = static_cast<WorkerTeam*>(team);
  worker_team->TellTakenOver();
  worker_team->Work(self);
  worker_team->TellHandedOver();
}

// Runs what it can claim, its own list first; returns how many.
size_t WorkerTeam::RunClaimed(size_t self) {
  size_t count = 0;
  for (size_t k = 0; k < slots_.size(); ++k) {
    Slot& slot = slots_[(self + k) % slots_.size()];
    uint64_t claims = slot.claims.load(std::memory_order_acquire);
    while ((claims & kItemMask) < ((claims >> kItemBits) & kItemMask)) {
      if (!slot.claims.compare_exchange_weak(claims, claims + 1, std::memory_order_acq_rel)) continue;
      job_(slot.items[claims & kItemMask]);
      ++count;
      claims = slot.claims.load(std::memory_order_acquire);
    }
  }
  return count;
}

// False when the team is to stop.
bool WorkerTeam::IdleUntil(uint32_t seen_round) {
  for (int i = 0; i < kSpins + kYields; ++i) {
    if (stop_.load(std::memory_order_relaxed)) return false;
    if (round_.load(std::memory_order_acquire) != seen_round) return true;
    i < kSpins ? Pause() : std::this_thread::yield();
  }
  const uint32_t wake = wake_.load();
  asleep_.fetch_add(1);
  // Run stores the round before it looks for sleepers, so one of the two sees the other.
  if (round_.load() == seen_round && !stop_.load()) wake_.wait(wake);
  asleep_.fetch_sub(1);
  return !stop_.load();
}

void WorkerTeam::Work(size_t self) {
  uint32_t seen_round = 0;
  for (;;) {
    if (!IdleUntil(seen_round)) return;
    seen_round = round_.load(std::memory_order_acquire);
    if (const size_t count = RunClaimed(self)) done_.fetch_add(count, std::memory_order_acq_rel);
  }
}

void WorkerTeam::Run() {
  size_t total = 0;
  done_.store(0, std::memory_order_relaxed);
  const uint32_t round = round_.load(std::memory_order_relaxed) + 1;
  for (Slot& slot : slots_) {
    total += slot.items.size();
    slot.claims.store((uint64_t{round} << (2 * kItemBits)) | (uint64_t{slot.items.size()} << kItemBits),
                      std::memory_order_release);
  }
  round_.store(round);
  if (asleep_.load() > 0) {
    wake_.fetch_add(1);
    wake_.notify_all();
  }
  const size_t mine = RunClaimed(0);
  if (mine > 0) done_.fetch_add(mine, std::memory_order_acq_rel);
  for (int i = 0; done_.load(std::memory_order_acquire) != total; ++i) {
    i < kSpins ? Pause() : std::this_thread::yield();
  }
  for (Slot& slot : slots_) slot.items.clear();
}

}  // namespace numasim::sim::internal
