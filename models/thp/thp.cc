#include "models/thp/thp.h"

#include <array>

#include "proto/counter_info.h"

namespace numasim {

sim::Task<bool> TransparentHugePages::GetZeroPage(sim::Path& path, Process& process) {
  if (process.huge_zero_page && zero_page_refs_ != ZeroPageRefs::kMapping) co_return true;
  const sim::LpId home = path.lp();
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  if (zero_page_.counted()) co_await zero_page_line_.Write(path, process.cpu);
  const bool there = zero_page_.Get();
  co_await path.GoTo(home, memory_.costs().hop);
  if (!there) co_return false;
  process.huge_zero_page = true;
  process.zero_page_refs += zero_page_.counted();
  co_return true;
}

sim::Task<void> TransparentHugePages::InstallZeroPage(sim::Path& path, Process& process, Pfn page) {
  const sim::LpId home = path.lp();
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  if (zero_page_.counted()) co_await zero_page_line_.Write(path, process.cpu);
  const bool used = zero_page_.Install(page);
  co_await path.GoTo(home, memory_.costs().hop);
  process.huge_zero_page = true;
  process.zero_page_refs += zero_page_.counted();
  if (used) {
    ++memory_.node(memory_.NodeOfCpu(process.cpu)).counter(THP_ZERO_PAGE_ALLOC);
    co_return;
  }
  const std::array<Pfn, 1> unused = {page};
  co_await allocator_.FreeBlocks(path, process.cpu, kPageblockOrder, unused);
}

sim::Task<void> TransparentHugePages::PutZeroPage(sim::Path& path, Process& process, int64_t refs) {
  if (refs == 0) co_return;
  process.zero_page_refs -= refs;
  const sim::LpId home = path.lp();
  co_await path.GoTo(memory_.global_lp(), memory_.costs().hop);
  for (int64_t i = 0; i < refs; ++i) {
    co_await zero_page_line_.Write(path, process.cpu);
    zero_page_.Put();
  }
  co_await path.GoTo(home, memory_.costs().hop);
}

std::vector<MemorySystem::CounterColumn> TransparentHugePages::Columns() const {
  std::vector<MemorySystem::CounterColumn> columns;
  const auto add = [&](ThpCounter c, const int64_t* value) {
    const CounterName info = NameOf(c);
    columns.push_back({{info.name, info.unit, value, memory_.global_lp()}, info.gauge, info.more_is_worse});
  };
  for (const ThpCounter c : {KHUGEPAGED_PAGES_COLLAPSED, KHUGEPAGED_FULL_SCANS})
    add(c, khugepaged_.counter_ref(c));
  add(HUGE_ZERO_PAGE_REFS, &zero_page_.refs());
  return columns;
}

}  // namespace numasim
