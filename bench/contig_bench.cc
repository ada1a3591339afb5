// How fast ranges of frames are got back: from nobody, from free huge pages, from huge and base pages in use;
// and how fast a frame's owner is found. One thread.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "models/address_space/address_space_ops.h"
#include "models/contig/contig.h"
#include "models/memory_system.h"
#include "sim/engine.h"

namespace numasim {
namespace {

constexpr int64_t kGiBPages = int64_t{1} << (30 - kPageShift);
constexpr FrameOwner kDriver{FrameOwner::kContig, 1, 0, 0};

// A described machine of one node with a CPU.
class Machine {
 public:
  explicit Machine(int64_t pages)
      : engine_({.threads = 1, .lookahead = sim::Nanoseconds(CostModel().hop_ns())}), process_("p") {
    MachineConfig config;
    config.nodes.push_back({pages});
    config.node_of_cpu.push_back(NodeId{0});
    Kernel kernel;
    kernel.mutable_thp()->set_enabled("never");
    memory_ = *MemorySystem::Create(engine_, config, kernel, CostModel());
    ops_ = std::make_unique<AddressSpaceOps>(*memory_);
    contig_ = *Contig::Create(*memory_, *ops_, config, kernel);
    Run([this](sim::Path& path) -> sim::Task<void> { co_await ops_->Spawn(path, process_); });
  }
  ~Machine() { engine_.DropPaths(); }

  // Runs a path on CPU 0 to its end. Returns how long that took.
  double Run(sim::PathFn fn) {
    engine_.Start(memory_->node(NodeId{0}).lp, engine_.now(), "bench",
                  [this, &fn](sim::Path& path) -> sim::Task<void> {
                    co_await memory_->cpu(CpuId{0}).Acquire(path);
                    co_await fn(path);
                    memory_->cpu(CpuId{0}).Release(path);
                  });
    const auto begin = std::chrono::steady_clock::now();
    if (!engine_.Run().ok()) abort();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  void ResizePool(int64_t count) {
    Run([this, count](sim::Path& path) -> sim::Task<void> {
      co_await ops_->hugetlb().Resize(path, CpuId{0}, HugeSize::k2M, kNoNode, count);
    });
    if (ops_->hugetlb().pool().hstate(HugeSize::k2M).counter(NR_HUGEPAGES) != count) abort();
  }
  void MapAndTouch(int64_t pages, std::optional<HugeSize> huge) {
    Run([this, pages, huge](sim::Path& path) -> sim::Task<void> {
      MapRequest request;
      request.pages = pages;
      request.huge = huge;
      const MapResult mapped = co_await ops_->Map(path, process_, request);
      const uint64_t begin = mapped.start.value << kPageShift;
      const uint64_t end = (mapped.start + pages).value << kPageShift;
      const int64_t stride = huge.has_value() ? PagesOf(*huge) : 1;
      const TouchRequest touch{begin, end, static_cast<uint64_t>(stride) << kPageShift, true};
      const TouchCounts counts = co_await ops_->Touch(path, process_, touch);
      if (counts.ok * stride != pages) abort();
    });
  }
  // Allocates the range, as often as virtio-mem would try to, and gives it back. Returns how long the first
  // took; negative if it could not be had.
  double Take(Pfn start, int64_t pages) {
    constexpr int kTries = 5;
    ContigResult result;
    const double took = Run([&](sim::Path& path) -> sim::Task<void> {
      for (int i = 0; i < kTries && (i == 0 || result.error == Errno::kBusy); ++i) {
        result = co_await contig_->ranges().AllocRange(path, CpuId{0}, start, pages, Migratetype::kMovable,
                                                       kDriver);
      }
    });
    if (result.error != Errno::kOk) return -1;
    Run([&](sim::Path& path) -> sim::Task<void> {
      co_await contig_->ranges().FreeRange(path, start, pages);
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
                   [&](const FrameStore::Head& head) {
                     all = all && head.kind == FrameKind::kAllocated &&
                           frames.owner(head.frame, head.order).kind == kind;
                   });
      if (all) found.push_back(Pfn{at});
    }
    return found;
  }
  Zone& zone() { return *memory_->node(NodeId{0}).zone(ZoneType::kNormal); }

 private:
  sim::Engine engine_;
  std::unique_ptr<MemorySystem> memory_;
  std::unique_ptr<AddressSpaceOps> ops_;
  std::unique_ptr<Contig> contig_;
  Process process_;
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
  Machine machine(64 * kGiBPages);
  machine.ResizePool(8 * kGiBPages / kPageblockPages);
  TakeAll(state, machine, FrameOwner::kHugetlb, state.range(0) * kPageblockPages, kPageblockPages);
}
BENCHMARK(DissolveAndReplace)->Arg(1)->Arg(64)->Arg(512)->UseManualTime()->Unit(benchmark::kMillisecond);

// The same with huge pages in use: each moves to a free page of the pool, stays there free itself, and is
// dissolved when the range is tried again.
void MigrateHugePages(benchmark::State& state) {
  Machine machine(64 * kGiBPages);
  machine.ResizePool(2 * kGiBPages / kPageblockPages);
  machine.MapAndTouch(kGiBPages, HugeSize::k2M);
  TakeAll(state, machine, FrameOwner::kHugetlb, kPageblockPages, kPageblockPages);
}
BENCHMARK(MigrateHugePages)->UseManualTime()->Unit(benchmark::kMillisecond);

void MigrateBasePages(benchmark::State& state) {
  Machine machine(16 * kGiBPages);
  machine.MapAndTouch(4 * kGiBPages, std::nullopt);
  TakeAll(state, machine, FrameOwner::kAnon, state.range(0) * kPageblockPages, 1);
}
BENCHMARK(MigrateBasePages)->Arg(1)->Arg(64)->UseManualTime()->Unit(benchmark::kMillisecond);

// 128 MiB that are free.
void TakeFreeRange(benchmark::State& state) {
  Machine machine(16 * kGiBPages);
  const Pfn start{8 * static_cast<uint64_t>(kGiBPages)};
  for (auto _ : state) state.SetIterationTime(machine.Take(start, kMemoryBlockPages));
}
BENCHMARK(TakeFreeRange)->UseManualTime()->Unit(benchmark::kMicrosecond);

// From a frame's number to whose it is, at random places of a zone in which every page is somebody's.
void OwnerOfFrame(benchmark::State& state) {
  Machine machine(16 * kGiBPages);
  machine.MapAndTouch(8 * kGiBPages, std::nullopt);
  const FrameStore& frames = machine.zone().frames();
  std::mt19937_64 random(1);
  std::uniform_int_distribution<uint64_t> any(frames.start().value, frames.end().value - 1);
  std::vector<Pfn> pfns(1 << 16);
  for (Pfn& pfn : pfns) pfn = Pfn{any(random)};
  size_t next = 0;
  for (auto _ : state) {
    const FrameStore::Head head = frames.Find(frames.Index(pfns[next++ & (pfns.size() - 1)]));
    const bool owned = head.kind == FrameKind::kAllocated;
    benchmark::DoNotOptimize(owned ? frames.owner(head.frame, head.order).kind : FrameOwner::kOffline);
  }
}
BENCHMARK(OwnerOfFrame);

}  // namespace
}  // namespace numasim
