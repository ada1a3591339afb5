// Address spaces and files in themselves, and what they refer to.
#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "models/mm/reference_check.h"
#include "models/page_cache/mapping_check.h"

namespace numasim {
namespace {

constexpr auto kTablePages = static_cast<int64_t>(kPtesPerTable);

class Gatherer {
 public:
  Gatherer(const std::vector<const Process*>& processes, const ShmemFiles& files, ProblemList& problems)
      : processes_(processes), files_(files), problems_(problems) {}

  PageReferences Run() {
    int64_t files = 0;
    files_.ForEachFile([&](FileId id, const ShmemFile& file) {
      ++files;
      CheckFile(id, file);
    });
    CheckNames();
    problems_.Expect(files_.files(), files, "the count of files that have a number");
    std::set<int> ids;
    for (size_t i = 0; i < processes_.size(); ++i) {
      const Process& process = *processes_[i];
      if (!process.alive) problems_.Add("process ", process.name, " is dead but still listed");
      if (!ids.insert(process.id).second) {
        problems_.Add("process ", process.name, " has id ", process.id, ", which another process has too");
      }
      CheckProcess(process, static_cast<int32_t>(i));
    }
    for (const auto& [file, counts] : mappings_) {
      problems_.Expect(counts.recorded, counts.found, "the count of mappings of file ", file);
    }
    std::sort(references_.begin(), references_.end(), [](const PageReference& a, const PageReference& b) {
      return std::tie(a.page, a.kind, a.object, a.index) < std::tie(b.page, b.kind, b.object, b.index);
    });
    std::sort(pins_.begin(), pins_.end());
    return {std::move(references_), std::move(pins_)};
  }

 private:
  struct Mappings {
    int64_t recorded, found;
  };

  void CheckFile(FileId id, const ShmemFile& file) {
    const std::string name = absl::StrCat("file ", id.value);
    if (files_.IdOf(static_cast<uint64_t>(id.value)) != id)
      problems_.Add(name, " is on node", id.home.value, ", but its number is not that of a file there");
    if (!file.InUse()) problems_.Add(name, " is left though nothing refers to it");
    if (file.lock != nullptr && file.lock->held())
      problems_.Add(name, ": its lock is held though nothing runs");
    if (file.linked) ++linked_;
    MappingCheck::Check(file.mapping, name, problems_);
    mappings_[id.value] = {file.mapping.mappers(), 0};
    file.mapping.ForEachPage([&](uint64_t index, Pfn pfn) {
      const FrameOwner::Kind kind = file.of_disk() ? FrameOwner::kFile : FrameOwner::kShmem;
      references_.push_back({Folio(pfn), kind, false, id.value, index});
      ExpectBeforeEnd(name, file, index);
    });
    file.mapping.ForEachHuge([&](uint64_t first, Pfn head) {
      references_.push_back({Folio(head, kPteTableShift), FrameOwner::kShmem, false, id.value, first});
      ExpectBeforeEnd(name, file, first);
    });
  }

  void ExpectBeforeEnd(const std::string& name, const ShmemFile& file, uint64_t index) {
    if (index >= file.EndIndex())
      problems_.Add(name, " has page ", index, ", but ends at page ", file.EndIndex());
  }

  // Every name is of a file that knows that it has one, and only one.
  void CheckNames() {
    std::set<int32_t> named;
    for (const ShmemFile::Mount mount : {ShmemFile::Mount::kTmpfs, ShmemFile::Mount::kDisk})
      CheckNames(mount, named);
    problems_.Expect(linked_, std::ssize(named), "the count of files with a name");
  }

  void CheckNames(ShmemFile::Mount mount, std::set<int32_t>& named) {
    const char* const directory = mount == ShmemFile::Mount::kDisk ? "/disk/" : "/shm/";
    for (const auto& [name, id] : files_.names(mount)) {
      const ShmemFile* const file = files_.FindFile(id);
      if (file == nullptr || !file->linked)
        problems_.Add(directory, name, " is file ", id.value, ", which ",
                      file == nullptr ? "does not exist" : "knows of no name");
      if (!named.insert(id.value).second) problems_.Add("file ", id.value, " has a second name, ", name);
    }
  }

  void CheckProcess(const Process& process, int32_t number) {
    process_ = &process;
    number_ = number;
    vma_ = nullptr;
    if (process.pgd.has_value())
      references_.push_back({*process.pgd, FrameOwner::kKernel, false, number_, 0});
    for (const Folio table : process.base_tables) AddTableFrame(table.head());
    for (const PinnedPages& pinned : process.pins)
      pins_.insert(pins_.end(), pinned.pages.begin(), pinned.pages.end());
    const sim::RwSem& mmap_lock = process.space.mmap_lock();
    if (mmap_lock.held_for_write() || mmap_lock.reader_count() > 0)
      problems_.Add("process ", process.name, ": mmap_lock is held though nothing runs");
    if (process.space.entries_held())
      problems_.Add("process ", process.name, ": its entries are held though nothing runs");
    CheckVmas();
    CheckTables();
  }

  void AddTableFrame(Pfn pfn) {
    references_.push_back({Folio(pfn), FrameOwner::kPageTable, false, number_, 0});
  }

  void CheckVmas() {
    std::set<int32_t> files;
    Vpn end{0};
    for (const auto& [start, vma] : process_->space.vmas()) {
      const std::string where = absl::StrCat("process ", process_->name, ": the VMA at vpn ", start);
      problems_.Expect(vma.start.value, start, where, ": its start");
      if (vma.start < end) problems_.Add(where, " begins before the one below ends, at vpn ", end.value);
      if (vma.end <= vma.start) problems_.Add(where, " ends at vpn ", vma.end.value);
      end = vma.end;
      if (vma.hugetlb()) continue;  // has files of another kind
      if (vma.anonymous()) {
        problems_.Expect(vma.pgoff, start, where, ": the page offset of anonymous memory");
      } else {
        files.insert(vma.file.value);
        if (files_.Find(vma.file) == nullptr)
          problems_.Add(where, " is of file ", vma.file.value, ", which is not on node", vma.file.home.value);
      }
    }
    for (int32_t file : files) {
      const auto found = mappings_.find(file);
      if (found == mappings_.end()) {
        problems_.Add("process ", process_->name, " maps file ", file, ", which does not exist");
      } else {
        ++found->second.found;
      }
    }
  }

  // Page tables are as many as counted, and none is left where nothing is mapped any more.
  void CheckTables() {
    const PageTable& tables = process_->space.page_table();
    std::map<uint64_t, int> used;  // PTE tables and huge pages by PMD table
    int64_t count = 0;
    tables.ForEachTable(Vpn{0}, AddressSpace::kNoRoom, [&](Vpn first, const PteTable& table) {
      ++count;
      ++used[first.value >> kPmdTableShift];
      AddTableFrame(table.frame);
      ExpectMapped("PTE", first, first + kTablePages);
    });
    int64_t huge_pages = 0;
    int64_t huge_zero_pages = 0;
    int64_t deposits = 0;
    tables.Walk(Vpn{0}, AddressSpace::kNoRoom, [&](Vpn vpn, Entry entry, int order) {
      if (order == 0) return CheckEntry(vpn, entry, order);
      ++huge_pages;
      if (order != kPteTableShift) return;
      ++used[vpn.value >> kPmdTableShift];
      if (entry.anon() || entry.zero_page()) {
        ++deposits;
        huge_zero_pages += entry.zero_page();
        CheckThp(vpn, entry);
      } else {
        CheckFilePmd(vpn, entry);
      }
    });
    tables.ForEachDeposit([&](Pfn frame) {
      ++count;
      --deposits;
      AddTableFrame(frame);
    });
    problems_.Expect(deposits, 0, "process ", process_->name,
                     ": the count of transparent huge pages without a deposited table");
    problems_.Expect(tables.huge_pages(), huge_pages, "process ", process_->name,
                     ": the count of huge pages");
    problems_.Expect(tables.huge_zero_pages(), huge_zero_pages, "process ", process_->name,
                     ": the count of PMDs that map the huge zero page");
    tables.ForEachPmd([&](Vpn first, Pfn frame, int entries) {
      ++count;
      AddTableFrame(frame);
      ExpectMapped("PMD", first, first + (int64_t{1} << kPmdTableShift));
      problems_.Expect(entries, used[first.value >> kPmdTableShift], "process ", process_->name,
                       ": the count of entries in the PMD table of vpn ", first.value);
    });
    problems_.Expect(tables.tables(), count, "process ", process_->name, ": the count of page tables");
  }

  void ExpectMapped(const char* level, Vpn first, Vpn end) {
    const auto& vmas = process_->space.vmas();
    if (process_->space.Find(first) != nullptr) return;
    const auto next = vmas.lower_bound(first.value);
    if (next != vmas.end() && next->second.start < end) return;
    problems_.Add("process ", process_->name, ": the ", level, " table of vpn ", first.value,
                  " is left though nothing is mapped there");
  }

  void CheckThp(Vpn vpn, Entry entry) {
    CheckEntry(vpn, entry, kPteTableShift);
    if (vma_ != nullptr && (vpn < vma_->start || vpn + kTablePages > vma_->end))
      problems_.Add(At(vpn), " has a transparent huge page that sticks out of its VMA");
    if (entry.zero_page() && !process_->huge_zero_page)
      problems_.Add(At(vpn), " has the huge zero page, but the process has not asked for it");
  }

  void CheckEntry(Vpn vpn, Entry entry, int order) {
    if (entry.migrating()) problems_.Add(At(vpn), " is a migration entry though nothing runs");
    if (vma_ == nullptr || vpn < vma_->start || vpn >= vma_->end) vma_ = process_->space.Find(vpn);
    if (entry.anon()) {
      references_.push_back(
          {Folio(entry.pfn(), order), FrameOwner::kAnon, entry.writable(), number_, vpn.value});
    }
    if (vma_ == nullptr) {
      problems_.Add(At(vpn), " has an entry but is not mapped");
      return;
    }
    if (entry.writable() && vma_->access != Access::kReadWrite)
      problems_.Add(At(vpn), " is writable, its VMA is not");
    if (entry.zero_page()) {
      if (!vma_->anonymous()) problems_.Add(At(vpn), " has the zero page in shared memory");
      if (entry.writable()) problems_.Add(At(vpn), " may write the zero page");
    } else if (entry.anon() != vma_->anonymous() && !vma_->cow) {
      problems_.Add(At(vpn), entry.anon() ? " has an anonymous page in shared memory"
                                          : " has a file's page in private memory");
    } else if (!entry.anon()) {
      CheckFileEntry(vpn, entry);
    }
  }

  void CheckFileEntry(Vpn vpn, Entry entry) {
    const uint64_t index = vma_->IndexOf(vpn);
    const Mapping* const mapping = files_.Find(vma_->file);
    if (mapping == nullptr) return;  // reported with the VMA
    const Pfn page = mapping->Lookup(index);
    if (page == entry.pfn()) return;
    problems_.Add(At(vpn), " maps pfn ", entry.pfn().value, ", but page ", index, " of file ",
                  vma_->file.value, " is ", page == kNoPfn ? "absent" : absl::StrCat("at pfn ", page.value));
  }

  // A PMD that maps a huge page of a file, which has a reference for it.
  void CheckFilePmd(Vpn vpn, Entry entry) {
    if (entry.anon() || entry.zero_page()) return;
    const Vma* const vma = process_->space.Find(vpn);
    if (vma == nullptr || vma->hugetlb()) return;
    if (!vma->shmem()) {
      problems_.Add(At(vpn), " has a file's huge page in private memory");
      return;
    }
    references_.push_back({Folio(entry.pfn(), kPteTableShift), FrameOwner::kShmem, false, vma->file.value,
                           vma->IndexOf(vpn), true});
    if (vpn < vma->start || vpn + kTablePages > vma->end)
      problems_.Add(At(vpn), " has a transparent huge page that sticks out of its VMA");
    if (entry.writable() && vma->access != Access::kReadWrite)
      problems_.Add(At(vpn), " is writable, its VMA is not");
    const ShmemFile* const file = files_.FindFile(vma->file);
    if (file == nullptr) return;  // reported with the VMA
    const Pfn head = file->mapping.LookupHuge(vma->IndexOf(vpn));
    if (head == entry.pfn()) return;
    problems_.Add(At(vpn), " maps huge page pfn ", entry.pfn().value, ", but that of file ", vma->file.value,
                  " at page ", vma->IndexOf(vpn), " is ",
                  head == kNoPfn ? "absent" : absl::StrCat("at pfn ", head.value));
  }

  std::string At(Vpn vpn) const { return absl::StrCat("process ", process_->name, ": vpn ", vpn.value); }

  const std::vector<const Process*>& processes_;
  const ShmemFiles& files_;
  ProblemList& problems_;
  std::vector<PageReference> references_;
  std::vector<Folio> pins_;
  std::map<int32_t, Mappings> mappings_;  // by file
  int64_t linked_ = 0;                    // files that have a name
  const Process* process_ = nullptr;
  int32_t number_ = 0;
  const Vma* vma_ = nullptr;  // of the page before
};

}  // namespace

PageReferences GatherReferences(const std::vector<const Process*>& processes, const ShmemFiles& files,
                                ProblemList& problems) {
  return Gatherer(processes, files, problems).Run();
}

}  // namespace numasim
