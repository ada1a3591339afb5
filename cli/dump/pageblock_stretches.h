// The map of a zone's pageblocks as a trace has it.
#ifndef NUMASIM_CLI_DUMP_PAGEBLOCK_STRETCHES_H_
#define NUMASIM_CLI_DUMP_PAGEBLOCK_STRETCHES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/trace.pb.h"

namespace numasim {

struct PageblockStretch {
  trace::PageblockMap::Use use = trace::PageblockMap::ABSENT;
  uint64_t count = 0;
};

// In the order of their addresses. Of a map in which uses and counts do not go together, those that do.
std::vector<PageblockStretch> PageblockStretches(const trace::PageblockMap& map);

// "part_movable".
std::string PageblockUseName(trace::PageblockMap::Use use);

}  // namespace numasim

#endif  // NUMASIM_CLI_DUMP_PAGEBLOCK_STRETCHES_H_
