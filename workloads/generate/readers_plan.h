// ReadersPlan: programs of a scenario that read files of the disk, read and checked. A value: part of the
// LoadedScenario, read from everywhere.
#ifndef NUMASIM_WORKLOADS_GENERATE_READERS_PLAN_H_
#define NUMASIM_WORKLOADS_GENERATE_READERS_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/base/types.h"
#include "workloads/generate/distribution.h"

namespace numasim::workloads {

struct ReadersPlan {
  std::string name;
  std::string place;  // "FILE:LINE: readers 'NAME'", for messages
  int64_t start_ns = 0;
  std::optional<int64_t> until_ns;  // none: as long as the run
  std::vector<NodeId> nodes;        // as given; none: all with CPUs
  int count = 1;                    // on each node
  int files = 1;
  Distribution size;      // of a file, in bytes
  double popularity = 1;  // exponent of the Zipf distribution of the files
  Distribution pause;     // before each file, in nanoseconds

  // Whether anything of it is drawn, so that another seed makes another run.
  bool random() const { return files > 1 || size.random() || pause.random(); }
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_READERS_PLAN_H_
