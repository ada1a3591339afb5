// BenchMachine: a described machine with a CPU on every node, one process on CPU 0 and one thread to run it.
#ifndef NUMASIM_BENCH_MACHINE_H_
#define NUMASIM_BENCH_MACHINE_H_

#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/base/machine_config.h"
#include "models/kernel.h"
#include "models/mm/address_space_ops.h"
#include "sim/engine.h"

namespace numasim {

class BenchMachine {
 public:
  static constexpr int64_t kGiBPages = int64_t{1} << (30 - kPageShift);

  static KernelConfig WithThp(ThpSettings::Enabled enabled) {
    KernelConfig knobs;
    knobs.thp.enabled = enabled;
    return knobs;
  }

  // `config`: what there is besides nodes and CPUs.
  BenchMachine(int nodes, int64_t pages_of_each, MachineConfig config = {},
               const KernelConfig& knobs = WithThp(ThpSettings::Enabled::kNever))
      : engine_({.threads = 1, .lookahead = Costs().hop}), process_("p") {
    for (int n = 0; n < nodes; ++n) {
      config.nodes.push_back({pages_of_each});
      config.node_of_cpu.push_back(NodeId{n});
    }
    std::vector<std::string> warnings;
    kernel_ = *Kernel::Boot(engine_, config, knobs, Costs(), warnings);
    Run([this](sim::Path& path) -> sim::Task<void> { co_await ops().Spawn(path, process_); });
  }
  ~BenchMachine() { engine_.DropPaths(); }

  sim::Engine& engine() { return engine_; }
  Kernel& kernel() { return *kernel_; }
  MemorySystem& memory() { return kernel_->memory(); }
  AddressSpaceOps& ops() { return kernel_->ops(); }
  Contig& contig() { return kernel_->contig(); }
  Process& process() { return process_; }

  // Runs a path on CPU 0 to its end. Returns how many seconds that took.
  double Run(sim::PathFn fn) {
    engine_.Start(memory().node(NodeId{0}).lp, engine_.now(), "bench",
                  [this, &fn](sim::Path& path) -> sim::Task<void> {
                    co_await memory().cpu(CpuId{0}).Acquire(path);
                    co_await fn(path);
                    memory().cpu(CpuId{0}).Release(path);
                  });
    const auto begin = std::chrono::steady_clock::now();
    if (!engine_.Run().ok()) abort();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  // Sets the pool of 2 MiB pages; aborts if it does not get there.
  double ResizePool(int64_t count) {
    const double took = Run([this, count](sim::Path& path) -> sim::Task<void> {
      co_await kernel().hugetlb().Resize(path, CpuId{0}, HugeSize::k2M, kNoNode, count);
    });
    if (kernel().pool().hstate(HugeSize::k2M).counter(NR_HUGEPAGES) != count) abort();
    return took;
  }

  // Maps what is asked for and writes to each page. Returns where.
  sim::Task<Vpn> MapAndTouch(sim::Path& path, Process& process, MapRequest request) {
    const MapResult mapped = co_await ops().Map(path, process, request);
    const uint64_t begin = mapped.start.value << kPageShift;
    const uint64_t end = (mapped.start + request.pages).value << kPageShift;
    const int64_t stride = request.huge.has_value() ? PagesOf(*request.huge) : 1;
    const TouchRequest touch{begin, end, static_cast<uint64_t>(stride) << kPageShift, true};
    const TouchCounts counts = co_await ops().Touch(path, process, touch);
    if (counts.ok * stride != request.pages) abort();
    co_return mapped.start;
  }
  // Of the process on CPU 0, anonymous: so many pages, huge ones if a size is given.
  sim::Task<Vpn> MapAndTouch(sim::Path& path, int64_t pages, std::optional<HugeSize> huge) {
    MapRequest request;
    request.pages = pages;
    request.huge = huge;
    return MapAndTouch(path, process_, request);
  }

 private:
  sim::Engine engine_;
  std::unique_ptr<Kernel> kernel_;
  Process process_;
};

}  // namespace numasim

#endif  // NUMASIM_BENCH_MACHINE_H_
