#include "models/address_space/table_pool.h"

#include <sys/mman.h>

#include <cstdint>
#include <mutex>
#include <new>

#include "sim/host_memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define NUMASIM_NO_POOL 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define NUMASIM_NO_POOL 1
#endif

namespace numasim {
namespace {

// Runs that need only a few tables take a few KiB; others huge pages.
constexpr size_t kFirstPiece = size_t{256} << 10;
constexpr size_t kPiece = size_t{4} << 20;
constexpr uintptr_t kHugePage = uintptr_t{2} << 20;

struct Pool {
  std::mutex mutex;
  void* free = nullptr;  // each begins with the next one's address
  std::byte* at = nullptr;
  std::byte* end = nullptr;
  bool began = false;

  void AddPiece();
};

// Never destroyed: it outlives every thread's last table.
Pool& ThePool() {
  static auto* const pool = new Pool;
  return *pool;
}

void Pool::AddPiece() {
  // With room for the part that begins where a huge page does.
  const size_t bytes = began ? kPiece + kHugePage : kFirstPiece;
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) sim::HostOutOfMemory();
  at = static_cast<std::byte*>(memory);
  end = at + bytes;
  if (began) {
    at += (kHugePage - reinterpret_cast<uintptr_t>(at) % kHugePage) % kHugePage;
    end = at + kPiece;
    // Where the host has none this is only a hint.
    madvise(at, kPiece, MADV_HUGEPAGE);
  }
  began = true;
}

}  // namespace

void* TablePool::Allocate(size_t bytes) {
#ifdef NUMASIM_NO_POOL
  return ::operator new(bytes, std::align_val_t{64});
#else
  Pool& pool = ThePool();
  const std::lock_guard lock(pool.mutex);
  if (pool.free != nullptr) {
    void* const table = pool.free;
    pool.free = *static_cast<void**>(table);
    return table;
  }
  if (pool.end - pool.at < static_cast<ptrdiff_t>(bytes)) pool.AddPiece();
  void* const table = pool.at;
  pool.at += bytes;
  return table;
#endif
}

void TablePool::Free(void* table) {
#ifdef NUMASIM_NO_POOL
  ::operator delete(table, std::align_val_t{64});
#else
  Pool& pool = ThePool();
  const std::lock_guard lock(pool.mutex);
  *static_cast<void**>(table) = pool.free;
  pool.free = table;
#endif
}

}  // namespace numasim
