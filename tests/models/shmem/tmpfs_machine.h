// TmpfsMachine: three nodes with a CPU each, and what tests of files of shared memory do with them. A base
// class of fixtures.
#ifndef NUMASIM_TESTS_MODELS_SHMEM_TMPFS_MACHINE_H_
#define NUMASIM_TESTS_MODELS_SHMEM_TMPFS_MACHINE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "models/page_cache/shmem.h"
#include "models/shmem/shmem.h"
#include "tests/models/test_machine.h"

namespace numasim {

class TmpfsMachine {
 public:
  explicit TmpfsMachine(const KernelConfig& kernel = TestKernel())
      : machine_(DescribedMachine({64 * kMiB, 64 * kMiB, 64 * kMiB}), kernel) {
    machine_.Run("machine nodes=3 node_mem=64M");
  }

  // Over all nodes.
  int64_t Sum(NodeCounter c) const {
    return machine_.counter(0, c) + machine_.counter(1, c) + machine_.counter(2, c);
  }

 protected:
  static constexpr Vpn kFirst = AddressSpace::kStartOfSpace;

  ShmemFiles& files() { return machine_.kernel().files(); }
  // Of the process's first mapping.
  FileId FileOf(std::string_view process) {
    return machine_.process(process).space.vmas().begin()->second.file;
  }
  // Starts a path of the process, which holds its CPU, so long from now. The engine runs with the next
  // RunPath or RunAll.
  template <typename Body>
  void StartOn(std::string_view name, sim::Duration in, Body body) {
    Process& process = machine_.process(name);
    sim::Cpu& cpu = machine_.memory().cpu(process.cpu);
    const sim::LpId lp = machine_.memory().node(machine_.memory().NodeOfCpu(process.cpu)).lp;
    machine_.engine().Start(lp, machine_.engine().now() + in, std::string(name),
                            [&cpu, &process, body](sim::Path& path) -> sim::Task<void> {
                              co_await cpu.Acquire(path);
                              co_await body(path, process);
                              cpu.Release(path);
                            });
  }
  void RunAll() { ASSERT_TRUE(machine_.engine().Run().ok()); }

  TestMachine machine_;
};

}  // namespace numasim

#endif  // NUMASIM_TESTS_MODELS_SHMEM_TMPFS_MACHINE_H_
