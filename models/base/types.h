// The strong types of the memory models: a page frame number, a count of pages, a node and so on do not mix.
// The unit of memory is the 4 KiB base page everywhere below the script parser.
#ifndef NUMASIM_MODELS_BASE_TYPES_H_
#define NUMASIM_MODELS_BASE_TYPES_H_

#include <compare>
#include <cstdint>
#include <vector>

#include "models/base/enum_array.h"

namespace numasim {

inline constexpr int kPageShift = 12;
inline constexpr int64_t kPageSize = int64_t{1} << kPageShift;

// Largest order of the buddy allocator (MAX_ORDER - 1 of Linux 6.1): 4 MiB.
inline constexpr int kMaxOrder = 10;
inline constexpr int kOrders = kMaxOrder + 1;
// A pageblock is the unit of grouping by mobility and of a PMD-sized huge page: 2 MiB.
inline constexpr int kPageblockOrder = 9;
inline constexpr int64_t kPageblockPages = int64_t{1} << kPageblockOrder;
// The unit in which memory is brought online and taken offline (MIN_MEMORY_BLOCK_SIZE of x86-64): 128 MiB.
// Large bare-metal machines use larger blocks; the recorded ones do not.
inline constexpr int kMemoryBlockShift = 15;
inline constexpr int64_t kMemoryBlockPages = int64_t{1} << kMemoryBlockShift;
// Orders above this one are costly and not kept on PCP lists, save for kPageblockOrder.
inline constexpr int kCostlyOrder = 3;

// A physical page frame number.
struct Pfn {
  uint64_t value = 0;
  friend auto operator<=>(Pfn, Pfn) = default;
  constexpr Pfn operator+(int64_t pages) const { return Pfn{value + static_cast<uint64_t>(pages)}; }
  constexpr int64_t operator-(Pfn other) const { return static_cast<int64_t>(value - other.value); }
};
inline constexpr Pfn kNoPfn{~uint64_t{0}};

// A virtual page number: an address in a process divided by the page size.
struct Vpn {
  uint64_t value = 0;
  friend auto operator<=>(Vpn, Vpn) = default;
  constexpr Vpn operator+(int64_t pages) const { return Vpn{value + static_cast<uint64_t>(pages)}; }
  constexpr int64_t operator-(Vpn other) const { return static_cast<int64_t>(value - other.value); }
};

struct NodeId {
  int32_t value = 0;
  friend auto operator<=>(NodeId, NodeId) = default;
};
inline constexpr NodeId kNoNode{-1};

struct CpuId {
  int32_t value = 0;
  friend auto operator<=>(CpuId, CpuId) = default;
};

// The id of the process that does something (ProcessTable); kNoTask: the kernel itself, or one that is not
// known.
using TaskId = uint16_t;
inline constexpr TaskId kNoTask = UINT16_MAX;

// Square matrix of SLIT distances, [from][to].
using DistanceMatrix = std::vector<std::vector<int>>;

// A file in memory, as address spaces know it: by number, with the node on whose LP it is (ShmemFiles). Those
// of huge pages, which all such mappings have, are on the global LP (HugetlbFiles).
struct FileId {
  int32_t value = -1;
  NodeId home = kNoNode;  // kNoNode: the global LP
  friend bool operator==(FileId, FileId) = default;
};
inline constexpr FileId kNoFile{};

inline constexpr int kMaxNodes = 64;
// A zone's frames have 32-bit numbers; 8 TiB.
inline constexpr int64_t kMaxZonePages = int64_t{1} << 31;
// No frame is at or above this; 128 TiB, twice what Linux maps with page tables of four levels.
inline constexpr int64_t kMaxPfn = int64_t{1} << 35;

// A set of nodes (nodemask_t).
class NodeMask {
 public:
  constexpr NodeMask() = default;
  constexpr explicit NodeMask(uint64_t bits) : bits_(bits) {}
  static constexpr NodeMask Of(NodeId node) { return NodeMask(uint64_t{1} << node.value); }
  static constexpr NodeMask All() { return NodeMask(~uint64_t{0}); }
  constexpr bool Has(NodeId node) const { return (bits_ >> node.value) & 1; }
  constexpr void Set(NodeId node) { bits_ |= uint64_t{1} << node.value; }
  constexpr void Clear(NodeId node) { bits_ &= ~(uint64_t{1} << node.value); }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr int count() const { return __builtin_popcountll(bits_); }
  // The least node of the set; kNoNode if it is empty.
  constexpr NodeId First() const { return empty() ? kNoNode : NodeId{__builtin_ctzll(bits_)}; }
  // The next node after `node` in the set, wrapping round (next_node_in); kNoNode if it is empty.
  constexpr NodeId NextAfter(NodeId node) const {
    const uint64_t above = node.value >= kMaxNodes - 1 ? 0 : bits_ & (~uint64_t{0} << (node.value + 1));
    return above != 0 ? NodeId{__builtin_ctzll(above)} : First();
  }
  constexpr uint64_t bits() const { return bits_; }
  friend bool operator==(NodeMask, NodeMask) = default;

 private:
  uint64_t bits_ = 0;
};

// enum migratetype; the recordings' kernel is built without CMA, so kCma stays empty unless an area is made.
enum class Migratetype : uint8_t { kUnmovable, kMovable, kReclaimable, kHighAtomic, kCma, kIsolate };
inline constexpr int kMigratetypes = 6;
template <typename T>
using PerMigratetype = EnumArray<Migratetype, T, kMigratetypes>;
inline constexpr int kPcpMigratetypes = 3;  // MIGRATE_PCPTYPES
// As /proc/pagetypeinfo spells them.
inline constexpr PerMigratetype<const char*> kMigratetypeNames = {"Unmovable",  "Movable", "Reclaimable",
                                                                  "HighAtomic", "CMA",     "Isolate"};

// enum zone_type, without ZONE_DEVICE.
enum class ZoneType : uint8_t { kDma, kDma32, kNormal, kMovable };
inline constexpr int kZoneTypes = 4;
template <typename T>
using PerZoneType = EnumArray<ZoneType, T, kZoneTypes>;
inline constexpr PerZoneType<const char*> kZoneNames = {"DMA", "DMA32", "Normal", "Movable"};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_TYPES_H_
