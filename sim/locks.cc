#include "sim/locks.h"

#include <algorithm>

namespace numasim::sim {

bool RwSem::held_by(const Path& path) const {
  return std::any_of(holders_.begin(), holders_.end(), [&](const Holder& h) { return h.path == &path; });
}

void RwSem::RetakeRead(const Path& path, uint64_t times, Duration each, SimTime since) {
  CheckIsHere(path);
  NUMASIM_DCHECK(!writer_ && waiters_.empty());
  const auto holder =
      std::find_if(holders_.begin(), holders_.end(), [&](const Holder& h) { return h.path == &path; });
  NUMASIM_CHECK(holder != holders_.end());
  holder->since = since;
  stats_->acquisitions += times;
  stats_->hold.Record(each.ns, times);
}

void RwSem::LetIn() {
  while (!waiters_.empty()) {
    const bool write = waiters_.first_mode() != 0;
    if (!holders_.empty() && (write || writer_)) return;
    Path& path = PopWaiter();
    writer_ = write;
    holders_.push_back({&path, path.now()});
    internal::Sleep::Wake(path);
  }
}

void RwSem::MoveTo(Engine& engine, const Path& path) {
  NUMASIM_CHECK(holders_.empty());
  NUMASIM_CHECK(waiters_.empty());
  CountOn(engine, path.lp());
}

void RwSem::Downgrade(Path& path) {
  NUMASIM_CHECK(writer_);
  NUMASIM_CHECK(held_by(path));
  writer_ = false;
  LetIn();
}

}  // namespace numasim::sim
