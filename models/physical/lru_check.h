// The part of the Validator that looks at the LRU lists of a node. Read only while nothing runs.
#ifndef NUMASIM_MODELS_PHYSICAL_LRU_CHECK_H_
#define NUMASIM_MODELS_PHYSICAL_LRU_CHECK_H_

#include <cstdint>

#include "models/base/problem_list.h"
#include "models/physical/node.h"

namespace numasim {

class LruCheck {
 public:
  // Every page of a disk's file, of which the node has so many, is on one of the lists, and nothing else is.
  static void Check(const Node& node, int64_t file_pages, ProblemList& problems);

 private:
  struct Found {
    PerZoneType<int64_t> pages = {};
    int64_t all = 0;
  };
  static Found CheckList(const Lru& lru, Lru::List list, const std::string& name, ProblemList& problems);
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PHYSICAL_LRU_CHECK_H_
