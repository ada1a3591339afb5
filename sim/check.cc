#include "sim/check.h"

#include <cstdio>
#include <cstdlib>

namespace numasim::sim::internal {

[[gnu::cold]] void CheckFailed(const char* file, int line, const char* condition,
                               const std::string& operands) {
  std::fprintf(stderr, "%s:%d: check failed: %s%s%s\n", file, line, condition, operands.empty() ? "" : ": ",
               operands.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace numasim::sim::internal
