// How fast one zone allocates and frees, without the engine. A pair is one allocation and one free.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "models/physical/boot.h"
#include "models/physical/zone.h"
#include "sim/engine.h"
#include "sim/locks.h"

namespace numasim {
namespace {

constexpr CpuId kCpu{0};

class OneZone {
 public:
  explicit OneZone(int64_t pages)
      : engine_(sim::Engine::Options{}),
        lp_(engine_.AddLp("node0")),
        zone_(Zone::Extent{NodeId{0}, ZoneType::kNormal, Pfn{1u << 20}, pages, pages, pages}, 1,
              std::make_unique<sim::SpinLock>(engine_, lp_, "zone.lock")) {
    BootEmpty(zone_);
    zone_.watermarks() = {1024, 1280, 1536};
    zone_.pcp(kCpu).batch = 63;
    zone_.pcp(kCpu).high = 1280;
  }
  Zone& zone() { return zone_; }

  FrameIndex Alloc(int order) {
    if (!zone_.WatermarkOk(order, ZoneType::kMovable, kAllocWmarkLow)) return kNilFrame;
    return zone_.AllocPcp(kCpu, order, Migratetype::kMovable, kAllocWmarkLow).frame;
  }

 private:
  sim::Engine engine_;
  sim::LpId lp_;
  Zone zone_;
};

constexpr int64_t kGiB = int64_t{1} << (30 - kPageShift);

// One block in turn taken and given back: it stays on the PCP list.
void BM_AllocFreeRepeat(benchmark::State& state) {
  OneZone machine(16 * kGiB);
  const int order = static_cast<int>(state.range(0));
  for (auto _ : state) {
    const FrameIndex frame = machine.Alloc(order);
    benchmark::DoNotOptimize(frame);
    machine.zone().FreePcp(kCpu, frame, order);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_AllocFreeRepeat)->Arg(0)->Arg(9);

// Bursts larger than the PCP list: refills from and drains to the buddy lists are part of it.
void BM_AllocFreeBurst(benchmark::State& state) {
  OneZone machine(16 * kGiB);
  const int order = static_cast<int>(state.range(0));
  const size_t burst = static_cast<size_t>(state.range(1));
  std::vector<FrameIndex> frames(burst);
  for (auto _ : state) {
    for (FrameIndex& frame : frames) frame = machine.Alloc(order);
    for (FrameIndex frame : frames) machine.zone().FreePcp(kCpu, frame, order);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(burst));
}
BENCHMARK(BM_AllocFreeBurst)->Args({0, 4096})->Args({9, 512});

// 64 GiB in single pages, freed in the order of allocation (0) or a random one (1).
void BM_Fill64GiB(benchmark::State& state) {
  const int64_t pages = 64 * kGiB;
  std::vector<FrameIndex> frames(static_cast<size_t>(pages));
  std::vector<uint32_t> order(frames.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<uint32_t>(i);
  if (state.range(0) == 1) std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
  std::vector<FrameIndex> shuffled(frames.size());
  OneZone machine(pages + kGiB);
  for (auto _ : state) {
    for (FrameIndex& frame : frames) frame = machine.Alloc(0);
    state.PauseTiming();
    for (size_t i = 0; i < order.size(); ++i) shuffled[i] = frames[order[i]];
    state.ResumeTiming();
    for (FrameIndex frame : shuffled) machine.zone().FreePcp(kCpu, frame, 0);
  }
  state.SetItemsProcessed(state.iterations() * pages);
}
BENCHMARK(BM_Fill64GiB)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->Iterations(3);

// A fresh machine: built, with every frame free.
void BM_Fresh(benchmark::State& state) {
  const int64_t pages = state.range(0) * kGiB;
  size_t bytes = 0;
  for (auto _ : state) {
    OneZone machine(pages);
    state.PauseTiming();
    bytes = machine.zone().frames().ResidentBytes();
    state.ResumeTiming();
  }
  state.counters["resident_MiB"] = static_cast<double>(bytes) / (1 << 20);
}
BENCHMARK(BM_Fresh)->Arg(1024)->Unit(benchmark::kMillisecond);

// Every other page of the zone allocated: no two free pages can merge.
void BM_WorstFragmentation(benchmark::State& state) {
  const int64_t pages = 16 * kGiB;
  double bytes_per_frame = 0;
  for (auto _ : state) {
    OneZone machine(pages);
    std::vector<FrameIndex> frames;
    for (FrameIndex f = machine.Alloc(0); f != kNilFrame; f = machine.Alloc(0)) frames.push_back(f);
    for (FrameIndex frame : frames) {
      if (frame % 2 == 0) machine.zone().FreePcp(kCpu, frame, 0);
    }
    bytes_per_frame =
        static_cast<double>(machine.zone().frames().ResidentBytes()) / static_cast<double>(pages);
  }
  state.counters["bytes_per_frame"] = bytes_per_frame;
}
BENCHMARK(BM_WorstFragmentation)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace numasim
