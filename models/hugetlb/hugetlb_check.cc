#include "models/hugetlb/hugetlb_check.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "models/page_cache/mapping_check.h"
#include "proto/counter_info.h"

namespace numasim {
namespace {

class Checker {
 public:
  Checker(const MemorySystem& memory, const Hugetlb& hugetlb, const std::vector<const Process*>& processes,
          ProblemList& problems)
      : memory_(memory),
        hugetlb_(hugetlb),
        pages_(hugetlb.pool().pages()),
        processes_(processes),
        problems_(problems) {}

  void Run() {
    for (const HugeSize size : kHugeSizes) CheckPool(hugetlb_.pool().hstate(size));
    hugetlb_.files().ForEach([&](const HugeFile& file) { CheckFile(file); });
    for (const Process* process : processes_) CheckProcess(*process);
    for (const Pfn pfn : hugetlb_.pool().boot_users()) ++uses_[pfn.value].pinned;
    for (const HugeSize size : kHugeSizes) reserved_[size] += hugetlb_.pool().reserved_at_boot(size);
    CheckMappers();
    CheckUsedPages();
    CheckTable();
    CheckReservations();
  }

 private:
  struct Use {
    uint32_t mapped = 0;
    uint32_t pinned = 0;
    bool writable = false;
    const HugeFile* file = nullptr;    // that has it in its page cache
    const HugeFile* origin = nullptr;  // that a mapping of it is of
  };

  static std::string Name(const Hstate& h) { return kHugeSizeNames[h.size()]; }

  void CheckPool(const Hstate& h) {
    for (const HugetlbCounter c : {NR_HUGEPAGES, FREE_HUGEPAGES, SURPLUS_HUGEPAGES}) {
      int64_t sum = 0;
      for (int n = 0; n < h.nodes(); ++n) sum += h.node(NodeId{n}).counters[c];
      problems_.Expect(h.counter(c), sum, Name(h), " pages: ", NameOf(c).name);
    }
    for (int n = 0; n < h.nodes(); ++n) CheckFreeList(h, n);
    // A node by itself may have more surplus than pages: shrinking takes free pages wherever they are.
    const bool fewer = h.counter(NR_HUGEPAGES) < h.counter(SURPLUS_HUGEPAGES);
    if (fewer && !h.wrapped()) problems_.Add(Name(h), " pages: more are surplus than there are");
    used_[h.size()] = h.counter(NR_HUGEPAGES) - h.counter(FREE_HUGEPAGES);
    if (h.available() < 0 && !AnyMinSize() && !h.wrapped()) {
      problems_.Add(Name(h), " pages: ", h.counter(RESV_HUGEPAGES), " reservations, but only ",
                    h.counter(FREE_HUGEPAGES), " free pages");
    }
  }

  // From head to tail, and no further than the list says it is long: a damaged one may have no end.
  void CheckFreeList(const Hstate& h, int n) {
    const HugePageStore::List& list = h.node(NodeId{n}).free;
    int64_t length = 0;
    Pfn before = kNoPfn;
    Pfn at = HugePageStore::First(list);
    for (; at != kNoPfn && length <= list.size; at = pages_.Next(at), ++length) {
      const HugePage* const page = pages_.Find(at);
      if (page == nullptr || page->state != HugePageState::kFree || page->size != h.size()) {
        problems_.Add("huge page ", at.value, " is on a free list of node", n, ", but not free there");
        break;
      }
      if (!free_.insert(at.value).second) problems_.Add("huge page ", at.value, " is on a free list twice");
      problems_.Expect(pages_.Previous(at).value, before.value, "huge page ", at.value,
                       ": the page before it on the free list");
      CheckFree(h, n, at, *page);
      before = at;
    }
    problems_.Expect(list.size, length, Name(h), " pages: the length of the free list of node", n);
    problems_.Expect(h.node(NodeId{n}).counters[FREE_HUGEPAGES], length, Name(h),
                     " pages: free_hugepages of node", n);
  }

  void CheckFree(const Hstate& h, int node, Pfn pfn, const HugePage& page) {
    if (page.Held()) problems_.Add("huge page ", pfn.value, " is free and in use");
    const Zone* const zone = memory_.ZoneOf(pfn);
    if (zone == nullptr || zone->node().value != node)
      problems_.Add(Name(h), " page ", pfn.value, " is on the free list of node", node, ", but not there");
  }

  // Every entry of the table: what it says of a page against the lists, the counters and the frames.
  void CheckTable() {
    PerHugeSize<std::vector<int64_t>> by_node;
    for (auto& count : by_node) count.resize(static_cast<size_t>(memory_.node_count()));
    int64_t used = 0;
    Pfn inside_until;  // of the gigantic page that was last
    for (Pfn pfn; pfn < pages_.end(); pfn = pfn + kPageblockPages) {
      const bool inside = pfn < inside_until;
      const bool says_inside = pages_.HeadOf(pfn) != kNoPfn && pages_.Find(pfn) == nullptr;
      if (inside != says_inside)
        problems_.Add("huge page table, pfn ", pfn.value, ": wrong about being inside");
      const HugePage* const page = pages_.Find(pfn);
      if (page == nullptr) continue;
      if (page->size == HugeSize::k1G) inside_until = pfn + PagesOf(page->size);
      ++by_node[page->size][NodeOf(pfn)];
      if (page->state == HugePageState::kUsed) {
        ++used;
        if (!uses_.contains(pfn.value))
          problems_.Add("huge page ", pfn.value, " is in use by nobody: it leaked");
      } else if (page->state == HugePageState::kFreeing) {
        problems_.Add("huge page ", pfn.value, " is being freed though nothing runs");
      } else if (!free_.contains(pfn.value)) {
        problems_.Add("huge page ", pfn.value, " is free but on no list");
      }
      CheckFrames(pfn, page->size);
    }
    problems_.Expect(pages_.used(), used, "the count of huge pages in use");
    problems_.Expect(pages_.freeing(), 0, "the count of huge pages being freed");
    for (const HugeSize size : kHugeSizes) {
      const Hstate& h = hugetlb_.pool().hstate(size);
      for (int n = 0; n < h.nodes(); ++n) {
        problems_.Expect(h.node(NodeId{n}).counters[NR_HUGEPAGES], by_node[size][n], Name(h),
                         " pages: nr_hugepages of node", n);
      }
    }
  }

  int NodeOf(Pfn pfn) const {
    const Zone* const zone = memory_.ZoneOf(pfn);
    return zone == nullptr ? 0 : zone->node().value;
  }

  // Also the frames of a gigantic page are allocated as blocks of a pageblock each.
  void CheckFrames(Pfn head, HugeSize size) {
    for (Pfn pfn = head; pfn < head + PagesOf(size); pfn = pfn + kPageblockPages) {
      const Zone* const zone = memory_.ZoneOf(pfn);
      const bool ours = zone != nullptr && [&] {
        const FrameStore& frames = zone->frames();
        const FrameStore::Head block = frames.Find(frames.Index(pfn));
        return block.frame == frames.Index(pfn) && block.kind == FrameKind::kAllocated &&
               block.order == kPageblockOrder &&
               frames.owner(block.frame, block.order).kind == FrameOwner::kHugetlb;
      }();
      if (!ours) problems_.Add("huge page ", head.value, ": its frame ", pfn.value, " is not HugeTLB's");
    }
  }

  void CheckFile(const HugeFile& file) {
    if (!file.InUse()) problems_.Add("hugetlbfs file ", file.id.value, " is left though nothing uses it");
    int64_t reserved = file.resv.Count(0, ResvMap::kEnd);
    const std::string name = absl::StrCat("hugetlbfs file ", file.id.value);
    MappingCheck::Check(file.mapping, name, problems_);
    file.mapping.ForEachPage([&](uint64_t index, Pfn pfn) {
      Use& use = uses_[pfn.value];
      if (use.file != nullptr) problems_.Add("huge page ", pfn.value, " is in two files");
      use.file = &file;
      if (file.resv.Count(index, index + 1) == 0)
        problems_.Add(name, " has page ", index, " outside its reservation map");
      --reserved;
    });
    reserved_[file.page_size] += reserved;
    files_.insert(file.id.value);
  }

  void CheckProcess(const Process& process) {
    std::set<const ResvMap*> seen;
    for (const auto& [start, vma] : process.space.vmas()) {
      if (!vma.hugetlb()) continue;
      if (!files_.contains(vma.file.value))
        problems_.Add(process.name, " maps hugetlbfs file ", vma.file.value, ", which does not exist");
      mappers_.insert({vma.file.value, int{process.id}});
      if (!vma.huge.resv_owner) continue;
      const auto size = static_cast<size_t>(HugeSizeOf(vma.huge.order));
      reserved_[size] += vma.huge.resv->Missing(vma.HugeIndexOf(vma.start), vma.HugeIndexOf(vma.end));
    }
    for (const PinnedPages& pinned : process.pins) {
      for (const Pfn pfn : pinned.huge) ++uses_[pfn.value].pinned;
    }
    const PageTable& tables = process.space.page_table();
    tables.Walk(Vpn{0}, AddressSpace::kNoRoom, [&](Vpn first, const Entry& entry, int order) {
      if (order == 0) return;
      const Vma* const vma = process.space.Find(first);
      const bool thp = order == kPageblockOrder && vma != nullptr && !vma->hugetlb();
      if (thp) return;
      if (vma == nullptr || !vma->hugetlb() || vma->huge.order != order) {
        problems_.Add(process.name, ": vpn ", first.value, " has a huge page outside mappings of such pages");
        return;
      }
      if (entry.writable() && vma->access != Access::kReadWrite)
        problems_.Add(process.name, ": huge page at vpn ", first.value, " is writable, its VMA is not");
      if (entry.migrating())
        problems_.Add(process.name, ": vpn ", first.value, " is a migration entry though nothing runs");
      Use& use = uses_[entry.pfn().value];
      ++use.mapped;
      if (files_.contains(vma->file.value)) use.origin = &hugetlb_.files().At(vma->file);
      use.writable = use.writable || (entry.writable() && !vma->huge.shared);
    });
  }

  void CheckMappers() {
    hugetlb_.files().ForEach([&](const HugeFile& file) {
      file.mapping.ForEachMapper([&](uint16_t process) {
        if (mappers_.erase({file.id.value, int{process}}) == 0)
          problems_.Add("hugetlbfs file ", file.id.value, " has a mapper that does not map it");
      });
    });
    for (const auto& [file, process] : mappers_)
      problems_.Add("hugetlbfs file ", file, " does not know that process ", process, " maps it");
  }

  void CheckUsedPages() {
    PerHugeSize<int64_t> found = {};
    for (const auto& [value, use] : uses_) {
      const HugePage* const page = pages_.Find(Pfn{value});
      if (page == nullptr || page->state != HugePageState::kUsed) {
        problems_.Add("huge page ", value, " is used but not known as in use");
        continue;
      }
      ++found[page->size];
      problems_.Expect(page->mapcount, use.mapped, "huge page ", value, ": the mapcount");
      problems_.Expect(page->refs, use.pinned, "huge page ", value, ": the count of references");
      if (page->isolated || page->locked)
        problems_.Add("huge page ", value, " is isolated or locked though nothing runs");
      if (page->cached != (use.file != nullptr))
        problems_.Add("huge page ", value,
                      page->cached ? " is in no page cache" : " is in a page cache unknowingly");
      const HugeFile* const known = use.file != nullptr ? use.file : use.origin;
      if (page->file != known) problems_.Add("huge page ", value, " is not of the file that it names");
      if (use.writable && use.mapped > 1)
        problems_.Add("huge page ", value, " may be written by one of several");
      if (page->temporary || page->restore_reserve)
        problems_.Add("huge page ", value, " is mapped but still marked as under way");
    }
    for (const HugeSize size : kHugeSizes) {
      const auto i = static_cast<size_t>(size);
      problems_.Expect(used_[i], found[i], kHugeSizeNames[i], " pages: in use by the counters");
    }
  }

  bool AnyMinSize() const {
    bool any = false;
    hugetlb_.files().ForEachSubpool([&](const Subpool& subpool) { any = any || subpool.had_min; });
    return any;
  }

  // Not where a mount has a min_size: Linux 6.1 miscounts there. A mapping that cannot be reserved gives the
  // mount back what others have of its minimum (hugepage_subpool_put_pages in hugetlb_reserve_pages), and a
  // private mapping that a fork made takes a page of the minimum, but not its reservation (vma_has_reserves).
  void CheckReservations() {
    if (AnyMinSize()) return;
    for (const HugeSize size : kHugeSizes) {
      const auto i = static_cast<size_t>(size);
      problems_.Expect(hugetlb_.pool().hstate(size).counter(RESV_HUGEPAGES), reserved_[i], kHugeSizeNames[i],
                       " pages: resv_hugepages");
    }
  }

  const MemorySystem& memory_;
  const Hugetlb& hugetlb_;
  const HugePageStore& pages_;
  const std::vector<const Process*>& processes_;
  ProblemList& problems_;
  PerHugeSize<int64_t> used_ = {};      // by the counters
  PerHugeSize<int64_t> reserved_ = {};  // by mappings, files and mounts
  std::set<uint64_t> free_;
  std::set<int32_t> files_;
  std::map<uint64_t, Use> uses_;               // by frame
  std::set<std::pair<int32_t, int>> mappers_;  // file, process id
};

}  // namespace

void CheckHugetlb(const MemorySystem& memory, const Hugetlb& hugetlb,
                  const std::vector<const Process*>& processes, ProblemList& problems) {
  Checker(memory, hugetlb, processes, problems).Run();
}

}  // namespace numasim
