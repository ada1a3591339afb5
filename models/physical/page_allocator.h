// PageAllocator: the page allocator's entry points as paths (__alloc_pages, free_unref_page and their
// callees, Linux 6.1). It has no state of its own: it moves a path to the LP of each zone it looks at, pays
// the time, holds the zone's simulated lock where the kernel does, and keeps the NUMA counters.
#ifndef NUMASIM_MODELS_PHYSICAL_PAGE_ALLOCATOR_H_
#define NUMASIM_MODELS_PHYSICAL_PAGE_ALLOCATOR_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "models/base/folio.h"
#include "models/base/gfp.h"
#include "models/base/types.h"
#include "models/physical/alloc_flags.h"
#include "models/physical/memory_system.h"
#include "models/physical/pages_to_drop.h"
#include "models/physical/pressure.h"
#include "models/physical/thp_page.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

struct AllocRequest {
  GfpFlags gfp = kGfpKernel;
  int order = 0;
  NodeId preferred;                    // where the zonelist begins
  NodeMask allowed = NodeMask::All();  // policy nodemask
  CpuId cpu;                           // whose PCP lists are used
  TaskId task = kNoTask;               // for whom: it may be killed for it
  FrameOwner owner = {};               // written to the frames; its kind says which gauge counts them
  bool interleave = false;             // counts interleave_hit where the preferred node serves it
  NodeId file_home = kNoNode;          // of an owner of kind kFile: where the file is
  // For a migration to move a page to. From its first moment the block has the migration's reference and is
  // marked as migrating: a scan of a range finds it busy, not in use by `owner`.
  bool migration_target = false;

  // Whether it may be served from the node.
  bool Allows(NodeId node) const { return gfp.Has(kGfpThisNode) ? node == preferred : allowed.Has(node); }
};

// How the slow path looks at zones (gfp_to_alloc_flags): down to the min watermark, further for __GFP_HIGH.
AllocFlags SlowPathFlags(GfpFlags gfp);

class PageAllocator {
 public:
  explicit PageAllocator(MemorySystem& memory) : memory_(memory) {}

  // What relieves it where memory is short; null, as at first: nothing does. It must outlive the allocator's
  // last path.
  void SetPressure(Pressure* pressure) { pressure_ = pressure; }

  // Allocates 2^order frames; kNoPfn if no allowed zone has any above its min watermark, and there is no
  // Pressure or it does not help. May be called on any LP, and ends on the same. Takes the time of the
  // allocation but not of clearing.
  sim::Task<Pfn> Alloc(sim::Path& path, AllocRequest request);

  // For a placement that a policy gave: where it says so, tries once more on any node
  // (alloc_pages_preferred_many).
  sim::Task<Pfn> AllocPlaced(sim::Path& path, AllocRequest request, bool retry_anywhere);

  // Allocates blocks one after another, until `out` is full or the node's first zone is at its low watermark
  // or has no such block, and returns how many there are. The request must be for the preferred node alone
  // (__GFP_THISNODE), and the path on that node's LP, where it stays.
  sim::Task<size_t> AllocRun(sim::Path& path, const AllocRequest& request, std::span<Pfn> out);

  // The common case without a coroutine: the CPU's own node, the first zone above its low watermark and a
  // block on the PCP list. The path must be on that node's LP. Takes no time: the caller pays
  // costs().pcp_alloc. kNoPfn if it is not the common case.
  Pfn TryAllocLocal(Node& node, const AllocRequest& request);
  // The same for a path on any LP: kNoPfn where it is not that of the preferred node.
  Pfn TryAllocHere(const sim::Path& path, const AllocRequest& request);
  sim::Duration at_hand_cost() const { return memory_.costs().pcp_alloc; }

  // --- single pages for stretches (sim/stretch.h), on the LP of the CPU's own node ---
  // The zone of which TryAllocLocal() would take a page, if its list has any; null where none is above its
  // low watermark.
  Zone* LocalZone(const Node& node, const AllocRequest& request) const;
  // How many times TryAllocLocal() gives a page of that zone, one after another, as long as it stays so.
  static int64_t CountAtHand(const Zone& zone, const AllocRequest& request) {
    return zone.PcpBlocks(request.cpu, 0, GfpMigratetype(request.gfp));
  }
  // Does it `count` times, which may not be more, and calls f(first Pfn, count) for pages that follow one
  // another. The owner's index, of the request too, grows by `step` from page to page.
  template <typename F>
  void TakeAtHand(Node& node, Zone& zone, AllocRequest& request, int64_t count, int64_t step, F f);
  // Whether a refill of the CPU's list of that zone leaves all as it is but the free lists: no pageblock
  // changes hands, and the zone stays above its high watermark.
  static bool MayRefill(const Zone& zone, const AllocRequest& request);
  // FromZone() with a refill, up to where zone->lock is held: it is to be released after `held`.
  struct Refilled {
    Pfn page;
    sim::Duration held;
  };
  Refilled Refill(sim::Path& path, Node& node, Zone& zone, const AllocRequest& request) const;
  // What Alloc() counts when it is over.
  void CountLocal(Node& node, const AllocRequest& request, int64_t pages) const {
    CountAllocation(node, node.id, request, pages);
  }

  // Drops one mapping of each page (page_remove_rmap and put_page), or its owner's only reference, and frees
  // those that nothing else refers to. A base page may be part of a transparent huge page, which is then
  // freed with the last of them. Pages may be of any node and order; each node's are freed in the order
  // given. May be called on any LP, and ends on the same. `pages` must live until then.
  sim::Task<void> Release(sim::Path& path, CpuId cpu, std::span<const Folio> pages);
  sim::Task<void> Release(sim::Path& path, CpuId cpu, Folio page);
  // The same for runs of pages, from the last page of the last run back to the first of the first.
  sim::Task<void> ReleaseFromEnd(sim::Path& path, CpuId cpu, std::span<const FolioRun> runs);
  // The same for pages that are all of one node, on its LP.
  sim::Task<void> ReleaseHere(sim::Path& path, CpuId cpu, std::span<const Folio> pages);
  // put_page() of what took a reference with Zone::TakeRef(). Otherwise the same.
  sim::Task<void> DropRefs(sim::Path& path, CpuId cpu, std::span<const Folio> pages);
  sim::Task<void> DropRefs(sim::Path& path, CpuId cpu, Folio page);
  // The same for pages that are all of one node, on its LP.
  sim::Task<void> DropRefsHere(sim::Path& path, CpuId cpu, std::span<const Folio> pages);

  // Frees whole blocks of 2^order frames each, whatever their mapcount (__free_pages); nothing may hold them.
  // Otherwise as Release.
  sim::Task<void> FreeBlocks(sim::Path& path, CpuId cpu, int order, std::span<const Pfn> blocks);

  // The common case of FreeBlocks, for one block, without a coroutine: the path is on the LP of the block's
  // node and the CPU's PCP list has room. Takes no time: the caller pays free_here_cost(). False if it is not
  // the common case: nothing is done.
  bool TryFreeHere(const sim::Path& path, CpuId cpu, int order, Pfn block);
  sim::Duration free_here_cost(int order) const { return memory_.costs().pcp_free + PrepareFreeCost(order); }

  // One more PMD maps the huge page of a file, on the LP of its node (page_add_file_rmap). Beside the page
  // cache's reference its mapcount counts these alone; base entries that map parts of it are not counted.
  static void MapFilePmd(Node& node, Zone& zone, FrameIndex head);
  // So many PMDs map a huge page of anonymous memory or of a file more, or less, and so many base entries
  // each part of one of anonymous memory (`parts` may be empty). On the LP of its node.
  static void ChangeThpMappings(Node& node, Zone& zone, FrameIndex head, int64_t pmds,
                                std::span<const int32_t> parts);
  // Makes it base pages, on the LP of its node (split_huge_page). False where something else refers to it.
  static bool SplitFilePage(Node& node, Zone& zone, FrameIndex head);

  // An anonymous huge page is about to be freed, or becomes base pages of which some are about to be: what
  // nr_anon_pages has not counted of it, as nothing maps it, counts from now on. On the LP of its node.
  static void CountUnmappedParts(Node& node, const ThpPage& page);
  // deferred_split_huge_page(): the page is to be split when memory is short. On the LP of its node.
  static void QueueSplit(Node& node, const Zone& zone, const ThpPage& page);
  // What __split_huge_pmd() does to the counts of the huge page whose head is `frame`, on the LP of its node.
  static void SplitPmd(Node& node, Zone& zone, FrameIndex frame);

  // A block that is allocated, and nobody's yet, becomes the request's. On the LP of its node.
  static void Own(Node& node, Zone& zone, FrameIndex frame, const AllocRequest& request);
  // Takes that back for a single frame that a migration wanted to move a page to, and did not.
  static void DisownTarget(Node& node, Zone& zone, FrameIndex frame);

  // Calls f(Zone&, first frame, page) for each page, on the LP of its node: node by node, those of each node
  // in their order. May be called on any LP, and ends on the same.
  sim::Task<void> ForEachOnItsNode(sim::Path& path, std::span<const Folio> pages,
                                   absl::FunctionRef<void(Zone&, FrameIndex, Folio)> f) const;
  // Calls f(pages) with those of each node, one or more, on that node's LP. Otherwise the same.
  sim::Task<void> OnEachNode(sim::Path& path, std::span<const Folio> pages,
                             absl::FunctionRef<void(std::span<const Folio>)> f) const;

  // Calls f(Zone&, run) for runs of pages, each cut where its zone ends: node by node, those of each in their
  // order. Otherwise the same.
  sim::Task<void> ForEachRun(sim::Path& path, std::span<const FolioRun> runs,
                             absl::FunctionRef<void(Zone&, FolioRun)> f) const;

 private:
  // What an allocation keeps from one walk of the zonelist to the next.
  struct Walk {
    // The first zone that the request may use and that has memory: what its statistics are counted against.
    // Known once the path is on its LP.
    const Zone* preferred = nullptr;
    bool foreign = false;  // numa_foreign is counted
    bool dying = false;    // who wants it was killed for want of memory, and is to see that
  };
  sim::Task<Pfn> FromFreelist(sim::Path& path, const AllocRequest& request, AllocFlags alloc_flags,
                              Walk& walk);

  // What the slow path has done for a request so far.
  struct Efforts {
    CompactResult compacted = CompactResult::kSkipped;       // the last time
    CompactPriority priority = CompactPriority::kSyncLight;  // for the next time; DEF_COMPACT_PRIORITY
    int compactions = 0;                                     // that made a block, at this priority
    int vain_reclaims = 0;                                   // one after another
  };
  sim::Task<Pfn> SlowPath(sim::Path& path, const AllocRequest& request, AllocFlags flags, Walk& walk);
  sim::Task<bool> CompactFirst(sim::Path& path, const AllocRequest& request, AllocFlags flags, Walk& walk,
                               Efforts& efforts, Pfn& pfn);
  sim::Task<Pfn> CompactAndTry(sim::Path& path, const AllocRequest& request, AllocFlags flags, Walk& walk,
                               Efforts& efforts);
  sim::Task<bool> ReclaimAgain(sim::Path& path, const AllocRequest& request, bool progress, Efforts& efforts);
  sim::Task<bool> CompactAgain(sim::Path& path, const AllocRequest& request, Efforts& efforts);

  sim::Task<FrameIndex> FromZone(sim::Path& path, Zone& zone, const AllocRequest& request,
                                 AllocFlags alloc_flags);
  // The end of rmqueue(): a zone whose watermarks were raised may be balanced for all else, so that nobody
  // else would wake its kswapd.
  void WakeIfBoosted(sim::Path& path, Zone& zone) const;
  NodeId NodeOf(Pfn pfn) const;
  std::vector<Folio> ByNode(std::span<const Folio> pages) const;
  size_t CountOnOneNode(std::span<const Folio> pages) const;
  std::span<const Folio> NodeByNode(std::span<const Folio> pages, std::vector<Folio>& room) const;
  sim::Task<void> FreeBlock(sim::Path& path, CpuId cpu, int order, Node& node, Pfn pfn);
  sim::Duration PrepareFreeCost(int order) const;
  // Which reference of a page is dropped.
  enum class Reference : uint8_t { kMapping, kHold };
  sim::Task<void> Drop(sim::Path& path, CpuId cpu, std::span<const Folio> pages, Reference which);
  sim::Task<void> DropOnNode(sim::Path& path, CpuId cpu, Node& node, PagesToDrop pages, Reference which);
  static bool DropOne(Node& node, Zone& zone, Folio page, Reference which);
  static bool UnmapPmd(Node& node, Zone& zone, FrameIndex frame);
  static bool UnmapPart(Node& node, Zone& zone, FrameIndex part);
  AllocFlags NoFragment(const Zone& preferred) const;
  void CountAllocation(Node& node, NodeId preferred, const AllocRequest& request, int64_t count = 1) const;
  static void CountOwned(Node& node, const FrameOwner& owner, int order, int64_t blocks);
  static void Disown(Node& node, Zone& zone, FrameIndex frame, int order);
  static void PrepareFree(Node& node, Zone& zone, FrameIndex frame, int order);

  MemorySystem& memory_;
  Pressure* pressure_ = nullptr;
};

template <typename F>
void PageAllocator::TakeAtHand(Node& node, Zone& zone, AllocRequest& request, int64_t count, int64_t step,
                               F f) {
  FrameStore& frames = zone.frames();
  zone.AllocPcpPages(request.cpu, GfpMigratetype(request.gfp), count, [&](FrameIndex first, uint32_t run) {
    frames.SetOwners(first, run, request.owner, step);
    request.owner.index += static_cast<uint64_t>(step) * run;
    f(frames.PfnOf(first), run);
  });
  CountOwned(node, request.owner, 0, count);
  CountLocal(node, request, count);
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_PAGE_ALLOCATOR_H_
