// Prints what CostModel's defaults give for the published figures of Linux's allocator under contention, at
// the published size: 64 GiB of a node of 128 GiB. docs/performance.md has the table.
#include <cstdint>
#include <cstdio>

#include "bench/contention.h"

namespace numasim {
namespace {

constexpr int64_t kGiBPages = int64_t{1} << (30 - kPageShift);

void PrintRow(int cpus) {
  std::printf("%5d", cpus);
  for (const int order : {0, 9}) {
    const int64_t blocks = (64 * kGiBPages) >> order;
    Contention bulk(cpus, 128 * kGiBPages);
    const Contention::Times times = bulk.Bulk(order, blocks);
    Contention random(cpus, 128 * kGiBPages);
    Contention repeat(cpus, 128 * kGiBPages);
    std::printf("  %d: alloc %6.0f free %6.0f random %6.0f repeat %5.0f", order, times.alloc, times.free,
                random.Random(order, blocks), repeat.Repeat(order, 10'000));
    std::fflush(stdout);
  }
  std::printf("\n");
}

void PrintOrders() {
  std::printf("repeat on 8 CPUs, by order:");
  for (int order = 0; order <= 10; ++order)
    std::printf(" %.0f", Contention(8, 128 * kGiBPages).Repeat(order, 10'000));
  std::printf("\n");
}

}  // namespace
}  // namespace numasim

int main() {
  std::printf("simulated ns a call\n CPUs\n");
  for (const int cpus : {1, 2, 4, 8, 13, 26}) numasim::PrintRow(cpus);
  numasim::PrintOrders();
}
