#include "models/hugetlb/hstate.h"

#include <utility>

#include "sim/check.h"

namespace numasim {

Hstate::Hstate(HugeSize size, int nodes, NodeMask with_memory, HugePageStore& pages,
               std::unique_ptr<sim::Mutex> resize_lock)
    : size_(size),
      with_memory_(with_memory),
      pages_(pages),
      resize_lock_(std::move(resize_lock)),
      nodes_(static_cast<size_t>(nodes)),
      next_to_alloc_(with_memory.First()),
      next_to_free_(with_memory.First()) {}

int64_t Hstate::FreeOn(NodeMask mask) const {
  int64_t free = 0;
  for (int n = 0; n < nodes(); ++n) {
    if (mask.Has(NodeId{n})) free += node(NodeId{n}).counters[FREE_HUGEPAGES];
  }
  return free;
}

void Hstate::Add(HugetlbCounter c, NodeId id, int64_t delta) {
  counters_[c] += delta;
  node(id).counters[c] += delta;
  NUMASIM_CHECK(node(id).counters[c] >= 0);
}

void Hstate::AddFresh(NodeId id, Pfn pfn) {
  pages_.Add(pfn, size_);
  Add(NR_HUGEPAGES, id, 1);
}

void Hstate::Enqueue(NodeId id, Pfn pfn) {
  pages_.Push(node(id).free, pfn);
  Add(FREE_HUGEPAGES, id, 1);
}

Pfn Hstate::Dequeue(NodeId id) {
  HugePageStore::List& free = node(id).free;
  const Pfn pfn = HugePageStore::First(free);
  if (pfn == kNoPfn) return kNoPfn;
  pages_.TakeOut(free, pfn);
  pages_.Use(pfn);
  Add(FREE_HUGEPAGES, id, -1);
  return pfn;
}

void Hstate::Remove(NodeId id, Pfn pfn, bool surplus) {
  if (pages_.At(pfn).state == HugePageState::kFree) {
    pages_.TakeOut(node(id).free, pfn);
    Add(FREE_HUGEPAGES, id, -1);
  }
  pages_.Remove(pfn);
  if (surplus) Add(SURPLUS_HUGEPAGES, id, -1);
  Add(NR_HUGEPAGES, id, -1);
  NoteWrap();
}

void Hstate::MakeSurplus(NodeId id) {
  Add(SURPLUS_HUGEPAGES, id, 1);
  NoteWrap();
}

void Hstate::AddBack(NodeId id, Pfn pfn, bool surplus) {
  AddFresh(id, pfn);
  if (surplus) Add(SURPLUS_HUGEPAGES, id, 1);
  Enqueue(id, pfn);
}

NodeId Hstate::TakeTurn(NodeId& next, NodeMask allowed) {
  const NodeId turn = allowed.Has(next) ? next : allowed.NextAfter(next);
  next = allowed.NextAfter(turn);
  return turn;
}

Pfn Hstate::RemoveFree(NodeMask allowed, bool surplus) {
  for (int left = allowed.count(); left > 0; --left) {
    const NodeId id = NextToFree(allowed);
    if (surplus && node(id).counters[SURPLUS_HUGEPAGES] == 0) continue;
    const Pfn pfn = HugePageStore::First(node(id).free);
    if (pfn == kNoPfn) continue;
    Remove(id, pfn, surplus);
    return pfn;
  }
  return kNoPfn;
}

bool Hstate::AdjustSurplus(NodeMask allowed, int delta) {
  for (int left = allowed.count(); left > 0; --left) {
    const NodeId id = delta < 0 ? NextToAlloc(allowed) : NextToFree(allowed);
    const HugetlbCounters& counters = node(id).counters;
    const bool can =
        delta < 0 ? counters[SURPLUS_HUGEPAGES] > 0 : counters[SURPLUS_HUGEPAGES] < counters[NR_HUGEPAGES];
    if (!can) continue;
    Add(SURPLUS_HUGEPAGES, id, delta);
    return true;
  }
  return false;
}

}  // namespace numasim
