#include "workloads/kernel_args.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "workloads/hugetlb_args.h"
#include "workloads/nearest_name.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

struct Argument {
  std::string name;  // with '_' for '-', between which the kernel makes no difference
  std::string value;
  std::string text;  // as it stands there
};

constexpr std::string_view kModelled[] = {
    "cma",         "default_hugepagesz",  "hugepages",   "hugepagesz",
    "hugetlb_cma", "memhp_default_state", "movablecore", "transparent_hugepage",
};

// What Linux knows and what changes its memory or CPUs, but not the simulated ones.
constexpr std::string_view kNotModelled[] = {
    "cgroup_disable",
    "crashkernel",
    "debug_pagealloc",
    "hugetlb_free_vmemmap",
    "init_on_alloc",
    "init_on_free",
    "kernelcore",
    "maxcpus",
    "mem",
    "memmap",
    "movable_node",
    "nosmp",
    "nr_cpus",
    "numa",
    "numa_balancing",
    "page_owner",
    "page_poison",
    "possible_cpus",
    "reserve",
    "slub_debug",
    "swiotlb",
};

// Parameters of these modules change it too, and so do settings that are written at boot.
constexpr std::string_view kNotModelledModules[] = {
    "damon_lru_sort.", "damon_reclaim.",  "hv_balloon.", "memory_hotplug.",
    "page_alloc.",     "page_reporting.", "sysctl.vm.",  "sysctl.kernel.numa_balancing",
    "virtio_balloon.", "virtio_mem.",     "zswap.",
};

bool OfNotModelledModule(std::string_view name) {
  return std::any_of(std::begin(kNotModelledModules), std::end(kNotModelledModules),
                     [name](std::string_view module) { return name.starts_with(module); });
}

// What is not about memory. So is a parameter of any other module, with a dot in its name.
constexpr std::string_view kOfNoConcern[] = {
    "BOOT_IMAGE",
    "acpi",
    "acpi_osi",
    "amd_iommu",
    "amd_pstate",
    "apparmor",
    "audit",
    "biosdevname",
    "boot",
    "clocksource",
    "console",
    "consoleblank",
    "cryptomgr",
    "debug",
    "earlycon",
    "earlyprintk",
    "edd",
    "efi",
    "fastboot",
    "fsck",
    "hpet",
    "idle",
    "init",
    "initcall_debug",
    "initrd",
    "intel_idle",
    "intel_iommu",
    "intel_pstate",
    "iommu",
    "ip",
    "ipv6",
    "irqaffinity",
    "irqpoll",
    "isolcpus",
    "kaslr",
    "keymap",
    "lapic",
    "libata",
    "lockdown",
    "loglevel",
    "lsm",
    "mce",
    "mitigations",
    "module_blacklist",
    "mtrr",
    "net",
    "netdev",
    "nmi_watchdog",
    "nofb",
    "nohz",
    "nohz_full",
    "nokaslr",
    "nomodeset",
    "nopti",
    "norandmaps",
    "noresume",
    "nosmt",
    "nosplash",
    "notsc",
    "nowatchdog",
    "oops",
    "panic",
    "pci",
    "pcie_aspm",
    "preempt",
    "printk",
    "psi",
    "pti",
    "quiet",
    "raid",
    "random.trust_cpu",
    "rcu_nocbs",
    "reboot",
    "resume",
    "rhgb",
    "ro",
    "root",
    "rootdelay",
    "rootflags",
    "rootfstype",
    "rootwait",
    "rw",
    "security",
    "selinux",
    "single",
    "skew_tick",
    "spectre_v2",
    "splash",
    "swapaccount",
    "sysrq_always_enabled",
    "systemd",
    "threadirqs",
    "tsc",
    "vdso",
    "vga",
    "video",
    "vt",
    "watchdog",
    "x2apic",
};

template <size_t N>
bool Contains(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// next_arg(): arguments stand between white space that is not in double quotes.
std::vector<Argument> SplitLine(std::string_view line) {
  std::vector<Argument> arguments;
  std::string text;
  bool quoted = false;
  const auto finish = [&] {
    if (text.empty()) return;
    const size_t equals = text.find('=');
    Argument argument{text.substr(0, equals), "", text};
    if (equals != std::string::npos) argument.value = text.substr(equals + 1);
    std::replace(argument.name.begin(), argument.name.end(), '-', '_');
    arguments.push_back(std::move(argument));
    text.clear();
  };
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      finish();
    } else {
      text.push_back(c);
    }
  }
  finish();
  // What follows is for init.
  const auto end =
      std::find_if(arguments.begin(), arguments.end(), [](const Argument& a) { return a.text == "--"; });
  arguments.erase(end, arguments.end());
  return arguments;
}

class Reader {
 public:
  explicit Reader(int nodes) : hugetlb_(nodes, args_) {}

  KernelArgs Read(std::string_view line) {
    for (const Argument& argument : SplitLine(line)) {
      if (!ReadModelled(argument)) Classify(argument);
    }
    hugetlb_.Finish();
    WarnOfAll(not_modelled_, "not modelled, so without effect");
    WarnOfAll(unknown_, "not known, so without effect");
    return std::move(args_);
  }

 private:
  bool ReadModelled(const Argument& argument) {
    const std::string& value = argument.value;
    if (argument.name == "hugepages" && value.empty()) {
      args_.warnings.push_back(
          Cat(Quoted(argument.text), " has no effect; expected a count, such as hugepages=64"));
      // Without a '=' it is no parameter; with it, it is a count of none, behind which no other one counts.
      if (argument.text.ends_with('=')) hugetlb_.HugePages(value);
    } else if (argument.name == "hugepages") {
      hugetlb_.HugePages(value);
    } else if (argument.name == "hugepagesz") {
      hugetlb_.HugePageSize(value);
    } else if (argument.name == "default_hugepagesz") {
      hugetlb_.DefaultHugePageSize(value);
    } else if (argument.name == "movablecore") {
      args_.movablecore = value;
    } else if (argument.name == "cma") {
      args_.cma = value;
    } else if (argument.name == "hugetlb_cma") {
      args_.hugetlb_cma = value;
    } else if (argument.name == "memhp_default_state") {
      ReadOnlineType(argument);
    } else if (argument.name == "transparent_hugepage") {
      ReadThp(argument);
    } else {
      return false;
    }
    return true;
  }

  void ReadOnlineType(const Argument& argument) {
    args_.memhp_online_movable = argument.value == "online_movable";
    if (argument.value == "offline") {
      not_modelled_.push_back(argument.text);
    } else if (!args_.memhp_online_movable && argument.value != "online" &&
               argument.value != "online_kernel") {
      args_.warnings.push_back(
          Cat(Quoted(argument.text), " has no effect; expected online, online_kernel or online_movable"));
    }
  }

  void ReadThp(const Argument& argument) {
    if (argument.value == "always" || argument.value == "madvise" || argument.value == "never") {
      args_.thp_enabled = argument.value;
    } else {
      args_.warnings.push_back(
          Cat(Quoted(argument.text), " has no effect; expected always, madvise or never"));
    }
  }

  void Classify(const Argument& argument) {
    const std::string& name = argument.name;
    if (Contains(kNotModelled, name) || OfNotModelledModule(name)) {
      not_modelled_.push_back(argument.text);
      return;
    }
    if (Contains(kOfNoConcern, name) || name.find('.') != std::string::npos) return;
    std::vector<std::string_view> meant(std::begin(kModelled), std::end(kModelled));
    meant.insert(meant.end(), std::begin(kNotModelled), std::end(kNotModelled));
    if (const std::string_view nearest = NearestName(name, meant); !nearest.empty()) {
      args_.warnings.push_back(
          Cat(Quoted(argument.text), " is not known, so without effect; did you mean '", nearest, "'?"));
    } else {
      unknown_.push_back(argument.text);
    }
  }

  void WarnOfAll(const std::vector<std::string>& arguments, std::string_view why) {
    std::string list;
    for (const std::string& text : arguments) Append(list, list.empty() ? "" : ", ", Quoted(text));
    if (!list.empty()) args_.warnings.push_back(Cat(list, arguments.size() == 1 ? " is " : " are ", why));
  }

  KernelArgs args_;
  HugetlbArgs hugetlb_;
  std::vector<std::string> not_modelled_, unknown_;
};

}  // namespace

KernelArgs ParseKernelArgs(std::string_view line, int nodes) { return Reader(nodes).Read(line); }

}  // namespace numasim::workloads
