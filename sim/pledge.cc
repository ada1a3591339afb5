#include "sim/pledge.h"

#include <exception>
#include <utility>

#include "sim/check.h"
#include "sim/stretch_set.h"

namespace numasim::sim {

bool Path::KeepsPledge() const {
  return record_->pledge != nullptr && !record_->pledge_void && record_->pledge->lp_ == lp_;
}

PledgeScope::PledgeScope(Path& path, Pledge& pledge) : path_(&path) {
  internal::Lp& lp = *path.lp_;
  if (lp.shared->step_by_step) {
    path_ = nullptr;
    return;
  }
  NUMASIM_CHECK(path.record_->pledge == nullptr);
  pledge.lp_ = &lp;
  path.record_->pledge = &pledge;
  path.record_->pledge_void = false;
  lp.record->pledgers.push_back(&path);
  lp.pledging = true;
}

void PledgeScope::Renew() {
  if (path_ != nullptr) path_->record_->pledge_void = false;
}

PledgeScope::~PledgeScope() {
  if (path_ == nullptr) return;
  internal::PathRecord& record = *path_->record_;
  internal::Lp& home = *std::exchange(record.pledge, nullptr)->lp_;
  std::erase(home.record->pledgers, path_);
  home.pledging = !home.record->pledgers.empty();
  // What goes on from here has pledged nothing; but where the engine drops it, or an error ends it.
  if (home.shared->dropping || std::uncaught_exceptions() > 0) return;
  NUMASIM_CHECK_EQ(path_->lp().value, home.id.value);
  home.CheckKept(home.now, *path_, "does not go on with what it pledged");
}

}  // namespace numasim::sim
