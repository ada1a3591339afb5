#include "sim/path.h"

#include "absl/strings/str_cat.h"
#include "sim/engine.h"

namespace numasim::sim {

Path::~Path() = default;

bool Path::Begin() {
  Task<void>& root = record_->root;
  std::byte* const frame = reinterpret_cast<internal::PathSlot*>(this)->frame;
  internal::FramePool::Offer(frame, internal::PathSlot::kFrame);
  try {
    root = record_->fn(*this);
  } catch (...) {
    internal::FramePool::Offer(nullptr, 0);
    // From a function that makes a task and is no coroutine itself.
    Fail(std::current_exception());
    return false;
  }
  internal::FramePool::Offer(nullptr, 0);
  NUMASIM_CHECK(root.handle());  // a PathFn returns a coroutine
  internal::PromiseBase& promise = root.handle().promise();
  promise.point = this;
  // Anything but null: End() is told apart by the root being done.
  promise.continuation = std::noop_coroutine();
  innermost = root.handle();
  return true;
}

void Path::GoOnWithParents() {
  while (next) {
    const std::coroutine_handle<> parent = std::exchange(next, nullptr);
    if (record_->root.handle().done()) {
      End();
      return;
    }
    parent.resume();
  }
}

namespace {

std::string Describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of a type that is not std::exception";
  }
}

}  // namespace

void Path::Fail(const std::exception_ptr& error) {
  internal::Lp& lp = *lp_;
  lp.failed = true;
  lp.record->failure = absl::StrCat("path '", name(), "' failed at ", ToString(now()), " on LP '",
                                    lp.record->name, "': ", Describe(error));
}

void Path::End() {
  const internal::Lp& lp = *lp_;
  if (const std::exception_ptr& error = record_->root.handle().promise().error) Fail(error);
  Reset();
  if (record_->birth == &lp || lp.lane->mail == nullptr) {
    ReturnToStore();
  } else {
    lp.lane->ended.push_back(this);
  }
}

void Path::ReturnToStore() { record_->birth->record->paths.Free(this); }

void Path::Reset() {
  record_->root = Task<void>();
  record_->fn = nullptr;
  record_->cpu_after_sleep = nullptr;
  innermost = nullptr;
  next = nullptr;
  record_->cpu = nullptr;
  record_->waits_for = nullptr;
  record_->place = {};
}

void Path::Start(LpId to, Duration delay, std::string name, PathFn fn) {
  internal::Lp& here = *lp_;
  internal::Lp& there = engine().lp(to);
  const Duration least{&here == &there ? 0 : here.shared->lookahead};
  if (delay < least) [[unlikely]]
    BadDuration("Start", delay, least);
  const uint64_t id = (internal::Lp::Source(here.id.value) << 32) | here.record->path_sequence++;
  Path* const path = Engine::MakePath(here, there, id, std::move(name), std::move(fn));
  if (delay.ns >= kNever.ns - here.now) [[unlikely]] {
    path->WaitForEver(here.now);
  } else if (&here == &there) {
    here.Schedule(here.now + delay.ns, path);
  } else {
    here.Send(there, here.now + delay.ns, path);
  }
}

void Path::Log(int32_t kind, std::string detail, std::any facts) {
  if (!engine().sampler_.sink()) return;
  internal::LpRecord& lp = *lp_->record;
  lp.log.push_back(LogRecord{now(), lp_->id, lp.log_sequence++, kind, name(), std::move(detail),
                             std::move(facts), record_->place});
}

void Path::AddSpan(const char* kind, const std::string& name, SimTime began, const char* failed) {
  Log(/*kind=*/0, name, Span{.kind = kind, .began = began, .failed = failed});
}

const std::string& Path::AfterEndOfTime() {
  static const std::string text = "a time after the end of simulated time";
  return text;
}

void Path::WaitForEver(int64_t since) {
  record_->waits_for = &AfterEndOfTime();
  record_->waits_since = since;
}

void Path::BadDuration(const char* what, Duration d, Duration least) const {
  internal::CheckFailed(__FILE__, __LINE__, "a duration is at least what is possible",
                        absl::StrCat(what, " of ", ToString(d), " (at least ", ToString(least), ") by path '",
                                     name(), "' at ", ToString(now()), " on LP '", lp_->record->name, "'"));
}

}  // namespace numasim::sim
