// What can be said about a script without running it: that its processes, mappings and CMA ranges are there
// when they are used.
#ifndef NUMASIM_WORKLOADS_SCRIPT_CHECKER_H_
#define NUMASIM_WORKLOADS_SCRIPT_CHECKER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "workloads/operations.h"

namespace numasim::workloads {

// Follows the operations of one script in order. Lives as long as one parse.
class ScriptChecker {
 public:
  // Takes the next operation. Returns what is wrong, as "FIELD: 'VALUE' is ...; expected ...", or an empty
  // string.
  std::string Add(const Op& op);

 private:
  static constexpr int kNone = -1;

  // A process, which may have ended. A name may be taken again after an exit; that is another Process.
  struct Process {
    int parent = kNone;
    int forked_at = 0;  // the position of the fork among the operations
    int exit_line = 0;  // 0: lives
    // The mappings it made, or is known to have inherited (those at position -1).
    absl::flat_hash_map<std::string, int> mapped_at;
  };

  std::string AddProcess(const std::string& name, std::string_view field, int line, int parent);
  std::string CheckRelease(const std::string& name) const;
  static std::string KeyOfPipes(const std::string& name);
  std::string CheckPipes(const std::string& name, int process, const std::string& process_name);
  std::string CheckMapping(const std::string& id, int process, const std::string& name);
  bool KnowsMapping(int process, const std::string& id);
  // The live process of that name, or kNone with `problem` set.
  int FindLive(const std::string& name, std::string& problem) const;
  std::string NearMapping(int process, const std::string& id) const;

  std::vector<Process> processes_;
  struct Current {
    int process;
    int born_line;
  };
  absl::flat_hash_map<std::string, Current> by_name_;
  absl::flat_hash_set<std::string> cma_ranges_;  // names that a cma_alloc gave
  int position_ = 0;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_SCRIPT_CHECKER_H_
