// How fast simulated processes fault memory in: engine, coroutines, allocator and page tables together.
#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "models/kernel.h"
#include "models/mm/address_space_ops.h"
#include "sim/engine.h"

namespace numasim {
namespace {

constexpr int64_t kGiBPages = int64_t{1} << (30 - kPageShift);

// A machine with one process on CPU 0 that maps `pages` and writes to each of them once.
void TouchOnce(const MachineConfig& config, int64_t pages, const MemPolicy& policy) {
  KernelConfig kernel;
  kernel.thp.enabled = ThpSettings::Enabled::kNever;
  sim::Engine engine({.threads = 1, .lookahead = Costs().hop});
  std::vector<std::string> warnings;
  const auto booted = *Kernel::Boot(engine, config, kernel, Costs(), warnings);
  MemorySystem& memory = booted->memory();
  AddressSpaceOps& ops = booted->ops();
  Process process("p");
  TouchCounts counts;
  engine.Start(memory.node(NodeId{0}).lp, sim::SimTime{0}, "p", [&](sim::Path& path) -> sim::Task<void> {
    co_await memory.cpu(process.cpu).Acquire(path);
    co_await ops.Spawn(path, process);
    MapRequest request;
    request.pages = pages;
    request.policy = policy;
    const MapResult mapped = co_await ops.Map(path, process, request);
    const uint64_t begin = mapped.start.value << kPageShift;
    const TouchRequest touch{begin, begin + (static_cast<uint64_t>(pages) << kPageShift), kPageSize, true};
    counts = co_await ops.Touch(path, process, touch);
    memory.cpu(process.cpu).Release(path);
  });
  if (!engine.Run().ok() || counts.ok != pages) abort();
  engine.DropPaths();
}

sim::Task<void> WriteAndReadFile(sim::Path& path, AddressSpaceOps& ops, Process& process, int64_t pages) {
  MapRequest request;
  request.pages = pages;
  request.shared = true;
  const MapResult mapped = co_await ops.Map(path, process, request);
  const Vpn end = mapped.start + pages;
  TouchRequest touch{mapped.start.value << kPageShift, end.value << kPageShift, kPageSize, true};
  const TouchCounts written = co_await ops.Touch(path, process, touch);
  co_await ops.Advise(path, process, mapped.start, end, Advice::kDontneed);
  touch.write = false;
  const TouchCounts read = co_await ops.Touch(path, process, touch);
  if (written.ok != pages || read.ok != pages) abort();
}

MachineConfig TwoNodes() {
  MachineConfig config;
  config.nodes = {{24 * kGiBPages}, {24 * kGiBPages}};
  config.node_of_cpu = {NodeId{0}, NodeId{1}};
  return config;
}

void BM_Faults16GiB(benchmark::State& state) {
  const MachineConfig config = TwoNodes();
  for (auto _ : state) TouchOnce(config, 16 * kGiBPages, MemPolicy{});
  state.SetItemsProcessed(state.iterations() * 16 * kGiBPages);
}
BENCHMARK(BM_Faults16GiB)->Unit(benchmark::kMillisecond);

// Every other page is on the other node: two messages for each.
void BM_FaultsInterleaved(benchmark::State& state) {
  const MachineConfig config = TwoNodes();
  NodeMask both;
  both.Set(NodeId{0});
  both.Set(NodeId{1});
  for (auto _ : state) TouchOnce(config, 4 * kGiBPages, {MemPolicy::Mode::kInterleave, both});
  state.SetItemsProcessed(state.iterations() * 4 * kGiBPages);
}
BENCHMARK(BM_FaultsInterleaved)->Unit(benchmark::kMillisecond);

// Two processes, each on a node of its own, write to every page of a shared file that it has made, and then
// read them with fault-around. What a page takes in simulated time and in events is shown besides.
void BM_SharedFilesOfTwoNodes(benchmark::State& state) {
  constexpr int64_t kPages = kGiBPages;
  const MachineConfig config = TwoNodes();
  KernelConfig kernel;
  kernel.thp.enabled = ThpSettings::Enabled::kNever;
  double simulated = 0, events = 0;
  for (auto _ : state) {
    sim::Engine engine({.threads = static_cast<int>(state.range(0)), .lookahead = Costs().hop});
    std::vector<std::string> warnings;
    const auto booted = *Kernel::Boot(engine, config, kernel, Costs(), warnings);
    MemorySystem& memory = booted->memory();
    AddressSpaceOps& ops = booted->ops();
    std::array<Process, 2> processes = {Process("p"), Process("q")};
    for (Process& process : processes) {
      process.cpu = CpuId{static_cast<int32_t>(&process - processes.data())};
      engine.Start(memory.node(memory.NodeOfCpu(process.cpu)).lp, sim::SimTime{0}, process.name,
                   [&](sim::Path& path) -> sim::Task<void> {
                     co_await memory.cpu(process.cpu).Acquire(path);
                     co_await ops.Spawn(path, process);
                     co_await WriteAndReadFile(path, ops, process, kPages);
                     memory.cpu(process.cpu).Release(path);
                   });
    }
    if (!engine.Run().ok()) abort();
    simulated = static_cast<double>(engine.now().ns);
    events = static_cast<double>(engine.events_executed());
    engine.DropPaths();
  }
  state.SetItemsProcessed(state.iterations() * 2 * kPages);
  state.counters["simulated_ns_per_page"] = simulated / static_cast<double>(kPages);
  state.counters["events_per_page"] = events / static_cast<double>(2 * kPages);
}
BENCHMARK(BM_SharedFilesOfTwoNodes)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace numasim
