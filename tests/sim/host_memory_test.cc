#include "sim/host_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <latch>
#include <limits>
#include <new>
#include <thread>
#include <vector>

namespace numasim::sim {
namespace {

// The exit status of a child that does this; -1 if a signal ended it.
int StatusOfChild(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(HostMemoryTest, FreeMemoryIsSomeAndAddressSpaceAsTheLimitSays) {
  EXPECT_GT(FreeHostMemory().resident, 0);
  EXPECT_EQ(FreeHostMemory().address_space, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(StatusOfChild([] {
              constexpr int64_t kLimit = int64_t{1} << 60;
              const struct rlimit limit = {kLimit, kLimit};
              setrlimit(RLIMIT_AS, &limit);
              const int64_t left = FreeHostMemory().address_space;
              return left > 0 && left < kLimit ? 42 : 1;
            }),
            42);
}

// Whoever may make only so many threads; root may make any number.
TEST(HostMemoryTest, ThreadsAreAsManyAsTheHostGives) {
  EXPECT_EQ(ThreadsOfHost(1), 1);
  EXPECT_EQ(ThreadsOfHost(4), 4);
  EXPECT_EQ(StatusOfChild([] {
              const struct rlimit limit = {1, 1};
              setrlimit(RLIMIT_NPROC, &limit);
              if (getuid() == 0 && setuid(65534) != 0) return 1;
              return 40 + ThreadsOfHost(4);
            }),
            41);
}

#ifndef NUMASIM_SANITIZER  // which has an allocator of its own
// So many threads at once that each allocate.
void AllocateInThreads(int count) {
  std::latch all_have(count);
  std::vector<std::thread> threads;
  for (int t = 0; t < count; ++t) {
    threads.emplace_back([&all_have] {
      void* const memory = ::operator new(4000);
      all_have.arrive_and_wait();
      ::operator delete(memory);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// The stacks of threads that have ended are kept, 40 MiB at most; heaps would be 64 MiB each.
TEST(HostMemoryTest, ThreadsReserveNoHeapsWhereTheAddressSpaceIsLimited) {
  EXPECT_EQ(StatusOfChild([] {
              const struct rlimit limit = {rlim_t{1} << 60, rlim_t{1} << 60};
              setrlimit(RLIMIT_AS, &limit);
              SaveAddressSpace();
              const int64_t before = FreeHostMemory().address_space;
              AllocateInThreads(8);
              return before - FreeHostMemory().address_space < int64_t{64} << 20 ? 42 : 1;
            }),
            42);
}
#endif

TEST(HostMemoryTest, NewThatFailsEndsTheProgramWithAMessage) {
  const auto run_out = [] {
    ExitWhenOutOfMemory();
    HostOutOfMemory();
  };
  EXPECT_EXIT(run_out(), testing::ExitedWithCode(1),
              "^numasim: out of memory: this host has no more to give; expected a smaller machine or fewer "
              "streams\n$");
  const auto limited = [&run_out] {
    const struct rlimit limit = {rlim_t{1} << 60, rlim_t{1} << 60};
    setrlimit(RLIMIT_AS, &limit);
    run_out();
  };
  EXPECT_EXIT(limited(), testing::ExitedWithCode(1),
              "may have 1099511627776 MiB of address space .ulimit -v.");
}

}  // namespace
}  // namespace numasim::sim
