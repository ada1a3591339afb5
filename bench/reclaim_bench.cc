// How fast page cache is read and reclaimed.
#include <benchmark/benchmark.h>

#include "bench/machine.h"
#include "models/filemap/filemap.h"
#include "models/shmem/shmem.h"

namespace numasim {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;

// One node of 2 GiB whose process has a file of 16 GiB open.
class CacheMachine {
 public:
  CacheMachine() : machine_(1, 2 * BenchMachine::kGiBPages, WithDisk()) {
    machine_.Run([this](sim::Path& path) -> sim::Task<void> {
      const ShmemOpened opened =
          co_await machine_.kernel().shmem().Open(path, "data", 16 * kGiB, CpuId{0}, ShmemFile::Mount::kDisk);
      file_ = opened.file;
    });
  }

  double ResizePool(int64_t count) { return machine_.ResizePool(count); }

  int64_t stolen() {
    Node& node = machine_.memory().node(NodeId{0});
    return node.counter(PGSTEAL_KSWAPD) + node.counter(PGSTEAL_DIRECT);
  }

  double Read(int64_t offset, int64_t length) {
    return machine_.Run([&](sim::Path& path) -> sim::Task<void> {
      const auto read =
          co_await machine_.kernel().filemap().Read(path, machine_.process(), file_, offset, length);
      if (read.bytes != length) abort();
    });
  }

 private:
  static MachineConfig WithDisk() {
    MachineConfig config;
    config.disk_pages = 32 * BenchMachine::kGiBPages;
    return config;
  }

  BenchMachine machine_;
  FileId file_;
};

// Pages that are in memory, read the third time and later.
void BM_ReadCached(benchmark::State& state) {
  CacheMachine machine;
  machine.Read(0, kGiB);
  machine.Read(0, kGiB);
  for (auto _ : state) state.SetIterationTime(machine.Read(0, kGiB));
  state.SetItemsProcessed(state.iterations() * (kGiB >> kPageShift));
}
BENCHMARK(BM_ReadCached)->UseManualTime()->Unit(benchmark::kMillisecond);

// Pages that are not: each is allocated, and kswapd frees another.
void BM_ReadAndReclaim(benchmark::State& state) {
  CacheMachine machine;
  machine.Read(0, 2 * kGiB);
  int64_t offset = 2 * kGiB;
  for (auto _ : state) {
    state.SetIterationTime(machine.Read(offset, kGiB));
    offset = offset == 15 * kGiB ? 0 : offset + kGiB;
  }
  state.SetItemsProcessed(state.iterations() * (kGiB >> kPageShift));
}
BENCHMARK(BM_ReadAndReclaim)->UseManualTime()->Unit(benchmark::kMillisecond);

// Huge pages take the place of page cache that was read once.
void BM_Reclaim(benchmark::State& state) {
  int64_t stolen = 0;
  for (auto _ : state) {
    CacheMachine machine;
    machine.Read(0, 2 * kGiB);
    const int64_t before = machine.stolen();
    state.SetIterationTime(machine.ResizePool(700));
    stolen += machine.stolen() - before;
  }
  state.SetItemsProcessed(stolen);
}
BENCHMARK(BM_Reclaim)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace numasim
