#include "sim/host_memory.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <latch>
#include <limits>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace numasim::sim {
namespace {

constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

// A number of bytes that is alone in a file; kUnlimited if there is none ("max").
int64_t NumberIn(const char* path) {
  std::ifstream in(path);
  int64_t number = 0;
  return in >> number ? number : kUnlimited;
}

// What is left of a container's memory, by cgroup version 2 or 1.
int64_t LeftOfCgroup() {
  constexpr const char* kFiles[][2] = {
      {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}};
  for (const auto& [limit_file, used_file] : kFiles) {
    const int64_t limit = NumberIn(limit_file);
    const int64_t used = NumberIn(used_file);
    if (limit != kUnlimited && used != kUnlimited) return std::max<int64_t>(0, limit - used);
  }
  return kUnlimited;
}

int64_t MemAvailable() {
  std::ifstream in("/proc/meminfo");
  for (std::string name; in >> name;) {
    int64_t kilobytes = 0;
    if (name == "MemAvailable:" && in >> kilobytes) return kilobytes * 1024;
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return kUnlimited;
}

int64_t LeftOfAddressSpace() {
  struct rlimit limit = {};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur > static_cast<rlim_t>(kUnlimited))
    return kUnlimited;
  const int64_t pages = NumberIn("/proc/self/statm");  // the first of its numbers: all that is mapped
  if (pages == kUnlimited) return static_cast<int64_t>(limit.rlim_cur);
  return std::max<int64_t>(0, static_cast<int64_t>(limit.rlim_cur) - pages * sysconf(_SC_PAGESIZE));
}

// Allocates nothing.
void SayOutOfMemory() {
  struct rlimit limit = {};
  char text[300];
  int length = 0;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    length =
        std::snprintf(text, sizeof text,
                      "numasim: out of memory: this process may have %llu MiB of address space (ulimit -v); "
                      "expected a smaller machine, fewer streams, or a larger limit\n",
                      static_cast<unsigned long long>(limit.rlim_cur >> 20));
  } else {
    length =
        std::snprintf(text, sizeof text,
                      "numasim: out of memory: this host has no more to give; expected a smaller machine or "
                      "fewer streams\n");
  }
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, static_cast<size_t>(length));
  _exit(1);
}

}  // namespace

HostMemory FreeHostMemory() { return {std::min(MemAvailable(), LeftOfCgroup()), LeftOfAddressSpace()}; }

void HostOutOfMemory() {
  if (const std::new_handler handler = std::get_new_handler()) handler();
  throw std::bad_alloc();
}

void ExitWhenOutOfMemory() { std::set_new_handler(SayOutOfMemory); }

void SaveAddressSpace() {
#ifdef M_ARENA_MAX
  struct rlimit limit = {};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) mallopt(M_ARENA_MAX, 1);
#endif
}

int ThreadsOfHost(int wanted) {
  std::vector<std::thread> threads;
  std::latch all_made(1);
  try {
    while (static_cast<int>(threads.size()) + 1 < wanted)
      threads.emplace_back([&all_made] { all_made.wait(); });
  } catch (const std::system_error&) {
    // As many as there are.
  }
  all_made.count_down();
  for (std::thread& thread : threads) thread.join();
  return static_cast<int>(threads.size()) + 1;
}

}  // namespace numasim::sim
