#include "workloads/alloc_trace/gfp_names.h"

#include <algorithm>
#include <iterator>

namespace numasim::workloads {
namespace {

struct Name {
  std::string_view name;
  GfpFlags flags;
};

// show_gfp_flags() of Linux 6.1 prints the sets before the single flags.
constexpr Name kNames[] = {
    {"GFP_TRANSHUGE", kGfpTranshuge},
    {"GFP_TRANSHUGE_LIGHT", kGfpTranshugeLight},
    {"GFP_HIGHUSER_MOVABLE", kGfpHighuserMovable},
    {"GFP_HIGHUSER", kGfpHighuser},
    {"GFP_USER", kGfpReclaim},
    {"GFP_KERNEL_ACCOUNT", kGfpKernel},
    {"GFP_KERNEL", kGfpKernel},
    {"GFP_NOFS", kGfpReclaim},
    {"GFP_ATOMIC", kGfpHigh | kGfpKswapdReclaim},
    {"GFP_NOIO", kGfpReclaim},
    {"GFP_NOWAIT", kGfpKswapdReclaim},
    {"GFP_DMA", kGfpDma},
    {"GFP_DMA32", kGfpDma32},
    {"__GFP_DMA", kGfpDma},
    {"__GFP_DMA32", kGfpDma32},
    {"__GFP_HIGHMEM", kGfpHighmem},
    {"__GFP_HIGH", kGfpHigh},
    {"__GFP_ATOMIC", {}},
    {"__GFP_IO", {}},
    {"__GFP_FS", {}},
    {"__GFP_NOWARN", kGfpNoWarn},
    {"__GFP_RETRY_MAYFAIL", kGfpRetryMayfail},
    {"__GFP_NOFAIL", {}},
    {"__GFP_NORETRY", kGfpNoRetry},
    {"__GFP_COMP", kGfpComp},
    {"__GFP_ZERO", {}},
    {"__GFP_NOMEMALLOC", {}},
    {"__GFP_MEMALLOC", {}},
    {"__GFP_HARDWALL", {}},
    {"__GFP_THISNODE", kGfpThisNode},
    {"__GFP_RECLAIMABLE", kGfpReclaimable},
    {"__GFP_MOVABLE", kGfpMovable},
    {"__GFP_ACCOUNT", {}},
    {"__GFP_WRITE", {}},
    {"__GFP_RECLAIM", kGfpReclaim},
    {"__GFP_DIRECT_RECLAIM", kGfpDirectReclaim},
    {"__GFP_KSWAPD_RECLAIM", kGfpKswapdReclaim},
    {"__GFP_ZEROTAGS", {}},
    {"__GFP_SKIP_ZERO", {}},
    {"__GFP_SKIP_KASAN_POISON", {}},
    {"__GFP_SKIP_KASAN_UNPOISON", {}},
    {"__GFP_NOLOCKDEP", {}},
    // Newer than 6.1.
    {"__GFP_SKIP_KASAN", {}},
    {"__GFP_NO_OBJ_EXT", {}},
    // Before 4.14.
    {"GFP_TEMPORARY", kGfpReclaim | kGfpReclaimable},
    {"__GFP_NOTRACK", {}},
    {"__GFP_COLD", {}},
    {"__GFP_OTHER_NODE", {}},
    {"__GFP_REPEAT", kGfpRetryMayfail},
    // Before 4.4: who may wait also wakes kswapd. Without its two underscores it is what 2.6 and 3.x print.
    {"__GFP_WAIT", kGfpReclaim},
    {"GFP_WAIT", kGfpReclaim},
    {"GFP_HIGH", kGfpHigh},
    {"GFP_IO", {}},
    {"GFP_COLD", {}},
    {"GFP_NOWARN", kGfpNoWarn},
    {"GFP_REPEAT", kGfpRetryMayfail},
    {"GFP_NOFAIL", {}},
    {"GFP_NORETRY", kGfpNoRetry},
    {"GFP_COMP", kGfpComp},
    {"GFP_ZERO", {}},
    {"GFP_NOMEMALLOC", {}},
    {"GFP_MEMALLOC", {}},
    {"GFP_HARDWALL", {}},
    {"GFP_THISNODE", kGfpThisNode},
    {"GFP_RECLAIMABLE", kGfpReclaimable},
    {"GFP_MOVABLE", kGfpMovable},
    {"GFP_NOTRACK", {}},
    {"GFP_NO_KSWAPD", {}},
    {"GFP_OTHER_NODE", {}},
    // No flag at all.
    {"none", {}},
    {"GFP_NONE", {}},
};

struct Bit {
  uint64_t bit;
  GfpFlags flags;
};

constexpr Bit kBits[] = {
    {0x01, kGfpDma},
    {0x02, kGfpHighmem},
    {0x04, kGfpDma32},
    {0x08, kGfpMovable},
    {0x10, kGfpReclaimable},
    {0x20, kGfpHigh},
    {0x400, kGfpDirectReclaim},
    {0x800, kGfpKswapdReclaim},
    {0x2000, kGfpNoWarn},
    {0x4000, kGfpRetryMayfail},
    {0x10000, kGfpNoRetry},
    {0x40000, kGfpComp},
    {0x200000, kGfpThisNode},
};

}  // namespace

std::optional<GfpFlags> GfpNamed(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kNames), std::end(kNames),
                                         [&](const Name& known) { return known.name == name; });
  return found == std::end(kNames) ? std::nullopt : std::optional(found->flags);
}

GfpFlags GfpOfBits(uint64_t bits) {
  GfpFlags gfp;
  for (const Bit& bit : kBits) gfp |= bit.flags.If((bits & bit.bit) != 0);
  return gfp;
}

GfpFlags GfpWithType(GfpFlags gfp, Migratetype type) {
  if (static_cast<int>(type) >= kPcpMigratetypes || GfpMigratetype(gfp) == type) return gfp;
  return gfp.Without(kGfpMovable | kGfpReclaimable) | kGfpMovable.If(type == Migratetype::kMovable) |
         kGfpReclaimable.If(type == Migratetype::kReclaimable);
}

}  // namespace numasim::workloads
