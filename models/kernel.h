// Kernel: the models of a machine's memory, put together and booted. What `run`, `conform`, tests and
// benchmarks start from; no one else makes a model.
//
//   MemorySystem      nodes, zones and their frames, reserves, CPUs
//   PageAllocator     pages of any zone, over the zonelists
//   ProcessTable      who lives, and on which LP
//   ShmemFiles        the page cache: files of shared memory and of the disk
//   Rmap              from a page to the processes that may map it
//   Hugetlb           pools of huge pages, their reservations, files and faults
//   ThpSplitter       makes base pages of huge ones
//   Migrator          moves pages in use
//   Compactor         moves them out of the way of large blocks
//   Shrinkers         the other caches that give memory back
//   Reclaim           takes page cache, and what these have, where memory is short
//   OomKiller         ends processes where there is no memory left
//   MemoryPressure    relieves the allocator where memory is short
//   Shmem             names of files on the tmpfs, truncation, holes
//   Filemap           read() and faults of files of the disk
//   TransparentHugePages  khugepaged, the huge zero page
//   AddressSpaceOps   what processes ask for: mappings, faults, fork, pins
//   Pipes             memory that their pipes take
//   Contig            ranges of frames: alloc_contig_range(), CMA, gigantic pages
//   MemoryHotplug     memory blocks that go offline; VirtioMemDriver, whose device adds and takes them
//
// Each knows those above it and none below (the folders of models/, in the order of docs/architecture.md).
//
// Which LP owns what is told by each of them. The engine must have dropped its paths before a Kernel goes.
#ifndef NUMASIM_MODELS_KERNEL_H_
#define NUMASIM_MODELS_KERNEL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "models/address_space/process_table.h"
#include "models/base/cost_model.h"
#include "models/base/kernel_config.h"
#include "models/base/machine_config.h"
#include "models/compaction/compaction.h"
#include "models/contig/contig.h"
#include "models/filemap/filemap.h"
#include "models/hotplug/memory_hotplug.h"
#include "models/hotplug/virtio_mem.h"
#include "models/hugetlb/hugetlb.h"
#include "models/migrate/migration.h"
#include "models/mm/address_space_ops.h"
#include "models/oom/oom_killer.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/pipes/pipes.h"
#include "models/pressure/memory_pressure.h"
#include "models/reclaim/reclaim.h"
#include "models/reclaim/shrinkers.h"
#include "models/rmap/rmap.h"
#include "models/shmem/shmem.h"
#include "models/thp/thp.h"
#include "models/thp/thp_splitter.h"
#include "sim/engine.h"

namespace numasim {

class Kernel {
 public:
  // The engine's lookahead must be at most costs.hop. An error names the field of the scenario's machine or
  // kernel section that is wrong. Where boot did less than a boot argument asked for, as the kernel does,
  // `warnings` says so.
  static absl::StatusOr<std::unique_ptr<Kernel>> Boot(sim::Engine& engine, const MachineConfig& machine,
                                                      const KernelConfig& config, const Costs& costs,
                                                      std::vector<std::string>& warnings);

  MemorySystem& memory() { return *memory_; }
  const MemorySystem& memory() const { return *memory_; }
  PageAllocator& allocator() { return allocator_; }
  const ProcessTable& processes() const { return processes_; }
  ShmemFiles& files() { return files_; }
  const ShmemFiles& files() const { return files_; }
  Hugetlb& hugetlb() { return hugetlb_; }
  const Hugetlb& hugetlb() const { return hugetlb_; }
  HugetlbPool& pool() { return hugetlb_.pool(); }
  const HugetlbPool& pool() const { return hugetlb_.pool(); }
  Shmem& shmem() { return shmem_; }
  Filemap& filemap() { return filemap_; }
  TransparentHugePages& thp() { return thp_; }
  const TransparentHugePages& thp() const { return thp_; }
  AddressSpaceOps& ops() { return ops_; }
  Migrator& migrator() { return migrator_; }
  Shrinkers& shrinkers() { return shrinkers_; }
  Compactor& compactor() { return compactor_; }
  Kcompactds& kcompactds() { return reclaim_.kcompactds(); }
  Pipes& pipes() { return pipes_; }
  Contig& contig() { return *contig_; }
  const Contig& contig() const { return *contig_; }
  MemoryHotplug& hotplug() { return *hotplug_; }
  const MemoryHotplug& hotplug() const { return *hotplug_; }
  VirtioMemDriver* virtio_mem() { return virtio_mem_.get(); }  // null: the machine has no such device
  const VirtioMemDriver* virtio_mem() const { return virtio_mem_.get(); }

  // Every counter of every model, in the order of a trace.
  std::vector<MemorySystem::CounterColumn> Columns() const;

 private:
  explicit Kernel(std::unique_ptr<MemorySystem> memory);
  void AddHotplug(const MachineConfig& machine);

  std::unique_ptr<MemorySystem> memory_;
  PageAllocator allocator_;
  ProcessTable processes_;
  ShmemFiles files_;
  Rmap rmap_;
  Hugetlb hugetlb_;
  ThpSplitter splitter_;
  Migrator migrator_;
  Compactor compactor_;
  Shrinkers shrinkers_;
  Reclaim reclaim_;
  OomKiller oom_;
  MemoryPressure pressure_;
  Shmem shmem_;
  Filemap filemap_;
  TransparentHugePages thp_;
  AddressSpaceOps ops_;
  Pipes pipes_;
  std::unique_ptr<Contig> contig_;
  std::unique_ptr<MemoryHotplug> hotplug_;
  std::unique_ptr<VirtioMemDriver> virtio_mem_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_KERNEL_H_
