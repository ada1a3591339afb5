#include "sim/worker_team.h"

#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <optional>
#include <thread>
#include <utility>

#include "sim/check.h"

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

struct WorkerTeam::Host {
  explicit Host(int threads) : arena(threads) {
    // TBB's default is a worker for each CPU but one. Only a test asks for more.
    if (threads > tbb::info::default_concurrency()) {
      limit.emplace(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(threads));
    }
  }

  std::optional<tbb::global_control> limit;
  tbb::task_arena arena;
  tbb::task_group group;
};

WorkerTeam::WorkerTeam(int threads, Job job)
    : job_(std::move(job)), slots_(static_cast<size_t>(threads)), host_(std::make_unique<Host>(threads)) {
  NUMASIM_CHECK_GE(threads, 2);
  host_->arena.execute([this] {
    for (size_t t = 1; t < slots_.size(); ++t) host_->group.run([this, t] { Work(t); });
  });
}

WorkerTeam::~WorkerTeam() {
  stop_.store(true);
  wake_.fetch_add(1);
  wake_.notify_all();
  // A worker that TBB never started runs here and ends at once.
  host_->arena.execute([this] { host_->group.wait(); });
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
