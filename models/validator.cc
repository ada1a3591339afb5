#include "models/validator.h"

#include <array>
#include <cstddef>
#include <utility>

#include "models/base/problem_list.h"
#include "models/contig/contig_check.h"
#include "models/hotplug/virtio_mem_check.h"
#include "models/hugetlb/hugetlb_check.h"
#include "models/mm/reference_check.h"
#include "models/page_cache/mapping_check.h"
#include "models/page_cache/shmem.h"
#include "models/physical/kernel_pages.h"
#include "models/physical/lru_check.h"
#include "models/physical/thp_page.h"
#include "models/physical/zone_check.h"
#include "proto/counter_info.h"
#include "proto/counters.h"

namespace numasim {
namespace {

// Gauges of frames in use, by owner; the others have none.
struct Gauge {
  FrameOwner::Kind owner;
  NodeCounter counter;
};
constexpr Gauge kGauges[] = {{FrameOwner::kAnon, NR_ANON_PAGES},
                             {FrameOwner::kShmem, NR_SHMEM},
                             {FrameOwner::kPageTable, NR_PAGE_TABLE_PAGES}};
using PagesByOwner = std::array<int64_t, 8>;

// Pages of slab caches, of all that the kernel has.
void CheckSlabs(const MemorySystem& memory, const std::vector<int64_t>& by_node, ProblemList& problems) {
  for (size_t n = 0; n < by_node.size(); ++n) {
    const Node& node = memory.node(NodeId{static_cast<int32_t>(n)});
    problems.Expect(node.counters[NR_SLAB_RECLAIMABLE], by_node[n], "node", n, ": nr_slab_reclaimable");
  }
}

// Of an anonymous huge page the gauge counts what is mapped.
int64_t CountedPages(const Zone& zone, Pfn pfn, int order, const FrameOwner& owner) {
  const bool thp = order == ThpPage::kOrder && owner.kind == FrameOwner::kAnon;
  return thp ? ThpPage::MappedParts(zone.frames(), zone.frames().Index(pfn)) : int64_t{1} << order;
}

// What was in use at boot is not in the counters: they begin at 0.
void CheckGauges(const MemorySystem& memory, const std::vector<PagesByOwner>& by_node,
                 const std::vector<int64_t>& boot_users, ProblemList& problems) {
  for (int n = 0; n < memory.node_count(); ++n) {
    const Node& node = memory.node(NodeId{n});
    for (const Gauge& gauge : kGauges) {
      const int64_t before = gauge.owner == FrameOwner::kAnon ? boot_users[n] : 0;
      problems.Expect(node.counters[gauge.counter], by_node[n][gauge.owner] - before, "node", n, ": ",
                      NameOf(gauge.counter).name);
    }
    const int64_t cached = by_node[n][FrameOwner::kShmem] + by_node[n][FrameOwner::kFile];
    problems.Expect(node.counters[NR_FILE_PAGES], cached, "node", n, ": nr_file_pages");
    LruCheck::Check(node, by_node[n][FrameOwner::kFile], problems);
  }
}

// Nodes of files' trees that have only shadows, by the files' homes.
void CheckShadowNodes(const MemorySystem& memory, const ShmemFiles& files, ProblemList& problems) {
  std::vector<int64_t> by_node(static_cast<size_t>(memory.node_count()));
  files.ForEachFile([&](FileId id, const ShmemFile& file) {
    by_node[static_cast<size_t>(id.home.value)] += MappingCheck::ShadowNodes(file.mapping);
  });
  for (size_t n = 0; n < by_node.size(); ++n) {
    const Node& node = memory.node(NodeId{static_cast<int32_t>(n)});
    problems.Expect(node.counters[WORKINGSET_NODES], by_node[n], "node", n, ": workingset_nodes");
  }
}

// Transparent huge pages of a node that are counted: those of anonymous memory that PMDs map, those of files,
// and those of them that PMDs map, which have more than the page cache's reference.
struct Thps {
  int64_t anon_by_pmd = 0;
  int64_t of_files = 0;
  int64_t of_files_by_pmd = 0;

  void Add(int order, const FrameOwner& owner) {
    if (order != ThpPage::kOrder) return;
    if (owner.kind == FrameOwner::kAnon && owner.mapcount > 0) ++anon_by_pmd;
    if (owner.kind == FrameOwner::kShmem) ++of_files;
    if (owner.kind == FrameOwner::kShmem && owner.mapcount > 1) ++of_files_by_pmd;
  }
};
void CheckThpGauges(const MemorySystem& memory, const std::vector<Thps>& by_node, ProblemList& problems) {
  for (int n = 0; n < memory.node_count(); ++n) {
    const auto& counters = memory.node(NodeId{n}).counters;
    const Thps& thps = by_node[n];
    problems.Expect(counters[NR_ANON_THPS], thps.anon_by_pmd, "node", n, ": nr_anon_transparent_hugepages");
    problems.Expect(counters[NR_SHMEM_THPS], thps.of_files, "node", n, ": nr_shmem_hugepages");
    problems.Expect(counters[NR_SHMEM_PMDMAPPED], thps.of_files_by_pmd, "node", n, ": nr_shmem_pmdmapped");
  }
}

// The frames of huge pages are those of the pools.
void CheckHugePageFrames(const Hugetlb& hugetlb, const std::vector<PagesByOwner>& by_node,
                         ProblemList& problems) {
  for (size_t n = 0; n < by_node.size(); ++n) {
    int64_t pages = 0;
    for (const HugeSize size : kHugeSizes) {
      const HstateNode& node = hugetlb.pool().hstate(size).node(NodeId{static_cast<int32_t>(n)});
      pages += node.counters[NR_HUGEPAGES] << OrderOf(size);
    }
    problems.Expect(by_node[n][FrameOwner::kHugetlb], pages, "node", n, ": the frames of huge pages");
  }
}

// Every allocation is counted once by where it was wanted and once by who asked; a miss of one node is
// foreign to another.
void CheckNumaCounters(const MemorySystem& memory, ProblemList& problems) {
  int64_t missed = 0;
  int64_t foreign = 0;
  for (int n = 0; n < memory.node_count(); ++n) {
    const auto& counters = memory.node(NodeId{n}).counters;
    problems.Expect(counters[LOCAL_NODE] + counters[OTHER_NODE], counters[NUMA_HIT] + counters[NUMA_MISS],
                    "node", n, ": local_node and other_node together");
    missed += counters[NUMA_MISS];
    foreign += counters[NUMA_FOREIGN];
  }
  problems.Expect(foreign, missed, "numa_foreign of all nodes");
}

// Zones and nodes hold what the global LP computed.
void CheckSettings(const MemorySystem& memory, ProblemList& problems) {
  const std::vector<Zone*>& zones = memory.zones();
  for (size_t i = 0; i < zones.size(); ++i) {
    const Zone& zone = *zones[i];
    const Reserves::ZoneSettings& expected = memory.reserves().settings()[i];
    const Watermarks& marks = zone.watermarks();
    problems.Expect(marks.min, expected.watermarks.min, zone.Name(), ": the min watermark");
    problems.Expect(marks.low, expected.watermarks.low, zone.Name(), ": the low watermark");
    problems.Expect(marks.high, expected.watermarks.high, zone.Name(), ": the high watermark");
    for (size_t type = 0; type < kZoneTypes; ++type) {
      problems.Expect(zone.lowmem_reserve()[type], expected.lowmem_reserve[type], zone.Name(),
                      ": lowmem_reserve[", type, "]");
    }
    for (int cpu = 0; cpu < zone.cpus(); ++cpu) {
      const PcpLists& pcp = zone.pcp(CpuId{cpu});
      problems.Expect(pcp.high, expected.pcp_high, zone.Name(), ": cpu ", cpu, ": the PCP high");
      problems.Expect(pcp.batch, expected.pcp_batch, zone.Name(), ": cpu ", cpu, ": the PCP batch");
    }
  }
  for (int n = 0; n < memory.node_count(); ++n) {
    if (memory.node(NodeId{n}).thp.enabled == memory.thp().enabled) continue;
    problems.Add("node", n, ": its copy of transparent_hugepage/enabled differs from the global one");
  }
}

// The global LP knows of the memory that the zones have, and nothing uses a block that is offline.
void CheckMemoryBlocks(const MemorySystem& memory, ProblemList& problems) {
  const MemoryBlocks& blocks = memory.blocks();
  int64_t online = 0;
  for (MemoryBlockId id{0}; id < blocks.end(); ++id.value) {
    const MemoryBlock* const block = blocks.Find(id);
    if (block == nullptr) continue;
    if (block->online) {
      online += block->present;
      continue;
    }
    if (block->zone == nullptr) {
      problems.Add("memory block ", id.value, " is offline, but several zones have memory in it");
      continue;
    }
    const FrameStore& frames = block->zone->frames();
    for (Pfn pfn = id.start(); pfn < id.start() + kMemoryBlockPages; pfn = pfn + kPageblockPages) {
      if (frames.Find(frames.Index(pfn)).kind == FrameKind::kUnmanaged) continue;
      problems.Add(block->zone->Name(), ": pfn ", pfn.value, " is managed, but memory block ", id.value,
                   " is offline");
      break;
    }
  }
  int64_t present = 0;
  int64_t managed = 0;
  for (size_t i = 0; i < memory.zones().size(); ++i) {
    const Zone& zone = *memory.zones()[i];
    present += zone.present();
    managed += zone.managed();
    problems.Expect(memory.reserves().zones()[i].managed, zone.managed(), zone.Name(),
                    ": the managed pages that the reserves are computed from");
  }
  problems.Expect(online, present, "the pages of memory blocks that are online");
  problems.Expect(memory.managed_pages(), managed, "the count of managed pages of all zones");
  for (int n = 0; n < memory.node_count(); ++n) {
    int64_t of_node = 0;
    for (const Zone* const zone : memory.zones()) of_node += zone->node() == NodeId{n} ? zone->present() : 0;
    problems.Expect(memory.present_pages(NodeId{n}), of_node, "node", n, ": the count of its present pages");
    problems.Expect(memory.node(NodeId{n}).total_pages, managed, "node", n, ": its copy of that count");
  }
}

// Who maps the huge zero page has a reference to it, and what is queued to be split is a huge page.
void CheckThp(const Kernel& kernel, const std::vector<const Process*>& processes, ProblemList& problems) {
  const HugeZeroPage& zero = kernel.thp().zero_page();
  const ZeroPageRefs refs = kernel.memory().kernel().zero_page_refs;
  int64_t used = 0;
  for (const Process* const process : processes) {
    const int64_t mapped = process->space.page_table().huge_zero_pages();
    const int64_t wanted = refs == ZeroPageRefs::kMapping ? mapped
                           : refs == ZeroPageRefs::kMm    ? int64_t{process->huge_zero_page}
                                                          : 0;
    problems.Expect(process->zero_page_refs, wanted, "process ", process->name,
                    ": its references to the huge zero page");
    used += process->zero_page_refs;
  }
  problems.Expect(zero.refs(), used + (zero.page() == kNoPfn ? 0 : 1),
                  "the references to the huge zero page");
  const MemorySystem& memory = kernel.memory();
  for (int n = 0; n < memory.node_count(); ++n) {
    for (const Pfn page : memory.node(NodeId{n}).split_queue.Pages()) {
      const FrameStore& frames = memory.ZoneOf(page)->frames();
      const FrameIndex frame = frames.Index(page);
      const bool thp = FrameStore::KindOf(frames.state(frame, ThpPage::kOrder)) == FrameKind::kAllocated &&
                       frames.owner(frame, ThpPage::kOrder).kind == FrameOwner::kAnon;
      if (!thp) problems.Add("node", n, ": pfn ", page.value, " is queued to be split, but is no huge page");
    }
  }
}

void CheckCpus(const MemorySystem& memory, ProblemList& problems) {
  for (int cpu = 0; cpu < memory.cpu_count(); ++cpu) {
    if (memory.cpu(CpuId{cpu}).busy()) problems.Add("cpu ", cpu, " is held though nothing runs");
  }
}

}  // namespace

Validator::Validator(const Kernel& kernel)
    : kernel_(kernel), boot_users_(static_cast<size_t>(kernel.memory().node_count())) {
  ProblemList ignored;
  for (const Zone* zone : kernel.memory().zones()) {
    int64_t& users = boot_users_[zone->node().value];
    const ZoneCensus census = CheckZone(*zone, ignored, [&](Pfn pfn, int order, const FrameOwner& owner) {
      if (owner.kind == FrameOwner::kAnon) users += CountedPages(*zone, pfn, order, owner);
    });
    kernel_pages_.push_back(census.kernel);
  }
}

std::vector<std::string> Validator::Check(const std::vector<const Process*>& processes) const {
  const MemorySystem& memory = kernel_.memory();
  ProblemList problems;
  const PageReferences references = GatherReferences(processes, kernel_.files(), problems);
  ReferenceCheck reference_check(memory, processes, kernel_.processes().anon_vmas(), references, problems);
  reference_check.CheckOutside();
  std::vector<PagesByOwner> by_node(static_cast<size_t>(memory.node_count()));
  std::vector<Thps> thps(by_node.size());
  std::vector<int64_t> slabs(by_node.size());
  for (size_t i = 0; i < kernel_pages_.size(); ++i) {
    const Zone& zone = *memory.zones()[i];
    PagesByOwner& pages = by_node[zone.node().value];
    int64_t with_hypervisor = 0;  // unplugged, but its memory block is still there
    reference_check.BeginZone(zone);
    const ZoneCensus census = CheckZone(zone, problems, [&](Pfn pfn, int order, const FrameOwner& owner) {
      pages[owner.kind] += CountedPages(zone, pfn, order, owner);
      thps[zone.node().value].Add(order, owner);
      if (owner.kind == FrameOwner::kKernel && owner.object == kInSlabs)
        slabs[zone.node().value] += int64_t{1} << order;
      if (owner.kind == FrameOwner::kOffline) with_hypervisor += int64_t{1} << order;
      reference_check.Allocated(pfn, order, owner);
    });
    reference_check.EndZone();
    problems.Expect(census.managed() - with_hypervisor, zone.managed(), zone.Name(),
                    ": the count of managed pages");
    const Pfn zero_page = kernel_.thp().zero_page().page();
    const bool here = zero_page != kNoPfn && memory.ZoneOf(zero_page) == &zone;
    problems.Expect(census.kernel, kernel_pages_[i] + (here ? kPageblockPages : 0), zone.Name(),
                    ": the count of the kernel's own pages");
  }
  CheckGauges(memory, by_node, boot_users_, problems);
  CheckThpGauges(memory, thps, problems);
  CheckSlabs(memory, slabs, problems);
  CheckShadowNodes(memory, kernel_.files(), problems);
  CheckHugePageFrames(kernel_.hugetlb(), by_node, problems);
  CheckThp(kernel_, processes, problems);
  CheckHugetlb(memory, kernel_.hugetlb(), processes, problems);
  CheckCma(memory, kernel_.contig().cma(), problems);
  CheckVirtioMem(memory, kernel_.virtio_mem(), problems);
  CheckIsolation(memory, problems);
  CheckNumaCounters(memory, problems);
  CheckSettings(memory, problems);
  CheckMemoryBlocks(memory, problems);
  CheckCpus(memory, problems);
  return std::move(problems).Take();
}

}  // namespace numasim
