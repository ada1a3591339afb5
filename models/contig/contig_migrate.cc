// What is in use in a range that is wanted: finding it and moving it away (__alloc_contig_migrate_range,
// isolate_migratepages_range; Linux 6.1).
#include "models/contig/contig_range.h"

namespace numasim {
namespace {

constexpr auto kBlock = static_cast<FrameIndex>(kPageblockPages);
// COMPACT_CLUSTER_MAX: how many pages are taken before they are migrated.
constexpr int64_t kCluster = 32;
// How often a batch that did not move is tried again (__alloc_contig_migrate_range).
constexpr int kTries = 5;

}  // namespace

// __alloc_contig_migrate_range(): a page that was taken but does not move ends it, EBUSY; so does ENOMEM.
// Pages that could not be taken do not: the first of these is `first`.
sim::Task<ContigResult> ContigRanges::MigrateRange(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex begin,
                                                   FrameIndex end, ContigResult& first) {
  co_await path.Take(memory_.costs().lru_drain);
  Node& node = memory_.node(zone.node());
  const MigrationTarget target{node.id};
  Scan scan{begin, {}, {}, {}};
  ContigResult result;
  while (scan.next < end && result.error == Errno::kOk) {
    result = co_await IsolatePages(path, cpu, zone, end, scan);
    node.counter(COMPACT_ISOLATED) += PagesOf(scan.base) + PagesOf(scan.huge);
    if (result.error != Errno::kOk) break;
    result = co_await MigratePages(path, cpu, scan.huge, target, kTries);
    co_await filemap_.ReclaimClean(path, node, cpu, scan.base);
    if (result.error == Errno::kOk) result = co_await MigratePages(path, cpu, scan.base, target, kTries);
  }
  first = scan.first.error == Errno::kOk ? result : scan.first;
  for (const std::vector<Folio>* pages : {&scan.huge, &scan.base}) {
    if (pages->empty()) continue;
    if (result.blocker == pages->front().head())
      LogFailure(path, LogKind::kMigrationFailed, result.blocker, pages->front().pages(), result);
    co_await migrator_.PutBack(path, cpu, *pages);
  }
  co_return result;
}

sim::Task<ContigResult> ContigRanges::MigratePages(sim::Path& path, CpuId cpu, std::vector<Folio>& pages,
                                                   const MigrationTarget& target, int tries) {
  for (int call = 0; call < tries && !pages.empty(); ++call) {
    const Errno error = co_await migrator_.Migrate(path, cpu, pages, target);
    if (error == Errno::kNoMem)
      co_return ContigResult{error, pages.front().head(), "alloc_migration_target", {}, target.allowed};
  }
  if (pages.empty()) co_return ContigResult{};
  const char* const function =
      migrator_.OfHugetlb(pages.front()) ? "unmap_and_move_huge_page" : "unmap_and_move";
  co_return ContigResult{Errno::kBusy, pages.front().head(), function};
}

// isolate_migratepages_range(), until there is a cluster or the range ends.
sim::Task<ContigResult> ContigRanges::IsolatePages(sim::Path& path, CpuId cpu, Zone& zone, FrameIndex end,
                                                   Scan& scan) {
  const FrameStore& frames = zone.frames();
  ContigResult result;
  int64_t looks = 0;
  bool begins = false;  // a block is known to begin where the scan is
  while (scan.next < end && scan.huge.empty() && PagesOf(scan.base) < kCluster) {
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
    const bool whole = head.frame == scan.next;  // not a huge page that the range begins inside of
    scan.next = EndOf(head);
    begins = true;
    if (head.kind != FrameKind::kAllocated) continue;
    if (whole && Migrator::Isolate(zone, head)) {
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
  if (dissolved == Dissolved::kIsolated) scan.huge.emplace_back(pfn, kPageblockOrder);
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

}  // namespace numasim
