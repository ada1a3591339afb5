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
constexpr uint32_t kRoundMask = (1u << 24) - 1;

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
size_t WorkerTeam::RunClaimed(size_t self, Help help) {
  size_t ran = 0;
  for (size_t k = 0; k < slots_.size(); ++k) {
    Slot& slot = slots_[(self + k) % slots_.size()];
    uint64_t claims = slot.claims.load(std::memory_order_acquire);
    for (;;) {
      const uint64_t taken = claims & kItemMask;
      const uint64_t count = (claims >> kItemBits) & kItemMask;
      if (taken == count) break;
      const bool late = taken == 0 || count - taken > 1 + count / 8;
      if (k > 0 && help == Help::kIfLate && !late) break;
      if (!slot.claims.compare_exchange_weak(claims, claims + 1, std::memory_order_acq_rel)) continue;
      job_(self, slot.item(taken));
      ++ran;
      claims = slot.claims.load(std::memory_order_acquire);
    }
  }
  return ran;
}

void WorkerTeam::HelpOut(size_t self, Help help) {
  if (const size_t ran = RunClaimed(self, help)) done_.fetch_add(ran, std::memory_order_acq_rel);
}

// False when the team is to stop.
bool WorkerTeam::IdleUntil(size_t self, uint64_t seen_round) {
  const std::atomic<uint64_t>& claims = slots_[self].claims;
  const auto has_begun = [&](std::memory_order order) {
    return claims.load(order) >> (2 * kItemBits) != seen_round;
  };
  for (int i = 0; i < kSpins + kYields; ++i) {
    if (has_begun(std::memory_order_acquire)) return true;
    if (stop_.load(std::memory_order_relaxed)) return false;
    // By now the others have much left, if anything.
    if (i == kSpins) HelpOut(self, Help::kAlways);
    i < kSpins ? Pause() : std::this_thread::yield();
  }
  const uint32_t wake = wake_.load();
  asleep_.fetch_add(1);
  // Run begins the round before it looks for sleepers, so one of the two sees the other.
  if (!has_begun(std::memory_order_seq_cst) && !stop_.load()) wake_.wait(wake);
  asleep_.fetch_sub(1);
  return !stop_.load();
}

void WorkerTeam::Work(size_t self) {
  uint64_t seen_round = 0;
  const std::atomic<uint64_t>& claims = slots_[self].claims;
  while (IdleUntil(self, seen_round)) {
    seen_round = claims.load(std::memory_order_acquire) >> (2 * kItemBits);
    HelpOut(self, Help::kIfLate);
  }
}

void WorkerTeam::Run() {
  size_t total = 0;
  done_.store(0, std::memory_order_relaxed);
  round_ = (round_ + 1) & kRoundMask;
  for (Slot& slot : slots_) {
    total += slot.count;
    slot.claims.store((uint64_t{round_} << (2 * kItemBits)) | (uint64_t{slot.count} << kItemBits));
  }
  if (asleep_.load() > 0) {
    wake_.fetch_add(1);
    wake_.notify_all();
  }
  size_t mine = RunClaimed(0, Help::kIfLate);
  for (int i = 0; done_.load(std::memory_order_acquire) + mine != total; ++i) {
    if (i < kSpins) {
      Pause();
    } else {
      mine += RunClaimed(0, Help::kAlways);
      std::this_thread::yield();
    }
  }
  for (Slot& slot : slots_) {
    slot.count = 0;
    slot.far.clear();
  }
}

}  // namespace numasim::sim::internal
