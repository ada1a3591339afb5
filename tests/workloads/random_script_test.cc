#include "tests/workloads/random_script.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "workloads/script.h"

namespace numasim::workloads {
namespace {

constexpr int64_t kPageSize = 4096;

std::string TextOf(const std::vector<Op>& ops) {
  std::string text;
  for (const Op& op : ops) text += op.text + "\n";
  return text;
}

TEST(RandomScriptTest, SameSeedGivesTheSameOperations) {
  EXPECT_EQ(TextOf(RandomOps({}, 7, 500)), TextOf(RandomOps({}, 7, 500)));
  EXPECT_NE(TextOf(RandomOps({}, 7, 500)), TextOf(RandomOps({}, 8, 500)));
}

TEST(RandomScriptTest, OperationsParseBackToTheSame) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const RandomScriptOptions options = {.nodes = 1 + static_cast<int>(seed % 8),
                                         .cpus = 1 + static_cast<int>(seed % 5)};
    const std::vector<Op> ops = RandomOps(options, seed, 400);
    const absl::StatusOr<Script> script =
        ParseScript(TextOf(ops), "seed " + std::to_string(seed), MachineLimits{options.nodes, options.cpus});
    ASSERT_TRUE(script.ok()) << script.status();
    ASSERT_EQ(script->ops.size(), ops.size());
    for (size_t i = 0; i < ops.size(); ++i) {
      EXPECT_EQ(script->ops[i].line, ops[i].line);
      EXPECT_EQ(script->ops[i].process, ops[i].process);
      EXPECT_TRUE(script->ops[i].kind == ops[i].kind) << ops[i].text;
    }
  }
}

TEST(RandomScriptTest, EveryKindWithAWeightOccurs) {
  std::set<std::string_view> names;
  std::set<Policy::Mode> modes;
  for (const Op& op : RandomOps({}, 3, 3000)) {
    names.insert(OperationName(op.kind));
    if (const auto* policy = std::get_if<PolicyOp>(&op.kind)) modes.insert(policy->policy.mode);
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"spawn", "fork", "exit", "cpu", "policy", "map", "touch",
                                               "unmap", "protect", "advise", "bind", "unlink"}));
  EXPECT_EQ(modes.size(), 6u);
}

TEST(RandomScriptTest, KindWithoutWeightDoesNotOccur) {
  const RandomScriptOptions options = {.weights = {.fork = 0, .map_shmem = 0, .unmap = 0}};
  for (const Op& op : RandomOps(options, 3, 2000)) {
    EXPECT_NE(OperationName(op.kind), "fork");
    EXPECT_NE(OperationName(op.kind), "unmap");
    EXPECT_FALSE(std::holds_alternative<MapOp>(op.kind) &&
                 std::get<MapOp>(op.kind).backing == Backing::kShmem);
  }
}

// What the processes of a script have mapped, followed from its text alone.
class Follower {
 public:
  void Take(const Op& op) {
    if (const auto* spawn = std::get_if<SpawnOp>(&op.kind)) mapped_[spawn->name] = {};
    if (const auto* fork = std::get_if<ForkOp>(&op.kind)) mapped_[fork->child] = mapped_[op.process];
    if (std::holds_alternative<ExitOp>(op.kind)) mapped_.erase(op.process);
    if (const auto* map = std::get_if<MapOp>(&op.kind)) mapped_[op.process][map->id] = map->size;
    if (const auto* unmap = std::get_if<UnmapOp>(&op.kind); unmap != nullptr && !unmap->range) {
      mapped_[op.process].erase(unmap->id);
    }
  }
  int64_t Bytes() const {
    int64_t bytes = 0;
    for (const auto& [process, mappings] : mapped_) {
      for (const auto& [id, size] : mappings) bytes += size;
    }
    return bytes;
  }
  size_t processes() const { return mapped_.size(); }
  size_t MostMappings() const {
    size_t most = 0;
    for (const auto& [process, mappings] : mapped_) most = std::max(most, mappings.size());
    return most;
  }

 private:
  std::map<std::string, std::map<std::string, int64_t>> mapped_;
};

TEST(RandomScriptTest, StaysWithinItsLimits) {
  const RandomScriptOptions options = {
      .max_processes = 4, .max_mappings = 3, .max_mapping = 64 * kPageSize, .max_mapped = 150 * kPageSize};
  Follower follower;
  int64_t most_bytes = 0;
  for (const Op& op : RandomOps(options, 11, 5000)) {
    follower.Take(op);
    most_bytes = std::max(most_bytes, follower.Bytes());
    ASSERT_LE(follower.Bytes(), options.max_mapped);
    ASSERT_LE(follower.processes(), 4u);
    ASSERT_LE(follower.MostMappings(), 3u);
    if (const auto* map = std::get_if<MapOp>(&op.kind)) {
      ASSERT_LE(map->size, options.max_mapping);
      ASSERT_EQ(map->size % kPageSize, 0);
    }
  }
  EXPECT_GT(most_bytes, options.max_mapped * 3 / 4);  // The limit is reached, so it was tried.
}

TEST(RandomScriptTest, FinishLeavesNoProcess) {
  Follower follower;
  for (const Op& op : RandomOps({}, 5, 777)) follower.Take(op);
  EXPECT_EQ(follower.processes(), 0u);
}

TEST(RandomScriptDeathTest, WeightsThatLeaveNothingToDoAreRefused) {
  const RandomScriptOptions options = {.weights = {.spawn = 0}};
  EXPECT_DEATH(RandomOps(options, 1, 1), "tries");
}

}  // namespace
}  // namespace numasim::workloads
