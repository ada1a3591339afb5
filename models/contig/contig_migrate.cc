// What is in use in a range that is wanted: finding it and moving it away (__alloc_contig_migrate_range,
// isolate_migratepages_range; Linux 6.1).
#include <utility>

#include "models/contig/contig_range.h"

namespace numasim {
namespace {

constexpr auto kBlock = static_cast<FrameIndex>(kPageblockPages);
// COMPACT_CLUSTER_MAX: how many pages are taken before they are migrated.
constexpr size_t kCluster = 32;
// How often a batch that did not move is tried again (__alloc_contig_migrate_range).
constexpr int kTries = 5;

}  // namespace

// __alloc_contig_migrate_range(): a page that was taken but does not move ends it, EBUSY; so does ENOMEM.
// Pages that could not be taken do not: the first of these is `first`.
sim::Task<ContigResult> ContigRanges::MigrateRange(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin,
                                                   FrameIndex end, ContigResult& first) {
  co_await path.Take(memory_.costs().lru_drain);
  Node& node = memory_.node(zone.node());
  const MigrationTarget base_target{node.id};
  const Placement huge_target{node.id};
  Scan scan{begin, {}, {}, {}};
  ContigResult result;
  while (scan.next < end && result.error == Errno::kOk) {
    result = co_await IsolatePages(path, cpu, zone, end, scan);
    node.counter(COMPACT_ISOLATED) +=
        static_cast<int64_t>(scan.base.size()) + static_cast<int64_t>(scan.huge.size()) * kPageblockPages;
    if (result.error != Errno::kOk) break;
    const std::vector<Pfn> huge = std::exchange(scan.huge, {});
    result = co_await MigrateHuge(path, cpu, huge, huge_target, kTries, true);
    if (result.error == Errno::kOk) result = co_await MigrateBase(path, cpu, scan.base, base_target);
  }
  first = scan.first.error == Errno::kOk ? result : scan.first;
  if (!scan.base.empty()) {
    if (result.blocker == scan.base.front().head()) {
      LogFailure(path, LogKind::kMigrationFailed, result.blocker, 1, result);
    }
    co_await migrator_.PutBack(path, cpu, scan.base);
  }
  co_return result;
}

// What does not move is left in `pages`.
sim::Task<ContigResult> ContigRanges::MigrateBase(sim::Path& path, CpuId cpu, std::vector<Folio>& pages,
                                                  const MigrationTarget& target) {
  for (int call = 0; call < kTries && !pages.empty(); ++call) {
    const Errno error = co_await migrator_.Migrate(path, cpu, pages, target);
    if (error == Errno::kNoMem)
      co_return ContigResult{error, pages.front().head(), "alloc_migration_target", {}, target.allowed};
  }
  if (pages.empty()) co_return ContigResult{};
  co_return ContigResult{Errno::kBusy, pages.front().head(), "unmap_and_move"};
}

// isolate_migratepages_range(), until there is a cluster or the range ends.
sim::Task<ContigResult> ContigRanges::IsolatePages(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex end,
                                                   Scan& scan) {
  const FrameStore& frames = zone.frames();
  ContigResult result;
  int64_t looks = 0;
  bool begins = false;  // a block is known to begin where the scan is
  while (scan.next < end && scan.huge.empty() && scan.base.size() < kCluster) {
    const FrameStore::Head head = begins ? frames.HeadAt(scan.next) : frames.Find(scan.next);
    ++looks;
    if (OwnedBy(frames, head, FrameOwner::kHugetlb)) {
      co_await path.Take(memory_.costs().scan_page * looks);
      looks = 0;
      result = co_await IsolateHuge(path, cpu, zone, head, scan);
      if (result.error != Errno::kOk) co_return result;
      scan.next = head.frame + kBlock;
      begins = false;  // time has passed
      continue;
    }
    scan.next = EndOf(head);
    begins = true;
    if (head.kind != FrameKind::kAllocated) continue;
    if (Migrator::Isolate(zone, head)) {
      scan.base.emplace_back(frames.PfnOf(head.frame), head.order);
    } else if (scan.first.error == Errno::kOk) {
      scan.first = Busy(zone, head.frame, "isolate_migratepages_block");
    }
  }
  co_await path.Take(memory_.costs().scan_page * looks);
  co_return result;
}

sim::Task<ContigResult> ContigRanges::IsolateHuge(sim::Path& path, CpuId cpu, Zone& zone,
                                                  const FrameStore::Head& head, Scan& scan) {
  using Dissolved = HugetlbPool::Dissolved;
  const Pfn pfn = zone.frames().PfnOf(head.frame);
  const sim::LpId home = path.lp();
  ContigResult result;
  if (memory_.kernel().contig_hugetlb_fails) {  // before 5.13
    if (scan.first.error == Errno::kOk)
      scan.first = ContigResult{Errno::kBusy, pfn, "isolate_migratepages_block"};
    co_return result;
  }
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  const Dissolved dissolved = co_await hugetlb_.pool().IsolateOrDissolve(path, pfn, cpu);
  co_await path.HopTo(home, memory_.costs().hop);
  if (dissolved == Dissolved::kIsolated) scan.huge.push_back(pfn);
  if (dissolved == Dissolved::kGone || dissolved == Dissolved::kIsolated) co_return result;
  result.blocker = pfn;
  result.error = dissolved == Dissolved::kNoMem ? Errno::kNoMem : Errno::kBusy;
  const bool gigantic =
      zone.frames().owner(head.frame, head.order).object == static_cast<uint64_t>(HugeSize::k1G);
  result.function = dissolved == Dissolved::kNoMem && !gigantic ? "alloc_and_dissolve_huge_page"
                                                                : "isolate_or_dissolve_huge_page";
  LogFailure(path, LogKind::kDissolveFailed, pfn, kPageblockPages, result);
  if (scan.first.error == Errno::kOk) scan.first = result;
  // A busy page does not end the scan: the range may still come free.
  if (result.error == Errno::kBusy) result = ContigResult{};
  co_return result;
}

sim::Task<ContigResult> ContigRanges::MigrateHuge(sim::Path& path, CpuId cpu, const std::vector<Pfn>& pages,
                                                  const Placement& target, int tries, bool log) {
  ContigResult result;
  if (pages.empty()) co_return result;
  Node& node = memory_.node(memory_.ZoneOf(pages.front())->node());
  const sim::LpId home = path.lp();
  co_await path.HopTo(memory_.global_lp(), memory_.costs().hop);
  std::vector<ContigResult> failures;
  int64_t moved = 0;
  int64_t failed_calls = 0;
  for (const Pfn pfn : pages) {
    Errno error = result.error == Errno::kNoMem ? Errno::kNoMem : Errno::kAgain;
    // Each call of migrate_pages() that does not move it counts as a failure.
    for (int call = 0; call < tries && error != Errno::kOk && error != Errno::kNoMem; ++call) {
      error = Errno::kAgain;
      for (int pass = 0; pass < Migrator::kPasses && error == Errno::kAgain; ++pass) {
        error = co_await hugetlb_.Migrate(path, pfn, target, false, cpu);
      }
      if (error != Errno::kOk) ++failed_calls;
    }
    if (error == Errno::kOk) {
      ++moved;
      continue;
    }
    const bool no_memory = error == Errno::kNoMem;
    const ContigResult failure =
        no_memory ? ContigResult{Errno::kNoMem, pfn, "alloc_migration_target", {}, target.allowed}
                  : ContigResult{Errno::kBusy, pfn, "unmap_and_move_huge_page"};
    if (result.error == Errno::kOk || no_memory) result = failure;
    failures.push_back(failure);
    co_await hugetlb_.pool().PutBack(path, pfn, cpu);
  }
  co_await path.HopTo(home, memory_.costs().hop);
  node.counter(PGMIGRATE_SUCCESS) += moved * kPageblockPages;
  node.counter(PGMIGRATE_FAIL) += failed_calls * kPageblockPages;
  for (const ContigResult& failure : failures) {
    if (log) LogFailure(path, LogKind::kMigrationFailed, failure.blocker, kPageblockPages, failure);
  }
  co_return result;
}

}  // namespace numasim
