#include "sim/lp.h"

#include "sim/check.h"
#include "sim/path.h"

namespace numasim::sim::internal {

// What every step of a path touches lies apart from the rest, so that a cache holds more paths.
struct PathStore::Chunk {
  static constexpr size_t kPaths = 32;
  Path paths[kPaths];
  PathRecord records[kPaths];
};

PathStore::PathStore() = default;
PathStore::~PathStore() = default;

Path* PathStore::New() {
  if (free_ == nullptr) {
    chunks_.push_back(std::make_unique<Chunk>());
    Chunk& chunk = *chunks_.back();
    for (size_t i = Chunk::kPaths; i-- > 0;) {
      chunk.paths[i].record_ = &chunk.records[i];
      chunk.records[i].next_free = free_;
      free_ = &chunk.paths[i];
    }
  }
  Path* const path = free_;
  free_ = path->record_->next_free;
  path->record_->live = true;
  return path;
}

void PathStore::Free(Path* path) {
  path->record_->live = false;
  path->record_->next_free = free_;
  free_ = path;
}

void PathStore::ForEachLive(const std::function<void(Path&)>& f) const {
  for (const auto& chunk : chunks_) {
    for (Path& path : chunk->paths) {
      if (path.record_->live) f(path);
    }
  }
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

LockStats* LpRecord::StatsOf(LpId lp, LockKind kind, std::string_view lock_name) {
  const auto found = lock_stats_by_name.find(lock_name);
  if (found != lock_stats_by_name.end()) {
    NUMASIM_CHECK_EQ(static_cast<int>(found->second->kind), static_cast<int>(kind));
    return found->second;
  }
  LockStats& stats = lock_stats.emplace_back();
  stats.name = lock_name;
  stats.kind = kind;
  stats.lp = lp;
  lock_stats_by_name.emplace(lock_name, &stats);
  return &stats;
}

}  // namespace numasim::sim::internal
