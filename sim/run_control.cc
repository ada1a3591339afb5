#include "sim/run_control.h"

#include "sim/engine.h"
#include "sim/run_loop.h"

namespace numasim::sim {

void EndRunHere(Path& path) {
  if (internal::RunLoop* const loop = internal::RunLoop::Of(path.engine())) loop->EndAfter(path);
}

void StopRun(Engine& engine) {
  if (internal::RunLoop* const loop = internal::RunLoop::Of(engine)) loop->RequestStop();
}

bool RunWasStopped(const Engine& engine) {
  const internal::RunLoop* const loop = internal::RunLoop::Of(engine);
  return loop != nullptr && loop->stopped();
}

uint64_t WindowsRun(const Engine& engine) {
  const internal::RunLoop* const loop = internal::RunLoop::Of(engine);
  return loop == nullptr ? 0 : loop->windows();
}

std::string NextPath(const Engine& engine) {
  const internal::RunLoop* const loop = internal::RunLoop::Of(engine);
  return loop == nullptr ? "" : loop->NextPath();
}

}  // namespace numasim::sim
