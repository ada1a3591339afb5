// Lru: the page cache of disk files that a node has, ordered by use (struct lruvec with its inactive and
// active list, mm/swap.c and mm/workingset.c, Linux 6.1). Part of Node, lives on its LP. Pure state: Filemap
// and Reclaim take the time.
//
// Anonymous and shared memory are on no list: without swap the kernel scans neither. Pages come to their list
// at once; the kernel's per-CPU batches of 15 are left out.
//
// A page has a link to both neighbours, 8 bytes in address space that takes memory only for pages that were
// on a list once, and a bit. Pages have numbers through all zones of the node, for the lists go through all
// of them.
#ifndef NUMASIM_MODELS_PHYSICAL_LRU_H_
#define NUMASIM_MODELS_PHYSICAL_LRU_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/base/enum_array.h"
#include "models/base/types.h"
#include "models/physical/zone.h"
#include "proto/counters.h"
#include "sim/check.h"

namespace numasim {

class Lru {
 public:
  enum class List : uint8_t { kInactive, kActive };
  static constexpr int kLists = 2;
  // A page of the node, by the number that it has here.
  using Number = uint32_t;
  static constexpr Number kNone = 0;
  // More frames than that a node with a disk cannot have.
  static constexpr int64_t kMostFrames = (int64_t{1} << 31) - 8;

  struct Page {
    Zone* zone;
    FrameIndex frame;
    Pfn pfn() const { return zone->frames().PfnOf(frame); }
    const FrameOwner& owner() const { return zone->frames().owner(frame, 0); }
  };

  // `zones` of the node, null where it has none; `counters` are the node's. Both must outlive it.
  using Counters = std::array<int64_t, NodeCounter_ARRAYSIZE>;
  Lru(const PerZoneType<Zone*>& zones, Counters& counters);
  Lru(const Lru&) = delete;
  Lru& operator=(const Lru&) = delete;
  ~Lru();

  Number NumberOf(const Zone& zone, FrameIndex frame) const { return first_[zone.type()] + frame; }
  Page PageOf(Number number) const {
    size_t type = kZoneTypes - 1;
    while (zones_[type] == nullptr || number < first_[type]) --type;
    return {zones_[type], number - first_[type]};
  }

  // Whether a frame is a page of a disk's file.
  static bool IsFilePage(const Zone& zone, FrameIndex frame) {
    const FrameStore& frames = zone.frames();
    return frames.IsSplit(frame) && FrameStore::KindOf(frames.state(frame, 0)) == FrameKind::kAllocated &&
           frames.owner(frame, 0).kind == FrameOwner::kFile;
  }
  // Whether it is one of that file still: who was told of it elsewhere asks.
  static bool IsPageOf(const Zone& zone, FrameIndex frame, uint64_t file) {
    return IsFilePage(zone, frame) && zone.frames().owner(frame, 0).object == file;
  }

  // --- the lists ---
  bool IsOn(Number page) const { return links_[page].newer != kNone; }
  // On which list it is, or comes to when it is put back.
  List ListOf(Number page) const { return static_cast<List>(links_[page].active); }
  bool IsReferenced(Number page) const { return links_[page].referenced; }  // PG_referenced
  void SetReferenced(Number page, bool referenced) { links_[page].referenced = referenced; }
  // Whether reclaim has made it inactive since it came, or had so when it was here before (PG_workingset).
  bool InWorkingset(Number page) const { return (workingset_[page / 64] & BitOf(page)) != 0; }
  void SetInWorkingset(Number page, bool in) {
    uint64_t& word = workingset_[page / 64];
    word = in ? word | BitOf(page) : word & ~BitOf(page);
  }
  // What a page keeps while it is on no list, and takes along to another frame.
  struct State {
    bool active = false;
    bool referenced = false;
    bool in_workingset = false;
  };
  State StateOf(Number page) const {
    return {links_[page].active != 0, links_[page].referenced != 0, InWorkingset(page)};
  }
  void SetState(Number page, State state) {
    links_[page].active = state.active;
    links_[page].referenced = state.referenced;
    SetInWorkingset(page, state.in_workingset);
  }
  // Puts a page that is on no list to where the most recent are.
  void Add(Number page, List list);
  // Puts it back to the list that it was on (putback_lru_page).
  void PutBack(Number page) { Add(page, ListOf(page)); }
  void Remove(Number page);  // it is on a list
  // A page that gets a number's place begins without a past.
  void Forget(Number page) {
    links_[page] = {};
    if (InWorkingset(page)) SetInWorkingset(page, false);
  }
  // The one that was used longest ago; kNone where the list is empty.
  Number Oldest(List list) const {
    const Number oldest = links_[HeadOf(list)].newer;
    return IsHead(oldest) ? kNone : oldest;
  }
  int64_t size(List list) const { return counters_[CounterOf(list)]; }
  // lruvec_lru_size(): those of zones up to `highest`.
  int64_t size(List list, ZoneType highest) const;

  // --- use ---
  // folio_mark_accessed(): the second time it becomes active. Whether it did now.
  bool MarkAccessed(Number page);
  // It becomes active (folio_activate).
  void Activate(Number page);
  // The same for one that came just now, which is no change of its mind (folio_set_active).
  void BeginActive(Number page);

  // --- what was used before reclaim took it (mm/workingset.c) ---
  // The lruvec's clock: one step for each page that was evicted or became active.
  uint64_t nonresident_age() const { return age_; }
  void Age() { ++age_; }
  // workingset_refault(): a page comes back that was evicted when the clock said `evicted`. Whether it is to
  // be active at once: had the active pages' memory been its own, it would be here still. `in_workingset`: it
  // had been active before, and counts as restored then.
  bool Refault(uint64_t evicted, bool in_workingset);

  // --- which node has the file ---
  // Who makes a page tells the file's home, as who comes from the page cannot ask for it here.
  void NoteHome(uint64_t file, NodeId home) {
    if (homes_.size() <= file) homes_.resize(file + 1, kNoNode);
    homes_[file] = home;
  }
  NodeId HomeOf(uint64_t file) const { return homes_[file]; }

 private:
  friend class LruPeer;  // tests plant damage
  friend class LruCheck;

  // The lists are rings through a head each, the heads being the numbers 1 and 2.
  static constexpr Number kFirstPage = 3;
  static constexpr Number HeadOf(List list) { return static_cast<Number>(list) + 1; }
  static constexpr bool IsHead(Number number) { return number < kFirstPage; }
  static constexpr NodeCounter CounterOf(List list) {
    return list == List::kActive ? NR_ACTIVE_FILE : NR_INACTIVE_FILE;
  }
  static constexpr ZoneCounter ZoneCounterOf(List list) {
    return list == List::kActive ? NR_ZONE_ACTIVE_FILE : NR_ZONE_INACTIVE_FILE;
  }
  struct Link {
    uint32_t newer : 31;
    uint32_t referenced : 1;
    uint32_t older : 31;
    uint32_t active : 1;
  };
  static_assert(sizeof(Link) == 8);
  static constexpr uint64_t BitOf(Number page) { return uint64_t{1} << page % 64; }
  void Count(Number page, List list, int64_t by);

  PerZoneType<Zone*> zones_;
  PerZoneType<Number> first_ = {};  // the number of frame 0 of each zone
  Counters& counters_;
  size_t numbers_;
  Link* links_;
  uint64_t* workingset_;  // a bit for each page: Link has none left
  uint64_t age_ = 0;
  std::vector<NodeId> homes_;  // by number of the file
};

// ---- the hot paths, inline ----

inline void Lru::Count(Number page, List list, int64_t by) {
  counters_[CounterOf(list)] += by;
  PageOf(page).zone->counter(ZoneCounterOf(list)) += by;
}

inline void Lru::Add(Number page, List list) {
  NUMASIM_DCHECK(!IsOn(page));
  const Number head = HeadOf(list);
  const Number newest = links_[head].older;
  Link& link = links_[page];
  link.newer = head;
  link.older = newest;
  link.active = list == List::kActive;
  links_[newest].newer = page;
  links_[head].older = page;
  Count(page, list, 1);
}

inline void Lru::Remove(Number page) {
  NUMASIM_DCHECK(IsOn(page));
  Link& link = links_[page];
  links_[link.older].newer = link.newer;
  links_[link.newer].older = link.older;
  link.newer = link.older = kNone;
  Count(page, ListOf(page), -1);
}

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_LRU_H_
