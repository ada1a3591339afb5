#include "sim/sync.h"

#include <utility>

namespace numasim::sim {

WaitBase::WaitBase(Engine& engine, LpId lp, std::string name, bool open)
    : lp_(lp), name_(std::move(name)), open_(open) {
  NUMASIM_CHECK_GE(lp.value, 0);
  NUMASIM_CHECK_LT(lp.value, engine.lp_count());
}

void WaitBase::Open() {
  open_ = true;
  while (!waiters_.empty()) internal::Sleep::Wake(waiters_.Pop());
}

void Completion::Reset() {
  NUMASIM_CHECK(waiters_.empty());
  open_ = false;
}

Latch::Latch(Engine& engine, LpId lp, std::string name, int64_t count)
    : WaitBase(engine, lp, std::move(name), count == 0), count_(count) {
  NUMASIM_CHECK_GE(count, 0);
}

void Latch::Add(Path& path, int64_t n) {
  CheckIsHere(path);
  NUMASIM_CHECK_GT(n, 0);
  count_ += n;
  open_ = false;
}

void Latch::CountDown(Path& path) {
  CheckIsHere(path);
  NUMASIM_CHECK_GT(count_, 0);
  if (--count_ == 0) Open();
}

}  // namespace numasim::sim
