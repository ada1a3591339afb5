// The validator finds each kind of planted damage.
#include "models/validator.h"

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/contig/contig.h"
#include "models/hugetlb/huge_pages.h"
#include "models/physical/isolation.h"
#include "models/physical/memory_system.h"
#include "models/physical/zone.h"
#include "sim/check.h"
#include "tests/models/test_machine.h"

namespace numasim {

class FreeListPeer {
 public:
  static FrameIndex& Slot(FreeList& list, FreeList::Place place) { return list.Slot(place); }
  static uint32_t& live(FreeList& list) { return list.live_; }
};

class BuddyPeer {
 public:
  static FreeList& list(Buddy& buddy, int order, Migratetype type) {
    return buddy.lists_[static_cast<size_t>(order)][static_cast<size_t>(type)];
  }
  static int64_t& blocks(Buddy& buddy, int order) { return buddy.nr_free_[static_cast<size_t>(order)]; }
  static int64_t& free_pages(Buddy& buddy) { return buddy.free_pages_; }
  static uint32_t& nonempty(Buddy& buddy, Migratetype type) {
    return buddy.nonempty_[static_cast<size_t>(type)];
  }
};

class HugePageStorePeer {
 public:
  static int64_t& used(HugePageStore& pages) { return pages.used_; }
  static int64_t& freeing(HugePageStore& pages) { return pages.freeing_; }
  static HugePage& entry(HugePageStore& pages, Pfn pfn) { return pages.entry(pfn); }
};

class VirtioMemPeer {
 public:
  static uint64_t& plugged(VirtioMemDriver& device, size_t block) { return device.blocks_[block]; }
  static int64_t& counter(VirtioMemDriver& device, VirtioMemCounter c) { return device.counters_[c]; }
};

class PageTablePeer {
 public:
  static int64_t& tables(PageTable& table) { return table.tables_; }
  static int64_t& huge_pages(PageTable& table) { return table.huge_pages_; }
  static void MovePmd(PageTable& table, Pfn frame) {
    table.puds_.begin()->second.table<PageTable::PmdTable>()->frame = frame;
  }
};

class ShmemFilesPeer {
 public:
  static auto& files(ShmemFiles& files, size_t node) { return files.homes_[node]->files; }
};

class MappingPeer {
 public:
  static int64_t& pages(Mapping& mapping) { return mapping.pages_; }
  static uint64_t& present(Mapping& mapping, uint64_t index) { return mapping.FindLeaf(index)->present; }
  static uint64_t& next_mapper(Mapping& mapping) { return mapping.next_mapper_; }
  static auto& mapper_numbers(Mapping& mapping) { return mapping.mapper_numbers_; }
};

namespace {

using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::IsEmpty;

constexpr Migratetype kMovable = Migratetype::kMovable;

// Two nodes; `p` has private memory, some of it shared with its child `c`, and shared memory.
class Damaged {
 public:
  Damaged() : machine_(DescribedMachine({64 * kMiB, 64 * kMiB})) {
    machine_.Run(
        "spawn p\n"
        "@p map a 1M anon\n"
        "@p touch a 0 256K r\n"
        "@p touch a 256K 512K\n"
        "@p map s 256K shmem\n"
        "@p touch s\n"
        "@p fork c\n"
        "@p map b 512K anon\n"
        "@p touch b\n"
        "@p advise b 384K 128K dontneed\n"
        "@c touch s 0 64K\n");
  }

  void HoldEntries() { hold_ = std::make_unique<EntriesHold>(p().space); }

  TestMachine& machine() { return machine_; }
  Zone& zone() { return machine_.zone(0, ZoneType::kDma32); }
  Buddy& buddy() { return zone().buddy(); }
  FrameStore& frames() { return zone().frames(); }
  ShmemFiles& files() { return machine_.kernel().files(); }
  Mapping& file() { return files().At(FileId{0, NodeId{0}}); }  // that both map as `s`
  Process& p() { return machine_.process("p"); }
  Process& c() { return machine_.process("c"); }

  // The entry of the page at `offset` pages into the process's n-th mapping.
  static Entry& EntryAt(Process& process, int mapping, int64_t offset) {
    const Vpn vpn{(static_cast<uint64_t>(mapping) + 1) << kPmdTableShift};
    const Vpn at = vpn + offset;
    return *process.space.page_table().FindEntry(at);
  }
  Entry& cow() { return EntryAt(p(), 0, 100); }   // shared with the child
  Entry& shared() { return EntryAt(p(), 1, 3); }  // of the file
  Entry& own() { return EntryAt(p(), 2, 5); }     // only the parent's
  FrameIndex FrameOf(Entry entry) { return frames().Index(entry.pfn()); }
  FrameOwner& OwnerOf(Entry entry) {
    Zone& home = *machine_.memory().ZoneOf(entry.pfn());
    return home.frames().owner(home.frames().Index(entry.pfn()), 0);
  }

  // The order of some free list of movable pages with at least `blocks` blocks.
  int OrderWith(uint32_t blocks) {
    for (int order = 0; order < kOrders; ++order) {
      if (buddy().list(order, kMovable).count() >= blocks) return order;
    }
    ADD_FAILURE() << "no free list has " << blocks << " blocks";
    return 0;
  }
  FrameIndex FirstFree(int order) {
    FrameIndex first = kNilFrame;
    buddy().ForEachFree(order, kMovable, [&](FrameIndex frame) {
      if (first == kNilFrame) first = frame;
    });
    return first;
  }
  // The order of a free block whose state is in the table of frames. A page taken to the PCP list leaves
  // such.
  int SmallOrder() {
    const FrameIndex frame = buddy().Take(0, kMovable, {});
    frames().SetHead(frame, FrameKind::kPcp, 0);
    PcpRing(kMovable).PushBack(frame);
    ++zone().pcp(CpuId{0}).count;
    ++zone().counter(PCP_PAGES);
    EXPECT_THAT(machine_.Problems(), ::testing::IsEmpty());
    const int order = OrderWith(1);
    EXPECT_LT(order, kPageblockOrder);
    return order;
  }
  // The CPU's list of single pages of that type, with at least two.
  FrameRing& PcpRing(Migratetype type) {
    FrameRing& ring = zone().pcp(CpuId{0}).lists[static_cast<size_t>(PcpLists::ListOf(0, type))];
    NUMASIM_CHECK_GE(ring.size(), 2u);
    return ring;
  }

 private:
  TestMachine machine_;
  std::unique_ptr<EntriesHold> hold_;
};

struct Damage {
  const char* name;
  std::function<void(Damaged&)> plant;
  const char* found;  // some problem must match this regular expression
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

class ValidatorTest : public ::testing::TestWithParam<Damage> {};

TEST_P(ValidatorTest, FindsPlantedDamage) {
  Damaged damaged;
  ASSERT_THAT(damaged.machine().Problems(), IsEmpty());
  GetParam().plant(damaged);
  EXPECT_THAT(damaged.machine().Problems(), Contains(ContainsRegex(GetParam().found)));
}

const Damage kPhysicalDamage[] = {
    {"FrameLostFromPcp",
     [](Damaged& d) {
       d.PcpRing(kMovable).PopFront();
       --d.zone().pcp(CpuId{0}).count;
     },
     "pfn [0-9]+ is on a PCP list of order 0 but no CPU has it"},
    {"PageTwiceOnPcp",
     [](Damaged& d) {
       FrameRing& ring = d.PcpRing(kMovable);
       ring.PushBack(ring.FromBack(1));
       ++d.zone().pcp(CpuId{0}).count;
     },
     "pfn [0-9]+ is on PCP lists more than once"},
    {"AllocatedPageOnPcp",
     [](Damaged& d) {
       d.PcpRing(kMovable).PushBack(d.frames().Index(d.own().pfn()));
       ++d.zone().pcp(CpuId{0}).count;
     },
     "pfn [0-9]+ is allocated of order 0 but on a PCP list of order 0 of cpu 0"},
    {"PcpCountOff", [](Damaged& d) { ++d.zone().pcp(CpuId{0}).count; },
     "cpu 0: the PCP count is [0-9]+, expected"},
    {"PcpGaugeOff", [](Damaged& d) { ++d.zone().counter(PCP_PAGES); }, "count of pages on PCP lists is"},
    {"FreeBlockLost",
     [](Damaged& d) {
       const int order = d.SmallOrder();
       const FrameIndex frame = d.FirstFree(order);
       d.buddy().RemoveFromList(frame, order);
       d.frames().SetHead(frame, order, 0);
     },
     "count of managed pages is [0-9]+, expected"},
    {"FreeBlockOnNoList",
     [](Damaged& d) {
       const int order = d.OrderWith(1);
       const FrameIndex frame = d.FirstFree(order);
       d.buddy().RemoveFromList(frame, order);
       d.frames().SetHead(frame, order, FrameStore::FreeCode(order, kMovable));
       d.frames().list_place(frame, order) += 1u << 31;
     },
     "is free of order [0-9]+ Movable but on no free list"},
    {"EntryOverwritten",
     [](Damaged& d) {
       const int order = d.OrderWith(2);
       FreeList& list = BuddyPeer::list(d.buddy(), order, kMovable);
       std::vector<FrameIndex> blocks;
       d.buddy().ForEachFree(order, kMovable, [&](FrameIndex frame) { blocks.push_back(frame); });
       FreeListPeer::Slot(list, d.frames().list_place(blocks[0], order)) = blocks[1];
     },
     "is free of order [0-9]+ Movable but on no free list"},
    {"WrongPlace",
     [](Damaged& d) {
       const int order = d.OrderWith(2);
       ++d.frames().list_place(d.FirstFree(order), order);
     },
     "is free of order [0-9]+ Movable but on no free list"},
    {"FreeBlockOutsideTheZone",
     [](Damaged& d) {
       const int order = d.OrderWith(2);
       FreeList& list = BuddyPeer::list(d.buddy(), order, kMovable);
       FreeListPeer::Slot(list, d.frames().list_place(d.FirstFree(order), order)) = d.frames().frames();
     },
     "holds frame [0-9]+, which cannot head such a block"},
    {"WrongOrder",
     [](Damaged& d) {
       const int order = d.SmallOrder();
       d.frames().SetHead(d.FirstFree(order), order,
                          FrameStore::FreeCode(order == 0 ? 1 : order - 1, kMovable));
     },
     "is free of order [0-9]+ Movable(, which cannot begin there| but on no free list)"},
    {"WrongListType",
     [](Damaged& d) {
       const int order = d.OrderWith(1);
       d.frames().SetHead(d.FirstFree(order), order, FrameStore::FreeCode(order, Migratetype::kReclaimable));
     },
     "is free of order [0-9]+ Reclaimable but on no free list"},
    {"FreeBlockInsideAnother",
     [](Damaged& d) {
       const FrameIndex whole = d.FirstFree(kMaxOrder);
       d.buddy().AddToList(whole + 8, 0, kMovable, true);
       d.frames().SetHead(whole, kMaxOrder, FrameStore::FreeCode(kMaxOrder, kMovable));
     },
     "the count of the free list of order 0 Movable is"},
    {"WrongListCount",
     [](Damaged& d) { ++FreeListPeer::live(BuddyPeer::list(d.buddy(), d.OrderWith(1), kMovable)); },
     "the count of the free list of order [0-9]+ Movable is"},
    {"WrongBlockCount", [](Damaged& d) { ++BuddyPeer::blocks(d.buddy(), 4); }, "nr_free of order 4 is"},
    {"WrongFreePages", [](Damaged& d) { --BuddyPeer::free_pages(d.buddy()); }, "nr_free_pages is"},
    {"WrongNonemptyBit", [](Damaged& d) { BuddyPeer::nonempty(d.buddy(), kMovable) ^= 1u << kMaxOrder; },
     "the bit of the free list of order 10 Movable is 0, expected 1"},
    {"BuddiesNotMerged",
     [](Damaged& d) {
       const FrameIndex whole = d.FirstFree(kMaxOrder);
       d.buddy().RemoveFromList(whole, kMaxOrder);
       d.buddy().AddToList(whole, kPageblockOrder, kMovable, true);
       d.buddy().AddToList(whole + static_cast<FrameIndex>(kPageblockPages), kPageblockOrder, kMovable, true);
     },
     "and its buddy are both free of order 9 and should have merged"},
    {"SmallBuddiesNotMerged",
     [](Damaged& d) {
       int order = 1;
       while (order < kMaxOrder && d.buddy().list(order, kMovable).empty()) ++order;
       const FrameIndex whole = d.FirstFree(order);
       d.buddy().RemoveFromList(whole, order);
       d.buddy().AddToList(whole, order - 1, kMovable, true);
       d.buddy().AddToList(whole + (FrameIndex{1} << (order - 1)), order - 1, kMovable, true);
     },
     "and its buddy are both free of order [0-9]+ and should have merged"},
    {"KernelPageTaken",
     [](Damaged& d) {
       const FrameIndex frame = d.PcpRing(kMovable).PopFront();
       --d.zone().pcp(CpuId{0}).count;
       --d.zone().counter(PCP_PAGES);
       d.frames().SetHead(frame, FrameKind::kAllocated, 0);
       d.frames().owner(frame, 0) = FrameOwner{FrameOwner::kKernel, 0, 0, 0};
     },
     "the count of the kernel's own pages is 1, expected 0"},
    {"WatermarkOff", [](Damaged& d) { ++d.zone().watermarks().min; }, "the min watermark is"},
    {"ReserveOff", [](Damaged& d) { ++d.zone().lowmem_reserve()[2]; }, "lowmem_reserve.2. is"},
    {"PcpHighOff", [](Damaged& d) { ++d.zone().pcp(CpuId{1}).high; }, "cpu 1: the PCP high is"},
};

const Damage kReferenceDamage[] = {
    {"MapcountOff", [](Damaged& d) { ++d.OwnerOf(d.cow()).mapcount; },
     "the mapcount of pfn [0-9]+ .vpn [0-9]+ of process test/c and others. is 3, expected 2"},
    {"NotInTheAnonVma", [](Damaged& d) { d.OwnerOf(d.own()).object = d.c().anon_vma; },
     "vpn [0-9]+ of process test/p maps .* but is not in its anon_vma"},
    {"MapcountOfFilePageOff", [](Damaged& d) { d.OwnerOf(d.shared()).mapcount = 2; },
     "the mapcount of pfn .* is 2, expected 1"},
    {"ReferenceWithoutPin", [](Damaged& d) { d.zone().TakeRef(d.FrameOf(d.own()), 0); },
     "the references beyond mappings to pfn [0-9]+ is 1, expected 0"},
    {"PinWithoutReference", [](Damaged& d) { d.p().pins.push_back({1, {Folio(d.own().pfn())}, {}}); },
     "the references beyond mappings to pfn [0-9]+ is 0, expected 1"},
    {"PinOfAnotherOrder",
     [](Damaged& d) {
       d.zone().TakeRef(d.FrameOf(d.own()), 0);
       d.p().pins.push_back({1, {Folio(d.own().pfn(), 1)}, {}});
     },
     "the references beyond mappings to pfn [0-9]+ is 1, expected 0"},
    {"LeftMigrating", [](Damaged& d) { d.zone().MarkMigrating(d.FrameOf(d.own()), 0, true); },
     "pfn [0-9]+ is migrating though nothing runs"},
    {"PinnedPageStillMapped",
     [](Damaged& d) {
       d.zone().TakeRef(d.FrameOf(d.own()), 0);
       d.p().pins.push_back({1, {Folio(d.own().pfn())}, {}});
       d.own() = Entry();
     },
     "the mapcount of pinned pfn [0-9]+ is 1, expected 0"},
    {"AnonPageLeaked", [](Damaged& d) { d.own() = Entry(); },
     "is allocated for anonymous memory .* it leaked"},
    {"FilePageLeaked", [](Damaged& d) { d.file().Erase(40); },
     "is allocated for shared memory .object 0, index 40. but nothing refers to it: it leaked"},
    {"PageTableLeaked", [](Damaged& d) { d.p().base_tables.pop_back(); },
     "is allocated for page tables .* it leaked"},
    {"PgdLeaked", [](Damaged& d) { d.p().pgd.reset(); }, "is allocated for the kernel .* it leaked"},
    {"PgdUsedTwice", [](Damaged& d) { d.p().pgd = d.c().pgd; },
     "pfn [0-9]+ is the PGD of process test/c and also the PGD of process test/p"},
    {"EntryOfFreePage",
     [](Damaged& d) {
       const int order = d.OrderWith(1);
       d.own() =
           Entry(d.frames().PfnOf(d.FirstFree(order)), Entry::kPresent | Entry::kWritable | Entry::kAnon);
     },
     "vpn [0-9]+ of process test/p is at .* not the head of an allocation: .* that is free"},
    {"EntryOfPcpPage",
     [](Damaged& d) {
       d.own() = Entry(d.frames().PfnOf(d.PcpRing(kMovable).FromBack(0)),
                       Entry::kPresent | Entry::kWritable | Entry::kAnon);
     },
     "not the head of an allocation: .* that is on a PCP list"},
    {"EntryOutsideMemory",
     [](Damaged& d) { d.own() = Entry(Pfn{uint64_t{1} << 36}, Entry::kPresent | Entry::kAnon); },
     "is at pfn 68719476736, which is in no zone"},
    {"PageMappedTwice", [](Damaged& d) { d.own() = Damaged::EntryAt(d.p(), 2, 6); },
     "the mapcount of pfn [0-9]+ .* is 1, expected 2"},
    {"PageAtAnotherAddress", [](Damaged& d) { std::swap(d.own(), Damaged::EntryAt(d.p(), 2, 6)); },
     "the index of anonymous pfn [0-9]+ at vpn [0-9]+ of process test/p is"},
    {"SharedPageWritable", [](Damaged& d) { d.cow() = d.cow().WithWritable(true); },
     "may write .* which is mapped 2 times; expected read-only"},
    {"ZeroPageWritable",
     [](Damaged& d) { Damaged::EntryAt(d.p(), 0, 0) = Entry::ZeroPage().WithWritable(true); },
     "may write the zero page"},
    {"EntryWritableInReadOnlyVma",
     [](Damaged& d) {
       d.machine().Run("@p protect b 0 512K r");
       d.own() = d.own().WithWritable(true);
     },
     "is writable, its VMA is not"},
    {"EntryWithoutVma",
     [](Damaged& d) {
       const Vpn begin{uint64_t{3} << kPmdTableShift};
       d.p().space.Remove(begin, begin + 10);
     },
     "process test/p: vpn [0-9]+ has an entry but is not mapped"},
    {"TablesWithoutVma",
     [](Damaged& d) {
       const Vpn begin{uint64_t{3} << kPmdTableShift};
       for (Entry& entry : d.p().space.page_table().Find(begin)->entries) entry = Entry();
       d.p().space.Remove(begin, begin + 128);
     },
     "the PTE table of vpn 786432 is left though nothing is mapped there"},
    {"FilePageInPrivateMemory", [](Damaged& d) { d.own() = Entry(d.shared().pfn(), Entry::kPresent); },
     "has a file's page in private memory"},
    {"EntryOfAnotherFilePage", [](Damaged& d) { d.shared() = Damaged::EntryAt(d.p(), 1, 4); },
     "maps pfn [0-9]+, but page 3 of file 0 is at pfn"},
    {"FilePageMoved", [](Damaged& d) { d.file().Replace(3, d.file().Lookup(3), d.own().pfn()); },
     "page 3 of file 0 is at .*, whose owner is anonymous memory, expected shared memory"},
    {"FileMappingsOff", [](Damaged& d) { d.file().AddMapper(999); },
     "the count of mappings of file 0 is 3, expected 2"},
    {"FileGone", [](Damaged& d) { ShmemFilesPeer::files(d.files(), 0).clear(); },
     "process test/p maps file 0, which does not exist"},
    {"FileLeft",
     [](Damaged& d) {
       for (const Process* process : {&d.p(), &d.c()}) d.file().DropMapper(process->id);
       d.files().FileAt(FileId{0, NodeId{0}}).opens = 0;
     },
     "file 0 is left though nothing refers to it"},
    {"FileTooShort", [](Damaged& d) { d.files().FileAt(FileId{0, NodeId{0}}).bytes = 3 * kPageSize - 1; },
     "file 0 has page 3, but ends at page 3"},
    {"NameOfNoFile", [](Damaged& d) { d.files().names().emplace("x", FileId{9, NodeId{0}}); },
     "/shm/x is file 9, which does not exist"},
    {"NameUnknownToFile", [](Damaged& d) { d.files().names().emplace("x", FileId{0, NodeId{0}}); },
     "/shm/x is file 0, which knows of no name"},
    {"NameMissing", [](Damaged& d) { d.files().FileAt(FileId{0, NodeId{0}}).linked = true; },
     "the count of files with a name is 1, expected 0"},
    {"FileNumberFree", [](Damaged& d) { d.files().ReturnId(FileId{0, NodeId{0}}); },
     "file 0 is on node0, but its number is not that of a file there"},
    {"FileNumberLeft", [](Damaged& d) { d.files().TakeId(NodeId{1}); },
     "the count of files that have a number is 2, expected 1"},
    {"FileOnAnotherNode",
     [](Damaged& d) { std::swap(ShmemFilesPeer::files(d.files(), 0), ShmemFilesPeer::files(d.files(), 1)); },
     "the VMA at vpn 524288 is of file 0, which is not on node0"},
    {"PagesOfFileOff", [](Damaged& d) { ++MappingPeer::pages(d.file()); },
     "file 0: the count of pages is 65, expected 64"},
    {"EmptyLeafOfFile", [](Damaged& d) { MappingPeer::present(d.file(), 0) = 0; },
     "file 0: the leaf of page 0 is left though it is empty"},
    {"MapperNumberWrong", [](Damaged& d) { ++MappingPeer::mapper_numbers(d.file())[d.c().id]; },
     "file 0: mapper 1 is process 1, which has another number"},
    {"MapperNumberTooMany", [](Damaged& d) { MappingPeer::mapper_numbers(d.file())[999] = 0; },
     "file 0: the count of numbers of mappers is 3, expected 2"},
    {"MapperNumberGivenAgain", [](Damaged& d) { --MappingPeer::next_mapper(d.file()); },
     "file 0: mapper 1 will be given again"},
    {"PageTableFrameWrong",
     [](Damaged& d) {
       d.p().space.page_table().Find(Vpn{uint64_t{1} << kPmdTableShift})->frame = d.own().pfn();
     },
     "a page table of process test/p is at .*, whose owner is anonymous memory, expected page tables"},
    {"PageTableFrameUsedTwice", [](Damaged& d) { d.p().base_tables[0] = d.c().base_tables[0]; },
     "pfn [0-9]+ is a page table of process test/c and also a page table of process test/p"},
    {"PmdTableFrameMissing", [](Damaged& d) { PageTablePeer::MovePmd(d.p().space.page_table(), Pfn{1}); },
     "a page table of process test/p is at node0.DMA pfn 1, which is not the head of an allocation"},
    {"PageTableCountOff", [](Damaged& d) { ++PageTablePeer::tables(d.p().space.page_table()); },
     "process test/p: the count of page tables is"},
    {"OwnerNumberWrong", [](Damaged& d) { d.OwnerOf(d.shared()).object = 7; },
     "the owner's number in pfn [0-9]+, page 3 of file 0 is 7, expected 0"},
    {"AnonGaugeOff", [](Damaged& d) { ++d.machine().memory().node(NodeId{1}).counter(NR_ANON_PAGES); },
     "node1: nr_anon_pages is 1, expected 0"},
    {"ShmemGaugeOff", [](Damaged& d) { --d.machine().memory().node(NodeId{0}).counter(NR_SHMEM); },
     "node0: nr_shmem is 63, expected 64"},
    {"PageTableGaugeOff",
     [](Damaged& d) { ++d.machine().memory().node(NodeId{1}).counter(NR_PAGE_TABLE_PAGES); },
     "node1: nr_page_table_pages is 1, expected 0"},
    {"NumaCountersOff", [](Damaged& d) { ++d.machine().memory().node(NodeId{1}).counter(LOCAL_NODE); },
     "node1: local_node and other_node together is 1, expected 0"},
    {"ForeignCountOff", [](Damaged& d) { ++d.machine().memory().node(NodeId{1}).counter(NUMA_FOREIGN); },
     "numa_foreign of all nodes is 1, expected 0"},
    {"ProcessIdTaken", [](Damaged& d) { d.c().id = d.p().id; },
     "process test/p has id 0, which another process has"},
    {"CpuHeld",
     [](Damaged& d) {
       MemorySystem& memory = d.machine().memory();
       d.machine().RunPath(memory.node(NodeId{0}).lp, [&](sim::Path& path) -> sim::Task<void> {
         co_await memory.cpu(CpuId{0}).Acquire(path);
       });
     },
     "cpu 0 is held though nothing runs"},
    {"ZoneLockHeld",
     [](Damaged& d) {
       Zone& zone = d.zone();
       d.machine().RunPath(d.machine().memory().node(NodeId{0}).lp,
                           [&](sim::Path& path) -> sim::Task<void> { co_await zone.lock().Acquire(path); });
     },
     "zone->lock is held though nothing runs"},
    {"MmapLockHeld",
     [](Damaged& d) {
       AddressSpace& space = d.p().space;
       d.machine().RunPath(space.mmap_lock().lp(), [&](sim::Path& path) -> sim::Task<void> {
         co_await space.mmap_lock().AcquireRead(path);
       });
     },
     "process test/p: mmap_lock is held though nothing runs"},
    {"MigrationEntryLeft", [](Damaged& d) { d.own() = d.own().ToMigration(); },
     "vpn [0-9]+ is a migration entry though nothing runs"},
    {"EntriesHeld", [](Damaged& d) { d.HoldEntries(); },
     "process test/p: its entries are held though nothing"},
    {"HugePageCountOff", [](Damaged& d) { ++PageTablePeer::huge_pages(d.p().space.page_table()); },
     "process test/p: the count of huge pages is 1, expected 0"},
};

// A pool of four free and two used pages on node 0 and one free page on node 1.
class DamagedPool {
 public:
  DamagedPool() : machine_(DescribedMachine({64 * kMiB, 64 * kMiB})) {
    machine_.Run("pool 2M node0 6\npool 2M node1 1\nspawn p\n@p map a 4M hugetlb-2M\n@p touch a");
  }

  TestMachine& machine() { return machine_; }
  HugetlbPool& pool() { return machine_.kernel().pool(); }
  HugePageStore& pages() { return pool().pages(); }
  HugetlbCounters& counters(int node) { return h().node(NodeId{node}).counters; }
  HugePageStore::List& list(int node) { return h().node(NodeId{node}).free; }
  // The n-th of node 0's free list.
  Pfn Free(int n) {
    Pfn pfn = HugePageStore::First(list(0));
    for (; n > 0; --n) pfn = pages().Next(pfn);
    return pfn;
  }
  class Entry& UsedEntry() {
    const Vpn first{uint64_t{1} << kPmdTableShift};
    return *machine_.process("p").space.page_table().FindHuge(first, kPageblockOrder);
  }
  Pfn Used() { return UsedEntry().pfn(); }
  // Of the process's mapping.
  Mapping& file() {
    const HugetlbFiles& files = machine_.kernel().hugetlb().files();
    const Vma& vma = machine_.process("p").space.vmas().begin()->second;
    return const_cast<Mapping&>(files.At(vma.file).mapping);
  }
  HugePage& Entry(Pfn pfn) { return HugePageStorePeer::entry(pages(), pfn); }
  // A pageblock of node 0 that is no huge page.
  Pfn Other() {
    Pfn pfn = Free(0);
    while (pages().HeadOf(pfn) != kNoPfn) pfn = pfn + -kPageblockPages;
    return pfn;
  }

 private:
  Hstate& h() { return pool().hstate(HugeSize::k2M); }
  TestMachine machine_;
};

struct PoolDamage {
  const char* name;
  std::function<void(DamagedPool&)> plant;
  const char* expected;
};
void PrintTo(const PoolDamage& damage, std::ostream* out) { *out << damage.name; }

class PoolValidatorTest : public ::testing::TestWithParam<PoolDamage> {};

TEST_P(PoolValidatorTest, FindsPlantedDamage) {
  DamagedPool damaged;
  ASSERT_THAT(damaged.machine().Problems(), IsEmpty());
  GetParam().plant(damaged);
  EXPECT_THAT(damaged.machine().Problems(), Contains(ContainsRegex(GetParam().expected)));
}

const PoolDamage kPoolDamage[] = {
    {"FreePageOnNoList",
     [](DamagedPool& d) { d.Entry(d.Free(0)).links.next = d.Entry(d.Free(1)).links.next; },
     "is free but on no list"},
    {"ListWithoutEnd", [](DamagedPool& d) { d.Entry(d.Free(3)).links.next = d.Entry(d.Free(0)).links.next; },
     "is on a free list twice"},
    {"WrongBackwardLink",
     [](DamagedPool& d) { d.Entry(d.Free(2)).links.prev = d.Entry(d.Free(0)).links.prev; },
     "the page before it on the free list is [0-9]+, expected"},
    {"WrongListLength", [](DamagedPool& d) { ++d.list(0).size; },
     "the length of the free list of node0 is 5, expected 4"},
    {"ListsOfNodesMixed", [](DamagedPool& d) { std::swap(d.list(0), d.list(1)); },
     "is on the free list of node0, but not there"},
    {"UsedPageOnAList", [](DamagedPool& d) { d.Entry(d.Free(1)).state = HugePageState::kUsed; },
     "is on a free list of node0, but not free there"},
    {"FreePageHeld", [](DamagedPool& d) { ++d.Entry(d.Free(1)).refs; }, "is free and in use"},
    {"FreePageOfAnotherSize", [](DamagedPool& d) { d.Entry(d.Free(1)).size = HugeSize::k1G; },
     "is on a free list of node0, but not free there"},
    {"PageStuckInFreeing", [](DamagedPool& d) { d.pages().TakeOut(d.list(0), d.Free(1)); },
     "is being freed though nothing runs"},
    {"PageInUseByNobody",
     [](DamagedPool& d) {
       const Pfn pfn = d.Free(1);
       d.pages().TakeOut(d.list(0), pfn);
       d.pages().Use(pfn);
     },
     "is in use by nobody: it leaked"},
    {"UsedPageForgotten", [](DamagedPool& d) { d.Entry(d.Used()).state = HugePageState::kNone; },
     "is used but not known as in use"},
    {"MapcountOff", [](DamagedPool& d) { ++d.Entry(d.Used()).mapcount; }, "the mapcount is 2, expected 1"},
    {"ReferenceWithoutHolder", [](DamagedPool& d) { ++d.Entry(d.Used()).refs; },
     "the count of references is 1, expected 0"},
    {"HugeMigrationEntryLeft", [](DamagedPool& d) { d.UsedEntry() = d.UsedEntry().ToMigration(); },
     "vpn [0-9]+ is a migration entry though nothing runs"},
    {"HugePageIsolated", [](DamagedPool& d) { d.Entry(d.Used()).isolated = true; },
     "huge page [0-9]+ is isolated or locked though nothing runs"},
    {"HugePageLocked", [](DamagedPool& d) { d.Entry(d.Used()).locked = true; },
     "huge page [0-9]+ is isolated or locked though nothing runs"},
    {"UsedCountOff", [](DamagedPool& d) { --HugePageStorePeer::used(d.pages()); },
     "the count of huge pages in use is 1, expected 2"},
    {"FreeingCountOff", [](DamagedPool& d) { ++HugePageStorePeer::freeing(d.pages()); },
     "the count of huge pages being freed is 1, expected 0"},
    {"FreeCountOff", [](DamagedPool& d) { ++d.counters(0)[FREE_HUGEPAGES]; },
     "free_hugepages of node0 is 5, expected 4"},
    {"PageCountsOff",
     [](DamagedPool& d) {
       --d.counters(0)[NR_HUGEPAGES];
       ++d.counters(1)[NR_HUGEPAGES];
     },
     "nr_hugepages of node0 is 5, expected 6"},
    {"InsideNoPage", [](DamagedPool& d) { d.Entry(d.Other()).state = HugePageState::kInside; },
     "wrong about being inside"},
    {"FramesOfAnotherOwner", [](DamagedPool& d) { d.pages().Add(d.Other(), HugeSize::k2M); },
     "is not HugeTLB's"},
    {"MapperOfFileOff", [](DamagedPool& d) { d.file().AddMapper(999); },
     "hugetlbfs file 0 has a mapper that does not map it"},
    {"FileUnknownToItsMapper", [](DamagedPool& d) { d.file().DropMapper(d.machine().process("p").id); },
     "hugetlbfs file 0 does not know that process 0 maps it"},
    {"PagesOfFileOff", [](DamagedPool& d) { ++MappingPeer::pages(d.file()); },
     "hugetlbfs file 0: the count of pages is 1, expected 0"},
    {"ReservationOff", [](DamagedPool& d) { ++d.pool().hstate(HugeSize::k2M).counter(RESV_HUGEPAGES); },
     "resv_hugepages is 1, expected 0"},
    {"MoreSurplusThanPages",
     [](DamagedPool& d) { d.pool().hstate(HugeSize::k2M).Add(SURPLUS_HUGEPAGES, NodeId{1}, 8); },
     "2M pages: more are surplus than there are"},
};

INSTANTIATE_TEST_SUITE_P(Pool, PoolValidatorTest, ::testing::ValuesIn(kPoolDamage),
                         [](const auto& info) { return std::string(info.param.name); });

// A machine with an area, of which 4 MiB are handed out, and a device of two memory blocks, of which one and
// a half are plugged.
class DamagedRanges {
 public:
  DamagedRanges() : machine_(Config()) { machine_.Run("cma_alloc camera a 4M\nvirtio_mem 192M"); }

  TestMachine& machine() { return machine_; }
  CmaArea& area() { return *machine_.contig().cma().Find("camera"); }
  VirtioMemDriver& device() { return *machine_.kernel().virtio_mem(); }
  FrameStore& FramesOf(Pfn pfn) { return machine_.memory().ZoneOf(pfn)->frames(); }
  FrameOwner& OwnerAt(Pfn pfn) {
    FrameStore& frames = FramesOf(pfn);
    const FrameStore::Head head = frames.Find(frames.Index(pfn));
    return frames.owner(head.frame, head.order);
  }
  Pfn HandedOut() { return area().base + area().used.begin()->first; }
  Pfn SubBlock(size_t block, int number) {
    return device().IdOf(block).start() + number * VirtioMemDriver::kSubBlockPages;
  }

 private:
  static MachineConfig Config() {
    MachineConfig config = DescribedMachine({64 * kMiB, 64 * kMiB});
    config.cma.push_back({"camera", NodeId{1}, 16 * kMiB, false, "kernel.cma.area[0]"});
    config.memory_device = MemoryDevice{NodeId{1}, ZoneType::kNormal, 256 * kMiB, 128 * kMiB};
    return config;
  }

  TestMachine machine_;
};

// A node whose process has read a file of the disk, some of it twice.
class DamagedCache {
 public:
  DamagedCache() : machine_(WithDisk()) {
    machine_.Run(
        "machine nodes=1 node_mem=64M disk=1G\nspawn p\n@p map f 4M file file=data\n@p read f\n"
        "@p read f 0 1M");
  }

  TestMachine& machine() { return machine_; }
  Lru& lru() { return *machine_.memory().node(NodeId{0}).lru; }
  Lru::Number Oldest(Lru::List list) { return lru().Oldest(list); }
  int64_t& counter(NodeCounter c) { return machine_.memory().node(NodeId{0}).counter(c); }
  Zone& zone() { return *lru().PageOf(Oldest(Lru::List::kInactive)).zone; }

 private:
  static MachineConfig WithDisk() {
    MachineConfig config = DescribedMachine({64 * kMiB});
    config.disk_pages = 1024 * kMiB;
    return config;
  }
  TestMachine machine_;
};

struct CacheDamage {
  const char* name;
  std::function<void(DamagedCache&)> plant;
  const char* expected;
};
void PrintTo(const CacheDamage& damage, std::ostream* out) { *out << damage.name; }

class CacheValidatorTest : public ::testing::TestWithParam<CacheDamage> {};

TEST_P(CacheValidatorTest, FindsPlantedDamage) {
  DamagedCache damaged;
  ASSERT_THAT(damaged.machine().Problems(), IsEmpty());
  GetParam().plant(damaged);
  EXPECT_THAT(damaged.machine().Problems(), Contains(ContainsRegex(GetParam().expected)));
}

using List = Lru::List;
const CacheDamage kCacheDamage[] = {
    {"PageOffItsList", [](DamagedCache& d) { d.lru().Remove(d.Oldest(List::kInactive)); },
     "node0: pages of disk files on its LRU lists is 1023, expected 1024"},
    {"PageBelievesToBeActive",
     [](DamagedCache& d) { d.lru().SetState(d.Oldest(List::kInactive), {true, false}); },
     "node0: inactive list: pfn [0-9]+ believes to be on the other"},
    {"ListedPageFreed",
     [](DamagedCache& d) {
       const Lru::Page page = d.lru().PageOf(d.Oldest(List::kActive));
       page.zone->frames().owner(page.frame, 0).kind = FrameOwner::kKernel;
     },
     "node0: active list: pfn [0-9]+ is no page of a disk's file"},
    {"ListSizeOff", [](DamagedCache& d) { ++d.counter(NR_ACTIVE_FILE); },
     "node0: active list: the count of its pages is 257, expected 256"},
    {"ZoneSizeOff", [](DamagedCache& d) { ++d.zone().counter(NR_ZONE_INACTIVE_FILE); },
     "node0: inactive list: the count of its pages in node0.DMA32 is 769, expected 768"},
    {"FileGaugeOff", [](DamagedCache& d) { --d.counter(NR_FILE_PAGES); },
     "node0: nr_file_pages is 1023, expected 1024"},
    {"ShadowNodesOff", [](DamagedCache& d) { ++d.counter(WORKINGSET_NODES); },
     "node0: workingset_nodes is 1, expected 0"},
    {"SlabGaugeOff", [](DamagedCache& d) { ++d.counter(NR_SLAB_RECLAIMABLE); },
     "node0: nr_slab_reclaimable is 1, expected 0"},
};
INSTANTIATE_TEST_SUITE_P(Cache, CacheValidatorTest, ::testing::ValuesIn(kCacheDamage),
                         [](const auto& param) { return std::string(param.param.name); });

struct RangesDamage {
  const char* name;
  std::function<void(DamagedRanges&)> plant;
  const char* expected;
};
void PrintTo(const RangesDamage& damage, std::ostream* out) { *out << damage.name; }

class RangesValidatorTest : public ::testing::TestWithParam<RangesDamage> {};

TEST_P(RangesValidatorTest, FindsPlantedDamage) {
  DamagedRanges damaged;
  ASSERT_THAT(damaged.machine().Problems(), IsEmpty());
  GetParam().plant(damaged);
  EXPECT_THAT(damaged.machine().Problems(), Contains(ContainsRegex(GetParam().expected)));
}

const RangesDamage kRangesDamage[] = {
    {"HandedOutRangeForgotten", [](DamagedRanges& d) { d.area().used.clear(); },
     "cma camera: pfn [0-9]+ is not handed out, but its owner is contig"},
    {"FreeRangeHandedOut", [](DamagedRanges& d) { d.area().used.emplace(10 * kMiB, 12 * kMiB); },
     "cma camera: pfn [0-9]+ is handed out, but its owner is free"},
    {"RangesOverlap", [](DamagedRanges& d) { d.area().used.emplace(1, 3); },
     "cma camera: the range 1-3 is handed out after one up to 1024"},
    {"RangeOutsideTheArea", [](DamagedRanges& d) { d.area().used.emplace(15 * kMiB, 17 * kMiB); },
     "cma camera: the range 3840-4352 is handed out after one up to 1024 of 4096 pages"},
    {"FreePagesOfTheAreaOff", [](DamagedRanges& d) { ++d.area().counters[CMA_FREE_PAGES]; },
     "cma camera: the count of free pages is 3073, expected 3072"},
    {"AnotherOwnerOfAHandedOutRange",
     [](DamagedRanges& d) { d.OwnerAt(d.HandedOut()).kind = FrameOwner::kKernel; },
     "cma camera: pfn [0-9]+ is handed out, but its owner is kernel"},
    {"PageblockOfTheAreaIsNot",
     [](DamagedRanges& d) {
       FrameStore& frames = d.FramesOf(d.HandedOut());
       frames.set_pageblock_type(frames.Index(d.HandedOut()), kMovable);
     },
     "cma camera: the pageblock at pfn [0-9]+ is Movable"},
    {"PageblockOfNoArea",
     [](DamagedRanges& d) {
       FrameStore& frames = d.machine().zone(0, ZoneType::kDma32).frames();
       frames.set_pageblock_type(0, Migratetype::kCma);
     },
     "node0.DMA32: the count of pageblocks of CMA areas is 1, expected 0"},
    {"PageblockLeftIsolated",
     [](DamagedRanges& d) {
       Zone& zone = d.machine().zone(0, ZoneType::kDma32);
       const FrameIndex block = zone.frames().Index(Pfn{32 * kMiB});
       const auto end = block + static_cast<FrameIndex>(kPageblockPages);
       FrameIndex blocker = kNilFrame;
       ASSERT_TRUE(IsolatePageblock(zone, block, block, end, kMovable, IsolateFor::kAllocation, blocker));
     },
     "node0.DMA32: the pageblock at pfn [0-9]+ is isolated though nothing runs"},
    {"PluggedSubBlockForgotten",
     [](DamagedRanges& d) { VirtioMemPeer::plugged(d.device(), 0) &= ~uint64_t{1}; },
     "virtio_mem: the sub block at pfn [0-9]+ is not plugged, but what is there is free"},
    {"UnpluggedSubBlockTaken",
     [](DamagedRanges& d) { VirtioMemPeer::plugged(d.device(), 1) |= uint64_t{1} << 63; },
     "virtio_mem: the sub block at pfn [0-9]+ is plugged, but what is there is offline"},
    {"PluggedCountOff", [](DamagedRanges& d) { VirtioMemPeer::plugged(d.device(), 1) ^= uint64_t{1} << 40; },
     "virtio_mem: the count of plugged pages is 49152, expected 49664"},
    {"CountOfWhatWentOff",
     [](DamagedRanges& d) { ++VirtioMemPeer::counter(d.device(), VIRTIO_MEM_RETURNED); },
     "virtio_mem: the count of pages that came, less those that went, is 16383, expected 16384"},
    {"MemoryOfTheHypervisorElsewhere",
     [](DamagedRanges& d) { d.OwnerAt(d.HandedOut()).kind = FrameOwner::kOffline; },
     "the count of pages set aside for the hypervisor is 16896, expected 16384"},
    {"SubBlocksOfABlockThatIsGone",
     [](DamagedRanges& d) {
       const MemoryBlockId id = d.device().IdOf(1);
       d.machine().memory().blocks().SetOnline(id, false);
       d.machine().memory().blocks().Remove(id);
     },
     "virtio_mem: of memory block [0-9]+, which does not exist, 32 sub blocks are plugged"},
};
INSTANTIATE_TEST_SUITE_P(Ranges, RangesValidatorTest, ::testing::ValuesIn(kRangesDamage),
                         [](const auto& info) { return std::string(info.param.name); });

std::string NameOf(const ::testing::TestParamInfo<Damage>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Physical, ValidatorTest, ::testing::ValuesIn(kPhysicalDamage), NameOf);
INSTANTIATE_TEST_SUITE_P(References, ValidatorTest, ::testing::ValuesIn(kReferenceDamage), NameOf);

TEST(ValidatorMessagesTest, CountsWhatComesAfterTheFirstFiftyProblems) {
  Damaged damaged;
  for (int i = 0; i < 60; ++i) Damaged::EntryAt(damaged.p(), 2, i) = Entry();
  const std::vector<std::string> problems = damaged.machine().Problems();
  ASSERT_EQ(problems.size(), 51u);
  EXPECT_EQ(problems.back(), "and 10 more");
}

}  // namespace
}  // namespace numasim
