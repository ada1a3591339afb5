#include "models/compaction/free_scanner.h"

#include <algorithm>
#include <iterator>

#include "models/physical/isolation.h"
#include "models/physical/kernel_pages.h"

namespace numasim {
namespace {

// Of pages that compaction has.
constexpr FrameOwner kCompaction{FrameOwner::kKernel, 1, kCompacting, 0};

}  // namespace

sim::Task<Pfn> FreeScanner::Take(sim::Path& path) {
  if (control_.targets.empty()) {
    control_.contended |= control_.async() && control_.zone.lock().held();
    co_await control_.zone.lock().Acquire(path);
    const int64_t before = control_.free_scanned;
    IsolatePages();
    co_await path.Take(costs_.scan_page * (control_.free_scanned - before));
    control_.zone.lock().Release(path);
  }
  if (control_.targets.empty()) co_return kNoPfn;
  const Pfn taken = control_.targets.back();
  control_.targets.pop_back();
  co_return taken;
}

// compaction_free()
void FreeScanner::GiveBack(Pfn page) {
  FrameStore& frames = control_.zone.frames();
  frames.owner(frames.Index(page), 0) = kCompaction;
  control_.targets.push_back(page);
}

// isolate_freepages()
void FreeScanner::IsolatePages() {
  if (control_.block_order() > 0) SearchLists();
  if (control_.targets.empty()) ScanLinearly();
}

// __isolate_free_page(): a free block becomes pages that nobody has. False where the zone has too little.
bool FreeScanner::TakeOut(FrameIndex frame, int order) {
  Zone& zone = control_.zone;
  FrameStore& frames = zone.frames();
  const int64_t size = int64_t{1} << order;
  const Migratetype list = FrameStore::ListOf(frames.state(frame, order));
  if (list != Migratetype::kIsolate && !zone.WatermarkOk(zone.watermarks().min + size, 0, ZoneType::kDma,
                                                         kAllocCma, zone.buddy().free_pages()))
    return false;
  zone.buddy().TakeOut(frame, order);
  for (FrameIndex f = frame; order >= kPageblockOrder - 1 && f < frame + size; f += kBlockFrames) {
    if (static_cast<int>(frames.pageblock_type(f)) < kPcpMigratetypes)
      frames.set_pageblock_type(f, Migratetype::kMovable);
  }
  for (FrameIndex f = frame; f < frame + size; ++f) {
    frames.SetHead(f, FrameKind::kAllocated, 0);
    frames.owner(f, 0) = kCompaction;
    control_.targets.push_back(frames.PfnOf(f));
  }
  control_.node.counter(COMPACT_ISOLATED) += size;
  return true;
}

// ---- the search of the free lists ----

// next_search_order(): round robin.
int FreeScanner::NextOrder(int order) {
  const int largest = control_.block_order() - 1;
  if (--order < 0) order = largest;
  if (order != control_.search_order) return order;
  if (--control_.search_order < 0) control_.search_order = largest;
  return kNothing;
}

FreeScanner::Search FreeScanner::BeginSearch() const {
  const ScanPosition distance = control_.free - control_.migrate;
  Search search{.preferred = BlockStart(control_.free - distance / 4),
                .least = BlockStart(control_.free - distance / 2),
                .limit = std::max(1, control_.SearchLimit() / 2),
                .starting = control_.free >= control_.state.init_free};
  if (search.starting) search.limit = kBlockFrames / 2;
  return search;
}

// Looks at blocks of a list from its end on. Returns the one to take, kNilFrame if there is none.
FrameIndex FreeScanner::SearchList(int order, Search& search) {
  int looks = 0;
  FrameIndex best = kNilFrame;
  FrameIndex stopped = kNilFrame;  // where the search was broken off
  bool preferred = false;
  Buddy& buddy = control_.zone.buddy();
  buddy.Search(order, Migratetype::kMovable, /*from_back=*/true, [&](FrameIndex frame) {
    ++looks;
    const ScanPosition at = frame;
    if (at >= search.highest) search.highest = std::max(BlockStart(at), ScanBegin(control_.zone));
    preferred = at >= search.preferred;
    if (preferred) {
      best = stopped = frame;
      return true;
    }
    if (at >= search.least && (best == kNilFrame || frame > best)) {
      best = frame;
      search.limit /= 2;  // a candidate shortens the search
    }
    if (looks < search.limit) return false;
    stopped = frame;
    return true;
  });
  search.scanned += looks;
  if (preferred) {
    control_.fast_search_failed = 0;
    control_.search_order = order;
  }
  // The next search sees others first.
  const FrameIndex first = best != kNilFrame ? best : stopped;
  if (first != kNilFrame) buddy.RotateToFront(first, order);
  if (looks >= search.limit) search.limit = std::max(1, search.limit / 2);
  return best;
}

void FreeScanner::SearchLists() {
  Search search = BeginSearch();
  control_.search_order = std::min(control_.block_order() - 1, control_.search_order);
  ScanPosition at = kNothing;
  for (int order = control_.search_order; at == kNothing && order >= 0; order = NextOrder(order)) {
    if (control_.zone.buddy().blocks(order) == 0) continue;
    const FrameIndex found = SearchList(order, search);
    if (found == kNilFrame) continue;
    if (TakeOut(found, order)) {
      search.scanned += (1 << order) - 1;
      at = found;
    } else {
      order = control_.search_order + 1;  // ends the search
    }
  }
  if (at == kNothing) at = AfterVainSearch(search);
  if (search.highest != kNothing && search.highest >= control_.state.cached_free)
    control_.state.cached_free = search.highest - kBlockFrames;
  control_.free_scanned += search.scanned;
  if (at != kNothing) IsolateAround(at);
}

// At the beginning of a scan the highest block that was seen is good enough, or, for want of one, the middle.
ScanPosition FreeScanner::AfterVainSearch(const Search& search) {
  ++control_.fast_search_failed;
  if (!search.starting) return kNothing;
  if (search.highest >= search.least) return control_.free = search.highest;
  if (!control_.order.direct) return kNothing;
  control_.free = search.least;
  return IsAbsent(control_.zone, search.least) ? kNothing : search.least;
}

// fast_isolate_around(): more of the pageblock, if that is not enough.
void FreeScanner::IsolateAround(ScanPosition at) {
  if (Enough() || control_.optimistic()) return;
  const ScanPosition begin = std::max(BlockStart(at), ScanBegin(control_.zone));
  const ScanPosition end = std::min(BlockEnd(at), ScanEnd(control_.zone));
  if (IsAbsent(control_.zone, begin)) return;
  ScanBlock(begin, end, 1);
  if (!Enough()) control_.Skip(begin);  // full, or nearly
}

// ---- the linear scan ----

// suitable_migration_target()
bool FreeScanner::SuitableTarget(ScanPosition block) const {
  const FrameStore& frames = control_.zone.frames();
  const auto frame = static_cast<FrameIndex>(block);
  const FrameStore::Head head = frames.Find(frame);
  if (head.kind == FrameKind::kFree && head.frame == frame && head.order >= kPageblockOrder) return false;
  const Migratetype type = frames.pageblock_type(frame);
  return control_.order.ignore_block_type || type == Migratetype::kMovable || type == Migratetype::kCma;
}

// isolate_freepages_block(): returns how far it came. Frames are looked at in steps of `stride`, which may
// end up inside of blocks.
ScanPosition FreeScanner::ScanBlock(ScanPosition begin, ScanPosition end, int stride) {
  const FrameStore& frames = control_.zone.frames();
  ScanPosition at = begin;
  bool begins = false;  // a block is known to begin at `at`
  for (; at < end; at += stride) {
    const auto frame = static_cast<FrameIndex>(at);
    const FrameStore::Head head = begins ? frames.HeadAt(frame) : frames.Find(frame);
    ++control_.free_scanned;
    const bool whole = head.frame == frame;
    const ScanPosition last = whole ? at + (ScanPosition{1} << head.order) - 1 : at;
    begins = whole && stride == 1;
    if (!whole) continue;
    if (head.kind == FrameKind::kAllocated && head.order <= kMaxOrder) at = last;
    if (head.kind == FrameKind::kPcp) begins &= head.order == 0;
    if (head.kind != FrameKind::kFree) continue;
    if (!TakeOut(frame, head.order)) break;
    control_.free_scanned += last - at;
    at = last;
    if (control_.wanted <= std::ssize(control_.targets)) {
      ++at;
      break;
    }
  }
  return std::min(at, end);
}

void FreeScanner::ScanLinearly() {
  ScanPosition begin = control_.free;
  ScanPosition block = BlockStart(begin);
  ScanPosition end = std::min(block + kBlockFrames, ScanEnd(control_.zone));
  const ScanPosition lowest = BlockEnd(control_.migrate);
  // Optimism: only so many looks into each pageblock, until there is something.
  int stride = control_.async() ? CompactControl::kCluster : 1;
  for (; block >= lowest; end = block, block -= kBlockFrames, begin = block) {
    const ScanPosition first = std::max(block, ScanBegin(control_.zone));
    if (IsAbsent(control_.zone, first) || !SuitableTarget(first) || !control_.MayScan(first)) continue;
    const auto before = std::ssize(control_.targets);
    begin = ScanBlock(std::max(begin, first), end, stride);
    // update_pageblock_skip(): all of it was scanned.
    if (begin == end) {
      control_.Skip(first);
      control_.state.cached_free = std::min(control_.state.cached_free, block);
    }
    if (Enough()) {
      if (begin >= end) begin = block - kBlockFrames;
      break;
    }
    if (begin < end) break;  // the zone has too little
    stride = std::ssize(control_.targets) > before ? 1 : std::min(CompactControl::kCluster, stride * 2);
  }
  control_.free = begin;
}

}  // namespace numasim
