// SlabObjects: the objects of a slab cache on one node, by the slabs that they lie in (struct
// kmem_cache_node, mm/slub.c, Linux 6.1). Pure state: whoever has it allocates and frees the slabs.
//
// A new object fills a slab that has room; any object may go that is not in use. So objects that stay hold
// slabs which are nearly empty. Two lists name the slabs of which there is something to be had:
//
//   slabs         | idle 21 | idle 3, in use 2 | in use 4 | in use 21 |
//   with room                        x              x
//   with idle ones     x             x
#ifndef NUMASIM_WORKLOADS_GENERATE_SLAB_OBJECTS_H_
#define NUMASIM_WORKLOADS_GENERATE_SLAB_OBJECTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "models/base/types.h"
#include "sim/check.h"
#include "sim/random.h"

namespace numasim::workloads {

class SlabObjects {
 public:
  static const int64_t kBytesPerSlab;  // of the host's memory

  explicit SlabObjects(int per_slab) : per_slab_(per_slab) {}

  int64_t objects() const { return idle_ + in_use_; }
  // That may go: what a shrinker counts.
  int64_t idle() const { return idle_; }
  int64_t slabs() const { return std::ssize(slabs_); }
  int64_t room() const { return slabs() * per_slab_ - objects(); }

  // With no object yet. Something must be made of it before anything goes.
  void AddSlab(Pfn pfn) {
    NUMASIM_CHECK_LT(slabs_.size(), size_t{kNowhere});
    slabs_.push_back({.pfn = pfn});
    Enter(with_room_, &Slab::among_room, slabs_.size() - 1);
  }
  // As many new objects as have room, `most` at most; how many these are.
  int64_t Make(int64_t most) {
    int64_t made = 0;
    while (made < most && !with_room_.empty()) {
      const size_t place = with_room_.back();
      Slab& slab = slabs_[place];
      const auto n = static_cast<int>(std::min<int64_t>(most - made, per_slab_ - slab.objects()));
      if (slab.idle == 0) Enter(with_idle_, &Slab::among_idle, place);
      slab.idle += n;
      made += n;
      if (slab.objects() == per_slab_) Leave(with_room_, &Slab::among_room, place);
    }
    idle_ += made;
    return made;
  }
  // Any idle object, all alike: the place of its slab, which holds until one is dropped. Requires idle() > 0.
  size_t Draw(sim::RandomStream& random) const {
    for (;;) {
      const size_t place = with_idle_[random.Uniform(with_idle_.size())];
      if (static_cast<int>(random.Uniform(static_cast<uint64_t>(per_slab_))) < slabs_[place].idle)
        return place;
    }
  }
  // An idle object of the slab at that place turns out to be in use, and stays for good.
  void Use(size_t place) {
    TakeIdle(place);
    ++slabs_[place].in_use;
    ++in_use_;
  }
  // An idle object of the slab at that place goes. The slab, where that was the last of it, and is gone with
  // it; kNoPfn else.
  Pfn Drop(size_t place) {
    if (slabs_[place].objects() == per_slab_) Enter(with_room_, &Slab::among_room, place);
    TakeIdle(place);
    return slabs_[place].objects() == 0 ? Remove(place) : kNoPfn;
  }

 private:
  static constexpr uint32_t kNowhere = UINT32_MAX;
  struct Slab {
    int objects() const { return idle + in_use; }

    Pfn pfn;
    int idle = 0;
    int in_use = 0;
    uint32_t among_room = kNowhere;  // where it is in with_room_,
    uint32_t among_idle = kNowhere;  // and in with_idle_
  };

  void TakeIdle(size_t place) {
    NUMASIM_CHECK_LT(0, slabs_[place].idle);
    --idle_;
    if (--slabs_[place].idle == 0) Leave(with_idle_, &Slab::among_idle, place);
  }
  void Enter(std::vector<uint32_t>& list, uint32_t Slab::* among, size_t place) {
    slabs_[place].*among = static_cast<uint32_t>(list.size());
    list.push_back(static_cast<uint32_t>(place));
  }
  // The last of the list takes its place there.
  void Leave(std::vector<uint32_t>& list, uint32_t Slab::* among, size_t place) {
    const uint32_t hole = std::exchange(slabs_[place].*among, kNowhere);
    const uint32_t last = list.back();
    list.pop_back();
    if (last == place) return;
    list[hole] = last;
    slabs_[last].*among = hole;
  }
  // It is empty: it has room, and nothing that is idle. The last slab takes its place.
  Pfn Remove(size_t place) {
    Leave(with_room_, &Slab::among_room, place);
    const Pfn pfn = slabs_[place].pfn;
    const Slab last = slabs_.back();
    slabs_.pop_back();
    if (place == slabs_.size()) return pfn;
    slabs_[place] = last;
    if (last.among_room != kNowhere) with_room_[last.among_room] = static_cast<uint32_t>(place);
    if (last.among_idle != kNowhere) with_idle_[last.among_idle] = static_cast<uint32_t>(place);
    return pfn;
  }

  int per_slab_;
  std::vector<Slab> slabs_;
  std::vector<uint32_t> with_room_;  // places of slabs; the last is filled first
  std::vector<uint32_t> with_idle_;
  int64_t idle_ = 0;
  int64_t in_use_ = 0;
};

inline constexpr int64_t SlabObjects::kBytesPerSlab = sizeof(Slab) + 2 * sizeof(uint32_t);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_SLAB_OBJECTS_H_
