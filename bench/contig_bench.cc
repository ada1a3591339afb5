// How fast ranges of frames are got back: from nobody, from free huge pages, from huge and base pages in use;
// and how fast a frame's owner is found. One thread.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/machine.h"
#include "models/contig/contig.h"

namespace numasim {
namespace {

constexpr FrameOwner kDriver{FrameOwner::kContig, 1, 0, 0};

// One node with a CPU, and who takes its memory back.
class Machine : public BenchMachine {
 public:
  explicit Machine(int64_t pages, MachineConfig config = {}) : BenchMachine(1, pages, std::move(config)) {}

  void Populate(int64_t pages, std::optional<HugeSize> huge) {
    Run([this, pages, huge](sim::Path& path) -> sim::Task<void> { co_await MapAndTouch(path, pages, huge); });
  }
  // Allocates the range, as often as virtio-mem would try to, and gives it back. Returns how long the first
  // took; negative if it could not be had.
  double Take(Pfn start, int64_t pages) {
    constexpr int kTries = 5;
    ContigResult result;
    const double took = Run([&](sim::Path& path) -> sim::Task<void> {
      for (int i = 0; i < kTries && (i == 0 || result.error == Errno::kBusy); ++i) {
        result = co_await contig().ranges().AllocRange(path, CpuId{0}, start, pages, Migratetype::kMovable,
                                                       kDriver);
      }
    });
    if (result.error != Errno::kOk) return -1;
    Run([&](sim::Path& path) -> sim::Task<void> {
      co_await contig().ranges().FreeRange(path, start, pages);
    });
    return took;
  }
  // The first frame of every range of `pages` frames, aligned to its size, that belongs to `kind` from end to
  // end.
  std::vector<Pfn> RangesOf(FrameOwner::Kind kind, int64_t pages) {
    std::vector<Pfn> found;
    const FrameStore& frames = zone().frames();
    const auto step = static_cast<uint64_t>(pages);
    for (uint64_t at = (frames.start().value + step - 1) / step * step; at + step <= frames.end().value;
         at += step) {
      bool all = true;
      ForEachBlock(frames, frames.Index(Pfn{at}), static_cast<FrameIndex>(frames.Index(Pfn{at}) + pages),
                   [&](const FrameStore::Head& head) { all = all && OwnedBy(frames, head, kind); });
      if (all) found.push_back(Pfn{at});
    }
    return found;
  }
  Zone& zone() { return *memory().node(NodeId{0}).zone(ZoneType::kNormal); }
};

// Takes every range of `pages` frames that is all `kind`, one after the other. Pages are counted as `unit`
// frames.
void TakeAll(benchmark::State& state, Machine& machine, FrameOwner::Kind kind, int64_t pages, int64_t unit) {
  int64_t taken = 0;
  for (auto _ : state) {
    const std::vector<Pfn> ranges = machine.RangesOf(kind, pages);
    if (ranges.empty()) {
      state.SkipWithError("no such range is left");
      return;
    }
    double seconds = 0;
    for (const Pfn start : ranges) {
      const double took = machine.Take(start, pages);
      if (took < 0) {
        state.SkipWithError("a range could not be had");
        return;
      }
      seconds += took;
      taken += pages / unit;
    }
    state.SetIterationTime(seconds);
  }
  state.counters["pages"] = benchmark::Counter(static_cast<double>(taken), benchmark::Counter::kIsRate);
}

// alloc_contig_range() over ranges of free huge pages, on a node that has room for as many again.
void DissolveAndReplace(benchmark::State& state) {
  Machine machine(64 * Machine::kGiBPages);
  machine.ResizePool(8 * Machine::kGiBPages / kPageblockPages);
  TakeAll(state, machine, FrameOwner::kHugetlb, state.range(0) * kPageblockPages, kPageblockPages);
}
BENCHMARK(DissolveAndReplace)->Arg(1)->Arg(64)->Arg(512)->UseManualTime()->Unit(benchmark::kMillisecond);

// The same with huge pages in use: each moves to a free page of the pool, stays there free itself, and is
// dissolved when the range is tried again.
void MigrateHugePages(benchmark::State& state) {
  Machine machine(64 * Machine::kGiBPages);
  machine.ResizePool(2 * Machine::kGiBPages / kPageblockPages);
  machine.Populate(Machine::kGiBPages, HugeSize::k2M);
  TakeAll(state, machine, FrameOwner::kHugetlb, kPageblockPages, kPageblockPages);
}
BENCHMARK(MigrateHugePages)->UseManualTime()->Unit(benchmark::kMillisecond);

void MigrateBasePages(benchmark::State& state) {
  Machine machine(16 * Machine::kGiBPages);
  machine.Populate(4 * Machine::kGiBPages, std::nullopt);
  TakeAll(state, machine, FrameOwner::kAnon, state.range(0) * kPageblockPages, 1);
}
BENCHMARK(MigrateBasePages)->Arg(1)->Arg(64)->UseManualTime()->Unit(benchmark::kMillisecond);

constexpr int64_t kMiB = (int64_t{1} << 20) / kPageSize;

// A node with an area of an eighth of it, nearly all of it one mapping whose pages are pinned.
std::unique_ptr<Machine> PinnedMachine(int64_t pages, int64_t movablecore_pages, int64_t mapped) {
  MachineConfig config;
  config.movablecore_pages = movablecore_pages;
  config.cma.push_back({"camera", NodeId{0}, pages / 8, false, "area"});
  config.offline_patience_ns = 1'000'000'000;
  auto machine = std::make_unique<Machine>(pages, std::move(config));
  machine->Run([&machine, mapped](sim::Path& path) -> sim::Task<void> {
    const Vpn begin = co_await machine->MapAndTouch(path, mapped, std::nullopt);
    const PinResult pinned = co_await machine->ops().Pin(path, machine->process(), begin, begin + mapped);
    if (pinned.error != Errno::kOk) abort();
  });
  return machine;
}

// cma_alloc() of 32 MiB without an alignment: it is tried at every page. So much is free nowhere in the area,
// which has the node's last free pages.
void CmaAllocInVain(benchmark::State& state) {
  const std::unique_ptr<Machine> machine = PinnedMachine(4 * Machine::kGiBPages, 0, 3990 * kMiB);
  CmaArea& area = *machine->contig().cma().areas()[0];
  constexpr int64_t kWanted = 32 * kMiB;
  int64_t attempts = 0;
  for (auto _ : state) {
    state.SetIterationTime(machine->Run([&](sim::Path& path) -> sim::Task<void> {
      const Pfn pfn = co_await machine->contig().cma().Alloc(path, CpuId{0}, area, kWanted, 0, kDriver);
      if (pfn != kNoPfn) state.SkipWithError("the area has a range without pinned pages");
    }));
    attempts += area.pages - kWanted + 1;
  }
  state.counters["attempts"] = benchmark::Counter(static_cast<double>(attempts), benchmark::Counter::kIsRate);
}
BENCHMARK(CmaAllocInVain)->UseManualTime()->Unit(benchmark::kMillisecond);

// Offlining a memory block of pinned pages: it is tried again and again for a simulated second.
void OfflinePinned(benchmark::State& state) {
  const std::unique_ptr<Machine> machine = PinnedMachine(Machine::kGiBPages, 256 * kMiB, 900 * kMiB);
  // The last but one of ZONE_MOVABLE. The area is at the top of the last one, which therefore stays online.
  const MemoryBlockId block{Machine::kGiBPages / kMemoryBlockPages - 2};
  for (auto _ : state) {
    state.SetIterationTime(machine->Run([&](sim::Path& path) -> sim::Task<void> {
      const Errno error = co_await machine->kernel().hotplug().Offline(path, CpuId{0}, block);
      if (error != Errno::kIntr)
        state.SkipWithError(absl::StrCat("offlining ended with ", ErrnoName(error)).c_str());
    }));
  }
}
BENCHMARK(OfflinePinned)->UseManualTime()->Unit(benchmark::kMillisecond);

// 128 MiB that are free.
void TakeFreeRange(benchmark::State& state) {
  Machine machine(16 * Machine::kGiBPages);
  const Pfn start{8 * static_cast<uint64_t>(Machine::kGiBPages)};
  for (auto _ : state) state.SetIterationTime(machine.Take(start, kMemoryBlockPages));
}
BENCHMARK(TakeFreeRange)->UseManualTime()->Unit(benchmark::kMicrosecond);

// From a frame's number to whose it is, at random places of a zone in which every page is somebody's.
void OwnerOfFrame(benchmark::State& state) {
  Machine machine(16 * Machine::kGiBPages);
  machine.Populate(8 * Machine::kGiBPages, std::nullopt);
  const FrameStore& frames = machine.zone().frames();
  std::mt19937_64 random(1);
  std::uniform_int_distribution<uint64_t> any(frames.start().value, frames.end().value - 1);
  std::vector<Pfn> pfns(1 << 16);
  for (Pfn& pfn : pfns) pfn = Pfn{any(random)};
  size_t next = 0;
  for (auto _ : state) {
    const FrameStore::Head head = frames.Find(frames.Index(pfns[next++ & (pfns.size() - 1)]));
    const bool owned = head.kind == FrameKind::kAllocated;
    const uint64_t nobody = FrameOwner::kOffline;
    benchmark::DoNotOptimize(owned ? uint64_t{frames.owner(head.frame, head.order).kind} : nobody);
  }
}
BENCHMARK(OwnerOfFrame);

}  // namespace
}  // namespace numasim
