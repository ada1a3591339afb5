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

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
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
    uint32_t family = 0;  // kept when the id is free again
  };

  // Nothing if all ids are taken. Who comes by fork is of its parent's family; others found one.
  std::optional<uint16_t> Add(Process& process, sim::LpId home, const Process* parent) {
    if (free_ids_.empty() && entries_.size() == size_t{kIds}) return std::nullopt;
    if (free_ids_.empty()) {
      free_ids_.push_back(static_cast<uint16_t>(entries_.size()));
      entries_.emplace_back();
    }
    const uint16_t id = free_ids_.back();
    free_ids_.pop_back();
    const uint32_t family = parent == nullptr ? next_family_++ : entries_[parent->id].family;
    entries_[id] = {&process, home, false, family};
    families_[family].insert(id);
    return id;
  }
  void Remove(uint16_t id) {
    NUMASIM_CHECK(entries_[id].process != nullptr);
    const uint32_t family = entries_[id].family;
    const auto found = families_.find(family);
    found->second.erase(id);
    if (found->second.empty()) families_.erase(found);
    entries_[id] = {};
    entries_[id].family = family;
    free_ids_.push_back(id);
  }
  void LeaveHome(uint16_t id) { entries_[id].moving = true; }
  void SetHome(uint16_t id, sim::LpId home) {
    entries_[id].home = home;
    entries_[id].moving = false;
  }

  // What is known of an id; nobody for one that was never given.
  Entry Find(uint64_t id) const { return id < entries_.size() ? entries_[id] : Entry{}; }
  // The ids of the processes that may have private pages in common with the one that has, or had last, this
  // id.
  std::vector<uint64_t> FamilyOf(uint64_t id) const {
    const auto found = families_.find(Find(id).family);
    if (found == families_.end()) return {};
    return {found->second.begin(), found->second.end()};
  }
  // Ids given so far are below.
  uint64_t end() const { return entries_.size(); }

 private:
  std::vector<Entry> entries_;
  std::vector<uint16_t> free_ids_;
  // Of processes that live.
  absl::flat_hash_map<uint32_t, absl::btree_set<uint16_t>> families_;
  uint32_t next_family_ = 1;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_ADDRESS_SPACE_PROCESS_TABLE_H_
