// Transparent huge pages: what recordings of single operations cannot show, races above all. What operations
// one after another do is compared with recordings (tests/kernel_truth).
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/kernel.h"
#include "models/physical/thp_page.h"
#include "models/thp/huge_zero_page.h"
#include "models/thp/thp_allowed.h"
#include "models/thp/thp_splitter.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

class ThpTest : public ::testing::Test {
 protected:
  ThpTest() : machine_(DescribedMachine({64 * kMiB, 64 * kMiB}), TestKernelWithThp()) {}

  static Vpn First(int64_t mapping = 0) { return AddressSpace::kStartOfSpace + (mapping << kPmdTableShift); }
  const Entry* Leaf(std::string_view process, int64_t mapping = 0, int64_t huge_page = 0) {
    return machine_.process(process).space.page_table().FindHuge(First(mapping) + huge_page * kThpPages,
                                                                 ThpPage::kOrder);
  }
  int64_t Counter(NodeCounter c) const { return machine_.counter(0, c) + machine_.counter(1, c); }
  int64_t Counter(ThpCounter c) const { return machine_.kernel().thp().khugepaged().counter(c); }

  // The process makes one access, of its first mapping, so much later than now; the machine is not run.
  void TouchLater(std::string_view process, int64_t offset, bool write, sim::Duration delay) {
    Process& who = machine_.process(process);
    MemorySystem& memory = machine_.memory();
    const uint64_t begin = (First().value << kPageShift) + static_cast<uint64_t>(offset);
    machine_.engine().Start(memory.node(memory.NodeOfCpu(who.cpu)).lp, machine_.engine().now() + delay,
                            "touch", [this, &who, &memory, begin, write](sim::Path& path) -> sim::Task<void> {
                              co_await memory.cpu(who.cpu).Acquire(path);
                              const TouchRequest touch{begin, begin + kPageSize, kPageSize, write};
                              const TouchCounts counts = co_await machine_.ops().Touch(path, who, touch);
                              EXPECT_EQ(counts.ok, 1);
                              memory.cpu(who.cpu).Release(path);
                            });
  }
  void ScanLater(int64_t scans, sim::Duration delay) {
    machine_.engine().Start(machine_.memory().global_lp(), machine_.engine().now() + delay, "scan",
                            [this, scans](sim::Path& path) -> sim::Task<void> {
                              for (int64_t i = 0; i < scans; ++i)
                                co_await machine_.kernel().thp().khugepaged().DoScan(path, CpuId{1});
                            });
  }
  void Settle() { ASSERT_TRUE(machine_.engine().Run().ok()); }

  TestMachine machine_;
};

// ---- the huge zero page ----

// Who asks first, who has its page first: the last reference is the shrinker's, and one page is used.
TEST(HugeZeroPageTest, EveryOrderOfTwoThatAllocateItEndsWithOnePage) {
  const Pfn first{512};
  const Pfn second{1024};
  {
    // One after the other.
    HugeZeroPage zero;
    EXPECT_FALSE(zero.Get());
    EXPECT_TRUE(zero.Install(first));
    EXPECT_TRUE(zero.Get());
    EXPECT_EQ(zero.refs(), 3);
  }
  for (const bool swapped : {false, true}) {
    // Both find none, and allocate.
    HugeZeroPage zero;
    EXPECT_FALSE(zero.Get());
    EXPECT_FALSE(zero.Get());
    EXPECT_TRUE(zero.Install(swapped ? second : first));
    EXPECT_FALSE(zero.Install(swapped ? first : second)) << "the loser's is its own to free";
    EXPECT_EQ(zero.page(), swapped ? second : first);
    EXPECT_EQ(zero.refs(), 3);
    EXPECT_EQ(zero.Shrink(), kNoPfn);
    zero.Put();
    EXPECT_EQ(zero.Shrink(), kNoPfn);
    zero.Put();
    EXPECT_EQ(zero.Shrink(), swapped ? second : first);
    EXPECT_EQ(zero.refs(), 0);
  }
  {
    // The winner's has come and gone before the loser comes with its own.
    HugeZeroPage zero;
    EXPECT_FALSE(zero.Get());
    EXPECT_TRUE(zero.Install(first));
    zero.Put();
    EXPECT_EQ(zero.Shrink(), first);
    EXPECT_TRUE(zero.Install(second));
    EXPECT_EQ(zero.page(), second);
  }
}

TEST_F(ThpTest, TwoCpusThatReadAtOnceAllocateTheZeroPageTwiceAndKeepOne) {
  int met = 0;
  for (int delay = 0; delay < 40; ++delay) {
    machine_.Run("spawn p\nspawn q\n@q cpu 1\n@p map a 4M anon\n@q map b 4M anon");
    const int64_t freed = Counter(PGFREE);
    const int64_t allocated = Counter(THP_ZERO_PAGE_ALLOC);
    TouchLater("p", 0, false, sim::Duration{0});
    TouchLater("q", 0, false, sim::Nanoseconds(delay * 10'000));
    Settle();
    EXPECT_EQ(Counter(THP_ZERO_PAGE_ALLOC), allocated + 1) << delay;
    EXPECT_EQ(machine_.kernel().thp().zero_page().refs(), 3) << delay;
    const int64_t lost = Counter(PGFREE) - freed;
    EXPECT_TRUE(lost == 0 || lost == kThpPages) << lost;
    met += lost == kThpPages;
    EXPECT_THAT(machine_.Problems(), IsEmpty()) << delay;
    machine_.Run("@p exit\n@q exit\ndrop_caches 2");
    EXPECT_EQ(machine_.kernel().thp().zero_page().refs(), 0) << delay;
  }
  EXPECT_GT(met, 0) << "the two never allocated at once";
  EXPECT_LT(met, 40) << "the second never came when it was there";
}

// Whoever has references, they are as many as there are users, and the page goes when the last one has gone.
class ZeroPageRefsTest : public ::testing::Test {
 protected:
  static std::unique_ptr<TestMachine> Machine(ZeroPageRefs refs, int cpus = 1) {
    KernelConfig kernel = TestKernelWithThp();
    kernel.zero_page_refs = refs;
    return std::make_unique<TestMachine>(DescribedMachine({64 * kMiB, 64 * kMiB}, cpus), kernel);
  }
  // The references after each of these lines, which follow one another.
  static std::vector<int64_t> Refs(TestMachine& machine, const std::vector<std::string>& lines) {
    std::vector<int64_t> refs;
    for (const std::string& line : lines) {
      machine.Run(line);
      EXPECT_THAT(machine.Problems(), IsEmpty()) << line;
      refs.push_back(machine.kernel().thp().zero_page().refs());
    }
    return refs;
  }
  const std::vector<std::string> lines_ = {
      "spawn p\n@p map a 8M anon\n@p touch a r",  // four mappings
      "@p fork q",                                // of two processes
      "@p touch a 0 4K",                          // a write splits one
      "@q unmap a 0 4M",
      "@q advise a 4M 2M dontneed",
      "@q advise a 7M 4K dontneed",
      "@q touch a r",  // two in what is still mapped, and one of those in parts
      "drop_caches 2",
      "@q exit",
      "@p exit",
      "drop_caches 2",
  };
};

TEST_F(ZeroPageRefsTest, OfEachMapping) {
  EXPECT_EQ(Refs(*Machine(ZeroPageRefs::kMapping), lines_),
            (std::vector<int64_t>{5, 9, 8, 6, 5, 4, 5, 5, 4, 1, 0}));
}

TEST_F(ZeroPageRefsTest, OfEachAddressSpace) {
  EXPECT_EQ(Refs(*Machine(ZeroPageRefs::kMm), lines_),
            (std::vector<int64_t>{2, 3, 3, 3, 3, 3, 3, 3, 2, 1, 0}));
}

TEST_F(ZeroPageRefsTest, OfNobodySoItStays) {
  EXPECT_EQ(Refs(*Machine(ZeroPageRefs::kNone), lines_), std::vector<int64_t>(11, 1));
}

// The line that has the count goes from CPU to CPU, one at a time: processes on all CPUs that read beside
// each other wait for it with a reference for each mapping, and not with one for each address space.
TEST_F(ZeroPageRefsTest, ContendForOneCacheLine) {
  for (const ZeroPageRefs refs : {ZeroPageRefs::kMapping, ZeroPageRefs::kMm, ZeroPageRefs::kNone}) {
    constexpr int kCpus = 8;
    const auto machine = Machine(refs, kCpus / 2);
    machine->Run("spawn w\n@w map a 2M anon\n@w touch a r");
    for (int cpu = 0; cpu < kCpus; ++cpu) {
      const std::string name = absl::StrCat("p", cpu);
      machine->Run(absl::StrCat("spawn ", name, "\n@", name, " cpu ", cpu, "\n@", name, " map a 24M anon"));
    }
    for (int cpu = 0; cpu < kCpus; ++cpu) {
      const std::string name = absl::StrCat("p", cpu);
      Process& who = machine->process(name);
      MemorySystem& memory = machine->memory();
      machine->engine().Start(memory.node(memory.NodeOfCpu(who.cpu)).lp, machine->engine().now(), name,
                              [&](sim::Path& path) -> sim::Task<void> {
                                co_await memory.cpu(who.cpu).Acquire(path);
                                const uint64_t begin = AddressSpace::kStartOfSpace.value << kPageShift;
                                const TouchRequest touch{begin, begin + (uint64_t{24} << 20),
                                                         uint64_t{kThpPages} << kPageShift, false};
                                EXPECT_EQ((co_await machine->ops().Touch(path, who, touch)).ok, 12);
                                memory.cpu(who.cpu).Release(path);
                              });
    }
    ASSERT_TRUE(machine->engine().Run().ok());
    int64_t writes = 0;
    int64_t waits = 0;
    for (const sim::LockStats* const lock : machine->engine().lock_stats()) {
      if (lock->name != "huge_zero_refcount") continue;
      writes += static_cast<int64_t>(lock->acquisitions);
      waits += static_cast<int64_t>(lock->contended);
    }
    const int64_t of_mappings = 2 + 12 * kCpus;
    const int64_t of_spaces = 2 + kCpus;
    EXPECT_EQ(writes, refs == ZeroPageRefs::kMapping ? of_mappings
                      : refs == ZeroPageRefs::kMm    ? of_spaces
                                                     : 0);
    EXPECT_EQ(waits > 2 * kCpus, refs == ZeroPageRefs::kMapping) << waits;
  }
}

// ---- MADV_COLLAPSE ----

// The first range cannot be collapsed, the others can, each after a look at the VMA: the first one's failure
// is the call's.
TEST_F(ThpTest, CollapseFailsAsItsLastFailureTells) {
  machine_.Run("spawn p\nthp enabled never\n@p map a 6M anon\n@p touch a\n@p pin a 0 4K");
  EXPECT_EQ(machine_.Run("@p advise a 0 6M collapse").error, Errno::kAgain);
  EXPECT_EQ(Counter(THP_COLLAPSE_ALLOC), 2);
  EXPECT_EQ(machine_.Run("@p unpin a\n@p advise a 0 6M collapse").error, Errno::kOk);
}

// ---- splits ----

TEST_F(ThpTest, APageThatIsPinnedIsNotSplit) {
  machine_.Run(
      "spawn p\n@p map a 4M anon\n@p touch a\n@p pin a 0 64K\n@p advise a 1M 64K dontneed\ndrop_caches 2");
  EXPECT_EQ(Counter(THP_SPLIT_PAGE), 0);
  EXPECT_EQ(Counter(THP_SPLIT_PAGE_FAILED), 2);  // once for each node: their queues are one to the shrinker
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  machine_.Run("@p unpin a\ndrop_caches 2");
  EXPECT_EQ(Counter(THP_SPLIT_PAGE), 1);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
  machine_.Run("@p exit");
  EXPECT_THAT(machine_.Problems({}), IsEmpty());
}

// A fork and the split of the page that it copies: whatever comes first, all mappings are counted.
// A part that is unmapped right after the page was split is freed once, by who unmapped it.
TEST_F(ThpTest, AnUnmapMeetsASplit) {
  int met = 0;
  for (int delay = 0; delay < 60; ++delay) {
    TestMachine machine(DescribedMachine({64 * kMiB, 64 * kMiB}), TestKernelWithThp());
    machine.Run("spawn p\n@p cpu 1\n@p map a 2M anon\n@p touch a\n@p advise a 0 64K dontneed");
    Process& process = machine.process("p");
    MemorySystem& memory = machine.memory();
    sim::SimTime began, unmapped, ended;
    machine.engine().Start(memory.global_lp(), machine.engine().now(), "split",
                           [&](sim::Path& path) -> sim::Task<void> {
                             began = path.now();
                             co_await machine.kernel().shrinkers().Drop(path, CpuId{0});
                             ended = path.now();
                           });
    machine.engine().Start(memory.node(NodeId{1}).lp, machine.engine().now() + sim::Microseconds(4 * delay),
                           "unmap", [&](sim::Path& path) -> sim::Task<void> {
                             co_await memory.cpu(CpuId{1}).Acquire(path);
                             const Vpn first = First() + 64;
                             co_await machine.ops().Unmap(path, process, first, first + 128);
                             unmapped = path.now();
                             memory.cpu(CpuId{1}).Release(path);
                           });
    ASSERT_TRUE(machine.engine().Run().ok());
    met += unmapped > began && unmapped < ended;
    EXPECT_EQ(machine.counter(1, THP_SPLIT_PAGE), 1) << delay;
    EXPECT_THAT(machine.Problems(), IsEmpty()) << delay;
  }
  EXPECT_GT(met, 0) << "nothing was unmapped while the page was split";
  EXPECT_LT(met, 60);
}

// Two of them, each so many pages at once, find different ones: none fails because the other splits it.
TEST_F(ThpTest, TwoWhoSplitQueuedPagesShareThem) {
  machine_.Run("spawn p\n@p map a 32M anon\n@p touch a");
  for (int i = 0; i < 16; ++i) machine_.Run(absl::StrCat("@p advise a ", 2 * i, "M 4K dontneed"));
  Node& node = machine_.memory().node(NodeId{0});
  ASSERT_EQ(node.split_queue.size(), 16);
  struct Turn {
    ThpSplitter::Queued queued;
    sim::SimTime began, ended;
  };
  Turn turns[2];
  for (Turn& turn : turns) {
    machine_.engine().Start(
        node.lp, machine_.engine().now(), "split", [&](sim::Path& path) -> sim::Task<void> {
          turn.began = path.now();
          turn.queued = co_await machine_.kernel().thp().splitter().SplitQueued(path, CpuId{0}, node, 10);
          turn.ended = path.now();
        });
  }
  Settle();
  EXPECT_LT(turns[1].began, turns[0].ended) << "they did not meet";
  EXPECT_EQ(turns[0].queued.tried, 10);
  EXPECT_EQ(turns[1].queued.tried, 6);
  EXPECT_EQ(turns[0].queued.split + turns[1].queued.split, 16);
  EXPECT_EQ(Counter(THP_SPLIT_PAGE), 16);
  EXPECT_EQ(Counter(THP_SPLIT_PAGE_FAILED), 0);
  EXPECT_TRUE(node.split_queue.empty());
  EXPECT_THAT(machine_.Problems(), IsEmpty());
}

TEST_F(ThpTest, AForkMeetsASplit) {
  int split = 0;
  int failed = 0;
  for (int delay = 0; delay < 60; ++delay) {
    machine_.Run(
        "spawn p\n@p map a 8M anon\n@p touch a\n@p fork c\n@c advise a 0 64K dontneed\n@c exit\n@p fork d");
    machine_.Run("@d advise a 0 64K dontneed\n@d unmap a 2M 6M\n@p unmap a 4M 4M");
    const int64_t before = Counter(THP_SPLIT_PAGE);
    // The page is queued when nothing but part of it is mapped: let it be.
    Process& parent = machine_.process("p");
    Process child("child");
    MemorySystem& memory = machine_.memory();
    const Entry* const leaf = Leaf("p");
    ASSERT_NE(leaf, nullptr);
    const Pfn head = leaf->pfn();
    bool ok = false;
    sim::SimTime fork_began, fork_ended, split_at;
    machine_.engine().Start(memory.node(NodeId{0}).lp, machine_.engine().now(), "fork",
                            [&](sim::Path& path) -> sim::Task<void> {
                              co_await memory.cpu(CpuId{0}).Acquire(path);
                              fork_began = path.now();
                              EXPECT_EQ(co_await machine_.ops().Fork(path, parent, child), Errno::kOk);
                              fork_ended = path.now();
                              memory.cpu(CpuId{0}).Release(path);
                            });
    machine_.engine().Start(memory.node(NodeId{0}).lp,
                            machine_.engine().now() + sim::Nanoseconds(delay * 400), "split",
                            [&](sim::Path& path) -> sim::Task<void> {
                              split_at = path.now();
                              Zone& zone = *memory.ZoneOf(head);
                              zone.TakeRef(zone.frames().Index(head), ThpPage::kOrder);
                              ok = co_await machine_.kernel().thp().splitter().Split(path, CpuId{0}, head);
                              const std::vector<Folio> held(1, Folio(head, ThpPage::kOrder));
                              if (!ok) co_await machine_.kernel().allocator().DropRefs(path, CpuId{0}, held);
                            });
    Settle();
    if (split_at > fork_began && split_at < fork_ended) ++(ok ? split : failed);
    EXPECT_EQ(Counter(THP_SPLIT_PAGE), before + (ok ? 1 : 0));
    EXPECT_THAT(machine_.Problems({&parent, &machine_.process("d"), &child}), IsEmpty()) << delay;
    machine_.engine().Start(memory.node(NodeId{0}).lp, machine_.engine().now(), "exit",
                            [&](sim::Path& path) -> sim::Task<void> {
                              co_await memory.cpu(CpuId{0}).Acquire(path);
                              co_await machine_.ops().Exit(path, child);
                              memory.cpu(CpuId{0}).Release(path);
                            });
    Settle();
    machine_.Run("@p exit\n@d exit");
    EXPECT_THAT(machine_.Problems({}), IsEmpty()) << delay;
  }
  EXPECT_GT(split, 0) << "no split came while a fork was under way";
}

// ---- khugepaged ----

TEST_F(ThpTest, KhugepagedLeavesAnAddressSpaceWhoseLockIsTaken) {
  machine_.Run("spawn p\n@p map a 4M anon thp=nohugepage\n@p touch a\n@p advise a 0 4M hugepage");
  Process& process = machine_.process("p");
  MemorySystem& memory = machine_.memory();
  sim::RwSem& mmap_lock = process.space.mmap_lock();
  const uint64_t refused = mmap_lock.stats().try_failed;
  ScanLater(1, sim::Duration{0});
  machine_.RunPath(memory.node(NodeId{0}).lp, [&](sim::Path& path) -> sim::Task<void> {
    co_await mmap_lock.AcquireWrite(path);
    co_await path.Take(sim::Nanoseconds(1'000'000));
    mmap_lock.ReleaseWrite(path);
  });
  EXPECT_EQ(mmap_lock.stats().try_failed, refused + 1);
  EXPECT_EQ(Counter(KHUGEPAGED_FULL_SCANS), 1);
  EXPECT_EQ(Counter(KHUGEPAGED_PAGES_COLLAPSED), 0);
  machine_.Run("khugepaged 1");
  EXPECT_EQ(Counter(KHUGEPAGED_PAGES_COLLAPSED), 2);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
}

// A write to a page that khugepaged is collapsing comes before the copy, or waits for mmap_lock.
TEST_F(ThpTest, AWriteMeetsACollapse) {
  int met = 0;
  for (int delay = 0; delay < 60; ++delay) {
    machine_.Run("spawn p\n@p map a 2M anon thp=nohugepage\n@p touch a 0 1M\n@p advise a 0 2M hugepage");
    ScanLater(1, sim::Duration{0});
    const int64_t collapsed = Counter(KHUGEPAGED_PAGES_COLLAPSED);
    const int64_t faults = Counter(PGFAULT);
    const sim::SimTime began = machine_.engine().now();
    TouchLater("p", 1 << 20, true, sim::Nanoseconds(delay * 10'000));
    Settle();
    EXPECT_EQ(Counter(KHUGEPAGED_PAGES_COLLAPSED), collapsed + 1) << delay;
    const Entry* const leaf = Leaf("p");
    ASSERT_NE(leaf, nullptr);
    EXPECT_TRUE(leaf->writable());
    // Copying 256 pages and clearing as many takes longer than a scan.
    met += Counter(PGFAULT) > faults &&
           machine_.engine().now() - began > sim::Nanoseconds(delay * 10'000 + 20'000);
    EXPECT_THAT(machine_.Problems(), IsEmpty()) << delay;
    machine_.Run("@p exit");
    EXPECT_THAT(machine_.Problems({}), IsEmpty()) << delay;
  }
  EXPECT_GT(met, 0);
}

// A process exits, or moves to another node, while khugepaged is there.
TEST_F(ThpTest, AProcessLeavesWhileKhugepagedScansIt) {
  int met = 0;
  for (int delay = 0; delay < 60; ++delay) {
    machine_.Run(
        "spawn p\n@p map a 16M anon thp=nohugepage\n@p touch a 0 8M 64K\n@p advise a 0 16M hugepage\n"
        "spawn q\n@q map b 4M anon\n@q touch b");
    ScanLater(3, sim::Nanoseconds(delay * 2'000));
    const int64_t collapsed = Counter(KHUGEPAGED_PAGES_COLLAPSED);
    if (delay % 2 == 0) {
      machine_.Run("@p exit");
    } else {
      machine_.Run("@p cpu 1");
    }
    met += Counter(KHUGEPAGED_PAGES_COLLAPSED) > collapsed;
    EXPECT_THAT(machine_.Problems(), IsEmpty()) << delay;
    if (delay % 2 != 0) machine_.Run("@p exit");
    machine_.Run("@q exit");
    EXPECT_THAT(machine_.Problems({}), IsEmpty()) << delay;
  }
  EXPECT_GT(met, 0) << "khugepaged never came while it lived";
}

// ---- no huge page is to be had ----

TEST_F(ThpTest, WithoutAHugePageAFaultTakesABasePage) {
  const std::vector<Folio> kept[] = {machine_.Fragment(NodeId{0}), machine_.Fragment(NodeId{1})};
  machine_.Run("spawn q\n@q map b 4M anon\n@q touch b 0 64K");
  EXPECT_EQ(Counter(THP_FAULT_FALLBACK), 1) << "the table is there after the first";
  EXPECT_EQ(Leaf("q"), nullptr);
  EXPECT_EQ(machine_.Run("@q advise b 0 2M collapse").error, Errno::kNoMem);
  EXPECT_GT(Counter(THP_COLLAPSE_ALLOC_FAILED), 0);
  for (const std::vector<Folio>& of_node : kept) machine_.Release(CpuId{0}, of_node);
  EXPECT_THAT(machine_.Problems(), IsEmpty());
}

}  // namespace
}  // namespace numasim
