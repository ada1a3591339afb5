#include "tests/models/contig/contig_streams.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <optional>
#include <ostream>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace numasim {

using ::testing::IsEmpty;

KernelConfig Knobs::kernel() const {
  KernelConfig kernel = thp ? TestKernelWithThp("always") : TestKernel();
  kernel.hugetlb.irq_frees_in_workqueue = workqueue;
  kernel.hugetlb.shrinks_locked = locked;
  kernel.hugetlb.resizes_race = racing;
  kernel.contig_hugetlb_fails = fails;
  kernel.cma_lock_is_mutex = mutex;
  kernel.zero_page_refs = zero_page_refs;
  return kernel;
}

std::string Knobs::Name() const {
  return absl::StrCat(workqueue ? "Workqueue" : "Direct", locked ? "Locked" : "Batched",
                      racing ? "Racing" : "Serialized", fails ? "Fail" : "Replace",
                      mutex ? "Mutex" : "Spinlock", thp ? "Thp" : "");
}

void PrintTo(const Knobs& knobs, std::ostream* out) { *out << knobs.Name(); }

Streams::Streams(const ContigLayout& layout, const Knobs& knobs, std::vector<Script> scripts, int threads,
                 SystemCpu system_cpu)
    : machine_(layout.machine(), knobs.kernel(), threads),
      system_cpu_(system_cpu),
      used_at_boot_(ManagedPages(machine_) - machine_.UnusedPages()),
      scripts_(std::move(scripts)) {
  for (size_t i = 0; i < scripts_.size(); ++i) {
    runners_.push_back(std::make_unique<workloads::ScriptRunner>(
        machine_.kernel(), absl::StrCat("s", i), [](int line) { return absl::StrCat("line ", line); }));
    longest_ = std::max(longest_, scripts_[i].size());
  }
  if (!knobs.thp) return;
  khugepaged().RunAsThread();
  khugepaged().settings().scan_sleep_millisecs = 1;
  khugepaged().settings().alloc_sleep_millisecs = 10;
}

int64_t Streams::total_operations() const {
  int64_t total = 0;
  for (const Script& script : scripts_) total += std::ssize(script);
  return total;
}

void Streams::RunPhase(size_t from) {
  size_t ended = 0;
  for (size_t i = 0; i < scripts_.size(); ++i) {
    machine_.engine().Start(machine_.memory().global_lp(), machine_.engine().now(), absl::StrCat("s", i),
                            [this, i, from, &ended](sim::Path& path) -> sim::Task<void> {
                              khugepaged().Start(path);
                              const Script& ops = scripts_[i];
                              const size_t end = std::min(from + kPhase, ops.size());
                              for (size_t at = from; at < end; ++at) {
                                co_await Perform(path, i, ops[at]);
                              }
                              co_await path.GoTo(machine_.memory().global_lp(),
                                                 machine_.memory().costs().hop);
                              if (++ended == scripts_.size()) khugepaged().Stop(path);
                            });
  }
  // Much longer than a phase takes, though a cma_alloc that tries every page of a pinned area takes
  // seconds: what has not ended by then never does.
  const sim::SimTime end = machine_.engine().now() + sim::Milliseconds(600'000);
  ASSERT_EQ(machine_.engine().Run(end).ToString(), "OK") << Text(from);
  std::string blocked;
  for (const sim::BlockedPath& path : machine_.engine().blocked_paths()) {
    absl::StrAppend(&blocked, path.path, " waits for ", path.waits_for, "\n");
  }
  ASSERT_EQ(blocked, "") << Text(from);
  ASSERT_EQ(ended, scripts_.size()) << Text(from);
  ASSERT_EQ(absl::StrJoin(Problems(), "\n"), "") << Text(from);
}

sim::Task<void> Streams::Perform(sim::Path& path, size_t stream, const workloads::Op& op) {
  if (system_cpu_ == SystemCpu::kOfTheStream && co_await PerformSystem(path, stream, op)) co_return;
  co_await runners_[stream]->Perform(path, op);
  const auto* const spawn = std::get_if<workloads::SpawnOp>(&op.kind);
  if (system_cpu_ == SystemCpu::kCpu0 || spawn == nullptr) co_return;
  const workloads::Op move{.process = spawn->name, .kind = workloads::CpuOp{CpuOf(stream).value}};
  co_await runners_[stream]->Perform(path, move);
}

sim::Task<bool> Streams::PerformSystem(sim::Path& path, size_t stream, const workloads::Op& op) {
  const CpuId cpu = CpuOf(stream);
  MemorySystem& memory = machine_.memory();
  Hugetlb& hugetlb = machine_.kernel().hugetlb();
  co_await path.HopTo(memory.node(memory.NodeOfCpu(cpu)).lp, memory.costs().hop);
  co_await memory.cpu(cpu).Acquire(path);
  bool known = true;
  if (const auto* alloc = std::get_if<workloads::CmaAllocOp>(&op.kind)) {
    co_await AllocCma(path, stream, *alloc);
  } else if (const auto* release = std::get_if<workloads::CmaReleaseOp>(&op.kind)) {
    co_await ReleaseCma(path, stream, *release);
  } else if (const auto* offline = std::get_if<workloads::OfflineBlockOp>(&op.kind)) {
    co_await Offline(path, cpu, *offline);
  } else if (const auto* device = std::get_if<workloads::VirtioMemOp>(&op.kind)) {
    co_await machine_.kernel().virtio_mem()->Request(path, cpu, device->size >> kPageShift);
  } else if (const auto* pool = std::get_if<workloads::PoolOp>(&op.kind)) {
    const bool all = pool->target.node == workloads::PoolTarget::kAllNodes;
    const HugeSize size = pool->page == workloads::HugePageSize::k1G ? HugeSize::k1G : HugeSize::k2M;
    co_await hugetlb.Resize(path, cpu, size, all ? kNoNode : NodeId{pool->target.node}, pool->count);
  } else if (const auto* demote = std::get_if<workloads::DemoteOp>(&op.kind)) {
    co_await hugetlb.Demote(path, cpu, NodeId{demote->node}, demote->count);
  } else {
    known = false;
  }
  memory.cpu(cpu).Release(path);
  co_return known;
}

sim::Task<void> Streams::AllocCma(sim::Path& path, size_t stream, const workloads::CmaAllocOp& op) {
  constexpr FrameOwner kDriver{FrameOwner::kContig, 1, 0, 0};
  CmaAreas& cma = machine_.contig().cma();
  CmaArea* const area = cma.Find(op.area);
  const int order = std::countr_zero(static_cast<uint64_t>(op.align.value_or(kPageSize))) - kPageShift;
  const int64_t pages = op.size / kPageSize;
  const Pfn start = co_await cma.Alloc(path, CpuOf(stream), *area, pages, order, kDriver);
  if (start != kNoPfn) cma_ranges_[{stream, op.name}] = {area, start, pages};
}

sim::Task<void> Streams::ReleaseCma(sim::Path& path, size_t stream, const workloads::CmaReleaseOp& op) {
  const auto found = cma_ranges_.find({stream, op.name});
  if (found == cma_ranges_.end()) co_return;
  const CmaRange range = found->second;
  cma_ranges_.erase(found);
  co_await machine_.contig().cma().Release(path, *range.area, range.start, range.pages);
}

sim::Task<void> Streams::Offline(sim::Path& path, CpuId cpu, const workloads::OfflineBlockOp& op) {
  const MemorySystem& memory = machine_.memory();
  const sim::LpId home = path.lp();
  co_await path.HopTo(memory.global_lp(), memory.costs().hop);
  const std::optional<MemoryBlockId> id = memory.blocks().OnlineOfNode(NodeId{op.node}, op.blocks.first);
  co_await path.HopTo(home, memory.costs().hop);
  if (id.has_value()) co_await machine_.kernel().hotplug().Offline(path, cpu, *id);
}

std::vector<std::string> Streams::Problems() const {
  std::vector<const Process*> processes;
  for (const auto& runner : runners_) {
    for (const Process* process : runner->LiveProcesses()) processes.push_back(process);
  }
  return machine_.Problems(processes);
}

void Streams::Finish() {
  machine_.Run(
      "unlink_hugetlb f0\nunlink_hugetlb f1\novercommit 2M 0\npool 1G all 0\npool 2M all 5000\n"
      "pool 2M all 0\ndrop_caches 3");  // the page cache and the huge zero page, too
  ASSERT_THAT(Problems(), IsEmpty());
  for (const HugeSize size : kHugeSizes) {
    ASSERT_EQ(machine_.kernel().pool().hstate(size).counter(NR_HUGEPAGES), 0);
  }
  for (const auto& area : machine_.contig().cma().areas()) {
    ASSERT_EQ(area->counters[CMA_FREE_PAGES], area->pages);
  }
  // A huge zero page that nobody counts stays.
  const HugeZeroPage& zero = machine_.kernel().thp().zero_page();
  const int64_t stays = !zero.counted() && zero.page() != kNoPfn ? kThpPages : 0;
  ASSERT_EQ(ManagedPages(machine_) - machine_.UnusedPages(), used_at_boot_ + stays);
}

std::string Streams::Text(size_t from) const {
  std::string text;
  for (size_t i = 0; i < scripts_.size(); ++i) {
    absl::StrAppend(&text, "# stream ", i, ", from line ", from + 1, "\n");
    for (size_t at = 0; at < std::min(from + kPhase, scripts_[i].size()); ++at) {
      absl::StrAppend(&text, scripts_[i][at].text, "\n");
    }
  }
  return text;
}

}  // namespace numasim
