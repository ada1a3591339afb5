#include "cli/sweep/side_by_side.h"

#include <tbb/task_arena.h>
#include <tbb/task_group.h>

namespace numasim {

void RunSideBySide(int threads, void (*work)(void* context), void* context) {
  tbb::task_arena arena(threads);
  arena.execute([=] {
    tbb::task_group group;
    for (int t = 1; t < threads; ++t) group.run([=] { work(context); });
    work(context);
    group.wait();
  });
}

}  // namespace numasim
