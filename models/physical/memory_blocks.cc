#include "models/physical/memory_blocks.h"

#include <algorithm>

#include "models/physical/layout.h"
#include "sim/check.h"

namespace numasim {

MemoryBlocks::MemoryBlocks(const std::vector<Zone*>& zones) {
  for (Zone* zone : zones) {
    const Zone::Extent& extent = zone->extent();
    const BootMemory memory = BootMemoryOf(extent);
    AddRange(*zone, extent.start, memory.present_end);
    if (memory.low_holes > 0) At(MemoryBlockId::Of(extent.start)).present -= memory.low_holes;
    AddRange(*zone, extent.hot.start, extent.hot.start + extent.hot.plugged);
  }
}

void MemoryBlocks::AddRange(Zone& zone, Pfn begin, Pfn end) {
  while (begin < end) {
    const MemoryBlockId id = MemoryBlockId::Of(begin);
    const Pfn upto = std::min(end, id.start() + kMemoryBlockPages);
    if (id >= this->end()) blocks_.resize(static_cast<size_t>(id.value) + 1);
    MemoryBlock& block = blocks_[id.value];
    block.zone = block.present == 0 ? &zone : nullptr;
    block.nodes.Set(zone.node());
    block.present += upto - begin;
    block.online = true;
    begin = upto;
  }
}

const MemoryBlock* MemoryBlocks::Find(MemoryBlockId id) const {
  if (id.value < 0 || id >= end()) return nullptr;
  const MemoryBlock& block = blocks_[id.value];
  return block.present > 0 ? &block : nullptr;
}

MemoryBlock& MemoryBlocks::At(MemoryBlockId id) {
  NUMASIM_CHECK(Find(id) != nullptr);
  return blocks_[id.value];
}

bool MemoryBlocks::IsOnline(Pfn pfn) const {
  const MemoryBlock* const block = Find(MemoryBlockId::Of(pfn));
  return block != nullptr && block->online;
}

std::optional<MemoryBlockId> MemoryBlocks::OnlineOfNode(NodeId node, int64_t index) const {
  if (index < 0) return std::nullopt;
  for (MemoryBlockId id{0}; id < end(); ++id.value) {
    const MemoryBlock& block = blocks_[id.value];
    if (block.present == 0 || !block.online || !block.nodes.Has(node)) continue;
    if (index-- == 0) return id;
  }
  return std::nullopt;
}

const char* MemoryBlocks::ReasonToStay(MemoryBlockId id) const {
  const MemoryBlock* const block = Find(id);
  if (block == nullptr || !block->online) return "not online";
  if (block->present != kMemoryBlockPages) return "memory holes";
  return block->zone == nullptr ? "multizone range" : nullptr;
}

void MemoryBlocks::SetOnline(MemoryBlockId id, bool online) { At(id).online = online; }

void MemoryBlocks::Add(MemoryBlockId id, Zone& zone) {
  NUMASIM_CHECK(Find(id) == nullptr);
  AddRange(zone, id.start(), id.start() + kMemoryBlockPages);
  SetOnline(id, false);
}

void MemoryBlocks::Remove(MemoryBlockId id) {
  NUMASIM_CHECK(!At(id).online);
  At(id) = MemoryBlock{};
}

}  // namespace numasim
