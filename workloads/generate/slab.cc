#include "workloads/generate/slab.h"

#include <algorithm>
#include <utility>

#include "models/physical/kernel_pages.h"
#include "models/physical/without_cpu.h"
#include "workloads/counter_columns.h"
#include "workloads/generate/distribution_text.h"
#include "workloads/generate/group_nodes.h"
#include "workloads/text.h"

namespace numasim::workloads {

Slab::Slab(Kernel& kernel, const SlabPlan& plan)
    : kernel_(kernel),
      plan_(plan),
      caches_(static_cast<size_t>(kernel.memory().node_count())),
      counters_(static_cast<size_t>(kernel.memory().node_count())) {}

absl::StatusOr<std::unique_ptr<Slab>> Slab::Create(Kernel& kernel, const SlabPlan& plan, uint64_t seed) {
  MemorySystem& memory = kernel.memory();
  const absl::StatusOr<NodeMask> nodes = NodesToRunOn(memory, plan.nodes, plan.place);
  if (!nodes.ok()) return nodes.status();
  auto slab = std::unique_ptr<Slab>(new Slab(kernel, plan));
  for (NodeMask rest = *nodes; !rest.empty(); rest.Clear(rest.First())) {
    Node& node = memory.node(rest.First());
    auto cache = std::make_unique<OnNode>(
        node, plan.objects,
        sim::RandomStream(seed, Cat("slab.", plan.name), static_cast<uint64_t>(node.id.value)));
    cache->request = {.gfp = kGfpKernel | kGfpReclaimable,
                      .order = plan.order,
                      .preferred = node.id,
                      .cpu = node.cpus.front(),
                      .owner = FrameOwner{FrameOwner::kKernel, 1, kInSlabs, 0}};
    slab->caches_[static_cast<size_t>(node.id.value)] = std::move(cache);
    ++slab->running_;
  }
  kernel.shrinkers().Register(*slab);
  return slab;
}

void Slab::Begin(OnEnd on_end) {
  on_end_ = std::move(on_end);
  for (const auto& on_node : caches_) {
    if (on_node == nullptr) continue;
    OnNode& cache = *on_node;
    kernel_.memory().engine().Start(cache.node.lp, sim::SimTime{plan_.start_ns},
                                    Cat(plan_.name, "#", cache.node.id.value),
                                    [this, &cache](sim::Path& path) { return Run(path, cache); });
  }
}

// ---- Counting ----

std::vector<MemorySystem::CounterColumn> Slab::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns;
  const auto counts = [this](const Node& node) { return CacheOf(node) != nullptr; };
  AppendNodeColumns<SlabCounter>(Cat("slab.", plan_.name, "."), "slab_", counters_, kernel_.memory(), counts,
                                 columns);
  return columns;
}

int64_t Slab::counter(SlabCounter c) const { return SumOverNodes(counters_, c); }

double Slab::ShareDone(sim::SimTime now) const {
  return ended() ? 1 : ShareOfTime(now, plan_.start_ns, plan_.until_ns);
}

// ---- Growing ----

sim::Task<void> Slab::Run(sim::Path& path, OnNode& cache) {
  MemorySystem& memory = kernel_.memory();
  sim::Cpu& cpu = memory.cpu(cache.request.cpu);
  const sim::SimTime end{plan_.until_ns.value_or(sim::kNever.ns)};
  for (;;) {
    const sim::Duration pause = sim::Nanoseconds(plan_.pause.Draw(cache.random));
    co_await path.Take(PauseUntil(plan_.until_ns, path.now(), pause));
    if (path.now() >= end) break;
    co_await cpu.Acquire(path);
    if (path.now() < end) co_await Grow(path, cache);
    cpu.Release(path);
  }
  co_await path.GoTo(memory.global_lp(), memory.costs().hop);
  if (++ended_ == running_) co_await on_end_(path);
}

// The path itself may have to shrink the cache for a new slab. Where none can be had it grows no further now.
sim::Task<void> Slab::Grow(sim::Path& path, OnNode& cache) {
  Counters& counters = CountersOf(cache.node);
  for (int64_t left = plan_.grow;;) {
    const int64_t made = cache.objects.Make(left);
    counters[SLAB_MADE] += made;
    counters[SLAB_OBJECTS] += made;
    left -= made;
    co_await path.Take(kernel_.memory().costs().slab_object * made);
    co_await CondResched(path);
    if (left == 0) break;
    const Pfn slab = co_await kernel_.allocator().Alloc(path, cache.request);
    if (slab == kNoPfn) {
      ++counters[SLAB_FAILED];
      break;
    }
    cache.objects.AddSlab(slab);
    counters[SLAB_PAGES] += int64_t{1} << plan_.order;
  }
}

// ---- Shrinking ----

bool Slab::MayScan(const Node& node, int /*priority*/) const {
  const OnNode* const cache = CacheOf(node);
  return cache != nullptr && cache->objects.idle() > 0;
}

sim::Task<int64_t> Slab::Count(sim::Path& /*path*/, Node& node) { co_return CacheOf(node)->objects.idle(); }

sim::Task<Shrinker::Freed> Slab::Scan(sim::Path& path, Node& node, int64_t objects, CpuId cpu) {
  OnNode& cache = *CacheOf(node);
  Counters& counters = CountersOf(node);
  std::vector<Pfn> slabs;
  Freed freed;
  const int64_t looked_at = std::min(objects, cache.objects.idle());
  for (int64_t i = 0; i < looked_at; ++i) {
    const size_t place = cache.objects.Draw(cache.random);
    // It leaves the list that shrinkers go through (LRU_REMOVED).
    if (plan_.in_use > 0 && cache.random.Uniform(kWholeShare) < static_cast<uint64_t>(plan_.in_use)) {
      cache.objects.Use(place);
      continue;
    }
    ++freed.objects;
    if (const Pfn slab = cache.objects.Drop(place); slab != kNoPfn) slabs.push_back(slab);
  }
  freed.slab_pages = std::ssize(slabs) << plan_.order;
  counters[SLAB_OBJECTS] -= freed.objects;
  counters[SLAB_SHRUNK] += freed.objects;
  counters[SLAB_PAGES] -= freed.slab_pages;
  co_await path.Take(kernel_.memory().costs().slab_object * looked_at);
  co_await kernel_.allocator().FreeBlocks(path, cpu, plan_.order, slabs);
  co_return freed;
}

}  // namespace numasim::workloads
