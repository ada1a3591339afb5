// Shrinkers: the caches of the kernel beside the page cache that give memory back when it is short
// (register_shrinker, shrink_slab, do_shrink_slab and drop_slab, mm/vmscan.c, Linux 6.1).
//
// How many objects of a cache a round looks at is a share of those there are that doubles with each priority.
// Less than a batch is not worth it, unless it is all of them: it is put off to a later round.
//
//   objects                        10    300    10,000
//   looked at, at priority 12       -      -         -
//                           6       -      -       256   (312 are due, 56 are put off)
//                           1      10    256     9,984
//                           0      20    512    19,968   (nearly each twice)
#ifndef NUMASIM_MODELS_RECLAIM_SHRINKERS_H_
#define NUMASIM_MODELS_RECLAIM_SHRINKERS_H_

#include <cstdint>
#include <vector>

#include "models/base/types.h"
#include "models/physical/memory_system.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// struct shrinker: one of these caches. What it holds may be spread over the nodes, or be no node's.
class Shrinker {
 public:
  static constexpr int64_t kBatch = 128;  // SHRINK_BATCH

  struct Freed {
    int64_t objects = 0;
    int64_t slab_pages = 0;  // that came free with them and count as reclaimed (reclaim_state)
    bool stop = false;       // SHRINK_STOP: to go on is of no use now

    void Add(const Freed& other) {
      objects += other.objects;
      slab_pages += other.slab_pages;
    }
  };

  virtual ~Shrinker() = default;

  // Whether it may have enough objects that a round at this priority would look at some: what is known on the
  // node's LP, before Count goes anywhere.
  virtual bool MayScan(const Node& node, int priority) const = 0;
  // count_objects() and scan_objects() for that node. Both begin and end on its LP.
  virtual sim::Task<int64_t> Count(sim::Path& path, Node& node) = 0;
  virtual sim::Task<Freed> Scan(sim::Path& path, Node& node, int64_t objects, CpuId cpu) = 0;
};

class Shrinkers {
 public:
  explicit Shrinkers(MemorySystem& memory) : memory_(memory) {}

  // Before the run; it must live until the last path ends. Earlier ones come first.
  void Register(Shrinker& shrinker);

  // shrink_slab(): all of them, one round. On the node's LP, where it ends.
  sim::Task<Shrinker::Freed> Shrink(sim::Path& path, Node& node, int priority, CpuId cpu);
  // drop_slab(): all that can go, of all nodes. Begins and ends on any LP.
  sim::Task<void> Drop(sim::Path& path, CpuId cpu);

 private:
  struct Registered {
    Shrinker* shrinker;
    std::vector<int64_t> put_off;  // nr_deferred; by node, each on its LP
  };
  sim::Task<Shrinker::Freed> ShrinkOne(sim::Path& path, Node& node, int priority, CpuId cpu,
                                       Registered& registered);

  MemorySystem& memory_;
  std::vector<Registered> all_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_RECLAIM_SHRINKERS_H_
