#include "workloads/machine/snapshot.h"

#include <google/protobuf/text_format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "workloads/machine/system_files.h"
#include "workloads/machine/topology.h"
#include "workloads/machine/zone_files.h"

namespace numasim::workloads {
namespace {

constexpr int64_t kBasePageBytes = 4096;
constexpr int kPageblockOrder = 9;

// "hugepages-2048kB" as "2M".
absl::StatusOr<std::string> PoolSize(absl::string_view directory) {
  absl::string_view digits = directory;
  uint64_t kilobytes = 0;
  if (!absl::ConsumePrefix(&digits, "hugepages-") || !absl::ConsumeSuffix(&digits, "kB") ||
      !absl::SimpleAtoi(digits, &kilobytes) || kilobytes == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", directory, "\" is not of the form hugepages-2048kB"));
  }
  constexpr uint64_t kMegabyte = 1024;
  constexpr uint64_t kGigabyte = 1024 * kMegabyte;
  if (kilobytes % kGigabyte == 0) return absl::StrCat(kilobytes / kGigabyte, "G");
  if (kilobytes % kMegabyte == 0) return absl::StrCat(kilobytes / kMegabyte, "M");
  return absl::StrCat(kilobytes, "K");
}

// Builds one Snapshot; each Record function fills a part of it.
class Recorder {
 public:
  Recorder(const SnapshotSource& source, Topology topology)
      : system_(source.root), topology_(std::move(topology)), os_cpus_(OsCpus(topology_)) {}

  absl::StatusOr<Snapshot> Record() {
    using Part = absl::Status (Recorder::*)();
    constexpr Part kParts[] = {&Recorder::RecordRelease,    &Recorder::RecordTopology,
                               &Recorder::RecordZones,      &Recorder::RecordPools,
                               &Recorder::RecordKnobs,      &Recorder::RecordThp,
                               &Recorder::RecordKernelArgs, &Recorder::RecordOtherSettings};
    for (Part part : kParts) {
      const absl::Status status = (this->*part)();
      if (!status.ok()) return status;
    }
    snapshot_.files.assign(system_.files_read().begin(), system_.files_read().end());
    return std::move(snapshot_);
  }

 private:
  absl::Status RecordRelease();
  absl::Status RecordTopology();
  absl::Status RecordZones();
  absl::Status RecordPools();
  absl::Status RecordKnobs();
  absl::Status RecordThp();
  absl::Status RecordKernelArgs();
  absl::Status RecordOtherSettings();

  absl::Status AddZone(RecordedZone zone, const ZoneFiles& files);
  absl::Status Renumber(RecordedZone& zone) const;
  absl::Status AddPool(const std::string& directory, std::optional<int> node);

  Machine& machine() { return snapshot_.machine; }
  void Note(std::string sentence) { snapshot_.notes.push_back(std::move(sentence)); }

  SystemFiles system_;
  Topology topology_;
  std::vector<int> os_cpus_;
  Snapshot snapshot_;
};

absl::Status Recorder::RecordRelease() {
  const absl::StatusOr<std::string> release = system_.Read("/proc/sys/kernel/osrelease");
  if (!release.ok()) return release.status();
  snapshot_.kernel_release = std::string(absl::StripAsciiWhitespace(*release));
  return absl::OkStatus();
}

absl::Status Recorder::RecordTopology() {
  SetDistances(topology_, machine());
  SetNodeOfCpu(topology_, machine());
  for (size_t node = 0; node < topology_.nodes.size(); ++node) {
    const int os_index = topology_.nodes[node].os_index;
    if (os_index != static_cast<int>(node))
      Note(absl::StrCat("node ", os_index, " of the machine is node ", node));
  }
  for (size_t cpu = 0; cpu < os_cpus_.size(); ++cpu) {
    if (os_cpus_[cpu] == static_cast<int>(cpu)) continue;
    Note(absl::StrCat("the machine's CPU numbers have holes: CPU ", os_cpus_[cpu], " is CPU ", cpu,
                      ", and so on"));
    break;
  }
  if (topology_.distances.empty())
    Note("hwloc knows no distances between the nodes: they are the kernel's defaults");
  return absl::OkStatus();
}

absl::Status Recorder::RecordZones() {
  const absl::StatusOr<ZoneFiles> files = ReadZoneFiles(system_);
  if (!files.ok()) return files.status();
  if (!files->pagetypes.has_value()) {
    Note(absl::StrCat(system_.PathOf(kPagetypeinfo),
                      " cannot be read (it needs root): free blocks are not split by migratetype"));
  } else if (files->pagetypes->pageblock_order != kPageblockOrder) {
    return absl::InvalidArgumentError(absl::StrCat(system_.PathOf(kPagetypeinfo),
                                                   ": Page block order: ", files->pagetypes->pageblock_order,
                                                   " is not the modelled ", kPageblockOrder, " (2 MiB)"));
  }
  if (!TypesAddUp(*files)) {
    Note("the machine was allocating memory meanwhile: the free lists are those of /proc/pagetypeinfo");
  }
  for (const RecordedZone& zone : files->zones) {
    const absl::Status status = AddZone(zone, *files);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Recorder::AddZone(RecordedZone zone, const ZoneFiles& files) {
  const auto& modelled =
      RecordedZone::descriptor()->FindFieldByName("name")->options().GetExtension(knob).allowed();
  if (std::find(modelled.begin(), modelled.end(), zone.name()) == modelled.end()) {
    Note(absl::StrCat("zone ", zone.name(), " of node ", zone.node(), " (", zone.present(),
                      " pages) is of a kind that is not modelled and is left out"));
    return absl::OkStatus();
  }
  absl::Status status = SetFreeBlocks(system_, files, zone);
  if (status.ok()) status = Renumber(zone);
  if (status.ok()) *machine().add_zone() = std::move(zone);
  return status;
}

// From the machine's numbers of nodes and CPUs to the simulated ones.
absl::Status Recorder::Renumber(RecordedZone& zone) const {
  const auto node =
      std::find_if(topology_.nodes.begin(), topology_.nodes.end(),
                   [&](const TopologyNode& candidate) { return candidate.os_index == zone.node(); });
  if (node == topology_.nodes.end()) {
    return absl::InvalidArgumentError(absl::StrCat(system_.PathOf(kZoneinfo), ": zone ", zone.name(),
                                                   ": node ", zone.node(),
                                                   " is not in the topology that hwloc gives"));
  }
  zone.set_node(static_cast<int>(node - topology_.nodes.begin()));
  for (PcpList& pcp : *zone.mutable_pcp()) {
    const auto cpu = std::lower_bound(os_cpus_.begin(), os_cpus_.end(), pcp.cpu());
    if (cpu == os_cpus_.end() || *cpu != pcp.cpu()) {
      return absl::InvalidArgumentError(absl::StrCat(system_.PathOf(kZoneinfo), ": zone ", zone.name(),
                                                     ": cpu ", pcp.cpu(),
                                                     " is not in the topology that hwloc gives"));
    }
    pcp.set_cpu(static_cast<int>(cpu - os_cpus_.begin()));
  }
  return absl::OkStatus();
}

absl::Status Recorder::RecordPools() {
  constexpr absl::string_view kGlobal = "/sys/kernel/mm/hugepages";
  const absl::StatusOr<std::vector<std::string>> sizes = system_.List(kGlobal);
  if (!sizes.ok()) return sizes.status();
  if (sizes->empty()) Note(absl::StrCat(system_.PathOf(kGlobal), " is empty or missing: no huge page pools"));
  for (const std::string& size : *sizes) {
    const absl::Status status = AddPool(absl::StrCat(kGlobal, "/", size), std::nullopt);
    if (!status.ok()) return status;
  }
  for (size_t node = 0; node < topology_.nodes.size(); ++node) {
    const std::string pools =
        absl::StrCat("/sys/devices/system/node/node", topology_.nodes[node].os_index, "/hugepages");
    const absl::StatusOr<std::vector<std::string>> of_node = system_.List(pools);
    if (!of_node.ok()) return of_node.status();
    for (const std::string& size : *of_node) {
      const absl::Status status = AddPool(absl::StrCat(pools, "/", size), static_cast<int>(node));
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

struct PoolField {
  absl::string_view file;
  void (HugePages::*set)(int64_t);
  bool global_only;
};

constexpr PoolField kPoolFields[] = {
    {"nr_hugepages", &HugePages::set_nr, false},
    {"free_hugepages", &HugePages::set_free, false},
    {"surplus_hugepages", &HugePages::set_surplus, false},
    {"resv_hugepages", &HugePages::set_reserved, true},
    {"nr_overcommit_hugepages", &HugePages::set_overcommit, true},
};

absl::Status Recorder::AddPool(const std::string& directory, std::optional<int> node) {
  HugePages pool;
  const absl::StatusOr<std::string> size = PoolSize(directory.substr(directory.rfind('/') + 1));
  if (!size.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(system_.PathOf(directory), ": ", size.status().message()));
  }
  pool.set_size(*size);
  if (node.has_value()) pool.set_node(*node);
  for (const PoolField& field : kPoolFields) {
    if (field.global_only && node.has_value()) continue;
    const absl::StatusOr<int64_t> value = system_.ReadNumber(absl::StrCat(directory, "/", field.file));
    if (!value.ok()) return value.status();
    (pool.*field.set)(*value);
  }
  *machine().add_hugepages() = std::move(pool);
  return absl::OkStatus();
}

absl::Status Recorder::RecordKnobs() {
  const absl::StatusOr<int64_t> min_free_kbytes = system_.ReadNumber("/proc/sys/vm/min_free_kbytes");
  if (!min_free_kbytes.ok()) return min_free_kbytes.status();
  machine().set_min_free_kbytes(*min_free_kbytes);
  KernelKnobs& kernel = *machine().mutable_kernel();
  const absl::StatusOr<int64_t> scale = system_.ReadNumber("/proc/sys/vm/watermark_scale_factor");
  if (!scale.ok()) return scale.status();
  kernel.set_watermark_scale_factor(static_cast<int32_t>(*scale));
  // Since 5.14; before, it was percpu_pagelist_fraction and meant something else.
  const absl::StatusOr<std::optional<int64_t>> fraction =
      system_.ReadNumberIfPresent("/proc/sys/vm/percpu_pagelist_high_fraction");
  if (!fraction.ok()) return fraction.status();
  if (fraction->has_value()) kernel.set_percpu_pagelist_high_fraction(static_cast<int32_t>(**fraction));
  struct Knob {
    absl::string_view file;
    void (KernelKnobs::*set)(int32_t);
    int64_t without;  // what a kernel does that has no such file
  };
  // Proactive compaction came with 5.9, the boost with 5.0.
  constexpr Knob kKnobs[] = {
      {"/proc/sys/vm/watermark_boost_factor", &KernelKnobs::set_watermark_boost_factor, 0},
      {"/proc/sys/vm/compaction_proactiveness", &KernelKnobs::set_compaction_proactiveness, 0},
      {"/proc/sys/vm/extfrag_threshold", &KernelKnobs::set_extfrag_threshold, 500},
      {"/proc/sys/vm/max_map_count", &KernelKnobs::set_max_map_count, 65530},
  };
  for (const Knob& knob : kKnobs) {
    const absl::StatusOr<std::optional<int64_t>> value = system_.ReadNumberIfPresent(knob.file);
    if (!value.ok()) return value.status();
    (kernel.*knob.set)(static_cast<int32_t>(value->value_or(knob.without)));
  }
  constexpr absl::string_view kRatios = "/proc/sys/vm/lowmem_reserve_ratio";
  const absl::StatusOr<std::string> ratios = system_.Read(kRatios);
  if (!ratios.ok()) return ratios.status();
  for (absl::string_view word : absl::StrSplit(*ratios, absl::ByAnyChar(" \t\n"), absl::SkipEmpty())) {
    int32_t ratio = 0;
    if (!absl::SimpleAtoi(word, &ratio)) {
      return absl::InvalidArgumentError(
          absl::StrCat(system_.PathOf(kRatios), ":1: \"", word, "\" is not a whole number"));
    }
    // The fifth is ZONE_DEVICE's, where the kernel has it.
    if (kernel.lowmem_reserve_ratio_size() < 4) kernel.add_lowmem_reserve_ratio(ratio);
  }
  return absl::OkStatus();
}

absl::Status Recorder::RecordThp() {
  constexpr absl::string_view kDirectory = "/sys/kernel/mm/transparent_hugepage/";
  struct Choice {
    absl::string_view file;
    void (Thp::*set)(std::string&&);
  };
  constexpr Choice kChoices[] = {
      {"enabled", &Thp::set_enabled<std::string>},
      {"shmem_enabled", &Thp::set_shmem_enabled<std::string>},
      {"defrag", &Thp::set_defrag<std::string>},
  };
  Thp& thp = *machine().mutable_kernel()->mutable_thp();
  for (const Choice& choice : kChoices) {
    absl::StatusOr<std::optional<std::string>> value =
        system_.ReadChoiceIfPresent(absl::StrCat(kDirectory, choice.file));
    if (!value.ok()) return value.status();
    if (value->has_value()) (thp.*choice.set)(**std::move(value));
  }
  const absl::StatusOr<std::optional<int64_t>> zero_page =
      system_.ReadNumberIfPresent(absl::StrCat(kDirectory, "use_zero_page"));
  if (!zero_page.ok()) return zero_page.status();
  if (zero_page->has_value()) thp.set_use_zero_page(**zero_page != 0);
  if (!thp.has_enabled()) {
    thp.set_enabled("never");
    Note("the kernel has no transparent huge pages");
  }
  return absl::OkStatus();
}

// Only the arguments that are about memory: the rest of a command line may name disks and consoles, and
// worse.
absl::Status Recorder::RecordKernelArgs() {
  constexpr absl::string_view kPrefixes[] = {"movablecore=",
                                             "kernelcore=",
                                             "mem=",
                                             "numa=",
                                             "hugepages=",
                                             "hugepagesz=",
                                             "hugetlb_cma=",
                                             "default_hugepagesz=",
                                             "movable_node",
                                             "memhp_default_state=",
                                             "transparent_hugepage="};
  const absl::StatusOr<std::string> command_line = system_.Read("/proc/cmdline");
  if (!command_line.ok()) return command_line.status();
  std::vector<absl::string_view> kept;
  for (absl::string_view argument :
       absl::StrSplit(*command_line, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    if (std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                    [&](absl::string_view prefix) { return absl::StartsWith(argument, prefix); })) {
      kept.push_back(argument);
    }
  }
  if (!kept.empty()) machine().set_kernel_args(absl::StrJoin(kept, " "));
  return absl::OkStatus();
}

absl::Status Recorder::RecordOtherSettings() {
  struct Setting {
    absl::string_view directory;
    absl::string_view name;
  };
  constexpr absl::string_view kThp = "/sys/kernel/mm/transparent_hugepage/";
  constexpr absl::string_view kVm = "/proc/sys/vm/";
  constexpr Setting kSettings[] = {
      {kThp, "khugepaged/defrag"},
      {kThp, "khugepaged/pages_to_scan"},
      {kThp, "khugepaged/scan_sleep_millisecs"},
      {kThp, "khugepaged/alloc_sleep_millisecs"},
      {kThp, "khugepaged/max_ptes_none"},
      {kThp, "khugepaged/max_ptes_shared"},
      {kThp, "khugepaged/max_ptes_swap"},
      {kVm, "zone_reclaim_mode"},
      {kVm, "overcommit_memory"},
      {kVm, "swappiness"},
  };
  for (const Setting& setting : kSettings) {
    const absl::StatusOr<std::optional<std::string>> value =
        system_.ReadIfPresent(absl::StrCat(setting.directory, setting.name));
    if (!value.ok()) return value.status();
    if (!value->has_value()) continue;
    snapshot_.other_settings.push_back(absl::StrCat(setting.directory == kVm ? "vm." : "", setting.name, ": ",
                                                    absl::StripAsciiWhitespace(**value)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Snapshot> TakeSnapshot(const SnapshotSource& source) {
  if (source.root.empty() && sysconf(_SC_PAGESIZE) != kBasePageBytes) {
    return absl::UnimplementedError(absl::StrCat("this machine's base page is ", sysconf(_SC_PAGESIZE),
                                                 " bytes; the modelled machines have ", kBasePageBytes));
  }
  absl::StatusOr<Topology> topology =
      source.topology_xml.empty() ? ReadThisMachinesTopology() : ReadTopologyXml(source.topology_xml);
  if (!topology.ok()) return topology.status();
  absl::StatusOr<Snapshot> snapshot = Recorder(source, *std::move(topology)).Record();
  if (snapshot.ok() && !source.topology_xml.empty()) snapshot->files.push_back(source.topology_xml);
  return snapshot;
}

std::string SnapshotText(const Snapshot& snapshot) {
  std::string text = absl::StrCat(
      "# The memory of a machine with Linux ", snapshot.kernel_release, ", recorded by `numasim snapshot`.\n",
      "# A scenario starts from it with: machine { snapshot_file: \"THIS FILE\" }\n");
  for (const std::string& note : snapshot.notes) absl::StrAppend(&text, "# Note: ", note, ".\n");
  if (!snapshot.other_settings.empty())
    absl::StrAppend(&text, "# Found, but without effect in a simulation:\n");
  for (const std::string& setting : snapshot.other_settings) absl::StrAppend(&text, "#   ", setting, "\n");
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseShortRepeatedPrimitives(true);
  std::string machine;
  printer.PrintToString(snapshot.machine, &machine);
  return absl::StrCat(text, "\n", machine);
}

}  // namespace numasim::workloads
