// Layout: where in one zone the free blocks, the PCP pages and the used pages of a recording lie. Made and
// used up by boot, before the engine runs.
//
// /proc says how many, not where. What is known of real kernels decides: memblock gives memory away from the
// top, so what boot reserved (memmap, node data, initrd) lies at the top of what is present; the kernel's own
// early allocations are at the low end, for only the first sections are open to them until the struct pages
// of the rest are set up; between the two the zone is free in blocks of the largest order. Smaller free
// blocks lie where they cannot merge: among the used memory, and in the last, cut-off block below the
// reserved memory. Gigantic huge pages were memblock's, too: the highest ranges below what was reserved
// before them. Other huge pages came from the first free blocks of the largest order, so they lie below the
// rest of those.
#ifndef NUMASIM_MODELS_PHYSICAL_LAYOUT_H_
#define NUMASIM_MODELS_PHYSICAL_LAYOUT_H_

#include <array>
#include <cstdint>
#include <vector>

#include "models/base/huge_size.h"
#include "models/base/types.h"
#include "models/physical/zone.h"

namespace numasim {

// Of the boot memory of a zone: where what is managed may begin, and where what is present ends.
struct BootMemory {
  Pfn begin;              // above what a PC's firmware keeps of the first MiB
  Pfn present_end;        // holes lie above, which is where they are as a rule
  int64_t low_holes = 0;  // pages of holes below `begin`
};
BootMemory BootMemoryOf(const Zone::Extent& extent);

// Huge pages of a recorded zone, by HugeSize.
using HugePageCounts = PerHugeSize<int64_t>;

// How many gigantic pages the boot memory of the zone has room for.
int64_t GiganticRoom(const Zone::Extent& extent);

class Layout {
 public:
  using Counts = PerMigratetype<int64_t>;
  using FreeCounts = std::array<Counts, kOrders>;

  // `pageblocks` is how many pageblocks of each type there are; all zero where that was not recorded. `huge`
  // are in use.
  Layout(Zone& zone, const Counts& pageblocks, const HugePageCounts& huge = {});

  // Finds a place for each huge page, and for each free block, which it puts on its list, each list in rising
  // order. Returns the order of blocks that do not fit, or -1 if all do.
  int PlaceFree(const FreeCounts& blocks);

  // Makes all that is left used or reserved, but for `pcp_pages` single frames, which it returns; fewer if
  // there are not as many.
  std::vector<FrameIndex> UseRest(int64_t pcp_pages);

 private:
  // An aligned run of 2^order frames.
  struct Run {
    FrameIndex frame;
    int order;
  };
  // Runs that are not used up yet, by order and by the type that their pageblock has; the last: none yet.
  // Those at the back are split first.
  using Parts = std::array<std::array<std::vector<FrameIndex>, kMigratetypes + 1>, kOrders>;
  static constexpr uint8_t kUntagged = kMigratetypes;

  bool FindSlots(FrameIndex top, int64_t count, std::vector<FrameIndex>& slots) const;
  void PlaceLargest(const std::vector<FrameIndex>& slots, const Counts& blocks);
  void PlaceHugePages(const std::vector<FrameIndex>& slots, FreeCounts& left);
  void TakeHuge(FrameIndex frame, HugeSize size);
  void AddLowParts(FrameIndex bottom);
  void PlaceAtEdge(FrameIndex begin, FrameIndex end, FreeCounts& left);
  bool PlaceOne(int order, Migratetype type);
  bool TakePart(Parts& parts, int order, Migratetype type, Run& part) const;
  bool TakeAlone(Parts& parts, int order, Run& part) const;
  void AddPart(Parts& parts, FrameIndex frame, int order) const;
  void Put(FrameIndex frame, int order, Migratetype type);
  void Tag(FrameIndex frame, int order, Migratetype type);
  void FillLists();
  void TypeRest();
  std::vector<Run> TakeLeftOver();
  void MarkUsed(FrameIndex frame, int order);

  Zone& zone_;
  FrameStore& store_;
  FrameIndex begin_, end_;          // what may be managed of the boot memory
  FrameIndex hot_begin_, hot_end_;  // what is plugged of the device
  HugePageCounts huge_;
  std::vector<FrameIndex> gigantic_;  // the first frames of gigantic pages, from the highest down
  Parts low_;                         // below the free blocks of the largest order
  Parts high_;  // above them, where reserved memory is to be: used where low_ has no room
  std::array<PerMigratetype<std::vector<FrameIndex>>, kOrders> placed_;
  std::vector<uint8_t> tags_;  // by pageblock
  bool types_known_ = false;
  Counts types_left_;        // pageblocks of each type that are not tagged yet
  uint64_t boot_users_ = 0;  // pages given to kBootUser
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_LAYOUT_H_
