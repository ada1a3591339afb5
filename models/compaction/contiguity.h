// How far free memory is in one piece, as columns of a trace. Computed for each sample, where nothing runs.
#ifndef NUMASIM_MODELS_COMPACTION_CONTIGUITY_H_
#define NUMASIM_MODELS_COMPACTION_CONTIGUITY_H_

#include <vector>

#include "models/physical/memory_system.h"
#include "models/physical/zone.h"

namespace numasim {

// The share of a zone's pageblocks that are free, or would be if what is in them moved away, in parts of
// 1000; 0 where the zone has no memory. Huge pages of HugeTLB stay where they are, and so do pages for as
// long as they are being moved. Looks at each frame of pageblocks that are in pieces.
int EmptiableShare(const Zone& zone);

// Of each zone, in parts of 1000:
//   node0.Normal.unusable_index.order9  debugfs extfrag/unusable_index: UnusableIndex()
//   node0.Normal.extfrag_index.order9   debugfs extfrag/extfrag_index: FragmentationIndex()
//   node0.Normal.emptiable_share        EmptiableShare()
std::vector<MemorySystem::CounterColumn> ContiguityColumns(const MemorySystem& memory);

}  // namespace numasim

#endif  // NUMASIM_MODELS_COMPACTION_CONTIGUITY_H_
