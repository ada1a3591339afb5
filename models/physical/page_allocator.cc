#include "models/physical/page_allocator.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "models/physical/kernel_pages.h"
#include "models/physical/thp_page.h"
#include "models/physical/zone_costs.h"
#include "sim/check.h"

namespace numasim {
namespace {

// What free_tails_ns is for.
constexpr int64_t kTailsAtOnce = 64;

// The nodes that the request may be served from.
NodeMask AskedNodes(const AllocRequest& request) {
  return request.gfp.Has(kGfpThisNode) ? NodeMask::Of(request.preferred) : request.allowed;
}

// gfp_to_alloc_flags_cma()
AllocFlags CmaFlag(GfpFlags gfp) { return kAllocCma.If(GfpMigratetype(gfp) == Migratetype::kMovable); }

// How the fast path looks at zones.
AllocFlags FastPathFlags(GfpFlags gfp) {
  return kAllocWmarkLow | CmaFlag(gfp) | kAllocKswapd.If(gfp.Has(kGfpKswapdReclaim));
}

// The gauge that counts frames of this owner; NodeCounter_ARRAYSIZE if none does.
int GaugeOf(const FrameOwner& owner) {
  switch (owner.kind) {
    case FrameOwner::kAnon:
      return NR_ANON_PAGES;
    case FrameOwner::kShmem:
      return NR_SHMEM;
    case FrameOwner::kPageTable:
      return NR_PAGE_TABLE_PAGES;
    case FrameOwner::kKernel:
      return owner.object == kInSlabs ? NR_SLAB_RECLAIMABLE : NodeCounter_ARRAYSIZE;
    default:
      return NodeCounter_ARRAYSIZE;
  }
}

// folio_add_lru(). The target of a migration comes to the list when that is over.
void EnterLru(Node& node, const Zone& zone, FrameIndex frame, const AllocRequest& request) {
  Lru& lru = *node.lru;
  const Lru::Number page = lru.NumberOf(zone, frame);
  lru.Forget(page);
  lru.NoteHome(request.owner.object, request.file_home);
  if (request.migration_target) return;
  lru.Add(page, Lru::List::kInactive);
  node.lru_lock->Batch(request.cpu);
}

}  // namespace

AllocFlags SlowPathFlags(GfpFlags gfp) {
  return kAllocWmarkMin | CmaFlag(gfp) | kAllocMinReserve.If(gfp.Has(kGfpHigh)) |
         kAllocKswapd.If(gfp.Has(kGfpKswapdReclaim));
}

// Adds so many blocks that the owner has, or takes them away.
void PageAllocator::CountOwned(Node& node, const FrameOwner& owner, int order, int64_t blocks) {
  const int gauge = GaugeOf(owner);
  if (gauge != NodeCounter_ARRAYSIZE) node.counters[gauge] += blocks * (int64_t{1} << order);
  if (FrameOwner::OfFile(owner.kind)) node.counter(NR_FILE_PAGES) += blocks * (int64_t{1} << order);
  if (IsShmemThp(owner, order)) node.counter(NR_SHMEM_THPS) += blocks;
}

// alloc_flags_nofragment(): with a DMA32 zone to go to first, ZONE_NORMAL does not mix pageblocks. On the LP
// of the zone.
AllocFlags PageAllocator::NoFragment(const Zone& preferred) const {
  if (preferred.type() != ZoneType::kNormal) return {};
  const Zone* below = memory_.node(preferred.node()).zone(ZoneType::kDma32);
  const bool none_below = below == nullptr || below->present() == 0;
  return kAllocNoFragment.If(memory_.node_count() == 1 || !none_below);
}

// Before any time passes: from now on the frame is somebody's. Of a huge page nr_anon_pages counts what is
// mapped.
void PageAllocator::Own(Node& node, Zone& zone, FrameIndex frame, const AllocRequest& request) {
  zone.frames().owner(frame, request.order) = request.owner;
  CountOwned(node, request.owner, request.order, 1);
  // page_add_new_anon_rmap() of a huge page comes with it.
  if (IsAnonThp(request.owner, request.order)) {
    if (request.owner.mapcount > 0) ++node.counter(NR_ANON_THPS);
    if (request.owner.mapcount == 0) node.counter(NR_ANON_PAGES) -= kPageblockPages;
  }
  if (request.owner.kind == FrameOwner::kFile) EnterLru(node, zone, frame, request);
  if (!request.migration_target) return;
  zone.TakeRef(frame, request.order);
  zone.MarkMigrating(frame, request.order, true);
}

// The frame is nobody's any more (__page_cache_release).
void PageAllocator::Disown(Node& node, Zone& zone, FrameIndex frame, int order) {
  const FrameOwner& owner = zone.frames().owner(frame, order);
  if (IsAnonThp(owner, order)) CountUnmappedParts(node, ThpPage(zone.frames(), frame));
  CountOwned(node, owner, order, -1);
  if (owner.kind != FrameOwner::kFile) return;
  const Lru::Number page = node.lru->NumberOf(zone, frame);
  if (node.lru->IsOn(page)) node.lru->Remove(page);
}

void PageAllocator::DisownTarget(Node& node, Zone& zone, FrameIndex frame) {
  zone.MarkMigrating(frame, 0, false);
  NUMASIM_CHECK(zone.DropRef(frame, 0));
  Disown(node, zone, frame, 0);
}

// zone_statistics(), on the LP of the node that serves the request. numa_foreign is the preferred node's and
// is counted when the path leaves it, and taken back if it comes to be served there, or nowhere, after all.
void PageAllocator::CountAllocation(Node& node, NodeId preferred, const AllocRequest& request,
                                    int64_t count) const {
  const bool local = memory_.NodeOfCpu(request.cpu) == node.id;
  node.counter(local ? LOCAL_NODE : OTHER_NODE) += count;
  node.counter(node.id == preferred ? NUMA_HIT : NUMA_MISS) += count;
  if (request.interleave && node.id == request.preferred) node.counter(INTERLEAVE_HIT) += count;
}

Zone* PageAllocator::LocalZone(const Node& node, const AllocRequest& request) const {
  NUMASIM_DCHECK(PcpLists::Allowed(request.order));
  if (memory_.NodeOfCpu(request.cpu) != node.id || request.preferred != node.id ||
      !request.allowed.Has(node.id)) {
    return nullptr;
  }
  const ZoneType highest = GfpZone(request.gfp);
  const auto& zonelist = memory_.Zonelist(node.id, highest);
  const auto first = std::find_if(zonelist.begin(), zonelist.end(), [&](const Zone* zone) {
    return zone->node() != node.id || zone->present() > 0;
  });
  if (first == zonelist.end() || (*first)->node() != node.id) return nullptr;
  Zone& zone = **first;
  const bool above_low = zone.WatermarkOk(request.order, highest, kAllocWmarkLow | CmaFlag(request.gfp));
  return above_low ? &zone : nullptr;
}

Pfn PageAllocator::TryAllocLocal(Node& node, const AllocRequest& request) {
  Zone* const zone = LocalZone(node, request);
  if (zone == nullptr || zone->PcpNeedsRefill(request.cpu, request.order, GfpMigratetype(request.gfp)))
    return kNoPfn;
  const FrameIndex frame = zone->AllocPcp(request.cpu, request.order, GfpMigratetype(request.gfp), {}).frame;
  Own(node, *zone, frame, request);
  CountAllocation(node, node.id, request);
  return zone->frames().PfnOf(frame);
}

bool PageAllocator::MayRefill(const Zone& zone, const AllocRequest& request) {
  // With CMA areas it may be these that pages come from.
  if (zone.buddy().cma_pages() > 0) return false;
  const int64_t most = std::max(zone.pcp(request.cpu).batch, 1);
  return zone.WatermarkOk(zone.Mark(kAllocWmarkHigh), 0, GfpZone(request.gfp), {},
                          zone.buddy().free_pages() - most) &&
         zone.buddy().HasFree(GfpMigratetype(request.gfp), most);
}

PageAllocator::Refilled PageAllocator::Refill(sim::Path& path, Node& node, Zone& zone,
                                              const AllocRequest& request) const {
  NUMASIM_CHECK(zone.lock().TryAcquire(path));
  const AllocFlags flags = FastPathFlags(request.gfp) | NoFragment(zone);
  const Zone::PcpResult result = zone.AllocPcp(request.cpu, 0, GfpMigratetype(request.gfp), flags);
  NUMASIM_CHECK_NE(result.frame, kNilFrame);
  Own(node, zone, result.frame, request);
  return {zone.frames().PfnOf(result.frame),
          LockCost(memory_.costs(), zone, request.cpu) + RefillCost(memory_.costs(), result, 0)};
}

Pfn PageAllocator::TryAllocHere(const sim::Path& path, const AllocRequest& request) {
  Node& preferred = memory_.node(request.preferred);
  if (preferred.lp != path.lp() || !PcpLists::Allowed(request.order)) return kNoPfn;
  return TryAllocLocal(preferred, request);
}

sim::Task<Pfn> PageAllocator::Alloc(sim::Path& path, AllocRequest request) {
  const sim::LpId home = path.lp();
  if (const Pfn at_hand = TryAllocHere(path, request); at_hand != kNoPfn) {
    co_await path.Take(at_hand_cost());
    co_return at_hand;
  }
  Walk walk;
  Pfn pfn = co_await FromFreelist(path, request, FastPathFlags(request.gfp), walk);
  // A request that no zone fits has no preferred one.
  if (pfn == kNoPfn && walk.preferred != nullptr) {
    const AllocFlags flags = SlowPathFlags(request.gfp);
    if (pressure_ == nullptr) {
      pfn = co_await FromFreelist(path, request, flags, walk);
    } else {
      pfn = co_await SlowPath(path, request, flags, walk);
    }
    if (pfn == kNoPfn) {
      Node& wanted = memory_.node(walk.preferred->node());
      co_await path.HopTo(wanted.lp, memory_.costs().hop);
      if (walk.foreign) --wanted.counter(NUMA_FOREIGN);
      // __GFP_NOWARN: the caller has another way, and only fails if that does. One that dies is told of
      // already: Linux gives it a page of the reserves, which comes back at once.
      if (!request.gfp.Has(kGfpNoWarn) && !walk.dying) {
        ++wanted.counter(ALLOC_FAILED);
        memory_.LogFailure(path, {.kind = LogKind::kAllocationFailed,
                                  .error = Errno::kNoMem,
                                  .function = "__alloc_pages",
                                  .nodes = AskedNodes(request),
                                  .preferred = request.preferred,
                                  .order = request.order});
      }
    }
  }
  co_await path.HopTo(home, memory_.costs().hop);
  co_return pfn;
}

sim::Task<Pfn> PageAllocator::AllocPlaced(sim::Path& path, AllocRequest request, bool retry_anywhere) {
  if (retry_anywhere) {
    AllocRequest preferred = request;
    preferred.gfp = preferred.gfp.Without(kGfpDirectReclaim) | kGfpNoWarn;
    const Pfn pfn = co_await Alloc(path, preferred);
    if (pfn != kNoPfn) co_return pfn;
    request.allowed = NodeMask::All();
  }
  co_return co_await Alloc(path, request);
}

// As long as the first zone is above its low watermark there is nowhere else to look, and nothing to count
// but hits.
sim::Task<size_t> PageAllocator::AllocRun(sim::Path& path, const AllocRequest& request, std::span<Pfn> out) {
  NUMASIM_CHECK(request.gfp.Has(kGfpThisNode) && memory_.IsOn(path, request.preferred));
  Node& node = memory_.node(request.preferred);
  const ZoneType highest = GfpZone(request.gfp);
  const auto& zonelist = memory_.Zonelist(request.preferred, highest);
  const auto first = std::find_if(zonelist.begin(), zonelist.end(), [&](const Zone* z) {
    return z->node() == request.preferred && z->present() > 0;
  });
  if (first == zonelist.end()) co_return 0;
  Zone* const zone = *first;
  const AllocFlags flags = FastPathFlags(request.gfp) | NoFragment(*zone);
  for (size_t i = 0; i < out.size(); ++i) {
    if (!zone->WatermarkOk(request.order, highest, flags)) co_return i;
    const FrameIndex frame = co_await FromZone(path, *zone, request, flags);
    if (frame == kNilFrame) co_return i;
    out[i] = zone->frames().PfnOf(frame);
    CountAllocation(node, node.id, request);
  }
  co_return out.size();
}

// get_page_from_freelist()
sim::Task<Pfn> PageAllocator::FromFreelist(sim::Path& path, const AllocRequest& request,
                                           AllocFlags alloc_flags, Walk& walk) {
  const ZoneType highest = GfpZone(request.gfp);
  for (;;) {
    bool again = false;
    for (Zone* zone : memory_.Zonelist(request.preferred, highest)) {
      if (!request.Allows(zone->node())) continue;
      if (alloc_flags.Has(kAllocNoFragment) && memory_.node_count() > 1 &&
          zone->node() != walk.preferred->node()) {
        // Staying on the node matters more than keeping its pageblocks unmixed.
        again = true;
        break;
      }
      Node& node = memory_.node(zone->node());
      co_await path.GoTo(node.lp, memory_.costs().hop);
      if (zone->present() == 0) continue;  // the kernel's zonelists leave it out
      if (walk.preferred == nullptr) {
        walk.preferred = zone;
        alloc_flags |= NoFragment(*zone);
      }
      if (zone->WatermarkOk(request.order, highest, alloc_flags)) {
        const FrameIndex frame = co_await FromZone(path, *zone, request, alloc_flags);
        if (frame != kNilFrame) {
          CountAllocation(node, walk.preferred->node(), request);
          if (walk.foreign && node.id == walk.preferred->node()) --node.counter(NUMA_FOREIGN);
          co_return zone->frames().PfnOf(frame);
        }
      }
      // From here on it may go anywhere.
      path.VoidPledge();
      if (zone == walk.preferred && !walk.foreign) {
        ++node.counter(NUMA_FOREIGN);
        walk.foreign = true;
      }
      co_await path.Take(memory_.costs().zonelist);
    }
    if (!again && !alloc_flags.Has(kAllocNoFragment)) break;
    alloc_flags = alloc_flags.Without(kAllocNoFragment);
  }
  co_return kNoPfn;
}

// rmqueue()
sim::Task<FrameIndex> PageAllocator::FromZone(sim::Path& path, Zone& zone, const AllocRequest& request,
                                              AllocFlags alloc_flags) {
  const Costs& costs = memory_.costs();
  Node& node = memory_.node(zone.node());
  const Migratetype type = GfpMigratetype(request.gfp);
  if (PcpLists::Allowed(request.order)) {
    if (!zone.PcpNeedsRefill(request.cpu, request.order, type)) {
      const FrameIndex frame = zone.AllocPcp(request.cpu, request.order, type, alloc_flags).frame;
      Own(node, zone, frame, request);
      co_await path.Take(costs.pcp_alloc);
      co_return frame;
    }
    co_await zone.lock().Acquire(path);
    const Zone::PcpResult result = zone.AllocPcp(request.cpu, request.order, type, alloc_flags);
    if (result.frame != kNilFrame) Own(node, zone, result.frame, request);
    co_await path.Take(LockCost(costs, zone, request.cpu) + RefillCost(costs, result, request.order));
    zone.lock().Release(path);
    WakeIfBoosted(path, zone);
    co_await path.Take(costs.pcp_alloc);
    if (result.frame != kNilFrame) co_return result.frame;
  }
  co_await zone.lock().Acquire(path);
  const FrameIndex frame = zone.AllocBuddy(request.order, type, alloc_flags);
  if (frame != kNilFrame) Own(node, zone, frame, request);
  co_await path.Take(LockCost(costs, zone, request.cpu) + costs.buddy_block);
  zone.lock().Release(path);
  WakeIfBoosted(path, zone);
  co_await path.Take(costs.prep_page * (int64_t{1} << request.order));
  co_return frame;
}

void PageAllocator::WakeIfBoosted(sim::Path& path, Zone& zone) const {
  if (zone.TakeBoosted() && pressure_ != nullptr) pressure_->WakeKswapd(path, zone);
}

NodeId PageAllocator::NodeOf(Pfn pfn) const {
  const Zone* zone = memory_.ZoneOf(pfn);
  NUMASIM_CHECK(zone != nullptr);
  return zone->node();
}

std::vector<Folio> PageAllocator::ByNode(std::span<const Folio> pages) const {
  const auto number = [&](Folio page) { return static_cast<size_t>(NodeOf(page.head()).value); };
  std::array<size_t, kMaxNodes + 1> next = {};  // where each node's next page goes
  for (const Folio page : pages) ++next[number(page) + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<Folio> sorted(pages.size());
  for (const Folio page : pages) sorted[next[number(page)]++] = page;
  return sorted;
}

// How many pages from the first on are on its node.
size_t PageAllocator::CountOnOneNode(std::span<const Folio> pages) const {
  const Zone* zone = memory_.ZoneOf(pages.front().head());
  // Mostly all are in its zone: a loop without branches tells.
  const uint64_t first = zone->frames().start().value;
  const uint64_t size = zone->frames().end().value - first;
  bool all_here = true;
  for (const Folio page : pages) all_here &= page.head().value - first < size;
  if (all_here) return pages.size();
  const NodeId node = zone->node();
  Pfn start = zone->frames().start();
  Pfn end = zone->frames().end();
  for (size_t i = 1; i < pages.size(); ++i) {
    const Pfn pfn = pages[i].head();
    if (pfn >= start && pfn < end) continue;
    zone = memory_.ZoneOf(pfn);
    NUMASIM_CHECK(zone != nullptr);
    if (zone->node() != node) return i;
    start = zone->frames().start();
    end = zone->frames().end();
  }
  return pages.size();
}

// The pages node by node; in `room`, where they are of several.
std::span<const Folio> PageAllocator::NodeByNode(std::span<const Folio> pages,
                                                 std::vector<Folio>& room) const {
  if (pages.empty() || CountOnOneNode(pages) == pages.size()) return pages;
  room = ByNode(pages);
  return room;
}

sim::Task<void> PageAllocator::ForEachOnItsNode(sim::Path& path, std::span<const Folio> pages,
                                                absl::FunctionRef<void(Zone&, FrameIndex, Folio)> f) const {
  co_await OnEachNode(path, pages, [this, f](std::span<const Folio> there) {
    Zone* zone = memory_.ZoneOf(there.front().head());
    for (const Folio page : there) {
      if (!zone->frames().Contains(page.head())) zone = memory_.ZoneOf(page.head());
      f(*zone, zone->frames().Index(page.head()), page);
    }
  });
}

sim::Task<void> PageAllocator::OnEachNode(sim::Path& path, std::span<const Folio> pages,
                                          absl::FunctionRef<void(std::span<const Folio>)> f) const {
  const sim::LpId home = path.lp();
  std::vector<Folio> room;
  for (pages = NodeByNode(pages, room); !pages.empty();) {
    const size_t count = room.empty() ? pages.size() : CountOnOneNode(pages);
    co_await path.GoTo(memory_.node(NodeOf(pages.front().head())).lp, memory_.costs().hop);
    f(pages.first(count));
    pages = pages.subspan(count);
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

sim::Task<void> PageAllocator::ForEachRun(sim::Path& path, std::span<const FolioRun> runs,
                                          absl::FunctionRef<void(Zone&, FolioRun)> f) const {
  const sim::LpId home = path.lp();
  struct Part {
    Zone* zone;
    FolioRun run;
  };
  std::vector<Part> parts;
  for (FolioRun run : runs) {
    while (run.count > 0) {
      Zone* const zone = memory_.ZoneOf(run.first.head());
      const int64_t here = (zone->frames().end() - run.first.head()) / run.first.pages();
      const auto count = static_cast<uint32_t>(std::min<int64_t>(run.count, here));
      parts.push_back({zone, {run.first, count}});
      run = {run.at(count), run.count - count};
    }
  }
  const auto node_before = [](const Part& a, const Part& b) { return a.zone->node() < b.zone->node(); };
  if (!std::is_sorted(parts.begin(), parts.end(), node_before))
    std::stable_sort(parts.begin(), parts.end(), node_before);
  for (const Part& part : parts) {
    co_await path.GoTo(memory_.node(part.zone->node()).lp, memory_.costs().hop);
    f(*part.zone, part.run);
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

sim::Task<void> PageAllocator::FreeBlocks(sim::Path& path, CpuId cpu, int order,
                                          std::span<const Pfn> blocks) {
  const sim::LpId home = path.lp();
  NodeMask nodes;
  for (const Pfn pfn : blocks) nodes.Set(NodeOf(pfn));
  for (; !nodes.empty(); nodes.Clear(nodes.First())) {
    Node& node = memory_.node(nodes.First());
    co_await path.GoTo(node.lp, memory_.costs().hop);
    for (Pfn pfn : blocks) {
      if (memory_.ZoneOf(pfn)->node() == node.id) co_await FreeBlock(path, cpu, order, node, pfn);
    }
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

bool PageAllocator::TryFreeHere(const sim::Path& path, CpuId cpu, int order, Pfn block) {
  Zone& zone = *memory_.ZoneOf(block);
  Node& node = memory_.node(zone.node());
  if (node.lp != path.lp() || !PcpLists::Allowed(order)) return false;
  const FrameIndex frame = zone.frames().Index(block);
  if (zone.PcpWillDrain(cpu, frame, order)) return false;
  PrepareFree(node, zone, frame, order);
  zone.FreePcp(cpu, frame, order);
  return true;
}

// free_pages_prepare(), which looks at each page of a block.
sim::Duration PageAllocator::PrepareFreeCost(int order) const {
  return memory_.costs().free_tails * ((int64_t{1} << order) / kTailsAtOnce);
}

// The same, less the time.
void PageAllocator::PrepareFree(Node& node, Zone& zone, FrameIndex frame, int order) {
  Disown(node, zone, frame, order);
  if (order == ThpPage::kOrder) {  // free_transhuge_page()
    node.split_queue.Remove(zone.frames().PfnOf(frame));
    zone.frames().set_has_parts(frame, false);
  }
  node.counter(PGFREE) += int64_t{1} << order;
}

sim::Task<void> PageAllocator::FreeBlock(sim::Path& path, CpuId cpu, int order, Node& node, Pfn pfn) {
  const Costs& costs = memory_.costs();
  const sim::Duration prepare = PrepareFreeCost(order);
  Zone& zone = *memory_.ZoneOf(pfn);
  const FrameIndex frame = zone.frames().Index(pfn);
  PrepareFree(node, zone, frame, order);
  const bool by_pcp = PcpLists::Allowed(order);
  if (by_pcp && !zone.PcpWillDrain(cpu, frame, order)) {
    zone.FreePcp(cpu, frame, order);
    co_await path.Take(costs.pcp_free + prepare);
    co_return;
  }
  co_await path.Take(by_pcp ? costs.pcp_free + prepare : prepare);
  co_await zone.lock().Acquire(path);
  sim::Duration takes = LockCost(costs, zone, cpu);
  if (by_pcp) {
    takes += DrainCost(costs, zone.FreePcp(cpu, frame, order));
  } else {
    zone.FreeBuddy(frame, order);
    takes += costs.buddy_block;
  }
  co_await path.Take(takes);
  zone.lock().Release(path);
}

void PageAllocator::MapFilePmd(Node& node, Zone& zone, FrameIndex head) {
  ChangeThpMappings(node, zone, head, 1, {});
}

void PageAllocator::ChangeThpMappings(Node& node, Zone& zone, FrameIndex head, int64_t pmds,
                                      std::span<const int32_t> parts) {
  const ThpPage page(zone.frames(), head);
  const bool anon = page.owner().kind == FrameOwner::kAnon;
  const int64_t none = anon ? 0 : 1;  // of a file, the page cache's reference
  const bool before = page.pmds() > none;
  const int64_t mapped = page.MappedParts();
  page.ChangeMappings(pmds, anon ? parts : std::span<const int32_t>());
  if (anon) node.counter(NR_ANON_PAGES) += page.MappedParts() - mapped;
  const int change = (page.pmds() > none ? 1 : 0) - (before ? 1 : 0);
  node.counter(anon ? NR_ANON_THPS : NR_SHMEM_PMDMAPPED) += change;
}

bool PageAllocator::SplitFilePage(Node& node, Zone& zone, FrameIndex head) {
  if (zone.frames().owner(head, ThpPage::kOrder).mapcount != 1 ||
      zone.frames().IsHeld(head, ThpPage::kOrder)) {
    ++node.counter(THP_SPLIT_PAGE_FAILED);
    return false;
  }
  ThpPage(zone.frames(), head).SplitIntoPages();
  --node.counter(NR_SHMEM_THPS);
  ++node.counter(THP_SPLIT_PAGE);
  return true;
}

void PageAllocator::SplitPmd(Node& node, Zone& zone, FrameIndex frame) {
  const ThpPage page(zone.frames(), frame);
  if (page.SplitPmd()) QueueSplit(node, zone, page);
  if (page.pmds() == 0) --node.counter(NR_ANON_THPS);
}

void PageAllocator::CountUnmappedParts(Node& node, const ThpPage& page) {
  node.counter(NR_ANON_PAGES) += kPageblockPages - page.MappedParts();
}

void PageAllocator::QueueSplit(Node& node, const Zone& zone, const ThpPage& page) {
  if (node.split_queue.Add(zone.frames().PfnOf(page.head()))) ++node.counter(THP_DEFERRED_SPLIT_PAGE);
}

}  // namespace numasim
