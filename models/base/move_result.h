// What move_pages() answered.
#ifndef NUMASIM_MODELS_BASE_MOVE_RESULT_H_
#define NUMASIM_MODELS_BASE_MOVE_RESULT_H_

#include <cstdint>

#include "models/base/errno.h"

namespace numasim {

// Pages by the status that the kernel wrote for them. It writes none for the pages that moved together with
// one that did not, and for all behind them.
struct MoveResult {
  Errno error = Errno::kOk;
  int64_t moved = 0;      // the wanted node
  int64_t not_moved = 0;  // an error, also where there is no page
  int64_t unwritten = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_MOVE_RESULT_H_
