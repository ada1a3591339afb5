#include "sim/frame_pool.h"

#include <new>

namespace numasim::sim::internal {

constinit thread_local FramePool::FreeList FramePool::lists_[kClasses] = {};
constinit thread_local void* FramePool::offered_ = nullptr;
constinit thread_local size_t FramePool::offered_bytes_ = 0;

// Gives a thread's lists back when it ends. Frames freed on it later still, in the destructors of other
// thread locals, stay in the lists and are lost; the engine frees none there.
struct FramePool::Cleaner {
  bool used = false;
  ~Cleaner() {
    for (size_t size_class = 0; size_class < kClasses; ++size_class) {
      for (Block* block = lists_[size_class].first; block != nullptr;) {
        Block* const next = block->next;
        ::operator delete(block, std::align_val_t{kLine});
        block = next;
      }
      lists_[size_class] = FreeList{nullptr, 0};
    }
  }
};

void* FramePool::AllocateSlow(size_t bytes) {
  static thread_local Cleaner cleaner;
  cleaner.used = true;
  return ::operator new((bytes + kStep - 1) / kStep * kStep, std::align_val_t{kLine});
}

void FramePool::FreeSlow(void* memory, size_t) { ::operator delete(memory, std::align_val_t{kLine}); }

}  // namespace numasim::sim::internal
