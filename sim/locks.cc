#include "sim/locks.h"

#include <algorithm>

namespace numasim::sim {

bool RwSem::held_by(const Path& path) const {
  return std::any_of(holders_.begin(), holders_.end(), [&](const Holder& h) { return h.path == &path; });
}

bool RwSem::Take(Path& path, bool write) {
  CheckIsHere(path);
  NUMASIM_CHECK(!held_by(path));
  if (!holders_.empty() && (write || writer_ || !waiters_.empty())) return false;
  ++stats_->acquisitions;
  writer_ = write;
  holders_.push_back({&path, path.now()});
  return true;
}

void RwSem::Drop(Path& path) {
  CheckIsHere(path);
  const auto holder =
      std::find_if(holders_.begin(), holders_.end(), [&](const Holder& h) { return h.path == &path; });
  NUMASIM_CHECK(holder != holders_.end());
  stats_->hold.Record((path.now() - holder->since).ns);
  holders_.erase(holder);
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

void RwSem::ReleaseRead(Path& path) {
  NUMASIM_CHECK(!writer_);
  Drop(path);
  LetIn();
}

void RwSem::ReleaseWrite(Path& path) {
  NUMASIM_CHECK(writer_);
  Drop(path);
  writer_ = false;
  LetIn();
}

void RwSem::Downgrade(Path& path) {
  NUMASIM_CHECK(writer_);
  NUMASIM_CHECK(held_by(path));
  writer_ = false;
  LetIn();
}

}  // namespace numasim::sim
