// AnonVmas: from an anonymous page to the processes that may map it, and to no other (struct anon_vma and
// struct anon_vma_chain of mm/rmap.c, Linux 6.1; of whole processes, where the kernel's are of VMAs). Owned
// by ProcessTable, lives on the global LP. Pure state.
//
// A page knows the anon_vma of the process that faulted it in. Besides that process only those can map it
// that came from it by fork, so a fork enters the child in all that its parent is in, and gives it one of its
// own:
//
//      P forks C and D, C forks E       P: {P C D E}   C: {C E}   D: {D}   E: {E}
//
// A page that E has written since is found in E alone; one that P had before, in all four. When a process
// ends its anon_vma stays as long as a descendant may map its pages. So that generations of processes that
// fork and end do not heap them up, a child takes over one of its ancestors' that has no process of its own
// any more and at most one child (anon_vma_clone).
#ifndef NUMASIM_MODELS_ADDRESS_SPACE_ANON_VMAS_H_
#define NUMASIM_MODELS_ADDRESS_SPACE_ANON_VMAS_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_set.h"

namespace numasim {

using AnonVmaId = uint16_t;

class AnonVmas {
 public:
  // For processes with ids below `processes`, at most half of all that an AnonVmaId can be. No anon_vma gets
  // the greatest id.
  explicit AnonVmas(int processes) : most_forked_(kIds - processes) {}

  // A process that was not forked. Returns the anon_vma of what it faults in.
  AnonVmaId Add(uint16_t process);
  // One that was. It shares its parent's where there are too many.
  AnonVmaId Fork(uint16_t parent, uint16_t child);
  // The process maps nothing any more.
  void Remove(uint16_t process);

  // The processes that may map pages of an anon_vma; none if nobody has the id.
  const absl::btree_set<uint16_t>& ProcessesOf(AnonVmaId id) const;
  // Whether the process may map pages of it.
  bool Has(AnonVmaId id, uint16_t process) const { return ProcessesOf(id).contains(process); }

  int64_t count() const { return static_cast<int64_t>(anon_vmas_.size() - free_ids_.size()); }

 private:
  static constexpr int kIds = UINT16_MAX;

  struct AnonVma {
    absl::btree_set<uint16_t> processes;
    int users = 0;     // processes whose own it is
    int children = 0;  // anon_vmas of processes forked by its users
    AnonVmaId parent = 0;
    bool root = false;
  };
  // anon_vma_chain: what a process is in, its own among them.
  struct Chain {
    std::vector<AnonVmaId> all;
    AnonVmaId own = 0;
  };

  bool Reusable(AnonVmaId id) const { return anon_vmas_[id].users == 0 && anon_vmas_[id].children <= 1; }
  AnonVmaId New();
  Chain& ChainOf(uint16_t process);
  AnonVmaId Own(uint16_t process, AnonVmaId id);

  // Roots are never more than processes, as each has one that lives: so there is always room for one more.
  const int most_forked_;
  int forked_ = 0;  // anon_vmas that are no roots
  std::vector<AnonVma> anon_vmas_;
  std::vector<AnonVmaId> free_ids_;
  std::vector<Chain> chains_;  // by process
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_ADDRESS_SPACE_ANON_VMAS_H_
