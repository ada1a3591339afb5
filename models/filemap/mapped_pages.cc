#include "models/filemap/mapped_pages.h"

#include <vector>

namespace numasim {

// A fault that found one of the pages before it was locked is on its way to its process. This path gets there
// behind it, by the global LP and one hop more.
template <typename F>
sim::Task<void> MappedPages::ForEachEntry(sim::Path& path, FileId file, std::span<MappedPage> pages,
                                          F f) const {
  const sim::Duration hop = memory_.costs().hop;
  const sim::LpId home = path.lp();
  const std::vector<Rmap::Group> mappers = Rmap::MappersOf(file, files_.At(file));
  co_await path.GoTo(memory_.global_lp(), hop);
  co_await path.Take(hop);
  int64_t entries = 0;
  co_await rmap_.Walk(path, mappers, [&](Process& process, const Rmap::Group&) {
    if (process.space.entries_held()) return false;
    process.space.ForEachOfFile(false, file, [&](const Vma& vma) {
      for (MappedPage& page : pages) {
        const std::optional<Vpn> vpn = vma.AddressOf(page.index);
        Entry* const entry = vpn.has_value() ? process.space.page_table().FindEntry(*vpn) : nullptr;
        if (entry == nullptr || !entry->present() || entry->anon() || entry->pfn() != page.pfn) continue;
        f(page, vma, *entry);
        ++entries;
      }
    });
    return true;
  });
  co_await path.Take(memory_.costs().unmap_page * entries);
  co_await path.GoTo(home, hop);
}

sim::Task<void> MappedPages::Count(sim::Path& path, FileId file, std::span<MappedPage> pages) const {
  co_await ForEachEntry(path, file, pages, [](MappedPage& page, const Vma&, Entry&) { ++page.entries; });
}

sim::Task<void> MappedPages::Look(sim::Path& path, FileId file, std::span<MappedPage> pages) const {
  co_await ForEachEntry(path, file, pages, [](MappedPage& page, const Vma& vma, Entry& entry) {
    ++page.entries;
    page.young += entry.old() ? 0 : 1;
    page.mlocked |= vma.locked;
    entry = entry.WithOld(true);
  });
}

sim::Task<void> MappedPages::Unmap(sim::Path& path, FileId file, std::span<MappedPage> pages) const {
  co_await ForEachEntry(path, file, pages, [](MappedPage&, const Vma&, Entry& entry) { entry = Entry(); });
}

}  // namespace numasim
