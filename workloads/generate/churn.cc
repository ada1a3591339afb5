#include "workloads/generate/churn.h"

#include <algorithm>
#include <span>
#include <utility>

#include "models/physical/kernel_pages.h"
#include "models/physical/node_zones.h"
#include "models/physical/without_cpu.h"
#include "workloads/counter_columns.h"
#include "workloads/generate/distribution_text.h"
#include "workloads/generate/group_nodes.h"
#include "workloads/integer_math.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

// Some microseconds; of the largest blocks that PCP lists hold, 40.
constexpr int64_t kMostAtOnce = 128;

// Blocks are at random frames: what is known of one comes from memory while so many before it are worked on.
constexpr size_t kAhead = 16;

int64_t PagesOf(const AllocRequest& request) { return int64_t{1} << request.order; }

}  // namespace

absl::StatusOr<std::unique_ptr<Churn>> Churn::Create(Kernel& kernel, const ChurnPlan& plan, uint64_t seed) {
  auto churn = std::unique_ptr<Churn>(new Churn(kernel, plan));
  MemorySystem& memory = kernel.memory();
  const auto nodes = static_cast<size_t>(memory.node_count());
  churn->counters_.resize(nodes);
  churn->blocks_of_node_.resize(nodes, -1);
  const absl::StatusOr<NodeMask> asked = NodesToRunOn(memory, plan.nodes, plan.place);
  if (!asked.ok()) return asked.status();
  for (NodeMask rest = *asked; !rest.empty(); rest.Clear(rest.First())) {
    Node& node = memory.node(rest.First());
    const auto cpus = static_cast<int>(node.cpus.size());
    if (cpus < plan.cpus)
      return absl::InvalidArgumentError(Cat(plan.place, ": cpus: ", plan.cpus, " are wanted of node ",
                                            node.id.value, ", which has ", cpus, "; expected at most ",
                                            cpus));
    for (int i = 0; i < plan.cpus; ++i) {
      const CpuId cpu = node.cpus[static_cast<size_t>(i)];
      const auto stream = static_cast<uint64_t>(cpu.value);
      auto worker =
          std::make_unique<Worker>(cpu, node, i, sim::RandomStream(seed, Cat("churn.", plan.name), stream));
      worker->request = {
          .gfp = plan.type == Migratetype::kReclaimable ? kGfpKernel | kGfpReclaimable : GfpFlags(kGfpKernel),
          .order = plan.order,
          .preferred = node.id,
          .cpu = cpu,
          .owner = FrameOwner{FrameOwner::kKernel, 1, kChurned, 0}};
      churn->workers_.push_back(std::move(worker));
    }
  }
  return churn;
}

void Churn::Begin(OnEnd on_end) {
  on_end_ = std::move(on_end);
  for (const auto& of_cpu : workers_) {
    Worker& worker = *of_cpu;
    kernel_.memory().engine().Start(worker.node.lp, sim::SimTime{plan_.start_ns},
                                    Cat(plan_.name, "#", worker.cpu.value),
                                    [this, &worker](sim::Path& path) { return Run(path, worker); });
  }
}

// ---- Counting ----

std::vector<MemorySystem::CounterColumn> Churn::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns;
  const auto counts = [this](const Node& node) {
    return std::ranges::any_of(workers_, [&](const auto& worker) { return &worker->node == &node; });
  };
  AppendNodeColumns<ChurnCounter>(Cat("churn.", plan_.name, "."), "churn_", counters_, kernel_.memory(),
                                  counts, columns);
  return columns;
}

int64_t Churn::counter(ChurnCounter c) const { return SumOverNodes(counters_, c); }

double Churn::ShareDone(sim::SimTime /*now*/) const {
  double done = 0;
  for (const auto& worker : workers_) done += worker->done;
  return done / (static_cast<double>(workers_.size()) * parts());
}

// ---- One CPU ----

sim::Task<void> Churn::Run(sim::Path& path, Worker& worker) {
  MemorySystem& memory = kernel_.memory();
  sim::Cpu& cpu = memory.cpu(worker.cpu);
  const int64_t blocks = BlocksFor(worker);
  co_await cpu.Acquire(path);
  co_await Fill(path, worker, blocks);
  ++worker.done;
  co_await FreeSome(path, worker);
  ++worker.done;
  for (int round = 0; round < plan_.rounds; ++round) {
    co_await PauseBefore(path, worker);
    co_await Renew(path, worker);
    ++worker.done;
  }
  cpu.Release(path);
  co_await path.GoTo(memory.global_lp(), memory.costs().hop);
  if (++ended_ == workers_.size()) co_await on_end_(path);
}

// Free pages of the node that its requests may be given: of no movable zone, and of no CMA area.
int64_t Churn::FreeFor(const Worker& worker) {
  int64_t pages = 0;
  for (const Zone& zone : PopulatedZones(worker.node, GfpZone(worker.request.gfp)))
    pages += zone.unused_pages() - zone.buddy().cma_pages();
  return pages;
}

// How many it is to have: its part of what the first of the node's finds free, of which one at least is
// wanted.
int64_t Churn::BlocksFor(const Worker& worker) {
  int64_t& of_node = blocks_of_node_[static_cast<size_t>(worker.node.id.value)];
  if (of_node < 0)
    of_node = std::max<int64_t>(1, InProportion(FreeFor(worker), plan_.fill, kWholeShare) >> plan_.order);
  return of_node / plan_.cpus + (worker.number < of_node % plan_.cpus ? 1 : 0);
}

// Where a block cannot be had it stops.
sim::Task<void> Churn::Fill(sim::Path& path, Worker& worker, int64_t count) {
  worker.blocks.reserve(static_cast<size_t>(count));
  while (std::ssize(worker.blocks) < count) {
    Pfn block = kNoPfn;
    if (!AllocateHere(path, worker, block)) block = co_await Allocate(path, worker);
    if (block == kNoPfn) break;
    worker.blocks.push_back(block);
    if (worker.at_once >= kMostAtOnce) co_await LetPass(path, worker);
  }
  co_await LetPass(path, worker);
}

// Brings `count` blocks that are drawn to the end, in the order in which they were.
void Churn::Shuffle(Worker& worker, int64_t count) {
  std::vector<Pfn>& blocks = worker.blocks;
  for (int64_t i = 0; i < count; ++i) {
    const auto left = static_cast<uint64_t>(std::ssize(blocks) - i);
    std::swap(blocks[left - 1], blocks[worker.random.Uniform(left)]);
  }
}

sim::Task<void> Churn::FreeSome(sim::Path& path, Worker& worker) {
  std::vector<Pfn>& blocks = worker.blocks;
  const int64_t count = InProportion(std::ssize(blocks), plan_.free, kWholeShare);
  Shuffle(worker, count);
  for (int64_t i = 0; i < count; ++i) {
    if (blocks.size() > kAhead) PrefetchBlock(worker, blocks[blocks.size() - 1 - kAhead]);
    const Pfn block = blocks.back();
    blocks.pop_back();
    if (!FreeHere(path, worker, block)) co_await Free(path, worker, block);
    if (worker.at_once >= kMostAtOnce) co_await LetPass(path, worker);
  }
  co_await LetPass(path, worker);
}

// Each in turn is freed, and another one allocated in its place.
sim::Task<void> Churn::Renew(sim::Path& path, Worker& worker) {
  std::vector<Pfn>& blocks = worker.blocks;
  const int64_t count = InProportion(std::ssize(blocks), plan_.renew, kWholeShare);
  if (count == 0) co_return;
  // Those that come next: their numbers are drawn twice as far ahead as their frames are looked up.
  std::array<size_t, 2 * kAhead> drawn;
  const auto draw = [&](size_t place) {
    drawn[place] = worker.random.Uniform(blocks.size());
    __builtin_prefetch(&blocks[drawn[place]]);
  };
  for (size_t place = 0; place < drawn.size(); ++place) draw(place);
  for (int64_t i = 0; i < count; ++i) {
    const size_t place = static_cast<size_t>(i) % drawn.size();
    Pfn& block = blocks[drawn[place]];
    PrefetchBlock(worker, blocks[drawn[(place + kAhead) % drawn.size()]]);
    if (block != kNoPfn && !FreeHere(path, worker, block)) co_await Free(path, worker, block);
    if (!AllocateHere(path, worker, block)) block = co_await Allocate(path, worker);
    if (worker.at_once >= kMostAtOnce) co_await LetPass(path, worker);
    draw(place);
  }
  co_await LetPass(path, worker);
  std::erase(blocks, kNoPfn);
}

sim::Task<void> Churn::PauseBefore(sim::Path& path, Worker& worker) {
  if (plan_.pause_ns == 0) co_return;
  co_await WithoutCpu(path, kernel_.memory().costs().hop,
                      [&]() -> sim::Task<void> { co_await path.Take(sim::Nanoseconds(plan_.pause_ns)); });
}

// ---- One block ----

void Churn::PrefetchBlock(const Worker& worker, Pfn block) const {
  for (const auto& zone : worker.node.zones) {
    if (zone != nullptr && zone->frames().Contains(block))
      zone->frames().PrefetchFrame(zone->frames().Index(block));
  }
}

bool Churn::AllocateHere(const sim::Path& path, Worker& worker, Pfn& block) {
  block = kernel_.allocator().TryAllocHere(path, worker.request);
  if (block == kNoPfn) return false;
  ++worker.at_once;
  worker.passing += kernel_.allocator().at_hand_cost();
  Counters& counters = CountersOf(worker);
  ++counters[CHURN_ALLOCATED];
  counters[CHURN_LIVE_PAGES] += PagesOf(worker.request);
  return true;
}

sim::Task<Pfn> Churn::Allocate(sim::Path& path, Worker& worker) {
  co_await LetPass(path, worker);
  const Pfn block = co_await kernel_.allocator().Alloc(path, worker.request);
  Counters& counters = CountersOf(worker);
  ++counters[block == kNoPfn ? CHURN_FAILED : CHURN_ALLOCATED];
  counters[CHURN_LIVE_PAGES] += block == kNoPfn ? 0 : PagesOf(worker.request);
  co_return block;
}

bool Churn::FreeHere(const sim::Path& path, Worker& worker, Pfn block) {
  if (!kernel_.allocator().TryFreeHere(path, worker.cpu, plan_.order, block)) return false;
  ++worker.at_once;
  worker.passing += kernel_.allocator().free_here_cost(plan_.order);
  Counters& counters = CountersOf(worker);
  ++counters[CHURN_FREED];
  counters[CHURN_LIVE_PAGES] -= PagesOf(worker.request);
  return true;
}

sim::Task<void> Churn::Free(sim::Path& path, Worker& worker, Pfn block) {
  co_await LetPass(path, worker);
  co_await kernel_.allocator().FreeBlocks(path, worker.cpu, plan_.order, std::span(&block, 1));
  Counters& counters = CountersOf(worker);
  ++counters[CHURN_FREED];
  counters[CHURN_LIVE_PAGES] -= PagesOf(worker.request);
}

sim::Task<void> Churn::LetPass(sim::Path& path, Worker& worker) {
  if (worker.at_once == 0) co_return;
  worker.at_once = 0;
  co_await path.Take(std::exchange(worker.passing, {}));
  co_await CondResched(path);
}

}  // namespace numasim::workloads
