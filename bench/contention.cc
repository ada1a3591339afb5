#include "bench/contention.h"

#include <cstdlib>
#include <random>
#include <string>
#include <utility>

#include "models/base/gfp.h"
#include "models/physical/page_allocator.h"

namespace numasim {
namespace {

AllocRequest RequestOn(CpuId cpu, int order) {
  AllocRequest request;
  request.gfp = kGfpHighuserMovable | kGfpThisNode;
  request.order = order;
  request.preferred = NodeId{0};
  request.allowed = NodeMask::Of(NodeId{0});
  request.cpu = cpu;
  return request;
}

}  // namespace

Contention::Contention(int cpus, int64_t pages)
    : cpus_(cpus), engine_({.threads = 1, .lookahead = Costs().hop}), blocks_(static_cast<size_t>(cpus)) {
  MachineConfig config;
  config.nodes.push_back({pages});
  config.node_of_cpu.assign(static_cast<size_t>(cpus), NodeId{0});
  std::vector<std::string> warnings;
  kernel_ = *Kernel::Boot(engine_, config, KernelConfig(), Costs(), warnings);
}

Contention::~Contention() { engine_.DropPaths(); }

template <typename Work>
double Contention::OnAllCpus(Work work) {
  int64_t took = 0;
  for (int cpu = 0; cpu < cpus_; ++cpu) {
    engine_.Start(kernel_->memory().node(NodeId{0}).lp, engine_.now(), "contention",
                  [&, cpu](sim::Path& path) -> sim::Task<void> {
                    const sim::SimTime begin = path.now();
                    co_await work(path, CpuId{cpu});
                    took += (path.now() - begin).ns;
                  });
  }
  if (!engine_.Run().ok()) abort();
  return static_cast<double>(took) / cpus_;
}

double Contention::AllocShares(int order, int64_t blocks) {
  const auto share = static_cast<size_t>(blocks / cpus_);
  const double took = OnAllCpus([&](sim::Path& path, CpuId cpu) -> sim::Task<void> {
    std::vector<Pfn>& mine = blocks_[static_cast<size_t>(cpu.value)];
    mine.reserve(share);
    while (mine.size() < share) {
      const Pfn pfn = co_await kernel_->allocator().Alloc(path, RequestOn(cpu, order));
      if (pfn == kNoPfn) abort();
      mine.push_back(pfn);
    }
  });
  return took / static_cast<double>(share);
}

double Contention::FreeShares(int order) {
  const auto share = static_cast<double>(blocks_.front().size());
  const double took = OnAllCpus([&](sim::Path& path, CpuId cpu) -> sim::Task<void> {
    for (const Pfn& pfn : blocks_[static_cast<size_t>(cpu.value)])
      co_await kernel_->allocator().FreeBlocks(path, cpu, order, std::span(&pfn, 1));
  });
  for (std::vector<Pfn>& mine : blocks_) mine.clear();
  return took / share;
}

Contention::Times Contention::Bulk(int order, int64_t blocks) {
  const double alloc = AllocShares(order, blocks);
  return {.alloc = alloc, .free = FreeShares(order)};
}

double Contention::Repeat(int order, int64_t times) {
  const double took = OnAllCpus([&](sim::Path& path, CpuId cpu) -> sim::Task<void> {
    for (int64_t i = 0; i < times; ++i) {
      const Pfn pfn = co_await kernel_->allocator().Alloc(path, RequestOn(cpu, order));
      if (pfn == kNoPfn) abort();
      co_await kernel_->allocator().FreeBlocks(path, cpu, order, std::span(&pfn, 1));
    }
  });
  return took / static_cast<double>(times);
}

double Contention::Random(int order, int64_t blocks) {
  AllocShares(order, blocks);
  std::mt19937_64 random(1);
  const size_t share = blocks_.front().size();
  const size_t all = share * blocks_.size();
  const auto at = [&](size_t i) -> Pfn& { return blocks_[i / share][i % share]; };
  for (size_t i = all; i > 1; --i) std::swap(at(i - 1), at(random() % i));
  return FreeShares(order);
}

}  // namespace numasim
