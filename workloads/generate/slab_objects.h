// SlabObjects: the objects of a slab cache on one node, by the slabs that they lie in (struct
// kmem_cache_node, mm/slub.c, Linux 6.1). Pure state: whoever has it allocates and frees the slabs.
//
//   slabs:  | full | full | full | partial | partial |
//                                  ^ first_partial
//
// A new object fills the last slab that has room; any object may go. So objects that live on hold slabs which
// are nearly empty.
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
  explicit SlabObjects(int per_slab) : per_slab_(per_slab) {}

  int64_t live() const { return live_; }
  int64_t slabs() const { return std::ssize(slabs_); }
  int64_t room() const { return slabs() * per_slab_ - live_; }

  // With no object yet. Something must be made of it before anything goes.
  void AddSlab(Pfn slab) { slabs_.push_back({slab, 0}); }
  // As many new objects as have room, `most` at most; how many these are.
  int64_t Make(int64_t most) {
    int64_t made = 0;
    while (made < most && first_partial_ < slabs_.size()) {
      Slab& slab = slabs_.back();
      const auto n = static_cast<int>(std::min<int64_t>(most - made, per_slab_ - slab.live));
      slab.live += n;
      made += n;
      if (slab.live == per_slab_) std::swap(slab, slabs_[first_partial_++]);
    }
    live_ += made;
    return made;
  }
  // Any object, all alike: the place of its slab. Requires live() > 0.
  size_t Draw(sim::RandomStream& random) const {
    for (;;) {
      const size_t place = random.Uniform(slabs_.size());
      if (static_cast<int>(random.Uniform(static_cast<uint64_t>(per_slab_))) < slabs_[place].live)
        return place;
    }
  }
  // One object of the slab at that place goes. The slab, where that was the last of it, and is gone with it;
  // kNoPfn else.
  Pfn Drop(size_t place) {
    NUMASIM_CHECK_LT(0, slabs_[place].live);
    if (place < first_partial_) {  // it is full no more
      std::swap(slabs_[place], slabs_[--first_partial_]);
      place = first_partial_;
    }
    --live_;
    if (--slabs_[place].live > 0) return kNoPfn;
    std::swap(slabs_[place], slabs_.back());
    const Pfn slab = slabs_.back().pfn;
    slabs_.pop_back();
    return slab;
  }

 private:
  struct Slab {
    Pfn pfn;
    int live;  // objects
  };

  int per_slab_;
  std::vector<Slab> slabs_;   // the full ones come first
  size_t first_partial_ = 0;  // its size, where there is none
  int64_t live_ = 0;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_SLAB_OBJECTS_H_
