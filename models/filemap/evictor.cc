#include "models/filemap/evictor.h"

#include <algorithm>
#include <vector>

namespace numasim {
namespace {

using Fate = IsolatedPage::Fate;

// folio_check_references(), of what page tables said. kEvicted: nobody keeps it.
Fate FateOf(const MappedPage& page, bool referenced, Evictor::References references) {
  if (page.mlocked) return Fate::kActivated;
  if (references == Evictor::References::kIgnore || page.young == 0) return Fate::kEvicted;
  return referenced || page.young > 1 ? Fate::kActivated : Fate::kReferenced;
}

}  // namespace

// Those of one file after the other, at their homes. Evicted together, they have one time in common.
sim::Task<void> Evictor::Evict(sim::Path& path, const Node& node, std::span<IsolatedPage> pages,
                               References references) const {
  const uint64_t age = node.lru->nonresident_age();
  std::sort(pages.begin(), pages.end(), [](const IsolatedPage& a, const IsolatedPage& b) {
    return std::pair(a.file, a.index) < std::pair(b.file, b.index);
  });
  while (!pages.empty()) {
    const uint64_t number = pages.front().file;
    const auto next = std::find_if(pages.begin(), pages.end(),
                                   [&](const IsolatedPage& page) { return page.file != number; });
    const FileId file{static_cast<int32_t>(number), node.lru->HomeOf(number)};
    co_await path.GoTo(memory_.node(file.home).lp, memory_.costs().hop);
    co_await EvictOfFile(path, file, std::span(pages.begin(), next), references, {node.id, age, false});
    co_await path.GoTo(node.lp, memory_.costs().hop);
    pages = std::span(next, pages.end());
  }
}

// At the file's home. The pages are locked meanwhile; one that somebody else has locked, or that the file has
// no more, is left alone.
sim::Task<void> Evictor::EvictOfFile(sim::Path& path, FileId id, std::span<IsolatedPage> pages,
                                     References references, Mapping::Shadow shadow) const {
  if (files_.Find(id) == nullptr) co_return;
  ShmemFile& file = files_.FileAt(id);
  Mapping& mapping = file.mapping;
  std::vector<MappedPage> locked;
  std::vector<IsolatedPage*> asked;
  for (IsolatedPage& page : pages) {
    if (mapping.IsLocked(page.index) || !mapping.Lock(page.index, page.pfn)) continue;
    locked.push_back({page.index, page.pfn});
    asked.push_back(&page);
  }
  ++file.opens;  // it stays meanwhile
  const auto maybe_mapped = [&](const MappedPage& page) { return mapping.MaybeMapped(page.index); };
  if (std::any_of(locked.begin(), locked.end(), maybe_mapped)) co_await Unmap(path, id, locked, references);
  for (size_t i = 0; i < locked.size(); ++i) {
    const MappedPage& page = locked[i];
    mapping.Unlock(page.index, page.pfn);
    const Fate fate = FateOf(page, asked[i]->referenced, references);
    const bool there = mapping.Lookup(page.index) == page.pfn;  // else it was truncated
    shadow.in_workingset = asked[i]->in_workingset;
    if (fate == Fate::kEvicted && there) mapping.Evict(page.index, shadow);
    if (fate != Fate::kEvicted || there) asked[i]->fate = fate;
  }
  --file.opens;
}

// Asks page tables, and takes away the entries of pages that nobody keeps (try_to_unmap).
sim::Task<void> Evictor::Unmap(sim::Path& path, FileId file, std::span<MappedPage> pages,
                               References references) const {
  co_await mapped_pages_.Look(path, file, pages);
  std::vector<MappedPage> unused;
  for (const MappedPage& page : pages) {
    // PG_referenced only says where it stays.
    if (page.entries > 0 && FateOf(page, false, references) == Fate::kEvicted) unused.push_back(page);
  }
  if (!unused.empty()) co_await mapped_pages_.Unmap(path, file, unused);
}

}  // namespace numasim
