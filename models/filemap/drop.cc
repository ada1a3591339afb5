// Taking clean pages out of their files: all that nobody maps (drop_caches; fs/drop_caches.c, mm/truncate.c),
// and those in the way of a range (mm/vmscan.c).
#include <algorithm>

#include "models/filemap/filemap.h"

namespace numasim {
namespace {

// How many pages lose their place in the file before the CPU is given up.
constexpr size_t kBatch = 512;

}  // namespace

sim::Task<void> Filemap::DropCaches(sim::Path& path, CpuId cpu) {
  const sim::LpId here = path.lp();
  for (int n = 0; n < memory_.node_count(); ++n) {
    co_await path.GoTo(memory_.node(NodeId{n}).lp, memory_.costs().hop);
    for (const FileId file : files_.DiskFilesOf(NodeId{n})) {
      if (files_.Find(file) != nullptr) co_await DropFile(path, file, cpu);
    }
  }
  co_await path.GoTo(here, memory_.costs().hop);
}

// invalidate_mapping_pages() of all of the file, at its home. The file may go meanwhile.
sim::Task<void> Filemap::DropFile(sim::Path& path, FileId id, CpuId cpu) {
  ++files_.FileAt(id).opens;  // it stays (__iget)
  co_await FindUnmapped(path, id);
  Mapping& mapping = files_.At(id);
  mapping.ForgetShadows();
  uint64_t next = 0;
  for (bool more = true; more;) {
    std::vector<Folio> dropped;
    std::optional<Mapping::Page> page;
    while (dropped.size() < kBatch && (page = mapping.FirstFrom(next)).has_value()) {
      next = page->index + 1;
      if (mapping.MaybeMapped(page->index) || mapping.IsLocked(page->index)) continue;
      mapping.Erase(page->index);
      dropped.emplace_back(page->pfn);
    }
    more = page.has_value();
    co_await path.Take(memory_.costs().reclaim_page * static_cast<int64_t>(dropped.size()));
    co_await allocator_.Release(path, cpu, dropped);
    co_await memory_.CondResched(path);
  }
  --files_.FileAt(id).opens;
}

// folio_mapped() of the pages that some process may map.
sim::Task<void> Filemap::FindUnmapped(sim::Path& path, FileId id) {
  Mapping& mapping = files_.At(id);
  std::vector<MappedPage> pages;
  mapping.ForEachPage([&](uint64_t index, Pfn pfn) {
    if (mapping.MaybeMapped(index) && mapping.Lock(index, pfn)) pages.push_back({index, pfn});
  });
  if (pages.empty()) co_return;
  co_await mapped_pages_.Count(path, id, pages);
  for (const MappedPage& page : pages) {
    mapping.Unlock(page.index, page.pfn);
    if (page.entries == 0) mapping.NoteUnmapped(page.index);
  }
}

sim::Task<void> Filemap::ReclaimClean(sim::Path& path, Node& node, CpuId cpu, std::vector<Folio>& pages) {
  const auto frame_of = [this](Folio page) -> std::pair<Zone*, FrameIndex> {
    Zone* const zone = memory_.ZoneOf(page.head());
    return {zone, zone->frames().Index(page.head())};
  };
  const auto of_file = std::stable_partition(pages.begin(), pages.end(), [&](Folio page) {
    const auto [zone, frame] = frame_of(page);
    return zone->frames().owner(frame, page.order()).kind != FrameOwner::kFile;
  });
  std::vector<IsolatedPage> isolated;
  for (const Folio page : std::span(of_file, pages.end())) {
    const auto [zone, frame] = frame_of(page);
    const FrameOwner& owner = zone->frames().owner(frame, 0);
    const bool in_workingset = node.lru->InWorkingset(node.lru->NumberOf(*zone, frame));
    isolated.push_back({page.head(), owner.object, owner.index, false, in_workingset});
  }
  pages.erase(of_file, pages.end());
  if (isolated.empty()) co_return;
  co_await evictor_.Evict(path, node, isolated, Evictor::References::kIgnore);
  std::vector<Folio> evicted;
  for (const IsolatedPage& page : isolated) {
    if (page.fate != IsolatedPage::Fate::kEvicted) {
      pages.emplace_back(page.pfn);
      continue;
    }
    evicted.emplace_back(page.pfn);
    node.lru->Age();
  }
  if (evicted.empty()) co_return;
  co_await path.Take(memory_.costs().reclaim_page * static_cast<int64_t>(evicted.size()));
  co_await allocator_.ReleaseHere(path, cpu, evicted);
  // The mark of isolation goes with its reference: without it a scan would take the page for pinned.
  for (const Folio page : evicted) {
    const auto [zone, frame] = frame_of(page);
    zone->MarkMigrating(frame, 0, false);
    co_await allocator_.DropRefsHere(path, cpu, std::span(&page, 1));
  }
}

}  // namespace numasim
