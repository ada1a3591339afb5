// A trace of a real kernel, replayed from the state that was recorded just before it: in the end free memory
// is as the kernel had it.
//
// testdata/first.* and second.* are two recordings of one load on Linux 6.1 (Debian, two nodes of 1 GiB and
// one CPU each, in a virtual machine): processes that touch, fork, write to what they share, fill and close
// pipes, map huge pages and shared memory, unmap and exit. Step 0 of a .truth.json is the state before, step
// 1 the one behind.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "cli/run/traced_run.h"
#include "files/read_file.h"
#include "nlohmann/json.hpp"
#include "tests/workloads/finished_run.h"
#include "workloads/scenario.h"
#include "workloads/simulation.h"

namespace numasim {
namespace {

using nlohmann::json;
using workloads::AllocReplay;

// Free blocks by order, of each node, zone and migratetype.
using FreeKey = std::tuple<int, std::string, std::string>;
using FreeBlocks = std::map<FreeKey, std::array<int64_t, kOrders>>;

std::string FileNamed(const std::string& name) {
  return *ReadInputFile(absl::StrCat("tests/workloads/alloc_trace/testdata/", name));
}

json StepOf(const std::string& recording, size_t step) {
  return json::parse(FileNamed(recording + ".truth.json"))["steps"][step]["counters"];
}

FreeBlocks FreeIn(const json& counters) {
  FreeBlocks free;
  for (const json& entry : counters["free_by_type"])
    free[{entry["node"], entry["zone"], entry["type"]}] = entry["free"].get<std::array<int64_t, kOrders>>();
  return free;
}

FreeBlocks FreeIn(const MemorySystem& memory) {
  FreeBlocks free;
  for (const Zone* zone : memory.zones()) {
    for (int type = 0; type < kPcpMigratetypes; ++type) {
      std::array<int64_t, kOrders> blocks = {};
      for (int order = 0; order < kOrders; ++order)
        zone->buddy().ForEachFree(order, static_cast<Migratetype>(type),
                                  [&](FrameIndex) { ++blocks[order]; });
      const FreeKey key = {zone->node().value, kZoneNames[zone->type()],
                           kMigratetypeNames[static_cast<Migratetype>(type)]};
      if (blocks != std::array<int64_t, kOrders>()) free[key] = blocks;
    }
  }
  return free;
}

// How far two states are from each other: how many blocks of an order and type there are more or less, and
// how many pages these are.
struct Distance {
  int64_t blocks = 0;
  int64_t pages = 0;
};

Distance DistanceOf(const FreeBlocks& a, const FreeBlocks& b) {
  std::set<FreeKey> keys;
  for (const FreeBlocks* side : {&a, &b}) {
    for (const auto& [key, blocks] : *side) keys.insert(key);
  }
  const auto at = [](const FreeBlocks& side, const FreeKey& key) {
    const auto found = side.find(key);
    return found == side.end() ? std::array<int64_t, kOrders>() : found->second;
  };
  Distance distance;
  for (const FreeKey& key : keys) {
    for (size_t order = 0; order < kOrders; ++order) {
      const int64_t blocks = std::abs(at(a, key)[order] - at(b, key)[order]);
      distance.blocks += blocks;
      distance.pages += blocks << order;
    }
  }
  return distance;
}

std::string Text(const std::array<int64_t, kOrders>& numbers) {
  std::string text;
  for (const int64_t number : numbers) absl::StrAppend(&text, " ", number);
  return text;
}

std::string Text(const FreeBlocks& free) {
  std::string text;
  for (const auto& [key, blocks] : free)
    absl::StrAppend(&text, "\n  node ", std::get<0>(key), " ", std::get<1>(key), " ", std::get<2>(key), ":",
                    Text(blocks));
  return text;
}

class RecordedTraceTest : public testing::Test {
 protected:
  RecordedTraceTest()
      : run_(
            "machine { boot_state_file: 'first.truth.json' } workload { allocations { name: 'trace' trace: "
            "'first.ftrace.gz' } }",
            {[](const std::string& name) -> absl::StatusOr<std::string> { return FileNamed(name); },
             ReadMachineFile},
            1, 1, sim::Scheme::kAuto) {}

  const AllocReplay& replay() { return *run_.simulation().replays().front(); }
  FinishedRun run_;
};

// Two recordings of one load differ: the replay is nearer to the one that it replays than the other is, and
// much nearer than the state before.
TEST_F(RecordedTraceTest, FreeMemoryIsAsTheKernelHadIt) {
  const FreeBlocks here = FreeIn(run_.simulation().memory());
  const FreeBlocks before = FreeIn(StepOf("first", 0));
  const FreeBlocks kernel = FreeIn(StepOf("first", 1));
  const FreeBlocks again = FreeIn(StepOf("second", 1));
  SCOPED_TRACE(absl::StrCat("here:", Text(here), "\nkernel:", Text(kernel), "\nanother time:", Text(again)));
  const Distance distance = DistanceOf(here, kernel);
  const Distance between_recordings = DistanceOf(again, kernel);
  EXPECT_LE(distance.blocks, between_recordings.blocks);
  EXPECT_LE(distance.pages, between_recordings.pages);
  EXPECT_LE(distance.pages, DistanceOf(before, kernel).pages / 2);
  run_.CheckState();
}

// All that it allocated it had to give, and but for a few pages it freed only what it had allocated.
TEST_F(RecordedTraceTest, EventsAreAllAccountedFor) {
  EXPECT_EQ(replay().counter(ALLOCATIONS_ALLOCATED), 5260);
  EXPECT_EQ(replay().counter(ALLOCATIONS_FAILED), 0);
  EXPECT_EQ(replay().counter(ALLOCATIONS_FREED_UNSEEN), 6);
  EXPECT_EQ(replay().counter(ALLOCATIONS_FREED), 2618 - 6);
  EXPECT_EQ(replay().counter(ALLOCATIONS_FREES_LOST), 0);
  EXPECT_EQ(replay().counter(ALLOCATIONS_FALLBACKS_IN_TRACE), 1);
}

}  // namespace
}  // namespace numasim
