#include "models/mm/mapped_file_pages.h"

#include <algorithm>
#include <cstddef>

#include "models/base/types.h"

namespace numasim {
namespace {

void AddPagesOf(const Process& process, std::vector<Pfn>& pages) {
  for (const auto& [start, vma] : process.space.vmas()) {
    if (vma.hugetlb() || vma.anonymous()) continue;
    process.space.page_table().Walk(vma.start, vma.end, [&pages](Vpn, const Entry& entry, int order) {
      if (!entry.present() || entry.anon() || entry.zero_page()) return;
      for (int64_t i = 0; i < int64_t{1} << order; ++i) pages.push_back(entry.pfn() + i);
    });
  }
}

}  // namespace

std::vector<int64_t> MappedFilePages(const MemorySystem& memory, std::span<const Process* const> processes) {
  std::vector<Pfn> pages;
  for (const Process* const process : processes) AddPagesOf(*process, pages);
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  std::vector<int64_t> by_node(static_cast<size_t>(memory.node_count()));
  for (const Pfn page : pages) ++by_node[static_cast<size_t>(memory.ZoneOf(page)->node().value)];
  return by_node;
}

}  // namespace numasim
