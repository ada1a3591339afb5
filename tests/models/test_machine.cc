#include "tests/models/test_machine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/check.h"
#include "workloads/script.h"

namespace numasim {
KernelConfig TestKernel() {
  KernelConfig kernel;
  kernel.thp.enabled = ThpSettings::Enabled::kNever;
  kernel.thp.SetShmemEnabled("deny");
  return kernel;
}

KernelConfig TestKernelWithThp(std::string_view shmem) {
  KernelConfig kernel;
  kernel.thp.enabled = ThpSettings::Enabled::kAlways;
  kernel.thp.SetShmemEnabled(shmem);
  return kernel;
}

MachineConfig DescribedMachine(const std::vector<int64_t>& node_pages, int cpus) {
  MachineConfig config;
  for (size_t n = 0; n < node_pages.size(); ++n) {
    config.nodes.push_back({node_pages[n]});
    config.node_of_cpu.insert(config.node_of_cpu.end(), static_cast<size_t>(cpus),
                              NodeId{static_cast<int32_t>(n)});
  }
  return config;
}

TestMachine::TestMachine(const MachineConfig& config, const KernelConfig& kernel, int threads)
    : engine_({.threads = threads,
               .lookahead = Costs().hop,
               .seed = 1,
               .scheme = threads > 1 ? sim::Scheme::kParallel : sim::Scheme::kAuto}) {
  auto booted = Kernel::Boot(engine_, config, kernel, Costs(), warnings_);
  NUMASIM_CHECK_EQ(booted.status().ToString(), "OK");
  kernel_ = *std::move(booted);
  runner_ = std::make_unique<workloads::ScriptRunner>(
      *kernel_, "test", [](int line) { return absl::StrCat("test.mm:", line); });
  validator_ = std::make_unique<Validator>(*kernel_);
}

TestMachine::~TestMachine() { engine_.DropPaths(); }

void TestMachine::RunPath(sim::LpId lp, sim::PathFn fn) {
  engine_.Start(lp, engine_.now(), "test", std::move(fn));
  NUMASIM_CHECK_EQ(engine_.Run().ToString(), "OK");
}

workloads::OpResult TestMachine::Perform(const workloads::Op& op) {
  workloads::OpResult result;
  RunPath(runner_->HomeOf(op),
          [&](sim::Path& path) -> sim::Task<void> { result = co_await runner_->Perform(path, op); });
  return result;
}

workloads::OpResult TestMachine::Run(std::string_view lines) {
  absl::StrAppend(&script_, std::string(lines), "\n");
  auto script = workloads::ParseScript(script_, "test.mm");
  NUMASIM_CHECK_EQ(script.status().ToString(), "OK");
  workloads::OpResult result;
  for (; performed_ < script->ops.size(); ++performed_) result = Perform(script->ops[performed_]);
  return result;
}

Process& TestMachine::process(std::string_view name) {
  const Process* found = nullptr;
  for (const Process* process : runner_->LiveProcesses()) {
    if (process->name == absl::StrCat("test/", std::string(name))) found = process;
  }
  NUMASIM_CHECK(found != nullptr);
  return const_cast<Process&>(*found);
}

Pfn TestMachine::Alloc(const AllocRequest& request) {
  Pfn pfn = kNoPfn;
  RunPath(memory().node(memory().NodeOfCpu(request.cpu)).lp, [&](sim::Path& path) -> sim::Task<void> {
    pfn = co_await kernel().allocator().Alloc(path, request);
  });
  return pfn;
}

std::vector<Folio> TestMachine::TakeAllOf(NodeId node, int order) {
  AllocRequest request;
  request.gfp = kGfpKernel | kGfpThisNode | kGfpNoWarn | kGfpNoRetry;
  request.order = order;
  request.preferred = node;
  request.cpu = CpuId{0};
  request.owner = FrameOwner{FrameOwner::kKernel, 1, 0, 0};
  std::vector<Folio> blocks;
  for (Pfn pfn; (pfn = Alloc(request)) != kNoPfn;) blocks.emplace_back(pfn, order);
  return blocks;
}

std::vector<Folio> TestMachine::Fragment(NodeId node) {
  std::vector<Folio> kept, given_back;
  for (const Folio page : TakeAllOf(node)) (page.head().value % 2 == 0 ? kept : given_back).push_back(page);
  Release(CpuId{0}, given_back);
  // What the watermarks had kept whole.
  const std::vector<Folio> whole = TakeAllOf(node, kPageblockOrder);
  kept.insert(kept.end(), whole.begin(), whole.end());
  return kept;
}

void TestMachine::Release(CpuId cpu, const std::vector<Folio>& pages) {
  RunPath(memory().node(memory().NodeOfCpu(cpu)).lp, [&](sim::Path& path) -> sim::Task<void> {
    co_await kernel().allocator().Release(path, cpu, pages);
  });
}

void TestMachine::DropRefs(CpuId cpu, const std::vector<Folio>& pages) {
  RunPath(memory().node(memory().NodeOfCpu(cpu)).lp, [&](sim::Path& path) -> sim::Task<void> {
    co_await kernel().allocator().DropRefs(path, cpu, pages);
  });
}

std::vector<std::string> TestMachine::Problems() const { return Problems(runner_->LiveProcesses()); }

std::vector<std::string> TestMachine::Problems(const std::vector<const Process*>& processes) const {
  return validator_->Check(processes);
}

int64_t TestMachine::UnusedPages() const {
  int64_t pages = 0;
  for (const Zone* zone : memory().zones()) pages += zone->unused_pages();
  return pages;
}

}  // namespace numasim
