#include "sim/lp.h"

#include "sim/path.h"

namespace numasim::sim::internal {

PathStore::PathStore() = default;
PathStore::~PathStore() = default;

Path* PathStore::New() {
  if (free_ == nullptr) {
    chunks_.emplace_back(new Path[kChunk]);
    for (size_t i = kChunk; i-- > 0;) {
      chunks_.back()[i].next_free_ = free_;
      free_ = &chunks_.back()[i];
    }
  }
  Path* const path = free_;
  free_ = path->next_free_;
  path->live_ = true;
  return path;
}

void PathStore::Free(Path* path) {
  path->live_ = false;
  path->next_free_ = free_;
  free_ = path;
}

void Lp::RunBefore(int64_t until) {
  horizon = until;
  while (queue.NextTime() < horizon) {
    const Event event = queue.Pop();
    NUMASIM_DCHECK_GE(event.time, now);
    now = event.time;
    limit = std::min(queue.NextTime(), horizon);
    ++events;
    event.path->Resume();
    if (failed) [[unlikely]]
      return;
  }
}

LockStats* Lp::StatsOf(std::string_view lock_name) {
  const auto found = lock_stats_by_name.find(lock_name);
  if (found != lock_stats_by_name.end()) return found->second;
  LockStats& stats = lock_stats.emplace_back();
  stats.name = lock_name;
  stats.lp = id;
  lock_stats_by_name.emplace(lock_name, &stats);
  return &stats;
}

}  // namespace numasim::sim::internal
