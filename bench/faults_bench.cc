// How fast simulated processes fault memory in: engine, coroutines, allocator and page tables together.
#include <benchmark/benchmark.h>

#include <memory>

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

}  // namespace
}  // namespace numasim
