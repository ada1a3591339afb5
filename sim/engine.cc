#include "sim/engine.h"

#include <algorithm>
#include <utility>

#include "sim/run_loop.h"
#include "sim/stretch_set.h"

namespace numasim::sim {

Engine::Engine(Options options) : options_(options) {
  NUMASIM_CHECK_GE(options.threads, 1);
  NUMASIM_CHECK_GE(options.lookahead, Nanoseconds(1));
  shared_.engine = this;
  shared_.lookahead = options.lookahead.ns;
  shared_.step_by_step = options.step_by_step;
}

Engine::~Engine() { DropPaths(); }

LpId Engine::AddLp(std::string name) {
  NUMASIM_CHECK_LT(lps_.size(), (size_t{1} << 20) - 2);
  const auto index = static_cast<int32_t>(lps_.size());
  lps_.push_back(std::make_unique<internal::Lp>(&shared_, index, std::move(name)));
  lps_.back()->now = now_.ns;
  shared_.next.push_back(kNever.ns);
  shared_.out.push_back(kNever.ns);
  return LpId{index};
}

Path* Engine::MakePath(internal::Lp& birth, internal::Lp& on, uint64_t id, std::string name, PathFn fn) {
  Path* const path = birth.record->paths.New();
  path->lp_ = &on;
  path->record_->birth = &birth;
  path->record_->id = id;
  path->record_->name = std::move(name);
  path->record_->fn = std::move(fn);
  return path;
}

void Engine::Start(LpId to, SimTime at, std::string name, PathFn fn) {
  NUMASIM_CHECK_GE(at, now_);
  internal::Lp& lp = this->lp(to);
  Path* const path = MakePath(lp, lp, outside_paths_++, std::move(name), std::move(fn));
  if (at == kNever) return path->WaitForEver(now_.ns);
  lp.Receive(internal::Event{at.ns, internal::EventOrder(0, outside_sequence_++), path});
  const auto index = static_cast<size_t>(to.value);
  shared_.next[index] = std::min(shared_.next[index], at.ns);
  shared_.out[index] = std::min(shared_.out[index], at.ns);
}

absl::Status Engine::Run(SimTime end) {
  NUMASIM_CHECK_GE(end, now_);
  if (!status_.ok()) return status_;
  if (run_loop_ == nullptr) run_loop_ = std::make_unique<internal::RunLoop>(*this);
  status_ = run_loop_->Run(end);
  return status_;
}

uint64_t Engine::events_executed() const {
  uint64_t events = 0;
  for (const auto& lp : lps_) events += lp->events;
  return events;
}

std::vector<BlockedPath> Engine::blocked_paths() const {
  std::vector<std::pair<std::pair<int32_t, std::pair<int64_t, uint64_t>>, BlockedPath>> found;
  for (const auto& lp : lps_) {
    lp->record->paths.ForEachLive([&](const Path& path) {
      if (path.record_->waits_for == nullptr) return;
      found.push_back({{path.lp().value, {path.record_->waits_since, path.id()}},
                       {path.name(), *path.record_->waits_for, path.lp(), SimTime{path.record_->waits_since},
                        path.record_->waits_for == &Path::AfterEndOfTime()}});
    });
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<BlockedPath> paths;
  for (auto& entry : found) paths.push_back(std::move(entry.second));
  return paths;
}

void Engine::AddColumn(Column column) {
  NUMASIM_CHECK((column.value != nullptr) != (column.compute != nullptr));
  columns_.push_back(std::move(column));
}

void Engine::SetSampler(Duration interval, SampleSink* sink) {
  sampler_.Set(now_, run_loop_ != nullptr, interval, sink);
}

void Engine::SampleNow() { sampler_.SampleNow(now_, columns_); }

std::vector<const LockStats*> Engine::lock_stats() const {
  std::vector<const LockStats*> all;
  for (const auto& lp : lps_) {
    for (const LockStats& stats : lp->record->lock_stats) all.push_back(&stats);
  }
  return all;
}

void Engine::DropPaths() {
  if (status_.ok()) status_ = absl::FailedPreconditionError("the engine's paths have been dropped");
  shared_.dropping = true;
  for (const auto& lp : lps_) {
    lp->record->paths.ForEachLive([](Path& path) { path.Reset(); });
    lp->record->stretches->Clear();
  }
}

}  // namespace numasim::sim
