// Migrator: moves base pages in use to other frames (mm/migrate.c, Linux 6.1). No state of its own.
//
// Frames live on their node's LP, entries of page tables on their process's, the pages of a file on the
// file's home, so a batch of pages goes round: from the node to the global LP, which knows where files and
// processes are, to the files' homes and back, to each process that may map one of the pages and back, and to
// the node again. An entry is changed in place, from the old frame to the new one, when the path passes by
// its process; there is no migration entry that a fault would wait for. That nothing refers to the old frame
// afterwards is told by its mapcount alone: what is left there (a fork or an unmap under way) makes the batch
// go round once more.
#ifndef NUMASIM_MODELS_MIGRATE_MIGRATION_H_
#define NUMASIM_MODELS_MIGRATE_MIGRATION_H_

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "models/address_space/process_table.h"
#include "models/base/errno.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// Where pages may go (struct migration_target_control).
struct MigrationTarget {
  NodeId preferred;
  NodeMask allowed = NodeMask::All();
};

class Migrator {
 public:
  Migrator(MemorySystem& memory, PageAllocator& allocator, const ProcessTable& processes, ShmemFiles& files)
      : memory_(memory), allocator_(allocator), processes_(processes), files_(files) {}

  // isolate_lru_page() and its like: takes a reference to a base page in use that can be moved, on the LP of
  // its node. False where somebody else has it (a pin, another migration), it is just being freed, or it is
  // no such page.
  static bool Isolate(Zone& zone, const FrameStore::Head& head);
  // putback_lru_page()
  sim::Task<void> PutBack(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages);

  // migrate_pages(): moves isolated pages of one node, and ends their isolation. Begins and ends on the LP of
  // that node. kNoMem: there is no room for the first of `pages`, which are what was not moved and are still
  // isolated.
  sim::Task<Errno> Migrate(sim::Path& path, CpuId cpu, std::vector<Pfn>& pages,
                           const MigrationTarget& target);

 private:
  struct Moving {
    Pfn from, to;
    FrameOwner owner;      // of `from` when it began
    int64_t mappings = 0;  // of `from`, that may come to `to` in this round
    int64_t swapped = 0;   // that did
    bool settled = false;  // nothing is left to do
  };
  using Batch = std::vector<Moving>;
  // A process that may map pages of the batch: pages[first] .. pages[last - 1] of all Visits.
  struct Visit {
    uint64_t process;
    uint32_t first, last;
    auto operator<=>(const Visit&) const = default;
  };
  struct Visits {
    std::vector<Visit> all;       // by process
    std::vector<uint32_t> pages;  // indices of the batch, those of one owner together
  };

  // The ids of the processes that map a file, by its number.
  using MappersOfFiles = absl::flat_hash_map<uint64_t, std::vector<uint64_t>>;

  sim::Task<bool> AllocTargets(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages,
                               const MigrationTarget& target, Batch& batch);
  // One round; true if every page is settled after it.
  sim::Task<bool> Round(sim::Path& path, CpuId cpu, Node& node, Batch& batch, int round);
  sim::Task<void> Expect(sim::Path& path, Node& node, Batch& batch);
  sim::Task<bool> VisitAll(sim::Path& path, Batch& batch, Visits visits);
  Visits WhomToVisit(const Batch& batch, int round, const MappersOfFiles& mappers) const;
  sim::Task<MappersOfFiles> SwapInCache(sim::Path& path, Batch& batch);
  static bool SwapIn(Process& process, Batch& batch, std::span<const uint32_t> pages);
  static void SwapAnon(Process& process, Moving& page);
  static void SwapShmem(Process& process, Moving& page);
  sim::Task<void> Account(sim::Path& path, CpuId cpu, Node& node, Batch& batch, bool all_visited);
  sim::Task<void> Settle(sim::Path& path, CpuId cpu, Node& node, const Batch& batch,
                         const std::vector<size_t>& done);
  sim::Task<void> LetGo(sim::Path& path, CpuId cpu, Zone& zone, Pfn pfn);
  // Goes to the LP of the frame's node if it is not there.
  sim::Task<Zone*> GoTo(sim::Path& path, Pfn pfn) const;

  MemorySystem& memory_;
  PageAllocator& allocator_;
  const ProcessTable& processes_;  // global LP
  ShmemFiles& files_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MIGRATE_MIGRATION_H_
