#include "models/thp/thp_shrinkers.h"

#include <array>

namespace numasim {

// At higher priorities less than a batch of its pages would be looked at, all put off included.
bool HugeZeroPageShrinker::MayScan(const Node& /*node*/, int priority) const {
  constexpr int64_t kMostPutOff = kPageblockPages * 2;
  return page_.counted() && ((kMostPutOff + kMostPutOff) >> priority) >= kBatch;
}

sim::Task<int64_t> HugeZeroPageShrinker::Count(sim::Path& path, Node& node) {
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  const int64_t pages = page_.unused() ? kPageblockPages : 0;
  co_await path.GoTo(node.lp, memory_.costs().hop);
  co_return pages;
}

sim::Task<Shrinker::Freed> HugeZeroPageShrinker::Scan(sim::Path& path, Node& node, int64_t /*objects*/,
                                                      CpuId cpu) {
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  const std::array<Pfn, 1> page = {page_.Shrink()};
  Freed freed;
  if (page.front() != kNoPfn) {
    freed.objects = kPageblockPages;
    co_await allocator_.FreeBlocks(path, cpu, kPageblockOrder, page);
  }
  co_await path.GoTo(node.lp, memory_.costs().hop);
  co_return freed;
}

// The others' queues are guessed to be as long as this node's; at low priorities they are looked at anyway.
// Below one object nothing is due, and nothing is put off either.
bool DeferredSplitShrinker::MayScan(const Node& node, int priority) const {
  constexpr int kLookAnyway = 2;
  const int64_t guess = node.split_queue.size() * memory_.node_count();
  return priority <= kLookAnyway || (guess >> priority) > 0;
}

sim::Task<int64_t> DeferredSplitShrinker::Count(sim::Path& path, Node& node) {
  int64_t pages = 0;
  for (int i = 0; i < memory_.node_count(); ++i) {
    const Node& other = OtherOf(node, i);
    co_await path.GoTo(other.lp, memory_.costs().hop);
    pages += other.split_queue.size();
  }
  co_await path.GoTo(node.lp, memory_.costs().hop);
  co_return pages;
}

sim::Task<Shrinker::Freed> DeferredSplitShrinker::Scan(sim::Path& path, Node& node, int64_t objects,
                                                       CpuId cpu) {
  Freed freed;
  bool some_left = false;
  for (int i = 0; i < memory_.node_count() && objects > 0; ++i) {
    Node& other = OtherOf(node, i);
    co_await path.GoTo(other.lp, memory_.costs().hop);
    const ThpSplitter::Queued queued = co_await splitter_.SplitQueued(path, cpu, other, objects);
    objects -= queued.tried;
    freed.objects += queued.split;
    some_left |= !other.split_queue.empty();
  }
  co_await path.GoTo(node.lp, memory_.costs().hop);
  freed.stop = freed.objects == 0 && !some_left;
  co_return freed;
}

}  // namespace numasim
