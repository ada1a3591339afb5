#include "models/reclaim/reclaim.h"

#include <algorithm>

#include "models/compaction/suitability.h"
#include "models/physical/drain_pages.h"
#include "models/reclaim/zone_balance.h"

namespace numasim {
namespace {

// compaction_ready(): the zone has the block, or so much free that reclaim would bring it no nearer.
bool ReadyForCompaction(const Zone& zone, int order, ZoneType highest, int extfrag_threshold) {
  const Suitability suits = SuitableForCompaction(zone, {order, highest, {}}, extfrag_threshold);
  if (suits != Suitability::kContinue) return suits == Suitability::kUnneeded;
  const int64_t mark = zone.Mark(kAllocWmarkHigh) + CompactionGap(order);
  return zone.WatermarkOk(mark, 0, highest, {}, zone.buddy().free_pages());
}

}  // namespace

std::vector<NodeId> Reclaim::NodesOf(const AllocRequest& request) const {
  std::vector<NodeId> nodes;
  for (const Zone* const zone : memory_.Zonelist(request.preferred, GfpZone(request.gfp))) {
    if (request.Allows(zone->node()) && (nodes.empty() || nodes.back() != zone->node()))
      nodes.push_back(zone->node());
  }
  return nodes;
}

// wake_all_kswapds(). On other nodes the call takes a hop; as long as one is under way another one like it
// would find the same.
void Reclaim::WakeKswapds(sim::Path& path, const AllocRequest& request) {
  const Kswapds::Want want{request.order, GfpZone(request.gfp), request.gfp.Has(kGfpDirectReclaim)};
  for (const NodeId id : NodesOf(request)) {
    Node& node = memory_.node(id);
    if (node.lp == path.lp()) {
      kswapds_.WakeUp(path, node, want);
      continue;
    }
    Call& call = under_way_[static_cast<size_t>(path.lp().value)][static_cast<size_t>(id.value)];
    if (path.now() < call.arrives && call.Covers(want)) continue;
    call = {Later(path.now(), memory_.costs().hop), want};
    path.Start(node.lp, memory_.costs().hop, "wakeup_kswapd",
               [this, &node, want](sim::Path& there) -> sim::Task<void> {
                 kswapds_.WakeUp(there, node, want);
                 co_return;
               });
  }
}

// wakeup_kswapd(zone, 0, 0, zone_idx(zone))
void Reclaim::WakeKswapd(sim::Path& path, const Zone& zone) {
  kswapds_.WakeUp(path, memory_.node(zone.node()), {0, zone.type(), /*may_reclaim=*/false});
}

// do_try_to_free_pages()
sim::Task<int64_t> Reclaim::DirectReclaim(sim::Path& path, const AllocRequest& request) {
  const std::vector<NodeId> nodes = NodesOf(request);
  if (nodes.empty()) co_return 0;
  ScanControl sc;
  sc.order = request.order;
  sc.highest = GfpZone(request.gfp);
  sc.cpu = request.cpu;
  co_await path.GoTo(memory_.node(nodes.front()).lp, memory_.costs().hop);
  int64_t progress = co_await Round(path, request, nodes, sc);
  if (progress == 0 && sc.skipped_deactivate) {
    sc.force_deactivate = true;
    progress = co_await Round(path, request, nodes, sc);
  }
  if (progress == 0) co_return 0;
  for (const NodeId id : nodes) {
    Node& node = memory_.node(id);
    co_await path.GoTo(node.lp, memory_.costs().hop);
    shrinker_.Snapshot(node);
    co_await DrainWhereShort(path, request, node);
  }
  co_return progress;
}

// Every priority in turn, until there is enough: each time shrink_zones().
sim::Task<int64_t> Reclaim::Round(sim::Path& path, const AllocRequest& request,
                                  const std::vector<NodeId>& nodes, ScanControl& sc) {
  const bool costly = request.order > kCostlyOrder;
  for (sc.priority = ScanControl::kFirstPriority; sc.priority >= 0; --sc.priority) {
    bool ready = false;
    for (const NodeId id : nodes) {
      Node& node = memory_.node(id);
      co_await path.GoTo(node.lp, memory_.costs().hop);
      bool shrink = false;
      for (const Zone& zone : ManagedZones(node, sc.highest)) {
        const bool suits =
            costly && ReadyForCompaction(zone, request.order, sc.highest, node.vm.extfrag_threshold);
        ready |= suits;
        shrink |= !suits;
      }
      if (shrink) co_await shrinker_.Shrink(path, node, sc);
    }
    if (sc.reclaimed >= sc.to_reclaim) break;
    if (ready) co_return std::max<int64_t>(sc.reclaimed, 1);
  }
  co_return sc.reclaimed;
}

// drain_all_pages(): what came free lies on PCP lists, where the watermarks do not see it, nor merges.
sim::Task<void> Reclaim::DrainWhereShort(sim::Path& path, const AllocRequest& request, Node& node) {
  const ZoneType highest = GfpZone(request.gfp);
  for (const auto& zone : node.zones) {
    if (zone == nullptr || zone->type() > highest ||
        zone->WatermarkOk(request.order, highest, kAllocWmarkMin | kAllocCma))
      continue;
    co_await DrainAllPages(path, memory_.costs(), *zone);
  }
}

}  // namespace numasim
