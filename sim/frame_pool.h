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
  // The next Allocate of at most `bytes` on this thread gets `memory`, which does not begin at a cache line
  // and is not the pool's; freeing it does nothing. Null takes an offer back.
  static void Offer(void* memory, size_t bytes) {
#ifndef NUMASIM_SANITIZER
    offered_ = memory;
    offered_bytes_ = bytes;
#else
    (void)memory;
    (void)bytes;
#endif
  }

  static void* Allocate(size_t bytes) {
#ifndef NUMASIM_SANITIZER
    if (offered_ != nullptr && bytes <= offered_bytes_) [[unlikely]]
      return TakeOffer();
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
    if (reinterpret_cast<uintptr_t>(memory) % kLine != 0) return;
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
  static constexpr size_t kLine = 64;
  static constexpr size_t kStep = kLine;
  static constexpr size_t kClasses = 33;  // up to 2 KiB; larger frames are malloc's
  static constexpr uint32_t kMaxLength = 4096;

  struct Block {
    Block* next;
  };
  struct FreeList {
    Block* first;
    uint32_t length;
  };
  struct Cleaner;

  static void* TakeOffer() {
    void* const memory = offered_;
    offered_ = nullptr;
    return memory;
  }
  static void* AllocateSlow(size_t bytes);
  static void FreeSlow(void* memory, size_t bytes);

  // Plain data, so that reading it needs no initialisation check; Cleaner frees it at thread end.
  static constinit thread_local FreeList lists_[kClasses];
  static constinit thread_local void* offered_;
  static constinit thread_local size_t offered_bytes_;
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_FRAME_POOL_H_
