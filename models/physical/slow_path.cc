// What an allocation does where memory is short and something is there to relieve it (__alloc_pages_slowpath,
// Linux 6.1). All requests may compact: none that the models make lacks __GFP_IO.
#include "models/physical/page_allocator.h"

namespace numasim {
namespace {

constexpr int kMostReclaims = 16;     // MAX_RECLAIM_RETRIES
constexpr int kMostCompactions = 16;  // MAX_COMPACT_RETRIES

bool IsCostly(const AllocRequest& request) { return request.order > kCostlyOrder; }

// __alloc_pages_may_oom(): a kill helps neither a large block, nor who can do without, nor a low zone.
bool MayKill(const AllocRequest& request) {
  const bool can_do_without = request.gfp.Has(kGfpRetryMayfail) || request.gfp.Has(kGfpThisNode);
  return !IsCostly(request) && !can_do_without && GfpZone(request.gfp) >= ZoneType::kNormal;
}

}  // namespace

sim::Task<Pfn> PageAllocator::CompactAndTry(sim::Path& path, const AllocRequest& request, AllocFlags flags,
                                            Walk& walk, Efforts& efforts) {
  efforts.compacted = co_await pressure_->DirectCompact(path, request, efforts.priority);
  if (efforts.compacted == CompactResult::kSkipped) co_return kNoPfn;
  Node& wanted = memory_.node(walk.preferred->node());
  co_await path.GoTo(wanted.lp, memory_.costs().hop);
  ++wanted.counter(COMPACT_STALL);
  const Pfn pfn = co_await FromFreelist(path, request, flags, walk);
  if (pfn == kNoPfn) {
    co_await path.GoTo(wanted.lp, memory_.costs().hop);
    ++wanted.counter(COMPACT_FAIL);
    co_return kNoPfn;
  }
  const Zone& served = *memory_.ZoneOf(pfn);  // on its node's LP
  ++memory_.node(served.node()).counter(COMPACT_SUCCESS);
  pressure_->CompactionHelped(served, request.order);
  co_return pfn;
}

// should_reclaim_retry(): progress says little of a costly block, which it need not have brought nearer.
sim::Task<bool> PageAllocator::ReclaimAgain(sim::Path& path, const AllocRequest& request, bool progress,
                                            Efforts& efforts) {
  efforts.vain_reclaims = progress && !IsCostly(request) ? 0 : efforts.vain_reclaims + 1;
  if (efforts.vain_reclaims > kMostReclaims) co_return false;
  co_return co_await pressure_->EnoughToReclaim(path, request, false);
}

// should_compact_retry(): as long as it brings blocks that others take, some more of the same; where it does
// not, once more at each higher priority.
sim::Task<bool> PageAllocator::CompactAgain(sim::Path& path, const AllocRequest& request, Efforts& efforts) {
  if (request.order == 0) co_return false;
  const int most = IsCostly(request) ? kMostCompactions / 4 : kMostCompactions;
  if (efforts.compacted == CompactResult::kSkipped) {
    co_return co_await pressure_->EnoughToReclaim(path, request, true);
  }
  if (efforts.compacted == CompactResult::kSuccess && ++efforts.compactions <= most) co_return true;
  const CompactPriority highest =
      IsCostly(request) ? CompactPriority::kSyncLight : CompactPriority::kSyncFull;
  if (efforts.priority <= highest) co_return false;
  efforts.priority = static_cast<CompactPriority>(static_cast<int>(efforts.priority) - 1);
  efforts.compactions = 0;
  co_return true;
}

// Costly blocks, and those of a kind that would break up pageblocks of another, are compacted for before
// anything is reclaimed: there are base pages enough, as a rule. False: the request is to fail now.
sim::Task<bool> PageAllocator::CompactFirst(sim::Path& path, const AllocRequest& request, AllocFlags flags,
                                            Walk& walk, Efforts& efforts, Pfn& pfn) {
  efforts.priority = CompactPriority::kAsync;
  pfn = co_await CompactAndTry(path, request, flags, walk, efforts);
  if (pfn != kNoPfn) co_return true;
  if (IsCostly(request) && request.gfp.Has(kGfpNoRetry)) {
    // A huge page that a fault could have had. Reclaim on one node alone would empty it while others have
    // room.
    const bool hopeless =
        efforts.compacted == CompactResult::kSkipped || efforts.compacted == CompactResult::kDeferred;
    co_return !hopeless && !request.gfp.Has(kGfpThisNode);
  }
  efforts.priority = CompactPriority::kSyncLight;
  co_return true;
}

sim::Task<Pfn> PageAllocator::SlowPath(sim::Path& path, const AllocRequest& request, AllocFlags flags,
                                       Walk& walk) {
  const bool wakes_kswapd = request.gfp.Has(kGfpKswapdReclaim);
  const bool may_reclaim = request.gfp.Has(kGfpDirectReclaim);
  Efforts efforts;
  if (wakes_kswapd) pressure_->WakeKswapds(path, request);
  Pfn pfn = co_await FromFreelist(path, request, flags, walk);
  if (pfn != kNoPfn) co_return pfn;
  const bool movable = GfpMigratetype(request.gfp) == Migratetype::kMovable;
  if (may_reclaim && (IsCostly(request) || (request.order > 0 && !movable))) {
    if (!co_await CompactFirst(path, request, flags, walk, efforts, pfn)) co_return kNoPfn;
    if (pfn != kNoPfn) co_return pfn;
  }
  for (;;) {
    if (wakes_kswapd) pressure_->WakeKswapds(path, request);  // it must not fall asleep meanwhile
    pfn = co_await FromFreelist(path, request, flags, walk);
    if (pfn != kNoPfn || !may_reclaim) co_return pfn;
    const bool progress = co_await pressure_->DirectReclaim(path, request) > 0;
    if (progress) pfn = co_await FromFreelist(path, request, flags, walk);
    if (pfn == kNoPfn && request.order > 0) {
      pfn = co_await CompactAndTry(path, request, flags, walk, efforts);
    }
    if (pfn != kNoPfn || request.gfp.Has(kGfpNoRetry)) co_return pfn;
    if (IsCostly(request) && !request.gfp.Has(kGfpRetryMayfail)) co_return kNoPfn;
    if (co_await ReclaimAgain(path, request, progress, efforts)) continue;
    if (progress && co_await CompactAgain(path, request, efforts)) continue;
    // __alloc_pages_may_oom(): a last look, for somebody may have been killed just now. Only above the high
    // watermark, so that the look is no way round the others.
    pfn = co_await FromFreelist(path, request, kAllocWmarkHigh, walk);
    if (pfn != kNoPfn || !MayKill(request)) co_return pfn;
    const OomAnswer answer = co_await pressure_->OutOfMemory(path, request);
    walk.dying = answer == OomAnswer::kSelf;
    if (answer != OomAnswer::kRetry) co_return kNoPfn;
    efforts.vain_reclaims = 0;
  }
}

}  // namespace numasim
