// Contig: all that works on contiguous ranges of frames, put together. Owned beside AddressSpaceOps, and gone
// before it; what runs on which LP is told by the parts.
#ifndef NUMASIM_MODELS_CONTIG_CONTIG_H_
#define NUMASIM_MODELS_CONTIG_CONTIG_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "models/address_space/address_space_ops.h"
#include "models/contig/cma.h"
#include "models/contig/contig_range.h"
#include "models/contig/gigantic.h"
#include "models/contig/memory_hotplug.h"
#include "models/contig/virtio_mem.h"
#include "models/machine_config.h"
#include "models/memory_system.h"

namespace numasim {

class Contig {
 public:
  // Makes the CMA areas, and gives the pool its source of gigantic pages. An error names the field that is
  // wrong.
  static absl::StatusOr<std::unique_ptr<Contig>> Create(MemorySystem& memory, AddressSpaceOps& ops,
                                                        const MachineConfig& machine);
  ~Contig();

  ContigRanges& ranges() { return ranges_; }
  CmaAreas& cma() { return *cma_; }
  const CmaAreas& cma() const { return *cma_; }
  MemoryHotplug& hotplug() { return *hotplug_; }
  const VirtioMemDriver* virtio_mem() const { return virtio_mem_.get(); }
  VirtioMemDriver* virtio_mem() { return virtio_mem_.get(); }  // null: the machine has no such device

  // Its counters as columns of a trace.
  std::vector<MemorySystem::CounterColumn> Columns() const;

 private:
  Contig(MemorySystem& memory, AddressSpaceOps& ops) : ops_(ops), ranges_(memory, ops) {}

  AddressSpaceOps& ops_;
  ContigRanges ranges_;
  std::unique_ptr<CmaAreas> cma_;
  std::unique_ptr<GiganticPages> gigantic_;
  std::unique_ptr<MemoryHotplug> hotplug_;
  std::unique_ptr<VirtioMemDriver> virtio_mem_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_CONTIG_CONTIG_H_
