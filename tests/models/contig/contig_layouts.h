// Machines on which random scripts of contiguous ranges run. Plain values, for tests.
#ifndef NUMASIM_TESTS_MODELS_CONTIG_CONTIG_LAYOUTS_H_
#define NUMASIM_TESTS_MODELS_CONTIG_CONTIG_LAYOUTS_H_

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "models/base/machine_config.h"
#include "tests/models/test_machine.h"
#include "tests/workloads/random_contig_script.h"

namespace numasim {

struct ContigLayout {
  std::string name;
  std::vector<int64_t> nodes;  // pages
  int64_t movablecore = 0;     // pages
  int64_t device = 0;          // pages of a virtio-mem device of the last node, half of it plugged
  ZoneType device_zone = ZoneType::kNormal;
  int64_t area = 0;  // pages of a CMA area of node 0
  int64_t gigantic = 0;
  int64_t gigantic_area = 0;  // pages of the last node's area of gigantic pages
  int64_t disk = 0;           // pages of its file system
  bool offline = true;
  int64_t pool = 60;
  int cpus = 2;  // of each node

  MachineConfig machine() const;
  workloads::RandomContigOptions options() const;
};
void PrintTo(const ContigLayout& layout, std::ostream* out);

std::vector<ContigLayout> ContigLayouts();

// Of all zones, what is there now less what boot reserved.
int64_t ManagedPages(TestMachine& machine);

}  // namespace numasim

#endif  // NUMASIM_TESTS_MODELS_CONTIG_CONTIG_LAYOUTS_H_
