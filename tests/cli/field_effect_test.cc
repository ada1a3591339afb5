// Every field of a scenario has an effect, or is refused, or is named in a warning. The table below has an
// entry for each field of proto/scenario.proto; a new field without one fails the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/metrics/expectations.h"
#include "cli/run/summary.h"
#include "cli/run/traced_run.h"
#include "google/protobuf/descriptor.h"
#include "proto/scenario.pb.h"
#include "proto/trace_reader.h"
#include "tests/cli/program_test.h"

namespace numasim {
namespace {

enum class Effect {
  kTrace,    // what is counted, logged or printed differs
  kRefused,  // the scenario is not accepted
  kWarned,   // a warning tells that it has none
};

// A scenario in which everything that a field could change happens.
constexpr char kDescribed[] = R"(
name: "base"
machine {
  node { memory: "256M" cpus: 2 }
  node { memory: "6G" cpus: 2 }
  distance { to: [ 10, 20 ] }
  distance { to: [ 20, 10 ] }
  virtio_mem { node: 1 max: "256M" plugged: "128M" }
  hugepages { node: 0 size: "2M" nr: 82 free: 81 surplus: 1 }
  hugepages { node: 1 size: "2M" nr: 14 }
  hugepages { size: "2M" reserved: 2 overcommit: 4 }
}
kernel {
  thp { enabled: "never" }
  hugetlb { irq_free: "workqueue" }
  contig { offline_patience: "5ms" }
  cma { area { name: "camera" node: 1 size: "64M" } hugetlb { node: 1 size: "3G" } }
}
cost_model { }
workload {
  script {
    name: "first"
    loops: 1
    line: "spawn p"
    line: "@p map heap 90M anon"
    line: "@p touch heap"
    line: "@p touch heap 0 1M r"
    line: "@p fork q"
    line: "@q touch heap 0 8M"
    line: "@q exit"
    line: "@p unmap heap 80M 10M"
    line: "@p map huge 24M hugetlb-2M"
    line: "@p touch huge"
    line: "@p move huge 1"
    line: "@p pin huge"
    line: "@p unmap huge"
    line: "@p unpin huge irq"
    line: "pool 2M node1 20"
    line: "pool 1G node1 3"
    line: "pool 2M all 40"
    line: "pool 2M all 60"
    line: "pool 2M all 10"
    line: "cma_alloc camera buffer 4M"
    line: "cma_release buffer"
    line: "pool 2M node1 3000"
    line: "virtio_mem 256M"
    line: "virtio_mem 0"
    line: "offline_block node0 1"
  }
  script {
    name: "second"
    start: "1ms"
    copies: 2
    stagger: "1ms"
    line: "spawn r"
    line: "@r cpu 1"
    line: "@r map heap 20M anon"
    line: "@r touch heap"
    line: "pool 2M node1 30"
    line: "pool 2M node1 9"
    line: "@r exit"
  }
}
trace { interval: "1ms" counters: "*" }
)";

// A node that is filled with page cache.
constexpr char kWithDisk[] = R"(
name: "disk"
machine { node { memory: "128M" } disk: "1G" }
cost_model { }
workload {
  script {
    name: "reader"
    line: "spawn p"
    line: "@p map f 512M file file=data shared"
    line: "@p read f 0 16M"
    line: "@p read f 0 16M"
    line: "@p read f"
    line: "@p fallocate f 0 8M"
    line: "@p map a 1G anon"
    line: "@p touch a 0 64K"
  }
}
trace { interval: "1ms" counters: "*" }
)";

constexpr char kRecorded[] = R"(
machine {
  min_free_kbytes: 4000
  zone {
    node: 0 name: "DMA32" start_pfn: 4096 spanned: 61440 present: 61000 managed: 60000 free: 49154
    min: 900 low: 1200 high: 1500 protection: [ 0, 0, 50, 50 ]
    pcp { cpu: 0 count: 10 high: 100 batch: 20 }
    pcp { cpu: 1 count: 0 high: 100 batch: 20 }
    free_total: [ 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48 ]
    free_blocks { type: "Unmovable" blocks: [ 1 ] }
    free_blocks { type: "Movable" blocks: [ 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48 ] }
    pageblocks { type: "Unmovable" count: 10 }
    pageblocks { type: "Movable" count: 110 }
  }
  cpus { node_of_cpu: [ 0, 0 ] }
}
kernel { thp { enabled: "never" } }
workload { script {
  line: "spawn p" line: "@p map heap 150M anon" line: "@p touch heap"
  line: "@p map more 150M anon" line: "@p touch more"
  line: "@p unmap heap 0 100M" line: "sysctl vm.watermark_scale_factor 200" line: "pool 2M all 4"
  line: "spawn q" line: "@q map heap 150M anon" line: "@q touch heap"
  line: "offline_block node0 0"
} }
)";

// A recorded machine that reads more of a file than it has memory, so that kswapd has work.
constexpr char kRecordedCache[] = R"(
machine {
  disk: "1G"
  zone {
    node: 0 name: "DMA32" start_pfn: 4096 spanned: 61440 present: 61440 managed: 61440
    min: 900 low: 1200 high: 1500 protection: [ 0, 0, 50, 50 ]
    pcp { cpu: 0 count: 0 high: 100 batch: 20 }
    free: 49154 free_total: [ 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48 ]
    free_blocks { type: "Movable" blocks: [ 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48 ] }
    pageblocks { type: "Movable" count: 120 }
  }
  cpus { node_of_cpu: [ 0 ] }
}
kernel { thp { enabled: "never" } }
workload { script {
  line: "spawn p" line: "@p map f 400M file file=data shared" line: "@p read f" line: "sleep 100"
} }
)";

// A page that is pinned keeps a memory block from going offline.
constexpr char kPinned[] = R"(
machine { node { memory: "384M" } }
kernel { thp { enabled: "never" } contig { offline_patience: "5ms" } }
workload { script {
  line: "spawn p" line: "@p map heap 150M anon" line: "@p touch heap" line: "@p pin heap"
  line: "offline_block node0 1"
} }
)";

// A machine of three nodes with 64 MiB and a CPU each from the file that WriteTopology makes. The process
// asks for more than its node has, so what is next to it gives the rest.
constexpr char kFromTopology[] = R"(
machine {
  lstopo_file: "three_nodes.xml"
}
kernel { thp { enabled: "never" } }
workload { script {
  line: "spawn p" line: "@p cpu 0" line: "@p map heap 80M anon" line: "@p touch heap" line: "pool 2M all 2"
} }
)";

// All that a file says: machines, and a load.
constexpr char kFromBootState[] = R"(
machine { boot_state_file: "some.json" }
kernel { thp { enabled: "never" } }
workload { script { line: "spawn p" line: "@p map heap 64M anon" line: "@p touch heap" } }
)";
constexpr char kFromSnapshot[] = R"(
machine { snapshot_file: "some_machine.textproto" }
kernel { thp { enabled: "never" } }
workload { script { name: "load" file: "some.mm" } }
)";

// CMA areas and huge pages that no script names.
constexpr char kWithAreas[] = R"(
machine {
  node { memory: "4G" cpus: 1 }
  node { memory: "4G" cpus: 1 }
  hugepages { node: 1 size: "2M" nr: 1 }
}
kernel {
  thp { enabled: "never" }
  cma { area { name: "camera" node: 1 size: "64M" } hugetlb { node: 0 size: "1G" } }
}
workload { script { line: "spawn p" line: "pool 1G node0 1" line: "pool 1G node1 1" } }
)";

// What a kernel makes of its command line.
constexpr char kWithCmaArgument[] = R"(
machine { node { memory: "128M" cpus: 1 } kernel_args: "cma=16M" }
kernel { thp { enabled: "never" } cma { built: true } }
workload { script { line: "spawn p" line: "@p map heap 64M anon" line: "@p touch heap" } }
)";

// Two nodes, of which the first has no room for all huge pages.
constexpr char kWithThp[] = R"(
machine {
  node { memory: "64M" cpus: 1 }
  node { memory: "128M" cpus: 1 }
}
kernel { thp { enabled: "always" } }
cost_model { }
workload { script {
  line: "spawn p" line: "@p map heap 80M anon" line: "@p touch heap" line: "@p map zeros 4M anon" line: "@p touch zeros r"
  line: "@p advise heap 0 64K dontneed" line: "khugepaged 1" line: "drop_caches 2"
  line: "@p map shared 4M anon shared" line: "@p touch shared"
  line: "spawn q" line: "@p map f 2M shmem file=f" line: "@q map f 2M shmem file=f" line: "thp shmem_enabled deny"
  line: "@p touch f" line: "@q touch f" line: "thp shmem_enabled never" line: "@p advise f 0 2M collapse"
  line: "khugepaged 2" line: "@q touch f"
} }
)";

// A node where only compaction makes huge pages, and a mapping that is larger than all memory.
constexpr char kFragmented[] = R"(
machine { node { memory: "128M" cpus: 1 } }
kernel { thp { enabled: "never" } }
workload { script {
  line: "spawn p" line: "@p map a 100M anon" line: "@p touch a" line: "@p advise a 0 100M dontneed 8K"
  line: "pool 2M node0 40" line: "@p map b 1G anon"
} }
)";

// Guests, for whom there are not huge pages enough.
constexpr char kWithGuests[] = R"(
machine {
  node { memory: "256M" cpus: 2 }
  node { memory: "256M" cpus: 2 }
  hugepages { node: 0 size: "2M" nr: 12 }
  hugepages { node: 1 size: "2M" nr: 9 }
}
kernel { thp { enabled: "never" } }
workload {
  guests {
    name: "many"
    arrival { poisson { mean: "3ms" } }
    count: 20
    size { lognormal { median: "6M" sigma: 0.8 min: "2M" max: "20M" } }
    lifetime { exponential { mean: "20ms" min: "1ms" max: "50ms" } }
    page_size: [ "2M", "anon" ] page_size_weight: [ 3, 1 ]
    node: [ 0, 1 ]
    policy: [ "bind:own", "interleave:0-1" ] policy_weight: [ 2, 1 ]
    on_failure { retry { after { constant: "3ms" } times: 2 } }
  }
  guests {
    name: "loop"
    arrival { closed_loop { guests: 3 pause { uniform { min: "1ms" max: "2ms" } } } }
    count: 15
    size { zipf { step: "256K" ranks: 8 exponent: 1.5 } }
    lifetime { weibull { scale: "8ms" shape: 0.8 min: "2ms" max: "12ms" } }
    policy: "interleave:0-1"
    touch { share { choice: [ "50%", "100%" ] weight: [ 1, 3 ] } steps: 2 }
  }
}
trace { interval: "1ms" }
)";

// Batch jobs, more than the machine has room for.
constexpr char kWithBatch[] = R"(
machine {
  node { memory: "128M" cpus: 4 }
  node { memory: "128M" cpus: 4 }
}
kernel { thp { enabled: "never" } }
workload {
  batch {
    name: "jobs"
    lublin { jobs: 40 cpus: 8 pace: 40 }
    memory_per_cpu { uniform { min: "1M" max: "20M" } }
    growth { steps: 4 first { uniform { min: "20%" max: "60%" } } over { constant: "90%" } }
  }
}
trace { interval: "1m" }
)";

// Batch jobs of a table.
constexpr char kWithLog[] = R"(
machine { node { memory: "128M" cpus: 4 } }
kernel { thp { enabled: "never" } }
workload { batch { name: "jobs" log: "some.csv" columns: "submit=from,run=for,cpus=cpus,request=mem:M" } }
trace { interval: "1s" }
)";

// A trace of allocations, more than a millisecond long.
constexpr char kWithTrace[] = R"(
machine {
  node { memory: "64M" cpus: 2 }
  node { memory: "64M" cpus: 2 }
}
kernel { thp { enabled: "never" } }
workload {
  allocations { name: "trace" trace: "some.ftrace" }
}
trace { interval: "1ms" }
)";

constexpr char kWithChurn[] = R"(
machine {
  node { memory: "64M" cpus: 2 }
  node { memory: "64M" cpus: 2 }
}
kernel { thp { enabled: "never" } }
workload {
  churn { name: "slab" fill: "20%" free: "50%" rounds: 3 pause: "2ms" }
  churn { name: "others" fill: "1%" start: "1ms" }
}
trace { interval: "1ms" }
)";

// Files of which a part fits in memory, and unmovable memory that has to share pageblocks with movable
// memory.
constexpr char kWithReaders[] = R"(
machine {
  disk: "4G"
  node { memory: "128M" cpus: 2 }
  node { memory: "128M" cpus: 2 }
}
kernel { thp { enabled: "never" } }
workload {
  readers {
    name: "web" until: "900ms" files: 30 size { uniform { min: "1M" max: "2M" } } pause { constant: "20ms" }
  }
  readers { name: "others" start: "1ms" until: "300ms" files: 1 size { constant: "1M" } pause { constant: "9ms" } }
  script {
    line: "spawn p" line: "@p map a 80M anon" line: "@p touch a" line: "pool 2M node0 17"
    line: "@p advise a 0 80M dontneed 8K" line: "@p pipes k 4M" line: "sleep 1000"
  }
}
trace { interval: "10ms" }
)";

// Caches that take all memory, and are shrunk.
constexpr char kWithSlab[] = R"(
machine {
  node { memory: "32M" cpus: 1 }
  node { memory: "32M" cpus: 1 }
}
kernel { thp { enabled: "never" } }
cost_model { }
workload {
  slab { name: "dentry" until: "30ms" pause { constant: "1ms" } grow: 20000 in_use: "10%" }
  slab { name: "others" start: "1ms" until: "10ms" pause { constant: "3ms" } }
}
trace { interval: "1ms" }
)";

// Of each kind two that differ.
void WriteFiles() {
  std::ofstream("some.mm") << "spawn p\n@p map heap 8M anon\n@p touch heap\n";
  std::ofstream("other.mm") << "spawn p\n@p map heap 9M anon\n@p touch heap\n";
  std::ofstream("some_machine.textproto") << "node { memory: '64M' cpus: 1 }\n";
  std::ofstream("other_machine.textproto") << "node { memory: '128M' cpus: 1 }\n";
  fs::copy_file(Runfile("tests/kernel_truth/hugetlb_node_resize.truth.json"), "some.json");
  fs::copy_file(Runfile("tests/kernel_truth/thp_move.truth.json"), "other.json");
  std::ofstream("some.csv") << "from,for,cpus,mem\n0,100,2,8\n1,100,1,4\n";
  std::ofstream("other.csv") << "from,for,cpus,mem\n0,100,2,8\n1,100,2,4\n";
  std::ofstream("some.swf") << "1 0 0 60 2 -1 2048 2 60 -1 1 1 1 1 1 1 -1 -1\n";
  std::ofstream times("times.txt");  // of arrivals, or of lives
  for (int ms = 1; ms <= 20; ++ms) times << ms << "ms\n";
}

void WriteTraces() {
  const auto alloc = [](int us, int pfn) {
    return absl::StrCat("a-1 [001] ..... 1.00", us, ": mm_page_alloc: page=p pfn=", pfn,
                        " order=3 migratetype=0 gfp_flags=GFP_KERNEL\n");
  };
  std::ofstream("some.ftrace") << alloc(1000, 8) << alloc(2000, 16) << alloc(3000, 24);
  std::ofstream("others.ftrace") << alloc(1000, 8) << alloc(2000, 16);
  std::ofstream("some.perf") << "a 1 [001] 1.001000: kmem:mm_page_alloc: page=p pfn=8 order=3 migratetype=0 "
                                "gfp_flags=GFP_KERNEL\n";
}

void WriteTopology(const std::string& name, int64_t node_bytes) {
  const auto sets = [](const std::string& cpus, const std::string& nodes) {
    return absl::StrCat("cpuset=\"", cpus, "\" complete_cpuset=\"", cpus, "\" nodeset=\"", nodes,
                        "\" complete_nodeset=\"", nodes, "\"");
  };
  std::ofstream out(name);
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n"
      << "<topology version=\"2.0\">\n<object type=\"Machine\" os_index=\"0\" " << sets("0x7", "0x7")
      << " allowed_cpuset=\"0x7\" allowed_nodeset=\"0x7\" gp_index=\"1\">\n";
  for (int n = 0; n < 3; ++n) {
    const std::string set = absl::StrCat("0x", 1 << n);
    const int index = 2 + 3 * n;
    out << "<object type=\"Group\" " << sets(set, set) << " gp_index=\"" << index
        << "\" kind=\"1001\" subkind=\"0\">\n<object type=\"NUMANode\" os_index=\"" << n << "\" "
        << sets(set, set) << " gp_index=\"" << index + 1 << "\" local_memory=\"" << node_bytes << "\"/>\n"
        << "<object type=\"PU\" os_index=\"" << n << "\" " << sets(set, set) << " gp_index=\"" << index + 2
        << "\"/>\n</object>\n";
  }
  out << "</object>\n</topology>\n";
}

struct Entry {
  const char* field;  // the message, and the field in it
  const char* scenario;
  const char* from;  // the first of these in the scenario
  const char* to;    // is replaced by this
  Effect effect = Effect::kTrace;
};

// What a cost is set to: far from its default.
std::vector<Entry> Costs() {
  std::vector<Entry> entries;
  static std::vector<std::string>* const texts = new std::vector<std::string>;
  const auto* costs = CostModel::descriptor();
  texts->reserve(static_cast<size_t>(costs->field_count()) * 2);
  for (int i = 0; i < costs->field_count(); ++i) {
    const auto* field = costs->field(i);
    texts->push_back(absl::StrCat("CostModel.", field->name()));
    const char* name = texts->back().c_str();
    int64_t value = field->default_value_int64() * 3 + 100;
    if (field->name() == "timeslice_ns") value = 20'000;        // streams need less than the default
    if (field->name() == "hugetlb_work_ns") value = 2'000'000;  // nobody waits for it, but a sample shows it
    texts->push_back(absl::StrCat("cost_model { ", field->name(), ": ", value, " }"));
    // Of transparent huge pages, which the other scenario does without.
    const std::set<std::string> of_thp = {"split_pmd_ns", "scan_pte_ns", "cache_line_ns"};
    const bool thp = of_thp.contains(std::string(field->name()));
    const bool disk = field->name().starts_with("cache_a") || field->name().starts_with("cache_lo") ||
                      field->name().starts_with("reclaim_") || field->name() == "lru_lock_ns" ||
                      field->name() == "lru_page_ns";
    const bool slab = field->name().starts_with("slab_");
    entries.push_back({name,
                       thp    ? kWithThp
                       : disk ? kWithDisk
                       : slab ? kWithSlab
                              : kDescribed,
                       "cost_model { }", texts->back().c_str()});
  }
  return entries;
}

constexpr char kFreePages[] =
    "free: 49154 free_total: [ 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48 ]\n    free_blocks { type: \"Movable\" "
    "blocks: [ "
    "2,";
constexpr char kMoreFreePages[] =
    "free: 49155 free_total: [ 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48 ]\n    free_blocks { type: \"Movable\" "
    "blocks: [ "
    "3,";

const Entry kEntries[] = {
    {"Scenario.name", kDescribed, "\"base\"", "\"other\""},
    {"Scenario.seed", kDescribed, "name:", "seed: 5 name:", Effect::kWarned},
    {"Scenario.expect", kDescribed, "name:", "expect: 'operation.first.map.failed' name:", Effect::kRefused},
    {"Scenario.expect", kDescribed, "name:", "expect: 'node0.numa_hit == 0' name:"},
    {"Scenario.stop_after", kDescribed, "name:", "stop_after: '20ms' name:"},
    {"Node.memory", kDescribed, "6G", "7G"},
    {"Node.cpus", kDescribed, "cpus: 2", "cpus: 3"},
    {"DistanceRow.to", kDescribed, "[ 10, 20 ]", "[ 10 ]", Effect::kRefused},
    {"Machine.lstopo_file", kFromTopology, "three_nodes", "three_larger_nodes"},
    {"Machine.lstopo_file", kRecorded, "machine {", "machine { lstopo_file: 'x.xml'", Effect::kRefused},
    {"DistanceRow.to", kFromTopology, "machine {",
     "machine { distance { to: [ 10, 30, 20 ] } distance { to: [ 30, 10, 20 ] } distance { to: [ 20, 20, 10 "
     "] }"},
    {"DistanceRow.to", kFromTopology, "machine {", "machine { distance { to: [ 10, 20 ] }", Effect::kRefused},
    {"Machine.kernel_args", kFromTopology, "machine {", "machine { kernel_args: 'hugepages=0:3'"},
    {"Machine.min_free_kbytes", kFromTopology, "machine {", "machine { min_free_kbytes: 9000",
     Effect::kRefused},
    {"NodeCpus.node_of_cpu", kFromTopology, "machine {", "machine { cpus { node_of_cpu: [ 2, 1, 0 ] }"},
    {"VirtioMem.plugged", kFromTopology, "machine {",
     "machine { virtio_mem { node: 1 max: '128M' plugged: '128M' }"},
    {"HugePages.nr", kFromTopology, "machine {", "machine { hugepages { node: 1 size: '2M' nr: 3 }"},
    {"Machine.boot_state_file", kFromBootState, "some.json", "other.json"},
    {"Machine.snapshot_file", kFromSnapshot, "some_machine", "other_machine"},
    {"Machine.boot_state_file", kRecorded, "machine {", "machine { boot_state_file: 'x'", Effect::kRefused},
    {"Machine.snapshot_file", kRecorded, "machine {", "machine { snapshot_file: 'x'", Effect::kRefused},
    {"Machine.kernel_args", kDescribed, "machine {", "machine { kernel_args: 'movablecore=8M'"},
    {"Machine.min_free_kbytes", kRecorded, "min_free_kbytes: 4000", "min_free_kbytes: 9000"},
    {"NodeCpus.node_of_cpu", kDescribed, "machine {", "machine { cpus { node_of_cpu: [ 1, 0, 0, 1 ] }"},
    {"RecordedZone.node", kRecorded, "node: 0", "node: 1"},
    {"RecordedZone.name", kRecorded, "\"DMA32\"", "\"Normal\""},
    {"RecordedZone.start_pfn", kRecorded, "start_pfn: 4096", "start_pfn: 8192"},
    {"RecordedZone.spanned", kRecorded, "spanned: 61440", "spanned: 61952"},
    {"RecordedZone.managed", kRecorded, "managed: 60000", "managed: 59000"},
    {"RecordedZone.high", kRecordedCache, "high: 1500", "high: 3000"},
    // These say the same in three ways, so that only together they can change.
    {"RecordedZone.free", kRecordedCache, kFreePages, kMoreFreePages},
    {"RecordedZone.free_total", kRecordedCache, kFreePages, kMoreFreePages},
    {"FreeBlocks.blocks", kRecordedCache, kFreePages, kMoreFreePages},
    {"FreeBlocks.blocks", kRecorded,
     "\"Unmovable\" blocks: [ 1 ] }\n    free_blocks { type: \"Movable\" blocks: [ 1,",
     "\"Unmovable\" blocks: [ 2 ] }\n    free_blocks { type: \"Movable\" blocks: [ 0,"},
    {"RecordedZone.start_pfn", kRecorded, "start_pfn: 4096", "start_pfn: 34359738368", Effect::kRefused},
    {"RecordedZone.spanned", kRecorded, "spanned: 61440", "spanned: 60000", Effect::kRefused},
    {"RecordedZone.present", kRecorded, "present: 61000", "present: 50000", Effect::kRefused},
    {"RecordedZone.managed", kRecorded, "managed: 60000", "managed: 49154", Effect::kRefused},
    {"RecordedZone.free", kRecorded, "free: 49154", "free: 49153", Effect::kRefused},
    {"RecordedZone.min", kRecorded, "min: 900", "min: 100"},
    {"RecordedZone.low", kRecorded, "low: 1200", "low: 1400"},
    {"RecordedZone.high", kRecorded, "high: 1500", "high: 1100", Effect::kRefused},
    {"RecordedZone.protection", kRecorded, "[ 0, 0, 50, 50 ]", "[ 0, 0, 50, 700 ]"},
    {"PcpList.cpu", kRecorded, "cpu: 0 count: 10 high: 100 batch: 20 }\n    pcp { cpu: 1",
     "cpu: 1 count: 10 high: 100 batch: 20 }\n    pcp { cpu: 0"},
    {"PcpList.cpu", kRecorded, "cpu: 1", "cpu: 7", Effect::kRefused},
    {"PcpList.count", kRecorded, "count: 10", "count: 20"},
    {"PcpList.high", kRecorded, "high: 100 batch: 20 }\n    pcp { cpu: 1 count: 0 high: 100",
     "high: 300 batch: 20 }\n    pcp { cpu: 1 count: 0 high: 300"},
    {"PcpList.high", kRecorded, "count: 0 high: 100", "count: 0 high: 300", Effect::kWarned},
    {"PcpList.batch", kRecorded, "batch: 20 }\n    pcp { cpu: 1 count: 0 high: 100 batch: 20",
     "batch: 30 }\n    pcp { cpu: 1 count: 0 high: 100 batch: 30"},
    {"FreeBlocks.type", kRecorded, "free_blocks { type: \"Movable\"", "free_blocks { type: \"Unmovable\""},
    {"FreeBlocks.blocks", kRecorded, "blocks: [ 1, 0", "blocks: [ 0, 1", Effect::kRefused},
    {"RecordedZone.free_total", kRecorded, "free_total: [ 2, 0", "free_total: [ 0, 2", Effect::kRefused},
    {"PageblockCount.type", kRecorded, "\"Unmovable\" count", "\"Reclaimable\" count"},
    {"PageblockCount.count", kRecorded, "count: 110", "count: 2"},
    {"Machine.disk", kWithDisk, "disk: \"1G\"", "disk: \"1M\""},
    {"VirtioMem.node", kDescribed, "virtio_mem { node: 1", "virtio_mem { node: 0"},
    {"VirtioMem.max", kDescribed, "max: \"256M\"", "max: \"384M\""},
    {"VirtioMem.plugged", kDescribed, "plugged: \"128M\"", "plugged: \"0\""},
    {"HugePages.node", kWithAreas, "hugepages { node: 1", "hugepages { node: 0"},
    {"HugePages.size", kWithAreas, "\"2M\"", "\"1G\""},
    {"HugePages.node", kDescribed, "hugepages { node: 0", "hugepages { node: 7", Effect::kRefused},
    {"HugePages.size", kDescribed, "size: \"2M\"", "size: \"4M\"", Effect::kRefused},
    {"HugePages.nr", kDescribed, "nr: 14", "nr: 15"},
    {"HugePages.free", kDescribed, "free: 81", "free: 80"},
    {"HugePages.surplus", kDescribed, "surplus: 1", "surplus: 0"},
    {"HugePages.reserved", kDescribed, "reserved: 2", "reserved: 3"},
    {"HugePages.overcommit", kDescribed, "overcommit: 4", "overcommit: 5"},
    {"KernelKnobs.min_free_kbytes", kDescribed, "kernel {", "kernel { min_free_kbytes: 9000"},
    {"KernelKnobs.watermark_scale_factor", kDescribed, "kernel {", "kernel { watermark_scale_factor: 500"},
    {"KernelKnobs.percpu_pagelist_high_fraction", kDescribed, "kernel {",
     "kernel { percpu_pagelist_high_fraction: 8"},
    {"KernelKnobs.lowmem_reserve_ratio", kDescribed, "kernel {",
     "kernel { lowmem_reserve_ratio: [ 4, 4, 4, 0 ]"},
    {"KernelKnobs.lowmem_reserve_ratio", kRecorded, "kernel {",
     "kernel { lowmem_reserve_ratio: [ 4, 4, 4, 0 ]"},
    {"KernelKnobs.min_free_kbytes", kRecorded, "kernel {", "kernel { min_free_kbytes: 9000"},
    {"KernelKnobs.watermark_scale_factor", kRecorded, "kernel {", "kernel { watermark_scale_factor: 500"},
    {"KernelKnobs.percpu_pagelist_high_fraction", kRecorded, "kernel {",
     "kernel { percpu_pagelist_high_fraction: 8"},
    {"KernelKnobs.movablecore", kRecorded, "kernel {", "kernel { movablecore: '16M'", Effect::kWarned},
    {"KernelKnobs.movablecore", kDescribed, "kernel {", "kernel { movablecore: '16M'"},
    {"KernelKnobs.max_map_count", kDescribed, "kernel {", "kernel { max_map_count: 5"},
    {"KernelKnobs.extfrag_threshold", kFragmented, "kernel {", "kernel { extfrag_threshold: 1000"},
    {"KernelKnobs.watermark_boost_factor", kWithReaders, "kernel {", "kernel { watermark_boost_factor: 0"},
    {"KernelKnobs.compaction_proactiveness", kWithReaders, "kernel {",
     "kernel { compaction_proactiveness: 0"},
    {"KernelKnobs.overcommit_memory", kWithDisk, "cost_model {",
     "kernel { overcommit_memory: 1 } cost_model {"},
    {"Thp.enabled", kDescribed, "\"never\"", "\"madvise\""},
    {"Thp.shmem_enabled", kWithThp, "thp {", "thp { shmem_enabled: 'always'"},
    {"Thp.defrag", kWithThp, "thp {", "thp { defrag: 'always'"},
    {"Thp.pte_mapped", kWithThp, "thp {", "thp { pte_mapped: 'leave'"},
    {"Thp.zero_page_refs", kWithThp, "thp {", "thp { zero_page_refs: 'mapping'"},
    {"Thp.use_zero_page", kWithThp, "thp {", "thp { use_zero_page: false"},
    {"HugetlbKnobs.irq_free", kDescribed, "\"workqueue\"", "\"direct\""},
    {"HugetlbKnobs.shrink", kDescribed, "hugetlb {", "hugetlb { shrink: 'locked'"},
    {"HugetlbKnobs.resize", kDescribed, "hugetlb {", "hugetlb { resize: 'racing'"},
    {"ContigKnobs.hugetlb", kDescribed, "contig {", "contig { hugetlb: 'fail'"},
    {"ContigKnobs.offline_patience", kPinned, "\"5ms\"", "\"50ms\""},
    {"Area.name", kWithAreas, "\"camera\"", "\"video\""},
    {"Area.name", kDescribed, "area { name: \"camera\"", "area { name: \"video\"", Effect::kRefused},
    {"Area.node", kDescribed, "\"camera\" node: 1", "\"camera\" node: 0"},
    {"Area.size", kDescribed, "\"64M\"", "\"32M\""},
    {"HugetlbArea.node", kWithAreas, "hugetlb { node: 0", "hugetlb { node: 1"},
    {"HugetlbArea.node", kDescribed, "hugetlb { node: 1", "hugetlb { node: 0", Effect::kRefused},
    {"HugetlbArea.size", kDescribed, "\"3G\"", "\"2G\""},
    {"CmaKnobs.built", kWithCmaArgument, "built: true", "built: false", Effect::kWarned},
    {"CmaKnobs.built", kDescribed, "cma {", "cma { built: false", Effect::kRefused},
    {"CmaKnobs.lock", kDescribed, "cma {", "cma { lock: 'mutex'"},
    {"Script.name", kDescribed, "\"second\"", "\"third\""},
    {"Script.name", kDescribed, "\"second\"", "\"first\"", Effect::kRefused},
    {"Script.file", kFromSnapshot, "some.mm", "other.mm"},
    {"Script.file", kDescribed, "name: \"second\"", "name: \"second\" file: 'x.mm'", Effect::kRefused},
    {"Script.line", kDescribed, "20M anon", "21M anon"},
    {"Script.start", kDescribed, "start: \"1ms\"", "start: \"30ms\""},
    {"Script.loops", kDescribed, "copies: 2", "copies: 2 loops: 2"},
    {"Script.copies", kDescribed, "copies: 2", "copies: 3"},
    {"Script.stagger", kDescribed, "stagger: \"1ms\"", "stagger: \"30ms\""},
    {"Scenario.seed", kWithGuests, "machine {", "seed: 5 machine {"},
    {"Guests.name", kWithGuests, "\"many\"", "\"few\""},
    {"Guests.count", kWithGuests, "count: 20", "count: 21"},
    {"Guests.start", kWithGuests, "count: 20", "count: 20 start: '5ms'"},
    {"Guests.until", kWithGuests, "count: 20", "count: 20 until: '20ms'"},
    {"Guests.page_size", kWithGuests, "\"anon\"", "\"1G\""},
    {"Guests.page_size_weight", kWithGuests, "[ 3, 1 ]", "[ 1, 3 ]"},
    {"Guests.node", kWithGuests, "node: [ 0, 1 ]", "node: 1"},
    {"Guests.placement", kWithGuests, "node: [ 0, 1 ]", "node: [ 0, 1 ] placement: 'random'"},
    {"Guests.placement", kWithGuests, "node: [ 0, 1 ]", "node: [ 0, 1 ] placement: 'most_free'"},
    {"Guests.policy", kWithGuests, "\"bind:own\"", "\"bind:0\""},
    {"Guests.policy_weight", kWithGuests, "[ 2, 1 ]", "[ 1, 9 ]"},
    {"Guests.policy_of", kWithGuests, "node: [ 0, 1 ]", "node: [ 0, 1 ] policy_of: 'mapping'"},
    {"Guests.populate", kWithGuests, "node: [ 0, 1 ]", "node: [ 0, 1 ] populate: true"},
    {"Batch.name", kWithBatch, "\"jobs\"", "\"others\""},
    {"Batch.log", kWithLog, "some.csv", "other.csv"},
    {"Batch.columns", kWithLog, "mem:M", "mem:K"},
    {"Batch.count", kWithLog, "log:", "count: 1 log:"},
    {"Batch.format", kWithLog, "log: \"some.csv\" columns: \"submit=from,run=for,cpus=cpus,request=mem:M\"",
     "log: \"some.swf\" format: \"swf\""},
    {"Batch.format", kWithLog, "log: \"some.csv\"", "log: \"some.csv\" format: \"swf\"", Effect::kRefused},
    {"Batch.log", kWithBatch, "lublin {", "log: 'x.swf' lublin {", Effect::kRefused},
    {"Batch.format", kWithBatch, "lublin {", "format: 'swf' lublin {", Effect::kRefused},
    {"Batch.columns", kWithBatch, "lublin {", "columns: 'submit=#1,run=#2' lublin {", Effect::kRefused},
    {"Batch.count", kWithBatch, "lublin {", "count: 5 lublin {", Effect::kRefused},
    {"Batch.start", kWithBatch, "lublin {", "start: '1h' lublin {"},
    {"Batch.policy", kWithBatch, "lublin {", "policy: 'fcfs' lublin {"},
    {"Batch.policy", kWithBatch, "lublin {", "policy: 'log_start_times' lublin {", Effect::kRefused},
    {"Batch.backfill_depth", kWithBatch, "lublin {", "backfill_depth: 1 lublin {"},
    {"Batch.backfill_depth", kWithBatch, "lublin {", "policy: 'fcfs' backfill_depth: 1 lublin {",
     Effect::kRefused},
    {"Batch.placement", kWithBatch, "lublin {", "placement: 'spread' lublin {"},
    {"Batch.bookable", kWithBatch, "lublin {", "bookable: '50%' lublin {"},
    {"Batch.page_size", kWithBatch, "lublin {", "page_size: 'thp' lublin {"},
    {"Growth.steps", kWithBatch, "steps: 4", "steps: 3"},
    {"Lublin.jobs", kWithBatch, "jobs: 40", "jobs: 41"},
    {"Lublin.cpus", kWithBatch, "cpus: 8 pace", "cpus: 16 pace"},
    {"Lublin.pace", kWithBatch, "pace: 40", "pace: 30"},
    {"Allocations.name", kWithTrace, "\"trace\"", "\"others\""},
    {"Allocations.trace", kWithTrace, "some.f", "others.f"},
    {"Allocations.trace", kWithTrace, "some.ftrace", "some.swf", Effect::kRefused},
    {"Allocations.format", kWithTrace, "trace: \"some.ftrace\"", "format: \"perf\" trace: \"some.perf\""},
    {"Allocations.format", kWithTrace, "trace: \"", "format: 'perf' trace: \"", Effect::kRefused},
    {"Allocations.count", kWithTrace, "trace: \"", "count: 2 trace: \""},
    {"Allocations.count", kWithTrace, "trace: \"", "count: 4 trace: \"", Effect::kRefused},
    {"Allocations.start", kWithTrace, "trace: \"", "start: '5ms' trace: \""},
    {"Churn.name", kWithChurn, "\"slab\"", "\"cache\""},
    {"Churn.name", kWithChurn, "\"slab\"", "\"others\"", Effect::kRefused},
    {"Churn.start", kWithChurn, "fill", "start: '5ms' fill"},
    {"Churn.node", kWithChurn, "fill", "node: 1 fill"},
    {"Churn.node", kWithChurn, "fill", "node: 2 fill", Effect::kRefused},
    {"Churn.cpus", kWithChurn, "fill", "cpus: 2 fill"},
    {"Churn.cpus", kWithChurn, "fill", "cpus: 3 fill", Effect::kRefused},
    {"Churn.order", kWithChurn, "fill", "order: 1 fill"},
    {"Churn.migratetype", kWithChurn, "fill", "migratetype: 'reclaimable' fill"},
    {"Churn.fill", kWithChurn, "20%", "21%"},
    {"Churn.free", kWithChurn, "50%", "51%"},
    {"Churn.rounds", kWithChurn, "rounds: 3", "rounds: 4"},
    {"Churn.rounds", kWithChurn, "rounds: 3 pause: \"2ms\"", "rounds: 0 pause: \"2ms\"", Effect::kWarned},
    {"Churn.renew", kWithChurn, "rounds", "renew: '20%' rounds"},
    {"Churn.pause", kWithChurn, "2ms", "3ms"},
    {"Readers.name", kWithReaders, "\"web\"", "\"files\""},
    {"Readers.name", kWithReaders, "\"web\"", "\"others\"", Effect::kRefused},
    {"Readers.start", kWithReaders, "until", "start: '100ms' until"},
    {"Readers.until", kWithReaders, "900ms", "800ms"},
    {"Readers.node", kWithReaders, "files", "node: 1 files"},
    {"Readers.node", kWithReaders, "files", "node: 2 files", Effect::kRefused},
    {"Readers.count", kWithReaders, "files", "count: 2 files"},
    {"Readers.files", kWithReaders, "files: 30", "files: 20"},
    {"Readers.popularity", kWithReaders, "files", "popularity: 0 files"},
    {"Readers.popularity", kWithReaders, "files: 1 ", "files: 1 popularity: 2 ", Effect::kWarned},
    {"Slab.name", kWithSlab, "\"dentry\"", "\"inode\""},
    {"Slab.name", kWithSlab, "\"dentry\"", "\"others\"", Effect::kRefused},
    {"Slab.start", kWithSlab, "until", "start: '5ms' until"},
    {"Slab.until", kWithSlab, "30ms", "20ms"},
    {"Slab.node", kWithSlab, "until", "node: 1 until"},
    {"Slab.node", kWithSlab, "until", "node: 2 until", Effect::kRefused},
    {"Slab.order", kWithSlab, "until", "order: 1 until"},
    {"Slab.objects", kWithSlab, "until", "objects: 16 until"},
    {"Slab.grow", kWithSlab, "20000", "10000"},
    {"Slab.in_use", kWithSlab, "10%", "50%"},
    {"Poisson.mean", kWithGuests, "mean: \"3ms\"", "mean: \"4ms\""},
    {"Arrival.file", kWithGuests, "poisson { mean: \"3ms\" }", "file: 'times.txt'"},
    {"Arrival.file", kWithGuests, "poisson {", "file: 'x.txt' poisson {", Effect::kRefused},
    {"ClosedLoop.guests", kWithGuests, "guests: 3", "guests: 4"},
    {"Touch.steps", kWithGuests, "steps: 2", "steps: 3"},
    {"Touch.order", kWithGuests, "steps: 2", "steps: 2 order: 'random'"},
    {"OnFailure.other_node", kWithGuests, "on_failure {", "on_failure { other_node: true"},
    {"Retry.times", kWithGuests, "times: 2", "times: 3"},
    {"Guests.size", kWithGuests, "\"6M\"", "\"5M\""},
    {"Guests.lifetime", kWithGuests, "\"20ms\"", "\"15ms\""},
    {"Arrival.gap", kWithGuests, "poisson { mean: \"3ms\" }", "gap { constant: \"3ms\" }"},
    {"ClosedLoop.pause", kWithGuests, "\"2ms\" }", "\"3ms\" }"},
    {"Touch.share", kWithGuests, "\"50%\"", "\"20%\""},
    {"Retry.after", kWithGuests, "constant: \"3ms\"", "constant: \"5ms\""},
    {"Batch.memory_per_cpu", kWithBatch, "\"20M\"", "\"10M\""},
    {"Growth.first", kWithBatch, "\"60%\"", "\"40%\""},
    {"Growth.over", kWithBatch, "\"90%\"", "\"50%\""},
    {"Readers.size", kWithReaders, "\"2M\"", "\"3M\""},
    {"Readers.pause", kWithReaders, "\"20ms\"", "\"15ms\""},
    {"Slab.pause", kWithSlab, "\"1ms\"", "\"2ms\""},
    {"Distribution.constant", kWithGuests, "constant: \"3ms\"", "constant: \"4ms\""},
    {"Uniform.min", kWithGuests, "min: \"1ms\" max: \"2ms\"", "min: \"0s\" max: \"2ms\""},
    {"Uniform.max", kWithGuests, "min: \"1ms\" max: \"2ms\"", "min: \"1ms\" max: \"3ms\""},
    {"Exponential.mean", kWithGuests, "mean: \"20ms\"", "mean: \"21ms\""},
    {"Exponential.min", kWithGuests, "min: \"1ms\" max: \"50ms\"", "min: \"15ms\" max: \"50ms\""},
    {"Exponential.max", kWithGuests, "max: \"50ms\"", "max: \"15ms\""},
    {"Lognormal.median", kWithGuests, "median: \"6M\"", "median: \"9M\""},
    {"Lognormal.sigma", kWithGuests, "sigma: 0.8", "sigma: 0.2"},
    {"Lognormal.min", kWithGuests, "min: \"2M\"", "min: \"6M\""},
    {"Lognormal.max", kWithGuests, "max: \"20M\"", "max: \"6M\""},
    {"Weibull.scale", kWithGuests, "scale: \"8ms\"", "scale: \"9ms\""},
    {"Weibull.shape", kWithGuests, "shape: 0.8", "shape: 1.8"},
    {"Weibull.min", kWithGuests, "min: \"2ms\" max: \"12ms\"", "min: \"6ms\" max: \"12ms\""},
    {"Weibull.max", kWithGuests, "max: \"12ms\"", "max: \"6ms\""},
    {"Zipf.step", kWithGuests, "step: \"256K\"", "step: \"512K\""},
    {"Zipf.ranks", kWithGuests, "ranks: 8", "ranks: 2"},
    {"Zipf.exponent", kWithGuests, "exponent: 1.5", "exponent: 0.1"},
    {"Distribution.choice", kWithGuests, "\"50%\"", "\"5%\""},
    {"Distribution.weight", kWithGuests, "[ 1, 3 ] }", "[ 3, 1 ] }"},
    {"Distribution.file", kWithGuests, "exponential { mean: \"20ms\" min: \"1ms\" max: \"50ms\" }",
     "file: 'times.txt'"},
    {"Distribution.file", kWithGuests, "lognormal {", "file: 'x.txt' lognormal {", Effect::kRefused},
    {"TraceConfig.interval", kDescribed, "interval: \"1ms\"", "interval: \"3ms\""},
    {"TraceConfig.counters", kDescribed, "\"*\"", "\"node0*\""},
    {"TraceConfig.spans", kDescribed, "counters: \"*\"", "counters: \"*\" spans: true"},
    {"TraceConfig.contiguity", kDescribed, "counters: \"*\"", "counters: \"*\" contiguity: true"},
};

std::vector<Entry> AllEntries() {
  std::vector<Entry> entries(std::begin(kEntries), std::end(kEntries));
  for (const Entry& entry : Costs()) entries.push_back(entry);
  return entries;
}

// Messages that are reached from `message`, each field that is none by "MESSAGE.FIELD"; and each
// Distribution, as one that is read shows nothing of the others.
void AddFields(const google::protobuf::Descriptor* message, std::set<std::string>& seen,
               std::set<std::string>& fields) {
  if (!seen.insert(message->full_name()).second) return;
  for (int i = 0; i < message->field_count(); ++i) {
    const auto* field = message->field(i);
    if (field->message_type() != nullptr) AddFields(field->message_type(), seen, fields);
    if (field->message_type() == nullptr || field->message_type() == Distribution::descriptor()) {
      fields.insert(absl::StrCat(message->name(), ".", field->name()));
    }
  }
}

// What a trace holds but for its header, which has the scenario's text.
class Digest : public TraceVisitor {
 public:
  void OnSamples(const SampleSpan& samples) override {
    absl::StrAppend(&text, samples.first_ns, "+", samples.interval_ns, "*", samples.count, ":",
                    absl::StrJoin(samples.values, ","), "\n");
  }
  void OnEvent(const trace::Event& event) override { absl::StrAppend(&text, event.ShortDebugString(), "\n"); }
  void OnLock(const trace::LockStats& lock) override {
    absl::StrAppend(&text, lock.ShortDebugString(), "\n");
  }
  void OnOperation(const trace::OperationStats& operation) override {
    absl::StrAppend(&text, operation.ShortDebugString(), "\n");
  }
  void OnPageblocks(const trace::PageblockMap& map) override {
    absl::StrAppend(&text, map.ShortDebugString(), "\n");
  }
  void OnSpan(const trace::Span& span) override { absl::StrAppend(&text, span.ShortDebugString(), "\n"); }
  std::string text;
};

struct Result {
  std::string problem;  // empty: it ran
  std::vector<std::string> warnings;
  std::string digest;
};

Result RunScenario(const std::string& scenario) {
  std::ofstream("s.textproto") << scenario;
  auto loaded = LoadInput("s.textproto");
  if (!loaded.ok()) return {std::string(loaded.status().message()), {}, {}};
  const absl::StatusOr<Expectations> expectations = Expectations::Create(*loaded, {});
  if (!expectations.ok()) return {std::string(expectations.status().message()), {}, {}};
  auto run = TracedRun::Create(*loaded,
                               {.trace_path = "t.pb", .seed = {}, .collect_metrics = !expectations->empty()});
  if (!run.ok()) return {std::string(run.status().message()), {}, {}};
  if (const absl::Status status = (*run)->Run(); !status.ok()) return {std::string(status.message()), {}, {}};
  Result result;
  result.warnings = (*run)->simulation().warnings();
  auto trace = TraceReader::Open("t.pb");
  if (!trace.ok()) return {std::string(trace.status().message()), {}, {}};
  Digest digest;
  for (const trace::Column& column : (*trace)->header().column())
    absl::StrAppend(&digest.text, column.name(), " ");
  if (const absl::Status status = (*trace)->Read({}, &digest); !status.ok())
    return {std::string(status.message()), {}, {}};
  std::ostringstream summary;
  PrintSummary((*run)->simulation(), (*run)->facts(), (*run)->metrics(), summary);
  result.digest = absl::StrCat(summary.str().substr(0, summary.str().find(':')), "\n", digest.text);
  if (!expectations->empty())
    absl::StrAppend(&result.digest, absl::StrJoin(expectations->Judged(*(*run)->metrics()).not_met, "\n"));
  return result;
}

class FieldEffectTest : public ProgramTest {};

TEST_F(FieldEffectTest, EveryFieldHasAnEntry) {
  std::set<std::string> seen;
  std::set<std::string> fields;
  AddFields(Scenario::descriptor(), seen, fields);
  std::set<std::string> known;
  for (const Entry& entry : AllEntries()) known.insert(entry.field);
  EXPECT_EQ(fields, known);
}

// What is only refused could still be passed over where it is accepted.
TEST_F(FieldEffectTest, EveryFieldHasAnAcceptedChange) {
  std::set<std::string> without;
  for (const Entry& entry : AllEntries()) without.insert(entry.field);
  for (const Entry& entry : AllEntries()) {
    if (entry.effect != Effect::kRefused) without.erase(entry.field);
  }
  // It weighs the zones of a node against each other for proactive compaction, and is told to nobody.
  EXPECT_EQ(without, std::set<std::string>{"RecordedZone.present"});
}

// A recording that does not say what min_free_kbytes was still says what the watermarks were.
TEST_F(FieldEffectTest, WatermarksHoldWithoutMinFreeKbytes) {
  std::string text = kRecorded;
  const std::string field = "  min_free_kbytes: 4000\n";
  ASSERT_NE(text.find(field), std::string::npos);
  text.erase(text.find(field), field.size());
  const Result base = RunScenario(text);
  text.replace(text.find("min: 900"), 8, "min: 100");
  const Result lower = RunScenario(text);
  EXPECT_EQ(base.problem + lower.problem, "");
  EXPECT_TRUE(lower.digest != base.digest);
}

TEST_F(FieldEffectTest, EveryFieldChangesSomethingOrIsRefusedOrNamed) {
  WriteTopology("three_nodes.xml", int64_t{64} << 20);
  WriteTopology("three_larger_nodes.xml", int64_t{128} << 20);
  WriteFiles();
  WriteTraces();
  std::map<const char*, Result> bases;
  for (const Entry& entry : AllEntries()) {
    if (const auto [base, first] = bases.try_emplace(entry.scenario); first) {
      base->second = RunScenario(entry.scenario);
      ASSERT_EQ(base->second.problem, "");
      ASSERT_THAT(base->second.warnings, testing::IsEmpty());
    }
  }
  for (const Entry& entry : AllEntries()) {
    SCOPED_TRACE(absl::StrCat(entry.field, ": ", entry.to));
    std::string text = entry.scenario;
    const size_t at = text.find(entry.from);
    ASSERT_NE(at, std::string::npos);
    text.replace(at, std::string(entry.from).size(), entry.to);
    const Result changed = RunScenario(text);
    const Result& base = bases.at(entry.scenario);
    switch (entry.effect) {
      case Effect::kTrace:
        EXPECT_EQ(changed.problem, "");
        EXPECT_THAT(changed.warnings, testing::IsEmpty());
        EXPECT_TRUE(changed.digest != base.digest) << "has no effect";
        break;
      case Effect::kRefused:
        EXPECT_NE(changed.problem, "");
        break;
      case Effect::kWarned:
        EXPECT_EQ(changed.problem, "");
        EXPECT_EQ(changed.warnings.size(), 1u);
        break;
    }
  }
}

}  // namespace
}  // namespace numasim
