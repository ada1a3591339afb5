// Task<T>: a coroutine that a path awaits like a function call. It starts when it is awaited, runs in the
// same simulated instant until it takes time, and hands its value or exception to whoever awaits it.
//
//   Task<int> Count(Path& path);
//   const int n = co_await Count(path);
//
// How control flows: a child runs on top of its parent's stack frame until it first suspends, so one that
// never suspends is an ordinary call and a loop of them needs no stack. A child that did suspend is later
// resumed by the run loop, and when it ends the run loop, not the child, resumes the parent. So there is no
// chain of symmetric transfer, which some build modes turn into recursion.
#ifndef NUMASIM_SIM_TASK_H_
#define NUMASIM_SIM_TASK_H_

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "sim/frame_pool.h"

namespace numasim::sim {

template <class T>
class Task;

namespace internal {

// Where a path stands, for the run loop; part of Path.
struct ResumePoint {
  std::coroutine_handle<> innermost;  // what the next event resumes; null before the first
  std::coroutine_handle<> next;       // to be resumed as soon as the running one returns
};

struct PromiseBase {
  std::coroutine_handle<> continuation;  // null while the awaiting coroutine is below on the stack
  ResumePoint* point = nullptr;
  std::exception_ptr error;

  static void* operator new(size_t bytes) { return FramePool::Allocate(bytes); }
  static void operator delete(void* memory, size_t bytes) { FramePool::Free(memory, bytes); }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      PromiseBase& promise = ended.promise();
      if (promise.continuation) promise.point->next = promise.continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T Take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void Take() const noexcept {}
};

}  // namespace internal

// Owns the coroutine. Await it at most once; destroying it earlier destroys the coroutine where it stands.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      Destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() { Destroy(); }

  class Awaiter {
   public:
    explicit Awaiter(Handle child) : child_(child) {}
    bool await_ready() const noexcept { return false; }
    template <class Parent>
    bool await_suspend(std::coroutine_handle<Parent> parent) const {
      promise_type& promise = child_.promise();
      promise.point = parent.promise().point;
      child_.resume();
      if (child_.done()) return false;
      promise.continuation = parent;
      return true;
    }
    T await_resume() const {
      promise_type& promise = child_.promise();
      if (promise.error) [[unlikely]]
        std::rethrow_exception(promise.error);
      return promise.Take();
    }

   private:
    Handle child_;
  };

  Awaiter operator co_await() const noexcept { return Awaiter(handle_); }

  Handle handle() const { return handle_; }

 private:
  void Destroy() {
    if (handle_) handle_.destroy();
  }

  Handle handle_;
};

namespace internal {

template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace internal
}  // namespace numasim::sim

#endif  // NUMASIM_SIM_TASK_H_
