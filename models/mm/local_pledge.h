// LocalPledge: what a path pledges (sim/pledge.h) while it works, page after page, on private memory of a
// process that is all on the process's node, and whose further pages come from there: that it sends nothing
// to other LPs. So the LPs of nodes on which processes fill, copy or give back memory of their own run side
// by side without hearing of each other. Belongs to that loop of AddressSpaceOps, on the LP of the process.
//
// What would take the path elsewhere, or wake somebody, and why it does not happen before the pledge ends:
//
//   a page of another node          the entries that are to come have been looked at; a migration, which
//   alone
//                                   changes them, is an event, and the pledge is asked for anew after that
//   memory that is short            the zone has so many free pages above its high watermark, in whole
//                                   pageblocks of movable memory, that all who draw on it find theirs
//   a pageblock that is mixed       likewise; it would raise the watermarks and wake kswapd
//   a transparent huge page         none is asked for here, and khugepaged does not look at the process
//   a way that was taken before     who has found the node without memory, or asked for a huge page, voids
//   the
//                                   pledge until the next access, or page table of a fork
//   a release of zone->lock,        the same as long as only such wait who have made a pledge; for mmap_lock
//     mmap_lock or the CPU          and the CPU, nobody
#ifndef NUMASIM_MODELS_MM_LOCAL_PLEDGE_H_
#define NUMASIM_MODELS_MM_LOCAL_PLEDGE_H_

#include <cstdint>
#include <optional>

#include "models/address_space/process.h"
#include "models/base/gfp.h"
#include "models/mm/touch_loop.h"
#include "models/physical/memory_system.h"
#include "sim/cpu.h"
#include "sim/path.h"
#include "sim/pledge.h"

namespace numasim {

class LocalPledge : public sim::Pledge {
 public:
  sim::SimTime Until(sim::SimTime next) const final;

 protected:
  static constexpr int64_t kLeastSteps = 64;

  // Steps that are certain to come behind the one that is under way, each of at least `each`.
  struct Steps {
    int64_t count = 0;
    sim::Duration each;
    int64_t pages = 0;  // that one of them takes of the node, at most
  };

  // `draws`: the steps may take pages.
  LocalPledge(const MemorySystem& memory, Node& home, const Process& process, bool draws);
  ~LocalPledge();
  virtual Steps Left() const = 0;

  bool draws() const { return draws_; }
  // Whether the policy has every page of the task come from its node first.
  bool IsLocal(const MemPolicy& policy) const;
  bool IsHere(Entry entry) const;
  const Zone* FirstZone(GfpFlags gfp) const;

  const MemorySystem& memory_;
  Node& home_;
  const Process& process_;

 private:
  bool MayBeDisturbed() const;
  int64_t CertainPages(GfpFlags gfp) const;

  const bool draws_;
  mutable const Zone* zone_ = nullptr;  // of the page that was looked at last
};

// Of a loop of writes.
class TouchPledge final : public LocalPledge {
 public:
  TouchPledge(const MemorySystem& memory, const TouchLoop& loop)
      : LocalPledge(memory, loop.home, loop.process, /*draws=*/true), loop_(loop) {}

  // Whether there are enough of them.
  static bool IsWorthIt(const TouchLoop& loop) {
    return loop.stride > 0 && loop.end > loop.at && (loop.end - loop.at) / loop.stride >= kLeastSteps;
  }

 private:
  Steps Left() const override;
  bool IsHarmless(Vpn vpn) const;
  void LookAhead(const Vma& vma, Vpn from) const;

  const TouchLoop loop_;
  // [from_, until_) is alike: each access takes a step as it says, as long as no page has moved since.
  mutable Vpn from_{0}, until_{0};
  mutable Steps step_;
  mutable bool fresh_ = false;
  mutable uint64_t moves_ = 0, tables_ = 0;
};

// Of a walk over entries, each of which takes a step: they are given back, or a fork copies them.
class WalkPledge final : public LocalPledge {
 public:
  WalkPledge(const MemorySystem& memory, Node& home, const Process& process, sim::Duration each, bool draws)
      : LocalPledge(memory, home, process, draws), each_(each), moves_(process.space.moves()) {}

  // Counts the entries of [begin, end) in, unless one of them is not of the node.
  void Add(Vpn begin, Vpn end);
  void Done(int64_t entries) { left_ -= entries; }
  bool IsWorthIt() const { return all_here_ && left_ >= kLeastSteps; }

 private:
  Steps Left() const override;

  const sim::Duration each_;
  const uint64_t moves_;
  bool all_here_ = true;
  int64_t left_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MM_LOCAL_PLEDGE_H_
