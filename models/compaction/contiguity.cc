#include "models/compaction/contiguity.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "models/compaction/suitability.h"
#include "models/physical/pageblock_use.h"

namespace numasim {

int EmptiableShare(const Zone& zone) {
  int64_t emptiable = 0;
  int64_t all = 0;
  for (const PageblockRun& run : PageblockUses(zone.frames())) {
    switch (run.use) {
      case PageblockUse::kAbsent:
        break;
      case PageblockUse::kFree:
      case PageblockUse::kPartMovable:
      case PageblockUse::kMovable:
      case PageblockUse::kThp:
        emptiable += run.count;
        all += run.count;
        break;
      case PageblockUse::kPartUnmovable:
      case PageblockUse::kUnmovable:
      case PageblockUse::kHugetlb:
        all += run.count;
        break;
    }
  }
  return all == 0 ? 0 : static_cast<int>(emptiable * 1000 / all);
}

std::vector<MemorySystem::CounterColumn> ContiguityColumns(const MemorySystem& memory) {
  std::vector<MemorySystem::CounterColumn> columns;
  for (const Zone* const zone : memory.zones()) {
    const sim::LpId lp = memory.node(zone->node()).lp;
    const auto add = [&](const std::string& name, bool more_is_worse, std::function<int64_t()> compute) {
      columns.push_back({{.name = absl::StrCat(zone->Name(), ".", name),
                          .unit = "1/1000",
                          .lp = lp,
                          .compute = std::move(compute)},
                         /*gauge=*/true,
                         more_is_worse});
    };
    for (int order = 0; order < kOrders; ++order)
      add(absl::StrCat("unusable_index.order", order), true,
          [zone, order] { return UnusableIndex(*zone, order); });
    for (int order = 0; order < kOrders; ++order)
      add(absl::StrCat("extfrag_index.order", order), true,
          [zone, order] { return FragmentationIndex(*zone, order); });
    add("emptiable_share", false, [zone] { return EmptiableShare(*zone); });
  }
  return columns;
}

}  // namespace numasim
