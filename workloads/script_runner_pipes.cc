// Pipes that processes fill and close.
#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "models/pipes/pipes.h"
#include "workloads/script_runner.h"

namespace numasim::workloads {

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, Owned& owned, const PipesOp& op) {
  if (owned.pipes.contains(op.pipes)) {
    throw ScriptError(absl::StrCat("PIPES: '", op.pipes,
                                   "' are pipes already; expected a new name, or drain_pipes before"));
  }
  OpenPipes& pipes = owned.pipes[op.pipes];
  OpResult result;
  int64_t left = op.size / kPageSize + (op.size % kPageSize != 0 ? 1 : 0);
  while (left > 0 && result.error == Errno::kOk) {
    const int64_t here = std::min(left, Pipes::kPages);
    pipes.push_back(std::make_shared<Pipe>());
    result.error = co_await kernel_.pipes().Fill(path, *owned.process, here, *pipes.back());
    left -= here;
  }
  co_return result;
}

sim::Task<OpResult> ScriptRunner::Do(sim::Path& path, Owned& owned, const DrainPipesOp& op) {
  const auto found = owned.pipes.find(op.pipes);
  if (found == owned.pipes.end()) co_return Errno::kNoEnt;
  co_await ClosePipes(path, owned, found->second, static_cast<size_t>(op.every.value_or(1)));
  const bool any_left = std::ranges::any_of(found->second, [](const auto& pipe) { return pipe != nullptr; });
  if (!any_left) owned.pipes.erase(found);
  co_return Errno::kOk;
}

// Memory comes back with the last process that has the pipe open.
sim::Task<void> ScriptRunner::ClosePipes(sim::Path& path, Owned& owned, OpenPipes& pipes, size_t every) {
  for (size_t i = 0; i < pipes.size(); i += every) {
    const std::shared_ptr<Pipe> closed = std::exchange(pipes[i], nullptr);
    if (closed == nullptr || closed.use_count() > 1) continue;
    co_await kernel_.pipes().Close(path, owned.process->cpu, *closed);
  }
}

}  // namespace numasim::workloads
