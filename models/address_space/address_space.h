// AddressSpace: a process's VMAs and page tables (struct mm_struct). Owned by its Process; lives on the LP of
// the node whose CPU the process runs on, and moves with it. Pure state; AddressSpaceOps changes it on paths
// that take time.
#ifndef NUMASIM_MODELS_ADDRESS_SPACE_ADDRESS_SPACE_H_
#define NUMASIM_MODELS_ADDRESS_SPACE_ADDRESS_SPACE_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "models/address_space/page_table.h"
#include "models/address_space/room_index.h"
#include "models/base/folio.h"
#include "models/base/types.h"
#include "models/mempolicy/mempolicy.h"
#include "sim/locks.h"

namespace numasim {

class ResvMap;

enum class Access : uint8_t { kNone, kRead, kReadWrite };

// What a mapping of HugeTLB pages has besides.
struct HugeVma {
  uint8_t order = 0;           // of its pages; 0: not a HugeTLB mapping
  bool shared = false;         // VM_MAYSHARE
  bool noreserve = false;      // VM_NORESERVE
  bool resv_owner = false;     // HPAGE_RESV_OWNER: made by mmap, not by fork
  bool resv_unmapped = false;  // HPAGE_RESV_UNMAPPED: the owner stole a page from here
  bool anon_vma = false;       // had a page of its own once, so a fork copies its entries
  // Of a private mapping that reserved: shared by the parts it was split into. The map itself is touched on
  // the global LP only.
  std::shared_ptr<ResvMap> resv;
};

struct Vma {
  Vpn start, end;
  Access access = Access::kReadWrite;
  FileId file = kNoFile;  // kNoFile: anonymous and private
  bool disk = false;      // the file is of the disk; else it is shared memory, or of huge pages
  bool cow = false;       // MAP_PRIVATE of a file of the disk: a write makes an anonymous copy of the page
  // Of a file on the kernel's own mount, which keeps its size: how many pages it has. 0: on the tmpfs.
  uint64_t file_pages = 0;
  uint64_t pgoff = 0;  // page offset of `start` in the file; for anonymous memory start itself
  MemPolicy policy;    // mbind; default: the task's
  // The number of its anon_vma, from 1; 0: it was never written to. A fork copies the entries of one that was
  // (vma_needs_copy).
  uint32_t anon_vma = 0;
  bool anon_inherited = false;  // has pages of a parent too: its anon_vma_chain is not singular
  bool locked = false;          // VM_LOCKED, by mlock; never of huge pages
  enum class ThpAdvice : uint8_t { kNone, kHugepage, kNohugepage } thp = ThpAdvice::kNone;
  uint64_t mapping = 0;  // which mmap made it
  HugeVma huge;

  int64_t pages() const { return end - start; }
  bool anonymous() const { return file.value == kNoFile.value; }
  bool hugetlb() const { return huge.order != 0; }
  bool page_cache() const { return !anonymous() && !hugetlb(); }  // maps pages of a file, of base size
  bool shmem() const { return page_cache() && !disk; }
  bool tmpfs() const { return shmem() && file_pages == 0; }
  uint64_t IndexOf(Vpn vpn) const { return pgoff + static_cast<uint64_t>(vpn - start); }
  // Whether `vpn` is inside a page of a HugeTLB mapping, where it cannot be split (hugetlb_vm_op_split).
  bool CutsHugePage(Vpn vpn) const { return hugetlb() && vpn.value % (uint64_t{1} << huge.order) != 0; }
  // The first page of the huge page that `vpn` is in; of base pages, `vpn` itself.
  Vpn HugePageOf(Vpn vpn) const { return Vpn{vpn.value >> huge.order << huge.order}; }
  // In pages of the file's size: huge ones, of a HugeTLB mapping.
  uint64_t HugeIndexOf(Vpn vpn) const { return IndexOf(vpn) >> huge.order; }

  // Where the pages [from, to) of the file are mapped here (vma_address, linear indices of i_mmap); nothing
  // where none of them is. In pages of the file's size.
  struct Addresses {
    Vpn begin, end;
  };
  std::optional<Addresses> AddressesOf(uint64_t from, uint64_t to) const {
    const uint64_t first = HugeIndexOf(start);
    from = std::max(from, first);
    to = std::min(to, HugeIndexOf(end));
    if (from >= to) return std::nullopt;
    const Vpn begin = start + (static_cast<int64_t>(from - first) << huge.order);
    return Addresses{begin, begin + (static_cast<int64_t>(to - from) << huge.order)};
  }
  // The same for one page.
  std::optional<Vpn> AddressOf(uint64_t index) const {
    const std::optional<Addresses> found = AddressesOf(index, index + 1);
    return found.has_value() ? std::optional(found->begin) : std::nullopt;
  }
};

class AddressSpace {
 public:
  // Finds room for `pages` at a 1 GiB boundary (2 MiB where those are all taken) and adds the VMA there; its
  // start, end and (anonymous) pgoff are set. Returns where; kNoRoom if the address space is full.
  static constexpr Vpn kNoRoom{~uint64_t{0}};
  // 1 GiB: nothing is mapped below, and the first mapping begins there.
  static constexpr Vpn kStartOfSpace{uint64_t{1} << kPmdTableShift};
  Vpn Map(Vma vma, int64_t pages);

  // The VMA that holds `vpn`; null if none does.
  const Vma* Find(Vpn vpn) const;
  Vma* Find(Vpn vpn) { return const_cast<Vma*>(static_cast<const AddressSpace*>(this)->Find(vpn)); }
  // The VMA that holds `vpn`, or the first behind it; null if there is none (find_vma).
  const Vma* FindFrom(Vpn vpn) const;
  // Calls f(Vma&) for each VMA, in order; f leaves its bounds and its file alone.
  template <typename F>
  void ForEach(F f) {
    for (auto& [start, vma] : vmas_) f(vma);
  }
  // The same for the VMAs of a file: of huge pages, or of shared memory.
  template <typename F>
  void ForEachOfFile(bool huge, FileId file, F f) {
    for (auto it = of_files_.lower_bound({huge, file.value, 0}); it != of_files_.end(); ++it) {
      if (std::get<0>(*it) != huge || std::get<1>(*it) != file.value) return;
      f(vmas_.find(std::get<2>(*it))->second);
    }
  }
  bool MapsFile(bool huge, FileId file) const {
    const auto it = of_files_.lower_bound({huge, file.value, 0});
    return it != of_files_.end() && std::get<0>(*it) == huge && std::get<1>(*it) == file.value;
  }
  // Gives a VMA that had none its file.
  void SetFile(Vma& vma, FileId file);
  // anon_vma_prepare(), before the first page of its own comes into a private VMA.
  void PrepareAnonVma(Vma& vma) {
    if (vma.anon_vma == 0) vma.anon_vma = FindAnonVma(vma);
  }
  // Up to where [begin, end) is mapped without a hole; `begin` if it is not mapped itself.
  Vpn MappedUntil(Vpn begin, Vpn end) const;
  // Whether `vpn` is inside a page of a HugeTLB mapping, where it cannot be split (hugetlb_vm_op_split).
  bool CutsHugePage(Vpn vpn) const;

  // mm->map_count: how many VMAs there are, those of the program itself among them.
  int64_t map_count() const { return std::ssize(vmas_) + kProgramVmas; }
  // Text, data, heap, stack, vdso and the like of a small static program.
  static constexpr int64_t kProgramVmas = 10;

  enum class Refusal : uint8_t {
    kNone,
    kTooMany,      // VMAs: there are as many as allowed already
    kCutsHugePage  // a HugeTLB page cannot be split
  };
  struct Changed {
    Refusal refusal = Refusal::kNone;
    bool whole = true;  // no hole was met
    Vpn until;          // what is below is changed
  };
  // Calls f(Vma&) to change what [begin, end) allows, its policy or its advice, over holes. A VMA that the
  // change covers only in part is split, where no more than `max_map_count` are allowed; those that do not
  // differ any more become one.
  Changed Change(Vpn begin, Vpn end, int64_t max_map_count, const std::function<void(Vma&)>& f);
  // Removes the VMAs of [begin, end), splitting those that stick out. Returns them.
  std::vector<Vma> Remove(Vpn begin, Vpn end);
  // Whatever cuts a VMA where a transparent huge page lies on both sides splits the mapping of it first
  // (vma_adjust_trans_huge): its parts are mapped by base entries then, but of a file it is mapped no more.
  // The pages that this was done to since the last time, whose counts do not know it yet.
  struct PmdSplits {
    int64_t count = 0;  // the huge zero page's among them
    std::vector<Folio> anon, file;
  };
  PmdSplits TakePmdSplits() { return std::exchange(pmd_splits_, {}); }
  // The same for the transparent huge page that `vpn` is in and does not begin with; nothing where there is
  // none.
  void CutPmd(Vpn vpn);
  // The same for the transparent huge page that begins at `first`, if one does.
  void SplitPmd(Vpn first);
  // The largest [floor, ceiling) round [begin, end) in which no VMA is left: whose page tables can go.
  struct Gap {
    Vpn floor, ceiling;
  };
  Gap GapAround(Vpn begin, Vpn end) const;

  const absl::btree_map<uint64_t, Vma>& vmas() const { return vmas_; }
  PageTable& page_table() { return page_table_; }
  const PageTable& page_table() const { return page_table_; }

  // mmap_lock: read by faults, written by who changes VMAs, or takes page tables away. It is the process's,
  // on the LP where that is. It is there from the process's start (Spawn, Fork).
  sim::RwSem& mmap_lock() { return *mmap_lock_; }
  const sim::RwSem& mmap_lock() const { return *mmap_lock_; }
  void MakeLock(sim::Engine& engine, sim::LpId lp) {
    mmap_lock_ = std::make_unique<sim::RwSem>(engine, lp, "mmap_lock");
  }

  // Changes whenever a VMA comes, goes or gets other bounds. No pointer to a VMA is valid after a suspension
  // but where this is as it was: a VmaCursor looks.
  uint64_t generation() const { return generation_; }

  // Changes whenever somebody else changes entries, as who moves a page does.
  uint64_t moves() const { return moves_; }
  void CountMove() { ++moves_; }

  // Whether entries must stay as they are for now.
  bool entries_held() const { return holds_ > 0; }

  // fork: the same VMAs, no page tables yet. Locks are not inherited.
  void CopyVmasFrom(const AddressSpace& parent);

 private:
  friend class EntriesHold;

  using Vmas = absl::btree_map<uint64_t, Vma>;
  // Room for mappings at the two alignments.
  struct Rooms {
    RoomIndex gigabytes, pageblocks;
  };

  void Insert(const Vma& vma);
  Vmas::iterator Erase(Vmas::iterator it);
  void SetStart(Vma& vma, Vpn start);
  void SplitAt(Vpn vpn);
  Vpn Place(int64_t pages, uint8_t order);
  void MakeRooms();
  void GapChanged(Vpn begin, Vpn end, bool gap);
  Gap GapBelow(Vmas::const_iterator next) const;  // between a VMA and the one below
  Refusal ChangePart(Vpn begin, Vpn end, int64_t max_map_count, const std::function<void(Vma&)>& f);
  bool MergePart(Vma& vma, Vpn begin, Vpn end, const Vma& wanted);
  uint32_t FindAnonVma(const Vma& vma);

  Vmas vmas_;  // by start
  // Whether of huge pages, file and start of those that have a file.
  absl::btree_set<std::tuple<bool, int32_t, uint64_t>> of_files_;
  uint64_t next_mapping_ = 1;
  uint32_t next_anon_vma_ = 1;
  // Made when the address space has once been filled to its end: until then mappings go behind the last.
  std::optional<Rooms> rooms_;
  PageTable page_table_;
  PmdSplits pmd_splits_;
  std::unique_ptr<sim::RwSem> mmap_lock_;
  uint64_t generation_ = 0;
  uint64_t moves_ = 0;
  int holds_ = 0;
  Vpn next_ = kStartOfSpace;
};

// A VMA, kept over suspensions: it looks again only for a page outside, or after VMAs have changed. The
// AddressSpace must outlive it.
class VmaCursor {
 public:
  explicit VmaCursor(AddressSpace& space) : space_(space) {}

  // The VMA that holds `vpn`, null if none does. Valid until the next suspension.
  Vma* Find(Vpn vpn) {
    const bool same = vma_ != nullptr && generation_ == space_.generation();
    if (!same || vpn < vma_->start || vpn >= vma_->end) {
      vma_ = space_.Find(vpn);
      generation_ = space_.generation();
    }
    return vma_;
  }

 private:
  AddressSpace& space_;
  Vma* vma_ = nullptr;
  uint64_t generation_ = 0;
};

// The page table lock of a fork or a pin: while it counts references of pages whose entries it has seen,
// nobody else may change entries. Migrations find it taken and come again.
class EntriesHold {
 public:
  explicit EntriesHold(AddressSpace& space) : space_(space) { ++space_.holds_; }
  EntriesHold(const EntriesHold&) = delete;
  EntriesHold& operator=(const EntriesHold&) = delete;
  ~EntriesHold() { --space_.holds_; }

 private:
  AddressSpace& space_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_ADDRESS_SPACE_ADDRESS_SPACE_H_
