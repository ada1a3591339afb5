// The same run, to the last sample, log record and statistic, for any number of threads.
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/cpu.h"
#include "sim/engine.h"
#include "sim/locks.h"
#include "sim/sync.h"

namespace numasim::sim {
namespace {

// Everything the sink is told, as one number.
class HashSink : public SampleSink {
 public:
  void OnSample(SimTime t, std::span<const int64_t> values) override {
    Add(1);
    Add(t.ns);
    for (const int64_t v : values) Add(v);
  }
  void OnRepeat(SimTime first, Duration interval, int64_t count) override {
    for (const int64_t v : {int64_t{2}, first.ns, interval.ns, count}) Add(v);
  }
  void OnLog(const LogRecord& r) override {
    EXPECT_LE(last_log_, r.time);
    last_log_ = r.time;
    ++logs;
    for (const int64_t v : {int64_t{3}, r.time.ns, int64_t{r.lp.value}, static_cast<int64_t>(r.seq)}) Add(v);
    for (const char c : r.path + "/" + r.detail) Add(c);
  }
  void Add(int64_t v) { hash = (hash ^ static_cast<uint64_t>(v)) * 0x9e3779b97f4a7c15u + (hash >> 29); }

  uint64_t hash = 1;
  uint64_t logs = 0;

 private:
  SimTime last_log_;
};

// Eight nodes that are all busy and all depend on each other: paths with CPUs and locks, that hop, start
// others elsewhere, sleep on remote locks, and meet at equal times because every duration is a multiple of 20
// ns.
class Town {
 public:
  Town(Engine& engine, int nodes, uint64_t paths_per_node) : engine_(engine) {
    for (int i = 0; i < nodes; ++i) {
      const LpId lp = engine.AddLp("node" + std::to_string(i));
      nodes_.push_back(std::make_unique<Node>(engine, lp, engine.MakeRandom("node" + std::to_string(i))));
      engine.AddColumn({"visits", "1", &nodes_.back()->visits, lp});
      engine.AddColumn({"mix", "1", &nodes_.back()->mix, lp});
    }
    for (const auto& node : nodes_) {
      for (uint64_t k = 0; k < paths_per_node; ++k) {
        engine.Start(node->lp, SimTime{static_cast<int64_t>(20 * k)}, "walker " + std::to_string(k),
                     [this](Path& path) { return Walk(path); });
      }
    }
  }

 private:
  struct Node {
    Node(Engine& engine, LpId at, RandomStream stream)
        : lp(at),
          random(stream),
          lock(engine, at, "zone->lock"),
          sem(engine, at, "mmap_lock"),
          cpu(engine, at, "cpu", Nanoseconds(300)) {}
    LpId lp;
    RandomStream random;
    SpinLock lock;
    RwSem sem;
    Cpu cpu;
    int64_t visits = 0;
    int64_t mix = 0;
  };

  Node& Here(Path& path) { return *nodes_[static_cast<size_t>(path.lp().value)]; }
  static Duration Some(Node& node, uint64_t most) {
    return Nanoseconds(20) * static_cast<int64_t>(node.random.Uniform(most));
  }

  // Depends on the order in which paths come by.
  static void Touch(Path& path, Node& node) {
    ++node.visits;
    node.mix = static_cast<int64_t>(static_cast<uint64_t>(node.mix) * 31 +
                                    static_cast<uint64_t>(path.now().ns) + path.id());
  }

  Task<void> Critical(Path& path) {
    Node& node = Here(path);
    co_await node.lock.Acquire(path);
    Touch(path, node);
    co_await path.Take(Some(node, 8));
    node.lock.Release(path);
  }

  Task<void> Walk(Path& path) {
    for (;;) {
      Node& home = Here(path);
      co_await home.cpu.Acquire(path);
      co_await Critical(path);
      co_await home.cpu.MaybeYield(path);
      const auto to = static_cast<size_t>(home.random.Uniform(nodes_.size()));
      Node& there = *nodes_[to];
      if (home.random.Bernoulli(0.3)) {
        path.Start(there.lp, Lookahead() + Some(home, 4), "errand of " + path.name(),
                   [this](Path& errand) { return Errand(errand); });
      }
      if (home.random.Bernoulli(0.3)) {
        co_await path.HopTo(there.lp, Lookahead() + Some(home, 4));
        // Sleeps here, if it must, with the CPU of another LP.
        co_await there.sem.AcquireWrite(path);
        co_await path.Take(Some(there, 10));
        there.sem.ReleaseWrite(path);
        co_await path.HopTo(home.lp, Lookahead());
      }
      home.cpu.Release(path);
      co_await path.Take(Some(home, 30));
    }
  }

  Task<void> Errand(Path& path) {
    Node& node = Here(path);
    co_await node.sem.AcquireRead(path);
    co_await Critical(path);
    if (node.random.Bernoulli(0.1)) path.Log(7, "visit " + std::to_string(node.visits));
    node.sem.ReleaseRead(path);
  }

  Duration Lookahead() const { return engine_.options().lookahead; }

  Engine& engine_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

struct Outcome {
  uint64_t hash;
  uint64_t events;
  uint64_t logs;
  bool operator==(const Outcome&) const = default;
};
void PrintTo(const Outcome& o, std::ostream* out) {
  *out << o.hash << ", " << o.events << " events, " << o.logs << " log records";
}

Outcome RunTown(Engine::Options options, SimTime end, int pieces = 1, int nodes = 8) {
  Engine engine(options);
  Town town(engine, nodes, 4);
  HashSink sink;
  engine.SetSampler(Nanoseconds(3000), &sink);
  for (int i = 1; i <= pieces; ++i) EXPECT_TRUE(engine.Run(SimTime{end.ns / pieces * i}).ok());
  for (const LockStats* stats : engine.lock_stats()) {
    sink.Add(static_cast<int64_t>(stats->acquisitions));
    sink.Add(static_cast<int64_t>(stats->contended));
    sink.Add(stats->wait.sum());
    sink.Add(stats->hold.sum());
  }
  for (const BlockedPath& blocked : engine.blocked_paths()) {
    for (const char c : blocked.path + blocked.waits_for) sink.Add(c);
    sink.Add(blocked.since.ns);
  }
  sink.Add(engine.now().ns);
  const uint64_t events = engine.events_executed();
  engine.DropPaths();
  return {sink.hash, events, sink.logs};
}

constexpr SimTime kEnd{200'000};

TEST(DeterminismTest, OneTwoFourAndEightThreadsAgreeForTwentySeeds) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome one = RunTown({.threads = 1, .lookahead = Nanoseconds(200), .seed = seed}, kEnd);
    EXPECT_GT(one.events, 10'000u);
    EXPECT_GT(one.logs, 50u);
    for (const int threads : {2, 4, 8}) {
      const Outcome many = RunTown(
          {.threads = threads, .lookahead = Nanoseconds(200), .seed = seed, .scheme = Scheme::kParallel},
          kEnd);
      ASSERT_EQ(one, many) << "seed " << seed << ", " << threads << " threads";
    }
  }
}

TEST(DeterminismTest, TheAutomaticChoiceOfSchemeDoesNotShow) {
  const SimTime end{5'000'000};  // long enough for it to try both
  const Engine::Options options{.lookahead = Nanoseconds(1000)};
  Engine::Options automatic = options;
  automatic.threads = 4;
  EXPECT_EQ(RunTown(options, end), RunTown(automatic, end));
}

// Whether a Take skips the queue depends on the horizon: on the number of LPs that are busy and the
// lookahead. A lone LP among idle ones runs with an endless horizon, in pieces with a short one.
TEST(DeterminismTest, CuttingTheRunIntoPiecesDoesNotShow) {
  for (const int nodes : {1, 8}) {
    EXPECT_EQ(RunTown({.lookahead = Nanoseconds(200)}, kEnd, 1, nodes),
              RunTown({.lookahead = Nanoseconds(200)}, kEnd, 1000, nodes));
  }
}

}  // namespace
}  // namespace numasim::sim
