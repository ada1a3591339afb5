#include "models/reclaim/shrinkers.h"

#include <algorithm>
#include <utility>

#include "models/physical/without_cpu.h"

namespace numasim {

void Shrinkers::Register(Shrinker& shrinker) {
  all_.push_back({&shrinker, std::vector<int64_t>(static_cast<size_t>(memory_.node_count()))});
}

// do_shrink_slab(), for DEFAULT_SEEKS: objects that are made again at the cost of two disk reads.
sim::Task<Shrinker::Freed> Shrinkers::ShrinkOne(sim::Path& path, Node& node, int priority, CpuId cpu,
                                                Registered& registered) {
  Shrinker& shrinker = *registered.shrinker;
  Shrinker::Freed freed;
  const int64_t there = co_await shrinker.Count(path, node);
  if (there == 0) co_return freed;
  int64_t& put_off = registered.put_off[static_cast<size_t>(node.id.value)];
  const int64_t from_before = std::exchange(put_off, 0);
  const int64_t due = (there >> priority) * 2;
  int64_t left = std::min((from_before >> priority) + due, there * 2);
  int64_t scanned = 0;
  while (left >= Shrinker::kBatch || left >= there) {
    const int64_t part = std::min(left, Shrinker::kBatch);
    const Shrinker::Freed by_part = co_await shrinker.Scan(path, node, part, cpu);
    if (by_part.stop) break;
    freed.Add(by_part);
    node.counter(SLABS_SCANNED) += part;
    left -= part;
    scanned += part;
    co_await CondResched(path);
  }
  put_off += std::clamp<int64_t>(from_before + due - scanned, 0, there * 2);
  co_return freed;
}

sim::Task<Shrinker::Freed> Shrinkers::Shrink(sim::Path& path, Node& node, int priority, CpuId cpu) {
  Shrinker::Freed freed;
  for (Registered& registered : all_) {
    if (registered.shrinker->MayScan(node, priority))
      freed.Add(co_await ShrinkOne(path, node, priority, cpu, registered));
  }
  co_return freed;
}

// drop_slab_node() of each node: round after round, until one brings too little. Each has to bring twice as
// much as the one before.
sim::Task<void> Shrinkers::Drop(sim::Path& path, CpuId cpu) {
  const sim::LpId home = path.lp();
  for (int n = 0; n < memory_.node_count(); ++n) {
    Node& node = memory_.node(NodeId{n});
    co_await path.GoTo(node.lp, memory_.costs().hop);
    int shift = 0;
    Shrinker::Freed freed;
    do {
      freed = co_await Shrink(path, node, 0, cpu);
    } while ((freed.objects >> shift++) > 1);
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

}  // namespace numasim
