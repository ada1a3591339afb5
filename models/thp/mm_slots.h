// MmSlots: the address spaces that khugepaged goes round, in their order (struct khugepaged_mm_slot and
// khugepaged_scan, mm/khugepaged.c, Linux 6.1), and for each the huge pages of files in it that base entries
// map. On the global LP.
#ifndef NUMASIM_MODELS_THP_MM_SLOTS_H_
#define NUMASIM_MODELS_THP_MM_SLOTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <list>

#include "absl/container/flat_hash_map.h"
#include "models/base/types.h"
#include "sim/check.h"

namespace numasim {

struct MmSlot {
  static constexpr size_t kMaxPteMapped = 8;  // MAX_PTE_MAPPED_THP

  uint16_t process = 0;
  int64_t foreign_pages = 0;  // > 0: of an address space that is not simulated
  bool dead = false;          // the process is gone
  std::array<Vpn, kMaxPteMapped> pte_mapped = {};
  size_t pte_mapped_count = 0;
};

class MmSlots {
 public:
  using Slots = std::list<MmSlot>;
  using Iterator = Slots::iterator;

  // With `notes` false no huge page is noted, as before 5.4.
  explicit MmSlots(bool notes) : notes_(notes) {}

  bool empty() const { return slots_.empty(); }
  Iterator begin() { return slots_.begin(); }
  Iterator end() { return slots_.end(); }
  // Just behind the scanning cursor is the end of the list.
  void Add(uint16_t process) { by_process_[process] = slots_.insert(slots_.end(), {.process = process}); }
  void AddForeign(int64_t pages) { slots_.push_front({.foreign_pages = pages}); }
  // The process must be in the list.
  Iterator Find(uint16_t process) {
    const auto found = by_process_.find(process);
    NUMASIM_CHECK(found != by_process_.end());
    return found->second;
  }
  // The process is gone, and its id may be another's; the slot stays until it is erased.
  void MarkDead(Iterator slot) {
    slot->dead = true;
    by_process_.erase(slot->process);
  }
  Iterator Erase(Iterator slot) {
    if (!slot->dead) by_process_.erase(slot->process);
    return slots_.erase(slot);
  }

  // khugepaged_add_pte_mapped_thp(): khugepaged is to try the huge page at `first` again when it comes by.
  // False where it never will, or there are too many already.
  bool NotePteMapped(uint16_t process, Vpn first) {
    const auto found = by_process_.find(process);
    if (!notes_ || found == by_process_.end()) return false;
    MmSlot& slot = *found->second;
    if (slot.pte_mapped_count == MmSlot::kMaxPteMapped) return false;
    slot.pte_mapped[slot.pte_mapped_count++] = first;
    return true;
  }
  // The oldest `count` were tried again.
  static void ForgetPteMapped(Iterator slot, size_t count) {
    auto& noted = slot->pte_mapped;
    std::shift_left(noted.begin(), noted.begin() + slot->pte_mapped_count,
                    static_cast<std::ptrdiff_t>(count));
    slot->pte_mapped_count -= count;
  }

 private:
  bool notes_;
  Slots slots_;
  absl::flat_hash_map<uint16_t, Iterator> by_process_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_THP_MM_SLOTS_H_
