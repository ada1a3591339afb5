#include "models/physical/lru.h"

#include "models/physical/reserved_memory.h"

namespace numasim {
namespace {

size_t BitmapBytes(size_t bits) { return (bits + 63) / 64 * sizeof(uint64_t); }

}  // namespace

Lru::Lru(const PerZoneType<Zone*>& zones, Counters& counters) : zones_(zones), counters_(counters) {
  int64_t next = kFirstPage;
  for (size_t type = 0; type < kZoneTypes; ++type) {
    first_[type] = static_cast<Number>(next);
    if (zones[type] != nullptr) next += zones[type]->frames().frames();
  }
  NUMASIM_CHECK_LE(next, kMostFrames);
  numbers_ = static_cast<size_t>(next);
  links_ = static_cast<Link*>(ReserveMemory(numbers_ * sizeof(Link), false));
  workingset_ = static_cast<uint64_t*>(ReserveMemory(BitmapBytes(numbers_), false));
  for (const List list : {List::kInactive, List::kActive}) {
    links_[HeadOf(list)].newer = links_[HeadOf(list)].older = HeadOf(list);
  }
}

Lru::~Lru() {
  ReturnMemory(links_, numbers_ * sizeof(Link));
  ReturnMemory(workingset_, BitmapBytes(numbers_));
}

int64_t Lru::size(List list, ZoneType highest) const {
  int64_t pages = 0;
  for (size_t type = 0; type <= static_cast<size_t>(highest); ++type) {
    if (zones_[type] != nullptr) pages += zones_[type]->counter(ZoneCounterOf(list));
  }
  return pages;
}

void Lru::BeginActive(Number page) {
  if (ListOf(page) == List::kActive) return;
  if (IsOn(page)) {
    Remove(page);
    Add(page, List::kActive);
  } else {
    links_[page].active = true;  // somebody has isolated it, and puts it back
  }
}

void Lru::Activate(Number page) {
  if (ListOf(page) == List::kActive) return;
  BeginActive(page);
  ++counters_[PGACTIVATE];
}

bool Lru::MarkAccessed(Number page) {
  if (!IsReferenced(page)) {
    SetReferenced(page, true);
    return false;
  }
  if (ListOf(page) == List::kActive) return false;
  Activate(page);
  SetReferenced(page, false);
  Age();  // workingset_activation()
  return true;
}

bool Lru::Refault(uint64_t evicted, bool in_workingset) {
  ++counters_[WORKINGSET_REFAULT_FILE];
  const uint64_t distance = age_ - evicted;
  if (distance > static_cast<uint64_t>(size(List::kActive))) return false;
  ++counters_[WORKINGSET_ACTIVATE_FILE];
  if (in_workingset) ++counters_[WORKINGSET_RESTORE_FILE];
  Age();
  return true;
}

}  // namespace numasim
