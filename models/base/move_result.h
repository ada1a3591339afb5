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
  // Pages that stayed where they were, by why; of these `held` and what follows has no status.
  int64_t absent = 0;   // there is no page, or only the zero page
  int64_t shared = 0;   // others map it too
  int64_t busy = 0;     // somebody else has it off its list
  int64_t held = 0;     // somebody refers to it
  int64_t no_room = 0;  // the wanted node has no memory for it
  int64_t untried = 0;  // behind one that did not move

  int64_t stayed() const { return absent + shared + busy + held + no_room + untried; }
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_MOVE_RESULT_H_
