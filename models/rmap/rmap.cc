#include "models/rmap/rmap.h"

#include <algorithm>
#include <compare>
#include <map>
#include <utility>

namespace numasim {
namespace {

// Counts an entry that maps the page, or a part of it.
void CountEntry(const Rmap::Unmapping& page, Entry entry, int order, int64_t& whole,
                std::vector<int32_t>& parts) {
  if (order == page.from.order()) {
    ++whole;
    return;
  }
  if (parts.empty()) parts.resize(static_cast<size_t>(page.from.pages()));
  ++parts[static_cast<size_t>(entry.pfn() - page.from.head())];
}

}  // namespace

Rmap::Place Rmap::PlaceOf(const FrameOwner& owner) {
  if (owner.kind == FrameOwner::kAnon) return {Place::kAnon, kNoFile, owner.index};
  return {Place::kFile, FileId{static_cast<int32_t>(owner.object)}, owner.index};
}

std::vector<Rmap::Group> Rmap::ByOwner(std::span<const FrameOwner> owners) {
  std::map<std::pair<FrameOwner::Kind, uint64_t>, Group> by_owner;
  for (uint32_t i = 0; i < owners.size(); ++i) {
    const auto kind = static_cast<FrameOwner::Kind>(owners[i].kind);
    const uint64_t object = owners[i].object;
    Group& group = by_owner[{kind, object}];
    group.kind = kind;
    group.object = object;
    group.pages.push_back(i);
  }
  std::vector<Group> groups;
  groups.reserve(by_owner.size());
  for (auto& [owner, group] : by_owner) groups.push_back(std::move(group));
  return groups;
}

std::vector<Rmap::Group> Rmap::MappersOf(FileId file, const Mapping& mapping) {
  std::vector<Group> groups(1);
  groups[0].kind = FrameOwner::kShmem;
  groups[0].object = static_cast<uint64_t>(file.value);
  groups[0].file = file;
  mapping.ForEachMapper([&](uint16_t process) { groups[0].processes.push_back(process); });
  return groups;
}

int64_t Rmap::MappingsOf(Process& process, const Place& place, Folio page) {
  int64_t mappings = 0;
  const auto at = [&](Vpn vpn) {
    PageTable& tables = process.space.page_table();
    const Vpn first{vpn.value >> kPteTableShift << kPteTableShift};
    const Entry* const entry = tables.FindEntry(vpn);
    const Entry* const leaf = tables.FindHuge(first, kPteTableShift);
    if (entry != nullptr && entry->present() && entry->pfn() == page.head()) ++mappings;
    if (leaf != nullptr && leaf->present() && !leaf->zero_page() &&
        leaf->pfn() + (vpn - first) == page.head())
      ++mappings;
  };
  if (place.kind == Place::kAnon) {
    at(Vpn{place.index});
  } else {
    process.space.ForEachOfFile(false, place.file, [&](const Vma& vma) {
      if (const auto vpn = vma.AddressOf(place.index); vpn.has_value()) at(*vpn);
    });
  }
  return mappings;
}

void Rmap::Find(std::vector<Group>& groups) const {
  for (Group& group : groups) {
    if (FrameOwner::OfFile(group.kind)) group.file = files_.IdOf(group.object);
    if (group.kind != FrameOwner::kAnon || group.object == kBootUser) continue;
    const auto& processes = processes_.anon_vmas().ProcessesOf(static_cast<AnonVmaId>(group.object));
    group.processes.assign(processes.begin(), processes.end());
  }
}

// The processes of one home after the other, looked up just before each.
sim::Task<void> Rmap::Walk(sim::Path& path, const std::vector<Group>& groups, Visitor visit) const {
  struct Visit {
    uint16_t process;
    uint32_t group;
    auto operator<=>(const Visit&) const = default;
  };
  const sim::Duration hop = memory_.costs().hop;
  std::vector<Visit> left;
  for (uint32_t i = 0; i < groups.size(); ++i) {
    for (const uint16_t process : groups[i].processes) left.push_back({process, i});
  }
  std::sort(left.begin(), left.end());
  while (!left.empty()) {
    std::vector<Visit> again;
    for (int n = 0; n < memory_.node_count() && !left.empty(); ++n) {
      const sim::LpId lp = memory_.node(NodeId{n}).lp;
      std::vector<std::pair<Process*, Visit>> here;
      std::erase_if(left, [&](const Visit& one) {
        const ProcessTable::Entry entry = processes_.Find(one.process);
        const bool now = entry.process != nullptr && !entry.moving && entry.home == lp;
        if (now) here.emplace_back(entry.process, one);
        return now || entry.process == nullptr;
      });
      if (here.empty()) continue;
      co_await path.HopTo(lp, hop);
      for (const auto& [process, one] : here) {
        if (!visit(*process, groups[one.group])) again.push_back(one);
      }
      co_await path.HopTo(memory_.global_lp(), hop);
    }
    left.insert(left.end(), again.begin(), again.end());
    std::sort(left.begin(), left.end());
    if (!left.empty()) co_await path.Take(hop);
  }
}

sim::Task<void> Rmap::TryToMigrate(sim::Path& path, const std::vector<Group>& groups, PageAt page) const {
  const auto unmap = [page](Process& process, const Group& group) {
    if (process.space.entries_held()) return false;
    process.space.CountMove();
    for (const uint32_t i : group.pages) {
      Unmapping& one = page(i);
      ForEachEntry(process, one.place, one.from, [&one](Vpn, Entry& entry, int order) {
        entry = entry.ToMigration();
        CountEntry(one, entry, order, one.unmapped, one.unmapped_parts);
      });
    }
    return true;
  };
  co_await Walk(path, groups, unmap);
}

// Nobody else changes a migration entry but to take it away.
sim::Task<void> Rmap::RemoveMigrationEntries(sim::Path& path, const std::vector<Group>& groups,
                                             PageAt page) const {
  const auto restore = [page](Process& process, const Group& group) {
    process.space.CountMove();
    for (const uint32_t i : group.pages) {
      Unmapping& one = page(i);
      const Pfn now = (one.moves ? one.to : one.from).head();
      ForEachEntry(process, one.place, one.from, [&one, now](Vpn, Entry& entry, int order) {
        if (!entry.migrating()) return;
        CountEntry(one, entry, order, one.restored, one.restored_parts);
        entry = entry.FromMigration(now + (entry.pfn() - one.from.head()));
      });
    }
    return true;
  };
  co_await Walk(path, groups, restore);
}

}  // namespace numasim
