// A huge page that somebody takes out of a range while somebody else frees or allocates it
// (alloc_and_dissolve_huge_page and dissolve_free_huge_page against free_huge_page and alloc_huge_page,
// mm/hugetlb.c of Linux 6.1). The two start a number of nanoseconds apart; every number that can matter is
// tried, and each must end in an outcome that the kernel has.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;
using Dissolved = HugetlbPool::Dissolved;

constexpr CpuId kCpu{0};

// The branches that can be told from each other, with what must be left behind (Race::Check).
enum class Outcome {
  kReplaced,  // a free page made room for another one
  kGone,      // it left the pool by itself: it was surplus
  kIsolated,  // in use, taken for migration
  kBusy,      // in use, by who has no mapping yet
  kNoMem,
  kDissolved,  // offlining: a free page left the pool
  kReserved,   // offlining: a reservation needs it, or it is in use
};
std::string NameOf(Outcome outcome) {
  static constexpr const char* kNames[] = {"replaced", "gone",      "isolated", "busy",
                                           "no mem",   "dissolved", "reserved"};
  return kNames[static_cast<size_t>(outcome)];
}
void PrintTo(Outcome outcome, std::ostream* out) { *out << NameOf(outcome); }

// One run of two paths on a machine of its own.
class Race {
 public:
  explicit Race(const KernelConfig& kernel, std::string_view script, std::string_view owner)
      : machine_(DescribedMachine({512 * kMiB, 32 * kMiB}, 2), kernel) {
    machine_.Run(absl::StrCat("machine nodes=2 node_mem=256M,32M cpus_per_node=2\n", std::string(script)));
    if (!owner.empty()) process_ = &machine_.process(owner);
  }

  TestMachine& machine() { return machine_; }
  HugetlbPool& pool() { return machine_.kernel().pool(); }
  Hstate& h() { return pool().hstate(HugeSize::k2M); }
  Process& process() { return *process_; }
  // The page of the process's mappings with this number, from the last.
  Pfn PageFromLast(int number) {
    std::vector<Pfn> pages;
    process_->space.page_table().Walk(Vpn{0}, AddressSpace::kNoRoom, [&](Vpn, const Entry& entry, int order) {
      if (order != 0) pages.push_back(entry.pfn());
    });
    const auto at = static_cast<size_t>(number);
    return at < pages.size() ? pages[pages.size() - 1 - at] : kNoPfn;
  }
  Pfn FirstFree() { return HugePageStore::First(h().node(NodeId{0}).free); }

  // Starts a path of the process, which holds its CPU.
  void StartOfProcess(sim::Duration at, std::function<sim::Task<void>(sim::Path&)> body) {
    const CpuId cpu = process_->cpu;
    Start(machine_.memory().node(NodeId{0}).lp, at, [this, cpu, body](sim::Path& path) -> sim::Task<void> {
      co_await machine_.memory().cpu(cpu).Acquire(path);
      co_await body(path);
      machine_.memory().cpu(cpu).Release(path);
    });
  }
  void StartGlobal(sim::Duration at, sim::PathFn body) {
    Start(machine_.memory().global_lp(), at, std::move(body));
  }
  void Start(sim::LpId lp, sim::Duration at, sim::PathFn body) {
    machine_.engine().Start(lp, machine_.engine().now() + at, "racer", std::move(body));
  }

  // As a contiguous range does it, and gives an isolated page back.
  void StartReplacing(sim::Duration at, Pfn page) {
    before_ = h().counters();
    replaced_ = pool().counter(HTLB_REPLACED);
    StartGlobal(at, [this, page](sim::Path& path) -> sim::Task<void> {
      const Dissolved result = co_await pool().IsolateOrDissolve(path, page, kCpu);
      if (result == Dissolved::kIsolated) co_await pool().PutBack(path, page, kCpu);
      outcome_ = OutcomeOf(result);
    });
  }
  // As offlining does it.
  void StartDissolving(sim::Duration at, Pfn page) {
    before_ = h().counters();
    dissolved_ = pool().counter(HTLB_DISSOLVED);
    StartGlobal(at, [this, page](sim::Path& path) -> sim::Task<void> {
      const Errno error = co_await pool().DissolveFree(path, page, kCpu);
      const bool by_us = pool().counter(HTLB_DISSOLVED) != dissolved_;
      outcome_ = error == Errno::kBusy ? Outcome::kReserved : by_us ? Outcome::kDissolved : Outcome::kGone;
    });
  }

  Outcome Finish() {
    EXPECT_TRUE(machine_.engine().Run().ok());
    EXPECT_THAT(machine_.engine().blocked_paths(), IsEmpty());
    EXPECT_THAT(machine_.Problems(), IsEmpty());
    return outcome_;
  }
  // By how much a counter has changed since the race began.
  int64_t Change(HugetlbCounter c) { return h().counter(c) - before_[c]; }
  bool retried() { return pool().counter(HTLB_DISSOLVE_RETRY) > 0; }

 private:
  Outcome OutcomeOf(Dissolved result) {
    switch (result) {
      case Dissolved::kIsolated:
        return Outcome::kIsolated;
      case Dissolved::kBusy:
        return Outcome::kBusy;
      case Dissolved::kNoMem:
        return Outcome::kNoMem;
      case Dissolved::kGone:
        break;
    }
    return pool().counter(HTLB_REPLACED) > replaced_ ? Outcome::kReplaced : Outcome::kGone;
  }

  TestMachine machine_;
  Process* process_ = nullptr;
  HugetlbCounters before_ = {};
  int64_t replaced_ = 0;
  int64_t dissolved_ = 0;
  Outcome outcome_ = Outcome::kBusy;
};

// What a sweep has seen: the outcomes, in the order of the offsets with repetitions left out, and how many
// races had to try again.
struct Seen {
  std::vector<Outcome> order;
  std::set<Outcome> outcomes;
  int64_t races = 0;
  int64_t retried = 0;
};

using RunRace = std::function<Outcome(sim::Duration offset, bool& retried)>;

// All offsets of [first, last] by `step`, and every nanosecond between two neighbours that differ.
Seen Sweep(int64_t first, int64_t last, int64_t step, const RunRace& run) {
  struct End {
    Outcome outcome;
    bool retried;
    bool operator==(const End&) const = default;
  };
  std::map<int64_t, End> ends;
  const auto look = [&](int64_t at) {
    if (ends.contains(at)) return ends.at(at);
    bool retried = false;
    const Outcome outcome = run(sim::Nanoseconds(at), retried);
    return ends.emplace(at, End{outcome, retried}).first->second;
  };
  for (int64_t at = first; at <= last && !::testing::Test::HasFailure(); at += step) {
    if (at == first || look(at - step) == look(at)) {
      look(at);
      continue;
    }
    for (int64_t fine = at - step; fine <= at && !::testing::Test::HasFailure(); ++fine) look(fine);
  }
  Seen seen;
  for (const auto& [at, end] : ends) {
    if (seen.order.empty() || seen.order.back() != end.outcome) seen.order.push_back(end.outcome);
    seen.outcomes.insert(end.outcome);
    seen.retried += end.retried ? 1 : 0;
    ++seen.races;
  }
  return seen;
}

// ---- somebody frees the page ----

// How the last reference goes, of the pages of a script's process.
struct Freeing {
  const char* name;
  const char* script;  // after which only that reference is left; no page is free
  std::function<sim::Task<void>(Race&, sim::Path&)> free;
  const char* irq_free = "direct";
  bool surplus = false;    // freed, the page leaves the pool
  bool isolatable = true;  // before it is freed: its user has it mapped or in a page cache
  // Whether it is held by nobody, and on no list, for longer than making a replacement takes.
  bool lingers = true;
};
void PrintTo(const Freeing& freeing, std::ostream* out) { *out << freeing.name; }

sim::Task<void> UnmapAll(Race& race, sim::Path& path) {
  const Vma& vma = race.process().space.vmas().begin()->second;
  const Vpn begin = vma.start;
  const Vpn end = vma.end;
  co_await race.machine().ops().Unmap(path, race.process(), begin, end);
}

sim::Task<void> UnpinInInterrupt(Race& race, sim::Path& path) {
  co_await race.machine().ops().Unpin(path, race.process(), race.process().pins.front().id, true);
}

sim::Task<void> TruncateAll(Race& race, sim::Path& path) {
  const FileId file = race.process().space.vmas().begin()->second.file;
  co_await race.machine().kernel().hugetlb().Truncate(path, file, 0, kCpu);
}

// 160 pages go one after another, as long as the last of them is held by nobody. Truncation frees 15 at a
// time.
const Freeing kFreeing[] = {
    {"LastUnmap", "pool 2M node0 160\nspawn p\n@p map a 320M hugetlb-2M noreserve\n@p touch a", UnmapAll},
    {"LastUnmapOfSurplus", "overcommit 2M 160\nspawn p\n@p map a 320M hugetlb-2M noreserve\n@p touch a",
     UnmapAll, "direct", true},
    {"UnpinInInterrupt",
     "pool 2M node0 160\nspawn p\n@p map a 320M hugetlb-2M noreserve\n@p pin a\n@p unmap a", UnpinInInterrupt,
     "direct", false, false},
    {"UnpinInInterruptBefore513",
     "pool 2M node0 160\nspawn p\n@p map a 320M hugetlb-2M noreserve\n@p pin a\n@p unmap a", UnpinInInterrupt,
     "workqueue", false, false},
    {"Truncation", "pool 2M node0 160\nspawn p\n@p map a 320M hugetlb-2M shared file=f\n@p touch a",
     TruncateAll, "direct", false, true, false},
};
constexpr int64_t kFreed = 160;

class FreeAgainstDissolveTest : public ::testing::TestWithParam<Freeing> {
 protected:
  static constexpr int64_t kStart = 1000;  // when the page is freed; the other begins at 0 to kEnd
  static constexpr int64_t kEnd = 29'000;
  static constexpr int64_t kStep = 4;  // nothing is over sooner

  static std::unique_ptr<Race> Make(Pfn& page) {
    const Freeing& freeing = GetParam();
    KernelConfig kernel = TestKernel();
    kernel.hugetlb.irq_frees_in_workqueue = freeing.irq_free == std::string("workqueue");
    auto race = std::make_unique<Race>(kernel, freeing.script, "p");
    EXPECT_EQ(race->h().counter(FREE_HUGEPAGES), 0);
    // The one that is freed last waits longest, held by nobody.
    const bool reversed = freeing.irq_free == std::string("workqueue");
    const auto& pins = race->process().pins;
    page = pins.empty() ? race->PageFromLast(0) : reversed ? pins[0].huge.front() : pins[0].huge.back();
    race->StartOfProcess(sim::Nanoseconds(kStart), [r = race.get()](sim::Path& path) -> sim::Task<void> {
      co_await GetParam().free(*r, path);
    });
    return race;
  }
};

// Whatever the moment: before, the page is taken for migration (or has nothing by which it could be); after,
// it is free and replaced; between, it is tried again.
TEST_P(FreeAgainstDissolveTest, ReplacingItEndsAsInTheKernelAtEveryMoment) {
  const Freeing& freeing = GetParam();
  const Seen seen = Sweep(0, kEnd, kStep, [&](sim::Duration offset, bool& retried) {
    Pfn page;
    const std::unique_ptr<Race> race = Make(page);
    race->StartReplacing(offset, page);
    const Outcome outcome = race->Finish();
    retried = race->retried();
    const std::string where = absl::StrCat("offset ", offset.ns, ": ", NameOf(outcome));
    // Not one page more or less than without the other, and all of them free.
    EXPECT_EQ(race->Change(NR_HUGEPAGES), freeing.surplus ? -kFreed : 0) << where;
    EXPECT_EQ(race->Change(SURPLUS_HUGEPAGES), freeing.surplus ? -kFreed : 0) << where;
    EXPECT_EQ(race->h().counter(FREE_HUGEPAGES), race->h().counter(NR_HUGEPAGES)) << where;
    const bool still_there = race->pool().pages().Find(page) != nullptr;
    EXPECT_EQ(still_there, outcome == Outcome::kIsolated ? !freeing.surplus : outcome == Outcome::kBusy)
        << where;
    return outcome;
  });
  std::set<Outcome> expected = {freeing.surplus ? Outcome::kGone : Outcome::kReplaced,
                                freeing.isolatable ? Outcome::kIsolated : Outcome::kBusy};
  EXPECT_EQ(seen.outcomes, expected);
  EXPECT_EQ(seen.retried > 0, freeing.lingers) << "of " << seen.races;
  EXPECT_EQ(seen.order.size(), 2u) << "first in use, then not";
}

TEST_P(FreeAgainstDissolveTest, OffliningItsMemoryEndsAsInTheKernelAtEveryMoment) {
  const Freeing& freeing = GetParam();
  const Seen seen = Sweep(0, kEnd, kStep, [&](sim::Duration offset, bool& retried) {
    Pfn page;
    const std::unique_ptr<Race> race = Make(page);
    race->StartDissolving(offset, page);
    const Outcome outcome = race->Finish();
    retried = race->retried();
    const std::string where = absl::StrCat("offset ", offset.ns, ": ", NameOf(outcome));
    const int64_t lost = freeing.surplus ? kFreed : outcome == Outcome::kDissolved ? 1 : 0;
    EXPECT_EQ(race->Change(NR_HUGEPAGES), -lost) << where;
    EXPECT_EQ(race->h().counter(FREE_HUGEPAGES), race->h().counter(NR_HUGEPAGES)) << where;
    EXPECT_EQ(race->pool().pages().Find(page) != nullptr, outcome == Outcome::kReserved && !freeing.surplus)
        << where;
    return outcome;
  });
  const std::set<Outcome> expected = {Outcome::kReserved,
                                      freeing.surplus ? Outcome::kGone : Outcome::kDissolved};
  EXPECT_EQ(seen.outcomes, expected);
  // As soon as one of them is free, and this one is not.
  EXPECT_EQ(seen.retried > 0, !freeing.surplus) << "of " << seen.races;
}

INSTANTIATE_TEST_SUITE_P(Ways, FreeAgainstDissolveTest, ::testing::ValuesIn(kFreeing),
                         [](const auto& info) { return std::string(info.param.name); });

// ---- somebody allocates the page ----

class FaultAgainstDissolveTest : public ::testing::Test {
 protected:
  static constexpr int64_t kStart = 8000;
  // Beyond the time that clearing the page takes.
  static constexpr int64_t kEnd = 230'000;

  static void StartFault(Race& race, int64_t at, uint64_t offset = 0) {
    race.StartOfProcess(sim::Nanoseconds(at), [&race, offset](sim::Path& path) -> sim::Task<void> {
      const Vpn start = race.process().space.vmas().begin()->second.start;
      const uint64_t begin = (start.value << kPageShift) + offset;
      const TouchRequest touch{begin, begin + 1, kPageSize, true};
      co_await race.machine().ops().Touch(path, race.process(), touch);
    });
  }
  static Pfn MappedPage(Race& race) { return race.PageFromLast(0); }
  // Each nanosecond of what happens before the page is cleared, and what comes after.
  static Seen SweepFault(const RunRace& run) {
    Seen seen = Sweep(0, 12'000, 1, run);
    const Seen later = Sweep(12'000, kEnd, 997, run);
    seen.outcomes.insert(later.outcomes.begin(), later.outcomes.end());
    seen.order.insert(seen.order.end(), later.order.begin(), later.order.end());
    seen.order.erase(std::unique(seen.order.begin(), seen.order.end()), seen.order.end());
    return seen;
  }
};

TEST_F(FaultAgainstDissolveTest, ReplacingThePageThatAFaultTakes) {
  int64_t grabbed = 0;
  int64_t in_use_at_once = 0;
  const Seen seen = SweepFault([&](sim::Duration offset, bool&) {
    Race race({}, "pool 2M node0 2\nspawn p\n@p map a 2M hugetlb-2M", "p");
    const Pfn page = race.FirstFree();
    const int64_t allocated = race.pool().counter(HTLB_BUDDY_ALLOC_SUCCESS);
    StartFault(race, kStart);
    race.StartReplacing(offset, page);
    const Outcome outcome = race.Finish();
    const std::string where = absl::StrCat("offset ", offset.ns, ": ", NameOf(outcome));
    EXPECT_EQ(race.Change(NR_HUGEPAGES), 0) << where;
    EXPECT_EQ(race.h().counter(FREE_HUGEPAGES), 1) << where;
    EXPECT_EQ(race.h().counter(RESV_HUGEPAGES), 0) << where;
    EXPECT_EQ(MappedPage(race) == page, outcome != Outcome::kReplaced) << where;
    // A replacement was made, but somebody had grabbed the page by then.
    const bool made = race.pool().counter(HTLB_BUDDY_ALLOC_SUCCESS) > allocated;
    if (outcome == Outcome::kBusy) ++(made ? grabbed : in_use_at_once);
    return outcome;
  });
  const std::vector<Outcome> expected = {Outcome::kReplaced, Outcome::kBusy, Outcome::kIsolated};
  EXPECT_EQ(seen.order, expected);
  EXPECT_GT(grabbed, 0);
  EXPECT_GT(in_use_at_once, 0);
}

// Where the replacement is long in coming, as another CPU holds zone->lock to look for a gigantic range, the
// page may even be mapped by then.
TEST_F(FaultAgainstDissolveTest, APageMappedWhileItsReplacementIsMadeIsTaken) {
  // Its page tables are there already.
  Race race({}, "pool 2M node0 3\nspawn p\n@p map a 4M hugetlb-2M\n@p touch a 0 2M", "p");
  const Pfn page = race.FirstFree();
  const int64_t allocated = race.pool().counter(HTLB_BUDDY_ALLOC_SUCCESS);
  MemorySystem& memory = race.machine().memory();
  for (Zone* const zone : memory.Zonelist(NodeId{0}, ZoneType::kMovable)) {
    if (zone->node() != NodeId{0}) continue;
    for (int cpu = 0; cpu < zone->cpus(); ++cpu) zone->DrainPcp(CpuId{cpu});
    race.Start(memory.node(NodeId{0}).lp, sim::Duration{0}, [zone](sim::Path& path) -> sim::Task<void> {
      co_await zone->lock().Acquire(path);
      co_await path.Take(sim::Microseconds(300));
      zone->lock().Release(path);
    });
  }
  race.StartReplacing(sim::Nanoseconds(1000), page);
  StartFault(race, 2000, uint64_t{2} << 20);
  EXPECT_EQ(race.Finish(), Outcome::kIsolated);
  EXPECT_EQ(race.pool().counter(HTLB_BUDDY_ALLOC_SUCCESS), allocated + 1);
  EXPECT_EQ(race.Change(NR_HUGEPAGES), 0);
  EXPECT_EQ(MappedPage(race), page);
}

TEST_F(FaultAgainstDissolveTest, OffliningThePageThatAFaultTakes) {
  const Seen seen = SweepFault([&](sim::Duration offset, bool&) {
    Race race({}, "pool 2M node0 2\nspawn p\n@p map a 2M hugetlb-2M noreserve", "p");
    const Pfn page = race.FirstFree();
    StartFault(race, kStart);
    race.StartDissolving(offset, page);
    const Outcome outcome = race.Finish();
    const std::string where = absl::StrCat("offset ", offset.ns, ": ", NameOf(outcome));
    EXPECT_EQ(race.Change(NR_HUGEPAGES), outcome == Outcome::kDissolved ? -1 : 0) << where;
    EXPECT_NE(MappedPage(race), kNoPfn) << where;
    EXPECT_EQ(MappedPage(race) == page, outcome == Outcome::kReserved) << where;
    return outcome;
  });
  const std::vector<Outcome> expected = {Outcome::kDissolved, Outcome::kReserved};
  EXPECT_EQ(seen.order, expected);
}

TEST_F(FaultAgainstDissolveTest, APageThatAReservationNeedsStaysAtEveryMoment) {
  const Seen seen = SweepFault([&](sim::Duration offset, bool&) {
    Race race({}, "pool 2M node0 1\nspawn p\n@p map a 2M hugetlb-2M", "p");
    const Pfn page = race.FirstFree();
    StartFault(race, kStart);
    race.StartDissolving(offset, page);
    const Outcome outcome = race.Finish();
    EXPECT_EQ(MappedPage(race), page) << "offset " << offset.ns;
    return outcome;
  });
  EXPECT_EQ(seen.outcomes, std::set<Outcome>{Outcome::kReserved});
}

// ---- others ----

TEST(DissolveRaceTest, APageOnItsWayIntoThePoolIsNoneYetOrTriedAgainOrDissolved) {
  Pfn page;
  {
    Race race({}, "pool 2M node0 8", "");
    page = race.FirstFree();
  }
  const Seen seen = Sweep(0, 45'000, 4, [&](sim::Duration offset, bool& retried) {
    Race race({}, "", "");
    Hugetlb& hugetlb = race.machine().kernel().hugetlb();
    race.Start(race.machine().memory().node(NodeId{0}).lp, sim::Nanoseconds(1000),
               [&](sim::Path& path) -> sim::Task<void> {
                 co_await hugetlb.Resize(path, kCpu, HugeSize::k2M, NodeId{0}, 8);
               });
    race.StartDissolving(offset, page);
    const Outcome outcome = race.Finish();
    retried = race.retried();
    EXPECT_EQ(race.h().counter(FREE_HUGEPAGES), race.h().counter(NR_HUGEPAGES));
    // The writer goes on until it has seen 8 pages.
    EXPECT_GE(race.h().counter(NR_HUGEPAGES), 7) << offset.ns;
    EXPECT_LE(race.h().counter(NR_HUGEPAGES), 8) << offset.ns;
    return outcome;
  });
  const std::vector<Outcome> expected = {Outcome::kGone, Outcome::kDissolved};
  EXPECT_EQ(seen.order, expected);
  EXPECT_GT(seen.retried, 0);
}

TEST(DissolveRaceTest, OfTwoWhoReplaceAFreePageOneDoes) {
  const Seen seen = Sweep(0, 8000, 1, [&](sim::Duration offset, bool&) {
    Race race({}, "pool 2M node0 2", "");
    const Pfn page = race.FirstFree();
    race.StartReplacing(offset, page);
    Dissolved other = Dissolved::kBusy;
    race.StartGlobal(sim::Nanoseconds(3000), [&](sim::Path& path) -> sim::Task<void> {
      other = co_await race.pool().IsolateOrDissolve(path, page, kCpu);
    });
    race.Finish();
    EXPECT_EQ(other, Dissolved::kGone);
    EXPECT_EQ(race.pool().counter(HTLB_REPLACED), 1) << "offset " << offset.ns;
    EXPECT_EQ(race.Change(NR_HUGEPAGES), 0);
    EXPECT_EQ(race.h().counter(FREE_HUGEPAGES), 2);
    EXPECT_EQ(race.pool().pages().Find(page), nullptr);
    return Outcome::kReplaced;
  });
  EXPECT_EQ(seen.races, 8001);
}

}  // namespace
}  // namespace numasim
