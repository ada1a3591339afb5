#include "models/address_space/anon_vmas.h"

#include <algorithm>
#include <utility>

#include "sim/check.h"

namespace numasim {

AnonVmaId AnonVmas::New() {
  if (free_ids_.empty()) {
    NUMASIM_CHECK_LT(static_cast<int>(anon_vmas_.size()), kIds);
    free_ids_.push_back(static_cast<AnonVmaId>(anon_vmas_.size()));
    anon_vmas_.emplace_back();
  }
  const AnonVmaId id = free_ids_.back();
  free_ids_.pop_back();
  return id;
}

AnonVmas::Chain& AnonVmas::ChainOf(uint16_t process) {
  if (process >= chains_.size()) chains_.resize(size_t{process} + 1);
  return chains_[process];
}

// `id` is one that the process is in, or a new one.
AnonVmaId AnonVmas::Own(uint16_t process, AnonVmaId id) {
  ++anon_vmas_[id].users;
  return ChainOf(process).own = id;
}

AnonVmaId AnonVmas::Add(uint16_t process) {
  const AnonVmaId id = New();
  anon_vmas_[id].root = true;
  anon_vmas_[id].processes.insert(process);
  ChainOf(process).all.assign(1, id);
  return Own(process, id);
}

AnonVmaId AnonVmas::Fork(uint16_t parent, uint16_t child) {
  ChainOf(std::max(parent, child));  // so that the next does not move the other
  const Chain& from = chains_[parent];
  Chain& to = chains_[child];
  to.all = from.all;
  for (const AnonVmaId id : to.all) anon_vmas_[id].processes.insert(child);
  const auto reused = std::find_if(to.all.begin(), to.all.end(), [&](AnonVmaId id) { return Reusable(id); });
  if (reused != to.all.end()) return Own(child, *reused);
  if (forked_ == most_forked_) return Own(child, from.own);
  const AnonVmaId id = New();
  ++forked_;
  anon_vmas_[id].processes.insert(child);
  anon_vmas_[id].parent = from.own;
  ++anon_vmas_[from.own].children;
  to.all.push_back(id);
  return Own(child, id);
}

// The last ones of the chain are the youngest: a parent is never gone before its child.
void AnonVmas::Remove(uint16_t process) {
  Chain& chain = ChainOf(process);
  NUMASIM_CHECK(!chain.all.empty());
  --anon_vmas_[chain.own].users;
  while (!chain.all.empty()) {
    const AnonVmaId id = chain.all.back();
    chain.all.pop_back();
    AnonVma& anon_vma = anon_vmas_[id];
    NUMASIM_CHECK_EQ(anon_vma.processes.erase(process), size_t{1});
    if (!anon_vma.processes.empty()) continue;
    NUMASIM_CHECK_EQ(anon_vma.users, 0);
    NUMASIM_CHECK_EQ(anon_vma.children, 0);
    if (!anon_vma.root) {
      --anon_vmas_[anon_vma.parent].children;
      --forked_;
    }
    anon_vma = {};
    free_ids_.push_back(id);
  }
}

const absl::btree_set<uint16_t>& AnonVmas::ProcessesOf(AnonVmaId id) const {
  static const absl::btree_set<uint16_t> kNone;
  return id < anon_vmas_.size() ? anon_vmas_[id].processes : kNone;
}

}  // namespace numasim
