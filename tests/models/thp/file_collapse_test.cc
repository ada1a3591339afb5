// Huge pages that files of shared memory get by collapse: each way on which a scan or a retry ends, and what
// meets them on the way. What operations one after another do is compared with recordings
// (tests/kernel_truth).
#include "models/thp/file_collapse.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/kernel.h"
#include "models/physical/thp_page.h"
#include "models/thp/mm_slots.h"
#include "models/thp/thp_allowed.h"
#include "tests/models/shmem/tmpfs_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

// The tmpfs has huge pages always; while it is denied them, base pages come.
KernelConfig WithThp(bool retry = true) {
  KernelConfig config = TestKernelWithThp("deny");
  config.pte_mapped_thp_retry = retry;
  return config;
}

class FileCollapseMachine : public TmpfsMachine {
 public:
  explicit FileCollapseMachine(bool retry = true) : TmpfsMachine(WithThp(retry)) {}

  Khugepaged& khugepaged() { return machine_.kernel().thp().khugepaged(); }
  FileCollapser& collapser() { return machine_.kernel().thp().file_collapser(); }
  int64_t collapsed() { return khugepaged().counter(KHUGEPAGED_PAGES_COLLAPSED); }
  std::vector<std::string> Problems() { return machine_.Problems(); }

  bool MapsPmd(std::string_view process, int64_t huge_page = 0) {
    return Tables(process).FindHuge(At(huge_page), ThpPage::kOrder) != nullptr;
  }
  bool HasTable(std::string_view process, int64_t huge_page = 0) {
    return Tables(process).Find(At(huge_page)) != nullptr;
  }
  // Entries of its first mapping.
  int64_t Mapped(std::string_view process, int64_t huge_page = 0) {
    int64_t entries = 0;
    Tables(process).Walk(At(huge_page), At(huge_page + 1), [&](Vpn, const Entry&, int) { ++entries; });
    return entries;
  }

  // hpage_collapse_scan_file() as MADV_COLLAPSE makes it.
  ScanResult Scan(std::string_view process, int64_t huge_page = 0) {
    CollapseLimits limits;
    limits.khugepaged = false;
    return ScanWith(limits, process, huge_page);
  }
  ScanResult ScanWith(CollapseLimits limits, std::string_view process, int64_t huge_page = 0) {
    ScanResult result = ScanResult::kFail;
    StartScan(limits, process, huge_page, sim::Duration{0}, result);
    RunAll();
    return result;
  }
  void StartScan(CollapseLimits limits, std::string_view name, int64_t huge_page, sim::Duration in,
                 ScanResult& result) {
    StartOn(name, in, [=, this, &result](sim::Path& path, Process& process) -> sim::Task<void> {
      const sim::LpId home = path.lp();
      const Vma& vma = *process.space.Find(At(huge_page));
      const FileCollapser::Place place{vma.file, vma.IndexOf(At(huge_page)), process.id, At(huge_page)};
      result = co_await collapser().Scan(path, process.cpu, place, limits);
      co_await path.GoTo(home, machine_.memory().costs().hop);
    });
  }
  // collapse_pte_mapped_thp()
  ScanResult CollapsePteMapped(std::string_view name, FileCollapser::Install install, int64_t huge_page = 0) {
    ScanResult result = ScanResult::kSucceed;
    StartPteMapped(name, install, huge_page, result);
    RunAll();
    return result;
  }
  void StartPteMapped(std::string_view name, FileCollapser::Install install, int64_t huge_page,
                      ScanResult& result) {
    StartOn(name, sim::Duration{0}, [=, this, &result](sim::Path& path, Process& process) -> sim::Task<void> {
      co_await process.space.mmap_lock().AcquireWrite(path);
      result = co_await collapser().CollapsePteMapped(path, process.cpu, process, At(huge_page), install);
      process.space.mmap_lock().ReleaseWrite(path);
    });
  }
  void KhugepagedScans(sim::Duration in = {}, CpuId cpu = CpuId{0}) {
    machine_.engine().Start(
        machine_.memory().global_lp(), machine_.engine().now() + in, "scan",
        [this, cpu](sim::Path& path) -> sim::Task<void> { co_await khugepaged().DoScan(path, cpu); });
  }
  // The process has its mmap_lock for writing so long.
  void KeepBusy(std::string_view name, sim::Duration in, sim::Duration time) {
    StartOn(name, in, [time](sim::Path& path, Process& process) -> sim::Task<void> {
      co_await process.space.mmap_lock().AcquireWrite(path);
      co_await path.Take(time);
      process.space.mmap_lock().ReleaseWrite(path);
    });
  }
  Mapping& MappingOf(std::string_view process) { return files().At(FileOf(process)); }
  TestMachine& machine() { return machine_; }

 protected:
  static Vpn At(int64_t huge_page) { return kFirst + huge_page * kThpPages; }
  PageTable& Tables(std::string_view process) { return machine_.process(process).space.page_table(); }

  // Two processes map a file of 8 MiB, of which the first 4 are there as base pages, mapped by both.
  void MapTwice() {
    machine_.Run(
        "thp shmem_enabled never\nspawn p\nspawn q\n@q cpu 1\n"
        "@p map s 8M shmem file=x\n@q map s 8M shmem file=x\n"
        "thp shmem_enabled deny\n@p touch s 0 4M\n@q touch s 0 4M");
  }
  // And now the first 2 MiB are a huge page that both map by base entries.
  void MapHugeByPtes() {
    MapTwice();
    machine_.Run("thp shmem_enabled never\n@p advise s 0 2M collapse");
    ASSERT_TRUE(MapsPmd("p"));
    for (const char* who : {"@p", "@q"}) {
      machine_.Run(
          absl::StrCat(who, " protect s 0 4K r\n", who, " touch s 0 2M r\n", who, " protect s 0 4K rw"));
    }
    ASSERT_EQ(Mapped("p"), kThpPages);
    ASSERT_EQ(Mapped("q"), kThpPages);
  }
  Entry& EntryAt(std::string_view process, int64_t page) { return *Tables(process).FindEntry(kFirst + page); }
};

class FileCollapseTest : public FileCollapseMachine, public ::testing::Test {};

constexpr auto kNo = FileCollapser::Install::kNo;
constexpr auto kPmd = FileCollapser::Install::kPmd;

// ---- scans ----

TEST_F(FileCollapseTest, ACollapseMapsTheCallerAndNotesTheOther) {
  MapTwice();
  machine_.Run("thp shmem_enabled never");
  const int64_t used = machine_.UnusedPages();
  EXPECT_EQ(Scan("p"), ScanResult::kSucceed);
  EXPECT_TRUE(MapsPmd("p"));
  EXPECT_EQ(Mapped("q"), 0) << "its entries went, its table is khugepaged's to take";
  EXPECT_TRUE(HasTable("q"));
  EXPECT_EQ(machine_.UnusedPages(), used + 1) << "the table of p";
  EXPECT_EQ(Sum(NR_SHMEM_THPS), 1);
  EXPECT_EQ(Sum(NR_SHMEM_PMDMAPPED), 1);
  EXPECT_THAT(Problems(), IsEmpty());
  KhugepagedScans();
  RunAll();
  EXPECT_FALSE(HasTable("q"));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(FileCollapseTest, AHugePageIsTold) {
  MapTwice();
  EXPECT_EQ(Scan("p"), ScanResult::kSucceed);
  EXPECT_EQ(Scan("p"), ScanResult::kPteMappedHugepage);
}

TEST_F(FileCollapseTest, OnlyKhugepagedMindsHoles) {
  MapTwice();
  machine_.Run("@p touch s 4M 1M");
  CollapseLimits limits;
  limits.max_ptes_none = 255;
  EXPECT_EQ(ScanWith(limits, "p", 2), ScanResult::kExceedNonePte);
  EXPECT_EQ(Sum(THP_SCAN_EXCEED_NONE_PTE), 1);
  limits.max_ptes_none = 256;
  EXPECT_EQ(ScanWith(limits, "p", 2), ScanResult::kSucceed);
  EXPECT_EQ(Scan("p", 3), ScanResult::kTruncated) << "the file has nothing there";
  EXPECT_EQ(Sum(NR_SHMEM), 1024 + 512);
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(FileCollapseTest, AHeldPageEndsItInTheScan) {
  MapTwice();
  machine_.Run("@q pin s 1M 4K");
  EXPECT_EQ(Scan("p"), ScanResult::kPageCount);
  EXPECT_EQ(Mapped("p"), kThpPages);
  EXPECT_EQ(Sum(THP_COLLAPSE_ALLOC), 0);
  machine_.Run("@q unpin s");
  EXPECT_EQ(Scan("p"), ScanResult::kSucceed);
}

TEST_F(FileCollapseTest, ALockedPageEndsIt) {
  MapTwice();
  const Pfn page = MappingOf("p").Lookup(7);
  ASSERT_TRUE(MappingOf("p").Lock(7, page));
  EXPECT_EQ(Scan("p"), ScanResult::kPageLock);
  EXPECT_FALSE(MappingOf("p").IsLocked(8));
  MappingOf("p").Unlock(7, page);
  EXPECT_EQ(Scan("p"), ScanResult::kSucceed);
  EXPECT_EQ(Sum(NR_SHMEM), 1024) << "nothing leaked";
}

TEST_F(FileCollapseTest, WithoutAHugePageNothingIsUnmapped) {
  MapTwice();
  std::vector<Folio> kept[3];
  for (int node = 0; node < 3; ++node) kept[node] = machine_.TakeAllOf(NodeId{node});
  EXPECT_EQ(Scan("p"), ScanResult::kAllocHugePageFail);
  EXPECT_EQ(Sum(THP_COLLAPSE_ALLOC_FAILED), 1);
  EXPECT_EQ(Mapped("p"), kThpPages);
  for (const std::vector<Folio>& of_node : kept) machine_.Release(CpuId{0}, of_node);
}

TEST_F(FileCollapseTest, TheNodeThatHasMostGivesTheHugePage) {
  machine_.Run(
      "spawn p\nspawn q\n@q cpu 1\n@p map s 8M shmem file=x\n@q map s 8M shmem file=x\n"
      "@p touch s 0 1020K\n@q touch s 1020K 1028K");
  EXPECT_EQ(Scan("p"), ScanResult::kSucceed);
  EXPECT_EQ(machine_.memory().ZoneOf(MappingOf("p").LookupHuge(0))->node(), NodeId{1});
}

// ---- what meets a collapse ----

// Two processes, one of which makes accesses or asks for changes at a time that the other's collapse takes.
class MeetingTest : public ::testing::Test {
 protected:
  struct Meeting : public FileCollapseMachine {
    using FileCollapseMachine::At;
    using FileCollapseMachine::kFirst;
    using FileCollapseMachine::MapTwice;
    using FileCollapseMachine::RunAll;
    using FileCollapseMachine::StartOn;
    int met = 0;
    // Whether the collapse of the first 2 MiB is under way.
    bool under_way() { return MappingOf("p").IsCollapsing(0); }
  };
  // Calls race(meeting, delay) for delays that reach over all of a collapse, until nothing meets it any more.
  template <typename Race>
  static void Sweep(Race race) {
    int met = 0;
    for (int64_t ns = 0; ns < 400'000; ns += 4'000) {
      Meeting meeting;
      meeting.MapTwice();
      race(meeting, sim::Nanoseconds(ns));
      EXPECT_THAT(meeting.Problems(), IsEmpty()) << ns;
      met += meeting.met;
    }
    EXPECT_GT(met, 0) << "nothing met it";
  }
  static CollapseLimits OfMadvise() {
    CollapseLimits limits;
    limits.khugepaged = false;
    return limits;
  }
};

TEST_F(MeetingTest, AFaultWaitsForTheHugePage) {
  Sweep([](Meeting& meeting, sim::Duration delay) {
    ScanResult result = ScanResult::kFail;
    meeting.StartScan(OfMadvise(), "p", 0, sim::Duration{0}, result);
    meeting.StartOn("q", delay, [&](sim::Path& path, Process& q) -> sim::Task<void> {
      const bool before = meeting.under_way() && meeting.Mapped("q") == 0;
      const uint64_t begin = (Meeting::kFirst + 3).value << kPageShift;
      const TouchCounts counts =
          co_await meeting.machine().ops().Touch(path, q, {begin, begin + kPageSize, kPageSize, true});
      EXPECT_EQ(counts.ok, 1);
      if (!before) co_return;
      ++meeting.met;
      EXPECT_NE(meeting.MappingOf("p").LookupHuge(0), kNoPfn) << "it did not wait";
    });
    meeting.RunAll();
    EXPECT_EQ(result, ScanResult::kSucceed);
    EXPECT_EQ(meeting.Sum(NR_SHMEM), 1024);
  });
}

TEST_F(MeetingTest, ATruncationBeforeItsPagesAreLockedLeavesNothingToCollapse) {
  int truncated = 0;
  Sweep([&truncated](Meeting& meeting, sim::Duration delay) {
    ScanResult result = ScanResult::kFail;
    const FileId file = meeting.machine().process("p").space.vmas().begin()->second.file;
    meeting.StartScan(OfMadvise(), "p", 0, sim::Duration{0}, result);
    meeting.StartOn("q", delay, [&](sim::Path& path, Process& q) -> sim::Task<void> {
      const bool during = meeting.under_way();
      co_await meeting.machine().kernel().shmem().Truncate(path, file, 0, q.cpu);
      if (during) {
        ++meeting.met;
        EXPECT_FALSE(meeting.under_way()) << "it waits for the huge page, and takes it";
      }
    });
    meeting.RunAll();
    truncated += result == ScanResult::kTruncated;
    EXPECT_EQ(meeting.Sum(NR_SHMEM), 0);
    EXPECT_EQ(meeting.Sum(NR_SHMEM_THPS), 0);
  });
  EXPECT_GT(truncated, 0) << "no truncation came between the scan and the locks";
}

TEST_F(MeetingTest, AHoleWithinWaitsAndSplitsTheHugePage) {
  Sweep([](Meeting& meeting, sim::Duration delay) {
    ScanResult result = ScanResult::kFail;
    const FileId file = meeting.machine().process("p").space.vmas().begin()->second.file;
    meeting.StartScan(OfMadvise(), "p", 0, sim::Duration{0}, result);
    meeting.StartOn("q", delay, [&](sim::Path& path, Process& q) -> sim::Task<void> {
      meeting.met += meeting.under_way();
      co_await meeting.machine().kernel().shmem().Punch(path, file, 64 << 10, 64 << 10, q.cpu);
    });
    meeting.RunAll();
    EXPECT_EQ(result, ScanResult::kSucceed);
    const bool hole_first = meeting.Sum(NR_SHMEM_THPS) == 1;
    EXPECT_EQ(meeting.Sum(NR_SHMEM), hole_first ? 1024 : 1024 - 16);
  });
}

// A pin that comes before its page is unmapped is found, and all is put back but the mappings up to that
// page.
TEST_F(MeetingTest, APinEndsIt) {
  int put_back = 0;
  Sweep([&put_back](Meeting& meeting, sim::Duration delay) {
    ScanResult result = ScanResult::kFail;
    meeting.StartScan(OfMadvise(), "p", 0, sim::Duration{0}, result);
    meeting.StartOn("q", delay, [&](sim::Path& path, Process& q) -> sim::Task<void> {
      meeting.met += meeting.under_way();
      const Vpn page = Meeting::kFirst + 100;
      co_await meeting.machine().ops().Pin(path, q, page, page + 1);
    });
    meeting.RunAll();
    const bool gave_up = result == ScanResult::kPageCount && meeting.Sum(THP_COLLAPSE_ALLOC) == 1;
    put_back += gave_up;
    if (gave_up) {
      EXPECT_EQ(meeting.Sum(NR_SHMEM_THPS), 0);
    }
    if (result == ScanResult::kSucceed) {
      EXPECT_EQ(meeting.Sum(NR_SHMEM_THPS), 1);
    }
    meeting.machine().Run("@q exit");
  });
  EXPECT_GT(put_back, 0) << "no pin came between the scan and the last look";
}

TEST_F(MeetingTest, TwoOfTheSameRangeMakeOneHugePage) {
  int second_late = 0;
  Sweep([&second_late](Meeting& meeting, sim::Duration delay) {
    ScanResult first = ScanResult::kFail;
    ScanResult second = ScanResult::kFail;
    meeting.StartScan(OfMadvise(), "p", 0, sim::Duration{0}, first);
    meeting.StartScan(OfMadvise(), "q", 0, delay, second);
    meeting.RunAll();
    meeting.met += second == ScanResult::kPageLock || first == ScanResult::kPageLock;
    second_late += second == ScanResult::kPteMappedHugepage;
    EXPECT_EQ(meeting.Sum(NR_SHMEM_THPS), 1);
    EXPECT_EQ(meeting.Sum(NR_SHMEM), 1024);
  });
  EXPECT_GT(second_late, 0);
}

TEST_F(MeetingTest, AMapperThatExitsOrMovesIsNoHindrance) {
  for (const bool exits : {false, true}) {
    Sweep([exits](Meeting& meeting, sim::Duration delay) {
      ScanResult result = ScanResult::kFail;
      meeting.StartScan(OfMadvise(), "p", 0, sim::Duration{0}, result);
      meeting.StartOn("q", delay, [&, exits](sim::Path& path, Process& q) -> sim::Task<void> {
        meeting.met += meeting.under_way();
        if (exits) {
          co_await meeting.machine().ops().Unmap(path, q, Meeting::kFirst, Meeting::kFirst + 2048);
        } else {
          co_await meeting.machine().ops().Protect(path, q, Meeting::kFirst + 5, Meeting::kFirst + 6,
                                                   Access::kRead);
        }
      });
      meeting.RunAll();
      EXPECT_EQ(result, ScanResult::kSucceed);
    });
  }
}

// ---- collapse_pte_mapped_thp(), each way it ends ----

TEST_F(FileCollapseTest, ATableOfPartsGoes) {
  MapHugeByPtes();
  EXPECT_EQ(CollapsePteMapped("q", kNo), ScanResult::kSucceed);
  EXPECT_FALSE(HasTable("q"));
  EXPECT_FALSE(MapsPmd("q")) << "the next fault maps it";
  EXPECT_EQ(CollapsePteMapped("p", kPmd), ScanResult::kSucceed);
  EXPECT_TRUE(MapsPmd("p"));
  EXPECT_EQ(Sum(NR_SHMEM_PMDMAPPED), 1);
  machine_.Run("@q touch s 0 4K");
  EXPECT_TRUE(MapsPmd("q"));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(FileCollapseTest, PartsThatAreNotMappedDoNotMatter) {
  MapHugeByPtes();
  EntryAt("q", 9) = Entry();
  EXPECT_EQ(CollapsePteMapped("q", kPmd), ScanResult::kSucceed);
  EXPECT_TRUE(MapsPmd("q"));
}

TEST_F(FileCollapseTest, AMappedPmdStays) {
  MapTwice();
  EXPECT_EQ(Scan("p"), ScanResult::kSucceed);
  EXPECT_EQ(CollapsePteMapped("p", kPmd), ScanResult::kPmdMapped);
}

TEST_F(FileCollapseTest, NoTableIsNoHindranceButNoPmdTableIs) {
  MapHugeByPtes();
  EXPECT_EQ(CollapsePteMapped("q", kNo), ScanResult::kSucceed);
  EXPECT_EQ(CollapsePteMapped("q", kNo), ScanResult::kSucceed) << "PMD none";
  EXPECT_EQ(CollapsePteMapped("q", kPmd), ScanResult::kSucceed);
  EXPECT_TRUE(MapsPmd("q"));
  machine_.Run("spawn r\n@r map s 8M shmem file=x");
  EXPECT_EQ(CollapsePteMapped("r", kPmd), ScanResult::kPmdNull);
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(FileCollapseTest, TheVmaMustCoverItAndAllowIt) {
  MapHugeByPtes();
  machine_.Run("@q advise s 0 2M nohugepage");
  EXPECT_EQ(CollapsePteMapped("q", kNo), ScanResult::kVmaCheck) << "MADV_NOHUGEPAGE";
  machine_.Run("@q advise s 0 2M hugepage\n@q unmap s 1M 1M");
  EXPECT_EQ(CollapsePteMapped("q", kNo), ScanResult::kVmaCheck) << "too small";
  machine_.Run("@q unmap s 0 1M");
  EXPECT_EQ(CollapsePteMapped("q", kNo), ScanResult::kVmaCheck) << "gone";
  machine_.Run("spawn r\n@r map a 4M anon\n@r touch a 0 4K r");
  EXPECT_EQ(CollapsePteMapped("r", kNo), ScanResult::kPmdMapped) << "the zero page";
  machine_.Run("@r unmap a\n@r map b 4M anon thp=nohugepage\n@r touch b 0 4K");
  EXPECT_EQ(CollapsePteMapped("r", kNo), ScanResult::kVmaCheck) << "not of a file";
}

TEST_F(FileCollapseTest, TheFileMustHaveAHugePageThere) {
  MapHugeByPtes();
  EXPECT_EQ(CollapsePteMapped("q", kNo, 1), ScanResult::kFail) << "base pages";
  machine_.Run("@p punch s 2M 2M");
  EXPECT_EQ(CollapsePteMapped("q", kNo, 1), ScanResult::kPageNull) << "nothing";
  EXPECT_TRUE(HasTable("q", 1));
}

TEST_F(FileCollapseTest, AnEntryThatIsNoMappingEndsIt) {
  MapHugeByPtes();
  const Entry before = EntryAt("q", 77);
  EntryAt("q", 77) = before.ToMigration();
  EXPECT_EQ(CollapsePteMapped("q", kNo), ScanResult::kPteNonPresent);
  EXPECT_FALSE(MappingOf("q").IsLocked(0));
  EntryAt("q", 77) = before;
  EXPECT_EQ(CollapsePteMapped("q", kNo), ScanResult::kSucceed);
}

TEST_F(FileCollapseTest, AnEntryOfAnotherPageEndsIt) {
  MapHugeByPtes();
  const Entry before = EntryAt("q", 77);
  EntryAt("q", 77) = EntryAt("q", 78);  // as where a probe has put a page of its own there
  EXPECT_EQ(CollapsePteMapped("q", kNo), ScanResult::kFail);
  EXPECT_EQ(Mapped("q"), kThpPages);
  EXPECT_FALSE(MappingOf("q").IsLocked(0));
  EntryAt("q", 77) = before;
  EXPECT_EQ(CollapsePteMapped("q", kNo), ScanResult::kSucceed);
}

TEST_F(FileCollapseTest, ALockedHugePageIsWaitedFor) {
  MapHugeByPtes();
  Mapping& mapping = MappingOf("q");
  const Pfn huge = mapping.LookupHuge(0);
  ASSERT_TRUE(mapping.Lock(0, huge));
  bool unlocked = false;
  const sim::LpId home = machine_.memory().node(FileOf("q").home).lp;
  machine_.engine().Start(home, machine_.engine().now() + sim::Nanoseconds(50'000), "unlock",
                          [&](sim::Path&) -> sim::Task<void> {
                            EXPECT_TRUE(HasTable("q"));
                            mapping.Unlock(0, huge);
                            unlocked = true;
                            co_return;
                          });
  EXPECT_EQ(CollapsePteMapped("q", kNo), ScanResult::kSucceed);
  EXPECT_TRUE(unlocked);
}

// ---- the retry ----

class RetryTest : public FileCollapseMachine, public ::testing::TestWithParam<bool> {
 protected:
  RetryTest() : FileCollapseMachine(GetParam()) {}
};

TEST_P(RetryTest, KhugepagedComesAgainWhereTheLockWasBusy) {
  const bool retry = GetParam();
  MapTwice();
  machine_.Run("thp shmem_enabled never\nkhugepaged_set pages_to_scan 16384\n@p protect s 2M 6M r");
  // q keeps its lock while p's ranges are collapsed, and during the next scan too.
  KeepBusy("q", sim::Duration{0}, sim::Nanoseconds(20'000'000));
  for (int scan = 0; scan < 3; ++scan) KhugepagedScans(sim::Nanoseconds(1'000'000 + scan * 2'000'000));
  RunAll();
  EXPECT_FALSE(HasTable("p"));
  EXPECT_TRUE(HasTable("q")) << "the lock was not to be had, nor in the scans after";
  ASSERT_TRUE(HasTable("q", 1));
  const int64_t before = collapsed();
  EXPECT_GT(before, 0);
  KhugepagedScans();
  RunAll();
  EXPECT_EQ(HasTable("q"), !retry);
  EXPECT_EQ(HasTable("q", 1), !retry);
  machine_.Run("@q touch s 0 4M");
  EXPECT_EQ(MapsPmd("q"), retry);
  EXPECT_EQ(MapsPmd("q", 1), retry);
  for (int scan = 0; scan < 3; ++scan) KhugepagedScans(sim::Nanoseconds(scan * 2'000'000));
  RunAll();
  machine_.Run("@q touch s 0 4M");
  EXPECT_EQ(MapsPmd("q"), retry) << "for ever";
  EXPECT_THAT(Problems(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Versions, RetryTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Since5_4" : "Before"; });

TEST_F(FileCollapseTest, AnExitingProcessIsNotTriedAgain) {
  MapTwice();
  machine_.Run("thp shmem_enabled never\n@q advise s 0 2M collapse");  // notes it for p
  ASSERT_TRUE(HasTable("p"));
  machine_.process("p").exiting = true;
  KhugepagedScans();
  RunAll();
  EXPECT_TRUE(HasTable("p"));
  machine_.process("p").exiting = false;
  KhugepagedScans();
  RunAll();
  EXPECT_FALSE(HasTable("p"));
}

TEST(MmSlotsTest, NotesEightOfAnAddressSpace) {
  MmSlots slots(true);
  EXPECT_FALSE(slots.NotePteMapped(1, Vpn{0})) << "khugepaged does not know the process";
  slots.Add(1);
  slots.Add(2);
  for (uint64_t i = 0; i < 8; ++i) EXPECT_TRUE(slots.NotePteMapped(1, Vpn{i * 512}));
  EXPECT_FALSE(slots.NotePteMapped(1, Vpn{8 * 512}));
  EXPECT_TRUE(slots.NotePteMapped(2, Vpn{0}));
  MmSlots::ForgetPteMapped(slots.Find(1), 3);
  EXPECT_EQ(slots.Find(1)->pte_mapped_count, size_t{5});
  EXPECT_EQ(slots.Find(1)->pte_mapped[0], Vpn{3 * 512});
  EXPECT_TRUE(slots.NotePteMapped(1, Vpn{8 * 512}));
  EXPECT_EQ(slots.Find(1)->pte_mapped[5], Vpn{8 * 512});
  slots.MarkDead(slots.Find(1));
  EXPECT_FALSE(slots.NotePteMapped(1, Vpn{0}));
  slots.Add(1);  // the id is another process's now
  EXPECT_TRUE(slots.NotePteMapped(1, Vpn{0}));
}

// Nine huge pages that another process's busy lock leaves mapped by base entries: the array has room for
// eight of them.
TEST_F(FileCollapseTest, TheNinthWaitsForAScanOfItsOwn) {
  machine_.Run(
      "spawn p\nspawn q\n@q cpu 1\n@p map s 18M shmem file=x\n"
      "thp shmem_enabled never\n@q map s 18M shmem file=x\n"  // khugepaged knows q alone
      "thp shmem_enabled deny\n@p touch s\n@q touch s\nthp shmem_enabled never\nkhugepaged_set pages_to_scan "
      "512");
  StartOn("q", sim::Duration{0}, [](sim::Path& path, Process& q) -> sim::Task<void> {
    co_await q.space.mmap_lock().AcquireWrite(path);
    co_await path.Take(sim::Nanoseconds(100'000'000));
    q.space.mmap_lock().ReleaseWrite(path);
  });
  machine_.engine().Start(
      machine_.memory().global_lp(), machine_.engine().now(), "collapse all of p",
      [this](sim::Path& path) -> sim::Task<void> {
        CollapseLimits limits;
        Process& p = machine_.process("p");
        const FileId file = p.space.vmas().begin()->second.file;
        for (int64_t i = 0; i < 9; ++i) {
          co_await path.GoTo(machine_.memory().node(NodeId{0}).lp, machine_.memory().costs().hop);
          const FileCollapser::Place place{file, static_cast<uint64_t>(i) * 512, p.id, At(i)};
          EXPECT_EQ(co_await collapser().Scan(path, p.cpu, place, limits), ScanResult::kSucceed);
        }
      });
  RunAll();
  int64_t tables = 0;
  for (int64_t i = 0; i < 9; ++i) tables += HasTable("q", i);
  EXPECT_EQ(tables, 9);
  // One visit of q: the eight, and the first range of a scan, which notes again what it finds.
  KhugepagedScans();
  RunAll();
  tables = 0;
  for (int64_t i = 0; i < 9; ++i) tables += HasTable("q", i);
  EXPECT_EQ(tables, 1);
  EXPECT_TRUE(HasTable("q", 8));
  EXPECT_THAT(Problems(), IsEmpty());
}

// khugepaged waits for a page that somebody has locked who looks for this very process, which is about to go
// to another node.
TEST(FileCollapseRaceTest, AProcessMovesWhileKhugepagedWaitsForItsPage) {
  struct Meeting : public FileCollapseMachine {
    Meeting() {
      machine_.Run(
          "spawn p\nspawn q\n@q cpu 1\n@p map s 4M shmem file=x\n"
          "thp shmem_enabled never\n@q map s 4M shmem file=x\n"  // khugepaged knows q alone
          "thp shmem_enabled deny\n@p touch s\n@q touch s\nthp shmem_enabled never\n@p advise s 0 2M "
          "collapse");
    }
    // p punches a hole into the page, which it locks; khugepaged comes to q; q goes to another node.
    bool Race(sim::Duration scan, sim::Duration move) {
      bool met = false;
      const FileId file = FileOf("p");
      StartOn("p", sim::Duration{0}, [this, file](sim::Path& path, Process& p) -> sim::Task<void> {
        co_await machine_.kernel().shmem().Punch(path, file, 64 << 10, 64 << 10, p.cpu);
      });
      KhugepagedScans(scan, CpuId{2});
      Process& q = machine_.process("q");
      machine_.engine().Start(machine_.memory().node(NodeId{1}).lp, machine_.engine().now() + move, "move",
                              [this, &q, &met](sim::Path& path) -> sim::Task<void> {
                                co_await machine_.memory().cpu(q.cpu).Acquire(path);
                                met = q.visitors > 0 && MappingOf("p").IsLocked(0);
                                co_await machine_.ops().MoveToCpu(path, q, CpuId{2});
                                machine_.memory().cpu(q.cpu).Release(path);
                              });
      RunAll();
      EXPECT_EQ(q.cpu, CpuId{2});
      return met;
    }
  };
  int met = 0;
  for (int64_t scan = 0; scan < 8'000; scan += 1'000) {
    for (int64_t move = scan; move < scan + 8'000; move += 500) {
      Meeting meeting;
      met += meeting.Race(sim::Nanoseconds(scan), sim::Nanoseconds(move));
      EXPECT_THAT(meeting.Problems(), IsEmpty()) << scan << " " << move;
    }
  }
  EXPECT_GT(met, 0);
}

}  // namespace
}  // namespace numasim
