// The kernel's command line (machine.kernel_args), as far as it says something about what is simulated.
#ifndef NUMASIM_WORKLOADS_KERNEL_ARGS_H_
#define NUMASIM_WORKLOADS_KERNEL_ARGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/base/huge_size.h"
#include "models/base/types.h"

namespace numasim::workloads {

// Huge pages that boot is asked for.
struct HugePagesArgument {
  HugeSize size = HugeSize::k2M;
  NodeId node = kNoNode;  // kNoNode: on the nodes in turn
  int64_t pages = 0;
};

struct KernelArgs {
  // In the order in which the kernel makes them: gigantic ones where it reads them, the others afterwards.
  std::vector<HugePagesArgument> huge_pages;
  HugeSize default_huge_size = HugeSize::k2M;  // default_hugepagesz=
  // Values as they stand there, of the last argument where there are several.
  std::optional<std::string> movablecore, cma, hugetlb_cma;
  std::optional<std::string> thp_enabled;  // transparent_hugepage=, where it is one that the kernel knows
  bool memhp_online_movable = false;       // memhp_default_state=online_movable

  // What of the line has no effect, a line each: arguments that Linux knows and the simulator does not model,
  // values that the kernel refuses, and what may be a slip of the pen.
  std::vector<std::string> warnings;
};

// Reads the line as the kernel does, for a machine with so many nodes. Nothing is an error, as in the kernel.
KernelArgs ParseKernelArgs(std::string_view line, int nodes);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_KERNEL_ARGS_H_
