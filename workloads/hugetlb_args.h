// The arguments hugepages=, hugepagesz= and default_hugepagesz= of the kernel's command line, which depend on
// what came before them (mm/hugetlb.c, Linux 6.1).
#ifndef NUMASIM_WORKLOADS_HUGETLB_ARGS_H_
#define NUMASIM_WORKLOADS_HUGETLB_ARGS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/base/huge_size.h"
#include "workloads/kernel_args.h"

namespace numasim::workloads {

// Is given the arguments one after another, then Finish() once. Adds to the requests and warnings of `args`.
class HugetlbArgs {
 public:
  HugetlbArgs(int nodes, KernelArgs& args);

  void HugePages(std::string_view value);
  void HugePageSize(std::string_view value);
  void DefaultHugePageSize(std::string_view value);
  void Finish();

 private:
  // max_huge_pages, and max_huge_pages_node, which the kernel keeps in 32 bits.
  struct Count {
    uint64_t pages = 0;
    std::vector<uint32_t> on_node;
  };

  bool ReadCounts(std::string_view text, Count& count) const;
  void Request(HugeSize size);
  void Warn(std::string_view argument, std::string_view value, std::string_view why);
  Count& CountOf(HugeSize size) { return counts_[static_cast<size_t>(size)]; }
  void Clear(Count& count) const;

  const int nodes_;
  KernelArgs& args_;
  PerHugeSize<Count> counts_;
  PerHugeSize<bool> known_ = {};    // there is an hstate of the size
  Count of_default_;                // hugepages= before any size
  std::optional<HugeSize> parsed_;  // the hstate that was made or named last
  bool valid_ = true;               // the last size, or none so far, was one
  bool default_given_ = false;
  const Count* last_ = nullptr;  // what the last hugepages= was for
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_HUGETLB_ARGS_H_
