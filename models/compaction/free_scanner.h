// FreeScanner: the free scanner of compaction, which gets the pages that others move to, from the high end of
// a zone down (isolate_freepages, compaction_alloc; mm/compaction.c, Linux 6.1). Works on a CompactControl,
// on the LP of its zone's node.
//
// Before it scans linearly it searches the free lists for a block high up. Where that is in vain a direct
// compaction goes on in the middle between both scanners: they meet soon, and little was done.
#ifndef NUMASIM_MODELS_COMPACTION_FREE_SCANNER_H_
#define NUMASIM_MODELS_COMPACTION_FREE_SCANNER_H_

#include "models/base/cost_model.h"
#include "models/compaction/compact_control.h"
#include "models/migrate/migration.h"

namespace numasim {

class FreeScanner : public TargetSource {
 public:
  FreeScanner(CompactControl& control, const Costs& costs) : control_(control), costs_(costs) {}

  // Holds zone->lock while it scans.
  sim::Task<Pfn> Take(sim::Path& path) override;
  void GiveBack(Pfn page) override;

 private:
  // A search of the free lists (fast_isolate_freepages), and what it looks for.
  struct Search {
    ScanPosition preferred;                           // a block from here on is taken at once,
    ScanPosition least;                               // one from here on if there is no better
    int limit;                                        // so many blocks of a list are looked at
    bool starting;                                    // the scan begins with this search
    ScanPosition highest = ZoneCompaction::kUnknown;  // pageblock that was seen
    int scanned = 0;
  };

  void IsolatePages();
  void SearchLists();
  Search BeginSearch() const;
  FrameIndex SearchList(int order, Search& search);
  int NextOrder(int order);
  ScanPosition AfterVainSearch(const Search& search);
  void IsolateAround(ScanPosition at);
  void ScanLinearly();
  ScanPosition ScanBlock(ScanPosition begin, ScanPosition end, int stride);
  bool SuitableTarget(ScanPosition block) const;
  bool TakeOut(FrameIndex frame, int order);
  bool Enough() const { return std::ssize(control_.targets) >= control_.wanted; }
  // No frame, or no order.
  static constexpr int64_t kNothing = ZoneCompaction::kUnknown;

  CompactControl& control_;
  const Costs& costs_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_COMPACTION_FREE_SCANNER_H_
