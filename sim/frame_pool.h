// Memory for coroutine frames: free lists by size, one set per thread, so that calling a nested coroutine
// costs no malloc. A frame may be freed on another thread than it came from and then serves that one; a list
// that grows past a bound gives back to malloc. Under a sanitizer it is plain malloc, so that a use after
// free is found.
#ifndef NUMASIM_SIM_FRAME_POOL_H_
#define NUMASIM_SIM_FRAME_POOL_H_

#include <cstddef>
#include <cstdint>

namespace numasim::sim::internal {

class FramePool {
 public:
  static void* Allocate(size_t bytes) {
#ifndef NUMASIM_SANITIZER
    const size_t size_class = (bytes + kStep - 1) / kStep;
    if (size_class < kClasses) [[likely]] {
      FreeList& list = lists_[size_class];
      if (Block* const block = list.first) [[likely]] {
        list.first = block->next;
        --list.length;
        return block;
      }
    }
#endif
    return AllocateSlow(bytes);
  }

  // `bytes` as given to Allocate.
  static void Free(void* memory, size_t bytes) {
#ifndef NUMASIM_SANITIZER
    const size_t size_class = (bytes + kStep - 1) / kStep;
    if (size_class < kClasses) [[likely]] {
      FreeList& list = lists_[size_class];
      if (list.length < kMaxLength) [[likely]] {
        auto* const block = static_cast<Block*>(memory);
        block->next = list.first;
        list.first = block;
        ++list.length;
        return;
      }
    }
#endif
    FreeSlow(memory, bytes);
  }

 private:
  static constexpr size_t kStep = 32;
  static constexpr size_t kClasses = 65;  // up to 2 KiB; larger frames are malloc's
  static constexpr uint32_t kMaxLength = 4096;

  struct Block {
    Block* next;
  };
  struct FreeList {
    Block* first;
    uint32_t length;
  };
  struct Cleaner;

  static void* AllocateSlow(size_t bytes);
  static void FreeSlow(void* memory, size_t bytes);

  // Plain data, so that reading it needs no initialisation check; Cleaner frees it at thread end.
  static constinit thread_local FreeList lists_[kClasses];
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_FRAME_POOL_H_
