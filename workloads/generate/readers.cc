#include "workloads/generate/readers.h"

#include <algorithm>
#include <utility>

#include "workloads/counter_columns.h"
#include "workloads/generate/group_nodes.h"
#include "workloads/text.h"

namespace numasim::workloads {

Readers::Readers(Kernel& kernel, const ReadersPlan& plan, uint64_t seed)
    : kernel_(kernel),
      plan_(plan),
      popularity_(/*step=*/1, plan.files, plan.popularity),
      counters_(static_cast<size_t>(kernel.memory().node_count())) {
  sim::RandomStream random(seed, Cat("readers.", plan.name, ".files"));
  for (int file = 0; file < plan.files; ++file) sizes_.push_back(plan_.size.Draw(random));
}

absl::StatusOr<std::unique_ptr<Readers>> Readers::Create(Kernel& kernel, const ReadersPlan& plan,
                                                         uint64_t seed) {
  MemorySystem& memory = kernel.memory();
  if (memory.disk_pages() == 0)
    return absl::InvalidArgumentError(Cat(
        plan.place, ": the machine has no disk to read from; expected disk: SIZE in the machine section"));
  const absl::StatusOr<NodeMask> nodes = NodesToRunOn(memory, plan.nodes, plan.place);
  if (!nodes.ok()) return nodes.status();
  const int64_t all = int64_t{plan.count} * nodes->count();
  if (all >= ProcessTable::kIds)
    return absl::InvalidArgumentError(Cat(plan.place, ": count: ", plan.count, " on each of ", nodes->count(),
                                          " nodes are more processes than there can be; expected fewer than ",
                                          ProcessTable::kIds / nodes->count()));
  auto readers = std::unique_ptr<Readers>(new Readers(kernel, plan, seed));
  for (NodeMask rest = *nodes; !rest.empty(); rest.Clear(rest.First())) {
    Node& node = memory.node(rest.First());
    for (int i = 0; i < plan.count; ++i) {
      const size_t number = readers->readers_.size();
      const CpuId cpu = node.cpus[static_cast<size_t>(i) % node.cpus.size()];
      readers->readers_.push_back(
          std::make_unique<Reader>(Cat(plan.name, "#", number), cpu, node,
                                   sim::RandomStream(seed, Cat("readers.", plan.name), number)));
    }
  }
  return readers;
}

void Readers::Begin(OnEnd on_end) {
  on_end_ = std::move(on_end);
  for (const auto& each : readers_) {
    Reader& reader = *each;
    kernel_.memory().engine().Start(reader.node.lp, sim::SimTime{plan_.start_ns}, reader.process.name,
                                    [this, &reader](sim::Path& path) { return Run(path, reader); });
  }
}

std::vector<MemorySystem::CounterColumn> Readers::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns;
  const auto counts = [this](const Node& node) {
    return std::ranges::any_of(readers_, [&](const auto& reader) { return &reader->node == &node; });
  };
  AppendNodeColumns<ReadersCounter>(Cat("readers.", plan_.name, "."), "readers_", counters_, kernel_.memory(),
                                    counts, columns);
  return columns;
}

int64_t Readers::counter(ReadersCounter c) const { return SumOverNodes(counters_, c); }

double Readers::ShareDone(sim::SimTime now) const {
  return ended() ? 1 : ShareOfTime(now, plan_.start_ns, plan_.until_ns);
}

std::vector<const Process*> Readers::LiveProcesses() const {
  std::vector<const Process*> live;
  for (const auto& reader : readers_) {
    if (reader->process.alive) live.push_back(&reader->process);
  }
  return live;
}

// ---- One reader ----

sim::Task<void> Readers::Run(sim::Path& path, Reader& reader) {
  if (co_await Spawn(path, reader)) {
    co_await ReadUntilEnd(path, reader);
    co_await Exit(path, reader);
  }
  MemorySystem& memory = kernel_.memory();
  co_await path.GoTo(memory.global_lp(), memory.costs().hop);
  if (++ended_ == readers_.size()) co_await on_end_(path);
}

sim::Task<void> Readers::TakeCpu(sim::Path& path, Reader& reader) {
  co_await kernel_.memory().cpu(reader.process.cpu).Acquire(path);
  reader.process.in_call = !reader.process.killed;
}

void Readers::LeaveCpu(sim::Path& path, Reader& reader) {
  reader.process.in_call = false;
  kernel_.memory().cpu(reader.process.cpu).Release(path);
}

// One that has no memory to begin with counts as killed. There are not more than there can be processes.
sim::Task<bool> Readers::Spawn(sim::Path& path, Reader& reader) {
  co_await TakeCpu(path, reader);
  const bool spawned = co_await kernel_.ops().Spawn(path, reader.process) == Errno::kOk;
  if (!spawned) ++CountersOf(reader)[READERS_KILLED];
  LeaveCpu(path, reader);
  co_return spawned;
}

sim::Task<void> Readers::ReadUntilEnd(sim::Path& path, Reader& reader) {
  const sim::SimTime end{plan_.until_ns.value_or(sim::kNever.ns)};
  while (!reader.process.killed) {
    const sim::Duration pause = sim::Nanoseconds(plan_.pause.Draw(reader.random));
    co_await path.Take(PauseUntil(plan_.until_ns, path.now(), pause));
    if (path.now() >= end) break;
    co_await TakeCpu(path, reader);
    if (!reader.process.killed) co_await ReadOne(path, reader);
    LeaveCpu(path, reader);
  }
}

// The file is there from the first time that somebody reads it.
sim::Task<void> Readers::ReadOne(sim::Path& path, Reader& reader) {
  const int64_t number = popularity_.Draw(reader.random);
  const int64_t bytes = sizes_[static_cast<size_t>(number - 1)];
  const CpuId cpu = reader.process.cpu;
  Shmem& files = kernel_.shmem();
  const std::string name = Cat(plan_.name, ".", number);
  ShmemOpened opened = co_await files.OpenExisting(path, name, ShmemFile::Mount::kDisk);
  if (opened.error == Errno::kNoEnt)
    opened = co_await files.Open(path, name, bytes, cpu, ShmemFile::Mount::kDisk);
  Filemap::ReadResult read{.error = opened.error};
  if (opened.error == Errno::kOk) {
    read = co_await kernel_.filemap().Read(path, reader.process, opened.file, 0, bytes);
    co_await files.CloseFile(path, opened.file, cpu);
  }
  Counters& counters = CountersOf(reader);
  counters[READERS_PAGES] += (read.bytes + kPageSize - 1) >> kPageShift;
  ++counters[read.error == Errno::kOk ? READERS_FILES : READERS_FAILED];
}

sim::Task<void> Readers::Exit(sim::Path& path, Reader& reader) {
  co_await TakeCpu(path, reader);
  if (reader.process.killed) {
    ++CountersOf(reader)[READERS_KILLED];
    co_await kernel_.ops().ExitKilled(path, reader.process);
  } else {
    co_await kernel_.ops().Exit(path, reader.process);
  }
  LeaveCpu(path, reader);
}

}  // namespace numasim::workloads
