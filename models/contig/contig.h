// Contig: who allocates contiguous ranges of frames, put together. Owned by Kernel; what runs on which LP is
// told by the parts.
#ifndef NUMASIM_MODELS_CONTIG_CONTIG_H_
#define NUMASIM_MODELS_CONTIG_CONTIG_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "models/base/machine_config.h"
#include "models/contig/cma.h"
#include "models/contig/contig_range.h"
#include "models/contig/gigantic.h"
#include "models/hugetlb/hugetlb.h"
#include "models/migrate/migration.h"
#include "models/physical/memory_system.h"

namespace numasim {

class Contig {
 public:
  // Makes the CMA areas, and gives the pool its source of gigantic pages. An error names the field that is
  // wrong.
  static absl::StatusOr<std::unique_ptr<Contig>> Create(MemorySystem& memory, Hugetlb& hugetlb,
                                                        Migrator& migrator, Filemap& filemap,
                                                        const MachineConfig& machine);
  ~Contig();

  ContigRanges& ranges() { return ranges_; }
  CmaAreas& cma() { return *cma_; }
  const CmaAreas& cma() const { return *cma_; }

 private:
  Contig(MemorySystem& memory, Hugetlb& hugetlb, Migrator& migrator, Filemap& filemap)
      : pool_(hugetlb.pool()), ranges_(memory, hugetlb, migrator, filemap) {}

  HugetlbPool& pool_;
  ContigRanges ranges_;
  std::unique_ptr<CmaAreas> cma_;
  std::unique_ptr<GiganticPages> gigantic_;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_CONTIG_CONTIG_H_
