// The validator finds each kind of planted damage of transparent huge pages, anonymous and of files.
#include <functional>
#include <ostream>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/kernel.h"
#include "models/physical/thp_page.h"
#include "tests/models/test_machine.h"

namespace numasim {

class PageTablePeer {
 public:
  static int64_t& huge_zero_pages(PageTable& table) { return table.huge_zero_pages_; }
  static Pfn Withdraw(PageTable& table) {
    return table.puds_.begin()->second.table<PageTable::PmdTable>()->Withdraw();
  }
};

namespace {

using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::IsEmpty;

// `p` has two huge pages, of which parts of the second are unmapped, the huge zero page, and a file's huge
// page, which its child maps by base entries, with the anonymous ones.
class Damaged {
 public:
  Damaged() : machine_(DescribedMachine({64 * kMiB, 64 * kMiB}), TestKernelWithThp("always")) {
    machine_.Run(
        "spawn p\n"
        "@p map a 4M anon\n"
        "@p touch a\n"
        "@p advise a 3M 64K dontneed\n"
        "@p map z 2M anon\n"
        "@p touch z r\n"
        "@p map f 4M shmem file=f\n"
        "@p touch f\n"
        "@p fork c\n"
        "@c touch f 2M 2M\n");
    machine_.Run("@c protect f 2M 64K r");
  }

  TestMachine& machine() { return machine_; }
  Process& p() { return machine_.process("p"); }
  PageTable& tables() { return p().space.page_table(); }
  static Vpn First(int mapping) { return AddressSpace::kStartOfSpace + (int64_t{mapping} << kPmdTableShift); }
  Entry& whole() { return *tables().FindHuge(First(0), ThpPage::kOrder); }
  Entry& part() { return *tables().FindEntry(First(0) + kThpPages); }  // of the one that was cut
  Entry& of_file() { return *tables().FindHuge(First(2), ThpPage::kOrder); }
  FrameStore& FramesOf(Pfn pfn) { return machine_.memory().ZoneOf(pfn)->frames(); }
  ThpPage PageOf(Pfn pfn) { return ThpPage(FramesOf(pfn), FramesOf(pfn).Index(pfn)); }
  Node& NodeOf(Pfn pfn) { return machine_.memory().node(machine_.memory().ZoneOf(pfn)->node()); }

 private:
  TestMachine machine_;
};

struct Damage {
  const char* name;
  std::function<void(Damaged&)> plant;
  const char* found;  // some problem must match this regular expression
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

class ThpDamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(ThpDamageTest, IsFound) {
  Damaged damaged;
  ASSERT_THAT(damaged.machine().Problems(), IsEmpty());
  GetParam().plant(damaged);
  EXPECT_THAT(damaged.machine().Problems(), Contains(ContainsRegex(GetParam().found)));
}

const Damage kDamage[] = {
    {"PmdsOff", [](Damaged& d) { ++d.PageOf(d.whole().pfn()).owner().mapcount; },
     "the PMDs that map huge page pfn [0-9]+ is 3, expected 2"},
    {"PmdsOfFileOff", [](Damaged& d) { ++d.PageOf(d.of_file().pfn()).owner().mapcount; },
     "the mapcount of pfn [0-9]+, page 0 of file 0 is 3, expected 2"},
    {"PartOff",
     [](Damaged& d) {
       const Pfn pfn = d.part().pfn();
       d.PageOf(pfn).DupPart(d.FramesOf(pfn).Index(pfn));
     },
     "the mapcount of part 0 of huge page pfn [0-9]+ is 3, expected 2"},
    {"PartNotMapped", [](Damaged& d) { d.part() = Entry(); },
     "the mapcount of part 0 of huge page pfn [0-9]+ is 2, expected 1"},
    {"PartOfAnother", [](Damaged& d) { d.part() = d.part().WithPfn(d.whole().pfn() + 5); },
     "the mapcount of part 5 of huge page pfn [0-9]+ is 0, expected 1"},
    {"HugePageNotMapped", [](Damaged& d) { d.tables().TakeThp(Damaged::First(0)); },
     "the PMDs that map huge page pfn [0-9]+ is 2, expected 1"},
    {"WritableThoughShared", [](Damaged& d) { d.whole() = d.whole().WithWritable(true); },
     "may write part of huge page pfn [0-9]+, which others map too; expected read-only"},
    {"LeftMigrating", [](Damaged& d) { d.whole() = d.whole().ToMigration(); },
     "is a migration entry though nothing runs"},
    {"DepositLost", [](Damaged& d) { PageTablePeer::Withdraw(d.tables()); },
     "process test/p: the count of transparent huge pages without a deposited table is 1, expected 0"},
    {"BeyondTheMapping",
     [](Damaged& d) { d.tables().SetThp(Damaged::First(1) + kThpPages, d.whole(), Pfn{9}); },
     "has an entry but is not mapped"},
    {"FilePageInAnonymousMemory", [](Damaged& d) { d.whole() = Entry(d.of_file().pfn(), Entry::kPresent); },
     "has a file's huge page in private memory"},
    {"AnotherPageOfTheFile",
     [](Damaged& d) {
       Entry& second = *d.tables().FindHuge(Damaged::First(2) + kThpPages, ThpPage::kOrder);
       std::swap(d.of_file(), second);
     },
     "maps huge page pfn [0-9]+, but that of file"},
    {"QueuedThoughFreed",
     [](Damaged& d) { d.machine().memory().node(NodeId{1}).split_queue.Add(Pfn{20480}); },
     "node1: pfn 20480 is queued to be split, but is no huge page"},
    {"AnonHugePagesOff", [](Damaged& d) { ++d.NodeOf(d.whole().pfn()).counter(NR_ANON_THPS); },
     "nr_anon_transparent_hugepages is 2, expected 1"},
    {"FileHugePagesOff", [](Damaged& d) { ++d.NodeOf(d.whole().pfn()).counter(NR_SHMEM_THPS); },
     "nr_shmem_hugepages is 3, expected 2"},
    {"MappedFileHugePagesOff", [](Damaged& d) { ++d.NodeOf(d.whole().pfn()).counter(NR_SHMEM_PMDMAPPED); },
     "nr_shmem_pmdmapped is [0-9]+, expected [0-9]+"},
    {"ZeroPageRefsOff", [](Damaged& d) { ++d.p().zero_page_refs; },
     "process test/p: its references to the huge zero page is 2, expected 1"},
    {"ZeroPageNotAskedFor", [](Damaged& d) { d.p().huge_zero_page = false; },
     "has the huge zero page, but the process has not asked for it"},
    {"ZeroPagesMiscounted", [](Damaged& d) { ++PageTablePeer::huge_zero_pages(d.tables()); },
     "process test/p: the count of PMDs that map the huge zero page is 2, expected 1"},
};
INSTANTIATE_TEST_SUITE_P(Kinds, ThpDamageTest, ::testing::ValuesIn(kDamage),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace numasim
