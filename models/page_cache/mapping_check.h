// The part of the Validator that looks at a Mapping in itself. Read only while nothing runs.
#ifndef NUMASIM_MODELS_PAGE_CACHE_MAPPING_CHECK_H_
#define NUMASIM_MODELS_PAGE_CACHE_MAPPING_CHECK_H_

#include <cstdint>
#include <string>

#include "models/base/problem_list.h"
#include "models/page_cache/mapping.h"

namespace numasim {

class MappingCheck {
 public:
  // `file` names it: "file 3".
  static void Check(const Mapping& mapping, const std::string& file, ProblemList& problems);
  // How many nodes it has that have shadows and no page.
  static int64_t ShadowNodes(const Mapping& mapping);
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_PAGE_CACHE_MAPPING_CHECK_H_
