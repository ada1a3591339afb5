// ProcessTable: every process that lives, by its id, and the LP where its address space is
// (find_task_by_vpid, and what a reverse mapping leads to). Owned by AddressSpaceOps, lives on the global LP.
//
// A path that wants to change the entries of other processes looks them up here and hops to their home at
// once. A process that moves to another node is nowhere while it does: it leaves the table before, and goes
// by its old home once more, so that who was on the way there has been there; see AddressSpaceOps::MoveToCpu.
#ifndef NUMASIM_MODELS_ADDRESS_SPACE_PROCESS_TABLE_H_
#define NUMASIM_MODELS_ADDRESS_SPACE_PROCESS_TABLE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "models/address_space/anon_vmas.h"
#include "models/address_space/process.h"
#include "sim/check.h"
#include "sim/engine.h"

namespace numasim {

class ProcessTable {
 public:
  // pid_max: ids are below.
  static constexpr int kIds = 32768;

  struct Entry {
    Process* process = nullptr;  // null: nobody has the id
    sim::LpId home = {};
    bool moving = false;  // between two homes: must not be visited
    uint64_t birth = 0;   // tells it from who had the id before
  };

  struct Ids {
    uint16_t process;
    AnonVmaId anon_vma;  // of what it faults in
  };
  // Nothing if all ids are taken. `parent` is null where the process was not forked.
  std::optional<Ids> Add(Process& process, sim::LpId home, const Process* parent) {
    if (free_ids_.empty() && entries_.size() == size_t{kIds}) return std::nullopt;
    if (free_ids_.empty()) {
      free_ids_.push_back(static_cast<uint16_t>(entries_.size()));
      entries_.emplace_back();
    }
    const uint16_t id = free_ids_.back();
    free_ids_.pop_back();
    entries_[id] = {&process, home, false, ++births_};
    return Ids{id, parent == nullptr ? anon_vmas_.Add(id) : anon_vmas_.Fork(parent->id, id)};
  }
  void Remove(uint16_t id) {
    NUMASIM_CHECK(entries_[id].process != nullptr);
    anon_vmas_.Remove(id);
    entries_[id] = {};
    free_ids_.push_back(id);
  }
  void LeaveHome(uint16_t id) { entries_[id].moving = true; }
  void SetHome(uint16_t id, sim::LpId home) {
    entries_[id].home = home;
    entries_[id].moving = false;
  }

  // Ids are below.
  int ids() const { return static_cast<int>(entries_.size()); }
  // What is known of an id; nobody for one that was never given.
  Entry Find(uint64_t id) const { return id < entries_.size() ? entries_[id] : Entry{}; }
  const AnonVmas& anon_vmas() const { return anon_vmas_; }

 private:
  std::vector<Entry> entries_;
  std::vector<uint16_t> free_ids_;
  uint64_t births_ = 0;
  AnonVmas anon_vmas_{kIds};
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_ADDRESS_SPACE_PROCESS_TABLE_H_
