// Migrator: moves pages in use to other frames (mm/migrate.c, Linux 6.1). No state of its own.
//
// HugeTLB pages are moved by Hugetlb, which has all that is known of them; what is the same for them is here
// (who tries how often, what is counted) and in Rmap (the entries).
//
// Of base pages, frames live on their node's LP, entries of page tables on their process's, a page cache on
// its file's, so a batch of pages goes round twice in each pass. The first time every entry of a page becomes
// a migration entry, at which faults and forks wait:
//
//   node     isolated, a target allocated
//   file     its page is locked: no fault finds it any more
//   process  entries -> migration entries              (try_to_migrate)
//   node     nothing else refers to the page?          (folio_migrate_mapping)
//   file     the page cache has the new page
//   process  migration entries -> entries of the new page, or of the old one again   (remove_migration_ptes)
//   node     what was unmapped meanwhile is counted, the old page freed
//
// A transparent huge page moves as one, with a PMD or base entries that map it, or both. Where there is no
// huge page to move to it is split, and its parts move after all others.
//
// A page that somebody else refers to, an unmap under way or a pin, is tried again in the next pass, ten
// times in all.
#ifndef NUMASIM_MODELS_MIGRATE_MIGRATION_H_
#define NUMASIM_MODELS_MIGRATE_MIGRATION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "models/base/errno.h"
#include "models/base/folio.h"
#include "models/hugetlb/hugetlb.h"
#include "models/page_cache/shmem.h"
#include "models/physical/memory_system.h"
#include "models/physical/page_allocator.h"
#include "models/rmap/rmap.h"
#include "models/thp/thp_splitter.h"
#include "sim/path.h"
#include "sim/task.h"

namespace numasim {

// Has base pages to move to, which it got hold of in its own way (new_page_t).
class TargetSource {
 public:
  virtual ~TargetSource() = default;
  // A page of the node that the migration is on, allocated and nobody's; kNoPfn if there are no more. Begins
  // and ends on the LP of that node.
  virtual sim::Task<Pfn> Take(sim::Path& path) = 0;
  // Gets one back that nothing was moved to, nobody's again (free_page_t). On the LP of that node.
  virtual void GiveBack(Pfn page) = 0;
};

// Where pages may go (struct migration_target_control).
struct MigrationTarget {
  NodeId preferred;
  NodeMask allowed = NodeMask::All();
  bool this_node = false;          // __GFP_THISNODE
  TargetSource* source = nullptr;  // where base pages come from; null: from the allocator
};

class Migrator {
 public:
  // NR_MAX_MIGRATE_PAGES_RETRY: how often migrate_pages() tries a page that somebody holds.
  static constexpr int kPasses = 10;

  Migrator(MemorySystem& memory, PageAllocator& allocator, ShmemFiles& files, const Rmap& rmap,
           Hugetlb& hugetlb, ThpSplitter& splitter)
      : memory_(memory),
        allocator_(allocator),
        files_(files),
        rmap_(rmap),
        hugetlb_(hugetlb),
        splitter_(splitter) {}

  // isolate_migratepages_block(): takes a reference to a page in use that can be moved, on the LP of its
  // node. False where somebody else has it (a pin, another migration), it is just being freed, or it is no
  // such page.
  static bool Isolate(Zone& zone, const FrameStore::Head& head);
  // Whether it would take it.
  static bool CanIsolate(const Zone& zone, const FrameStore::Head& head);
  // Gives back what Isolate has taken just now.
  static void Unisolate(Zone& zone, FrameIndex frame);
  // PageLRU(): whether the block is a page of a user that no migration has.
  static bool IsOnLru(const Zone& zone, const FrameStore::Head& head);
  // isolate_lru_page(), for a page that the caller knows: the same, but does not mind pins.
  static bool IsolateFromLru(Zone& zone, FrameIndex frame, int order);
  bool OfHugetlb(Folio page) const { return OwnerOf(page).kind == FrameOwner::kHugetlb; }
  // putback_movable_pages(), of pages as Migrate takes them.
  sim::Task<void> PutBack(sim::Path& path, CpuId cpu, const std::vector<Folio>& pages);

  // page_mapcount() of pages with these owners, by asking who may map them: how many entries there are. Ends
  // on the global LP.
  sim::Task<std::vector<int64_t>> MapcountsOf(sim::Path& path, const std::vector<Folio>& pages,
                                              const std::vector<FrameOwner>& owners);

  // migrate_pages(): moves isolated pages of one node, either all or none of them HugeTLB's, and ends their
  // isolation. Begins and ends on the LP of that node. What was not moved is left in `pages`, still isolated.
  // kNoMem: there is no room for the first of these; kAgain: somebody held them all the time.
  sim::Task<Errno> Migrate(sim::Path& path, CpuId cpu, std::vector<Folio>& pages,
                           const MigrationTarget& target);

 private:
  struct Moving : Rmap::Unmapping {  // `moves`: nothing else refers to the page
    FrameOwner owner;                // of `from` when it was isolated
    // Of one pass:
    int64_t counted = 0;    // references that the page's mapcount has for what was unmapped, or for its file
    int64_t announced = 0;  // that the mapcount of `to` was given before; of a huge page, whether it was
    bool locked = false;    // in its file; one that is on its way there, from a fault, is not
    bool gone = false;      // it was freed meanwhile: nothing but the migration refers to it
    Lru::State lru = {};    // of a page of a disk's file

    bool anon() const { return owner.kind == FrameOwner::kAnon; }
    bool thp() const { return from.order() > 0; }
  };
  using Batch = std::vector<Moving>;

  // How many pages are on their way at once (SWAP_CLUSTER_MAX, which bounds what isolation takes).
  static constexpr size_t kCluster = 32;

  // Of HugeTLB pages.
  sim::Task<Errno> MigrateHuge(sim::Path& path, CpuId cpu, Node& node, std::vector<Folio>& pages,
                               const MigrationTarget& target);
  // What became of pages that are not HugeTLB's (struct migrate_pages_stats).
  struct Stats {
    int64_t succeeded = 0, failed = 0;  // base pages
    int64_t thp_succeeded = 0, thp_failed = 0, thp_split = 0;
  };
  // migrate_pages_batch(): `held` gets what could not move, `parts` those of huge pages that were split as
  // there was no room for them; with `parts` null none is. Where there is no room for another page it ends,
  // and that is the first that is left in `pages`.
  sim::Task<void> MigrateBatch(sim::Path& path, CpuId cpu, Node& node, std::vector<Folio>& pages,
                               const MigrationTarget& target, std::vector<Folio>& held,
                               std::vector<Folio>* parts, Stats& stats);
  sim::Task<size_t> MoveCluster(sim::Path& path, CpuId cpu, Node& node, std::span<const Folio> pages,
                                const MigrationTarget& target, std::vector<Folio>& held);
  sim::Task<Pfn> AllocTarget(sim::Path& path, CpuId cpu, Folio page, const MigrationTarget& target,
                             FrameOwner owner);
  // Returns how many pages have a target now, or need none any more.
  sim::Task<size_t> AllocTargets(sim::Path& path, CpuId cpu, std::span<const Folio> pages,
                                 const MigrationTarget& target, Batch& batch);
  // One pass over the batch, which loses what it moved.
  sim::Task<void> Pass(sim::Path& path, CpuId cpu, Node& node, const MigrationTarget& target, Batch& batch);
  sim::Task<void> Lock(sim::Path& path, std::vector<Rmap::Group>& groups, Batch& batch);
  bool Freed(Folio page) const;
  void Judge(Batch& batch) const;
  sim::Task<void> Announce(sim::Path& path, Batch& batch);
  sim::Task<void> ReplaceInCache(sim::Path& path, std::vector<Rmap::Group>& groups, Batch& batch);
  sim::Task<void> Unlock(sim::Path& path, std::vector<Rmap::Group>& groups, const Batch& batch);
  // Calls f for each group of pages of a file, on the file's home.
  sim::Task<void> ForEachFile(sim::Path& path, std::vector<Rmap::Group>& groups,
                              absl::FunctionRef<void(Mapping&, Rmap::Group&)> f);
  sim::Task<void> Settle(sim::Path& path, CpuId cpu, Node& node, const MigrationTarget& target, Batch& batch);
  // The counts of mappings, of transparent huge pages and of others.
  void ChangeThpMappings(Folio page, int64_t pmds, std::span<const int32_t> parts) const;
  void JudgeThp(Moving& page) const;
  sim::Task<void> AnnounceThp(sim::Path& path, Moving& page);
  sim::Task<void> CorrectTarget(sim::Path& path, const Moving& page);
  void CorrectSource(const Moving& page) const;
  FrameOwner& OwnerOf(Folio page) const;
  sim::Task<void> LetGo(sim::Path& path, CpuId cpu, Folio page);
  sim::Task<void> ReturnUnused(sim::Path& path, CpuId cpu, Folio page, const MigrationTarget& target);
  // co_await: goes to the LP of the page's node if it is not there.
  sim::Path::GoAwaiter GoTo(sim::Path& path, Folio page) const {
    return path.GoTo(memory_.node(memory_.ZoneOf(page.head())->node()).lp, memory_.costs().hop);
  }

  MemorySystem& memory_;
  PageAllocator& allocator_;
  ShmemFiles& files_;
  const Rmap& rmap_;
  Hugetlb& hugetlb_;
  ThpSplitter& splitter_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_MIGRATE_MIGRATION_H_
