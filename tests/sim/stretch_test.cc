// Stretches change nothing: the same samples, log, events and order as step by step, for any number of
// threads.
#include "sim/stretch.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "sim/engine.h"
#include "sim/locks.h"

namespace numasim::sim {
namespace {

// All that the sink is told, in words, so that a difference can be read.
class TextSink : public SampleSink {
 public:
  void OnSample(SimTime t, std::span<const int64_t> values) override {
    text += "sample " + ToString(t);
    for (const int64_t v : values) text += " " + std::to_string(v);
    text += "\n";
  }
  void OnRepeat(SimTime first, Duration interval, int64_t count) override {
    text += "repeat " + ToString(first) + " " + std::to_string(count) + "\n";
  }
  void OnLog(const LogRecord& r) override {
    text +=
        "log " + ToString(r.time) + " " + std::to_string(r.lp.value) + " " + r.path + " " + r.detail + "\n";
  }
  std::string text;
};

int64_t Mix(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * 0x9e3779b97f4a7c15u + static_cast<uint64_t>(b));
}

// Nodes with workers that use up a stock of their own, refill it under the node's lock, and hop; with
// auditors that look at all workers of the node, and thieves that take a worker's stock away. Every duration
// is a multiple of 20 ns, or nothing, so that most meet others at equal times.
class Mine {
 public:
  Mine(Engine& engine, int nodes, int workers) : engine_(engine) {
    for (int i = 0; i < nodes; ++i) {
      const std::string name = "node" + std::to_string(i);
      const LpId lp = engine.AddLp(name);
      nodes_.push_back(std::make_unique<Node>(engine, lp, engine.MakeRandom(name)));
      engine.AddColumn({name + ".refills", "1", &nodes_.back()->refills, lp});
    }
    for (const auto& node : nodes_) {
      for (int k = 0; k < workers; ++k) AddWorker(*node, k);
      engine.Start(node->lp, SimTime{0}, "auditor", [this](Path& path) { return Audit(path); });
      engine.Start(node->lp, SimTime{100}, "thief", [this](Path& path) { return Steal(path); });
    }
  }

 private:
  struct Worker {
    int64_t stock = 0;
    int64_t done = 0;
    int64_t mix = 0;
  };
  struct Node {
    Node(Engine& engine, LpId at, RandomStream stream)
        : lp(at), random(stream), lock(engine, at, "lock"), refills(0) {}
    LpId lp;
    RandomStream random;
    SpinLock lock;
    int64_t refills;
    std::vector<Worker*> workers;
  };

  // What a worker does alone: with every second step no time passes. It refills its stock, too, in its turn,
  // as far as it meets nobody at the lock.
  class Dig : public Stretch {
   public:
    Dig(Path& path, Node& node, Worker& worker) : path_(path), node_(node), worker_(worker) {}
    void Begin(Duration each, int64_t steps) {
      each_ = each;
      left_ = steps;
    }
    bool MayStep() const { return left_ > 0 && worker_.stock > 0; }
    int64_t left() const { return left_; }
    // Whether the path goes on with the lock.
    bool holds() const { return stage_ == Stage::kHolding; }
    // The step itself; how long it is to the next.
    Duration Step(SimTime now) {
      stage_ = Stage::kDigging;
      --left_;
      --worker_.stock;
      ++worker_.done;
      worker_.mix = Mix(worker_.mix, now.ns);
      return left_ % 2 == 0 ? Duration{0} : each_;
    }
    Ran RunSteps(SimTime next, SimTime until, int64_t most) override {
      Ran ran{0, next, next};
      while (ran.steps < most && ran.next < until) {
        ran.last = ran.next;
        ran.next += holds() ? Release() : MayStep() ? Step(ran.next) : Refill();
        ++ran.steps;
      }
      return ran;
    }
    SimTime Lands(SimTime next) override {
      if (stage_ != Stage::kDigging) return next;
      for (int64_t k = 0; k < std::min(left_, worker_.stock); ++k) {
        if ((left_ - k - 1) % 2 != 0) next += each_;
      }
      return next;
    }
    bool RunsInTurn(SimTime) override {
      if (holds()) return !node_.lock.has_waiters();
      return left_ > 0 && (worker_.stock > 0 || !node_.lock.held());
    }
    bool MayStepAt(SimTime next, SimTime time) const override {
      return stage_ != Stage::kDigging || (time - next).ns % each_.ns == 0;
    }

   private:
    enum class Stage : uint8_t { kDigging, kHolding, kBack };

    Duration Refill() {
      EXPECT_TRUE(node_.lock.TryAcquire(path_));
      stage_ = Stage::kHolding;
      return Stock(node_, worker_);
    }
    Duration Release() {
      node_.lock.Release(path_);
      stage_ = Stage::kBack;
      return Some(node_, 2);
    }

    Path& path_;
    Node& node_;
    Worker& worker_;
    Duration each_;
    int64_t left_ = 0;
    Stage stage_ = Stage::kDigging;
  };

  Node& Here(const Path& path) { return *nodes_[static_cast<size_t>(path.lp().value)]; }
  static Duration Some(Node& node, uint64_t most) {
    return Nanoseconds(20) * static_cast<int64_t>(node.random.Uniform(most));
  }

  void AddWorker(Node& node, int k) {
    workers_.push_back(std::make_unique<Worker>());
    Worker* const worker = workers_.back().get();
    node.workers.push_back(worker);
    const std::string name = engine_.lp_name(node.lp) + ".worker" + std::to_string(k);
    engine_.AddColumn({name + ".done", "1", &worker->done, node.lp});
    engine_.AddColumn({name + ".mix", "1", &worker->mix, node.lp});
    engine_.Start(node.lp, SimTime{20 * k}, name, [this, worker](Path& path) { return Work(path, *worker); });
  }

  Task<void> Work(Path& path, Worker& worker) {
    Node& home = Here(path);
    Dig dig(path, home, worker);
    for (;;) {
      dig.Begin(Nanoseconds(20) + Some(home, 6), static_cast<int64_t>(home.random.Uniform(40)));
      while (dig.left() > 0) {
        if (worker.stock == 0) co_await Refill(path, worker);
        if (!dig.MayStep()) continue;  // a thief was faster
        const Duration d = dig.Step(path.now());
        co_await path.Take(d, dig);
        if (dig.holds()) co_await EndRefill(path);
      }
      worker.mix = Mix(worker.mix, home.refills);
      if (home.random.Bernoulli(0.2)) {
        const auto to = static_cast<size_t>(home.random.Uniform(nodes_.size()));
        co_await path.HopTo(nodes_[to]->lp, Nanoseconds(200) + Some(home, 4));
        co_await Visit(path);
        co_await path.HopTo(home.lp, Nanoseconds(200));
      }
    }
  }

  Task<void> Visit(Path& path) {
    Node& node = Here(path);
    co_await node.lock.Acquire(path);
    Look(path);
    co_await path.Take(Some(node, 8));
    node.lock.Release(path);
  }

  Task<void> Refill(Path& path, Worker& worker) {
    Node& node = Here(path);
    co_await node.lock.Acquire(path);
    co_await path.Take(Stock(node, worker));
    co_await EndRefill(path);
  }

  Task<void> EndRefill(Path& path) {
    Node& node = Here(path);
    node.lock.Release(path);
    co_await path.Take(Some(node, 2));
  }

  // How long the lock is held for it.
  static Duration Stock(Node& node, Worker& worker) {
    ++node.refills;
    worker.mix = Mix(worker.mix, node.refills);  // tells the order of refills
    worker.stock = static_cast<int64_t>(node.random.Uniform(25));
    return Some(node, 3);
  }

  // Writes down what it sees.
  void Look(Path& path) {
    int64_t seen = 0;
    for (const Worker* worker : Here(path).workers) seen = Mix(Mix(seen, worker->mix), worker->done);
    path.Log(0, std::to_string(seen));
  }

  Task<void> Audit(Path& path) {
    for (;;) {
      Look(path);
      co_await path.Take(Some(Here(path), 60));
    }
  }

  Task<void> Steal(Path& path) {
    for (;;) {
      Node& node = Here(path);
      node.workers[node.random.Uniform(node.workers.size())]->stock = 0;
      co_await path.Take(Nanoseconds(20) + Some(node, 100));
    }
  }

  Engine& engine_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

struct Setup {
  bool step_by_step;
  int threads;
  uint64_t seed;
};

// What came of a run: all samples and records, events and now.
std::tuple<std::string, uint64_t, int64_t> Outcome(const Setup& setup, SimTime stop = SimTime{0}) {
  Engine engine({.threads = setup.threads,
                 .lookahead = Nanoseconds(200),
                 .seed = setup.seed,
                 .scheme = setup.threads > 1 ? Scheme::kParallel : Scheme::kInline,
                 .step_by_step = setup.step_by_step});
  TextSink sink;
  const Mine mine(engine, 1 + static_cast<int>(setup.seed % 4), 1 + static_cast<int>(setup.seed % 7));
  engine.SetSampler(Nanoseconds(setup.seed % 3 == 0 ? 10 : 700), &sink);
  if (stop > SimTime{0}) {
    EXPECT_TRUE(engine.Run(stop).ok());
    engine.SampleNow();
  }
  EXPECT_TRUE(engine.Run(SimTime{40'000}).ok());
  engine.SampleNow();
  return {sink.text, engine.events_executed(), engine.now().ns};
}

TEST(StretchTest, ChangesNothing) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const auto step_by_step = Outcome({true, 1, seed});
    for (const int threads : {1, 2, 3, 8}) {
      if (threads == 8 && seed % 5 != 0) continue;
      ASSERT_EQ(step_by_step, Outcome({false, threads, seed})) << "seed " << seed << ", threads " << threads;
    }
  }
}

// Where a run ends and goes on is in the middle of stretches.
TEST(StretchTest, MayBeInterrupted) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const SimTime stop{static_cast<int64_t>(10'000 + 20 * seed)};
    ASSERT_EQ(Outcome({true, 1, seed}, stop), Outcome({false, 1, seed}, stop)) << "seed " << seed;
  }
}

// One path alone: its steps are one way through the queue, and all are counted.
TEST(StretchTest, CountsItsStepsAsEvents) {
  class Count : public Stretch {
   public:
    Ran RunSteps(SimTime next, SimTime until, int64_t most) override {
      const int64_t steps = std::min({most, left, (until - next - Duration{1}) / Nanoseconds(10) + 1});
      left -= steps;
      const SimTime after = next + Nanoseconds(10) * steps;
      return {steps, after - Nanoseconds(10), after};
    }
    SimTime Lands(SimTime next) override { return next + Nanoseconds(10) * left; }
    int64_t left = 99;
  };
  Engine engine(Engine::Options{});
  const LpId lp = engine.AddLp("lp");
  engine.Start(lp, SimTime{5}, "path", [](Path& path) -> Task<void> {
    Count count;
    co_await path.Take(Nanoseconds(10), count);
    EXPECT_EQ(path.now(), SimTime{1005});
    EXPECT_EQ(count.left, 0);
  });
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_EQ(engine.events_executed(), 101u);
  EXPECT_EQ(engine.now(), SimTime{1005});
}

// A step that is run in its turn: the clock shows its time, and another stretch, which has no step then,
// stays where it is.
// Three private steps a nanosecond apart.
class ThreeSteps final : public Stretch {
 public:
  Ran RunSteps(SimTime next, SimTime until, int64_t most) override {
    Ran ran{0, next, next};
    while (ran.steps < most && ran.next < until) {
      ran.last = ran.next;
      ran.next += Nanoseconds(1);
      ++ran.steps;
    }
    left -= ran.steps;
    return ran;
  }
  SimTime Lands(SimTime next) override { return next + Nanoseconds(left); }

  int64_t left = 3;
};

TEST(StretchTest, DoesNotBeginNearTheEndOfSimulatedTimeNorAfterIt) {
  const SimTime late = kNever - Nanoseconds(1000);
  ThreeSteps steps;
  SimTime waits_since;
  bool went_on = false;
  Engine engine({.lookahead = Nanoseconds(50)});
  engine.Start(engine.AddLp("node"), late, "late", [&](Path& path) -> Task<void> {
    co_await path.Take(Nanoseconds(10), steps);
    waits_since = path.now();
    co_await path.Take(Nanoseconds(2000), steps);
    went_on = true;
  });
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_EQ(waits_since, late + Nanoseconds(10));
  EXPECT_FALSE(went_on);
  EXPECT_EQ(steps.left, 3);
  const std::vector<BlockedPath> blocked = engine.blocked_paths();
  ASSERT_EQ(blocked.size(), 1u);
  EXPECT_TRUE(blocked[0].after_end_of_time);
  EXPECT_EQ(blocked[0].since, waits_since);
}

TEST(StretchTest, RunsAStepInItsTurn) {
  // A step each 10 ns; the `special`th is one of these.
  class Steps : public Stretch {
   public:
    Ran RunSteps(SimTime next, SimTime until, int64_t most) override {
      const int64_t steps = std::min({most, 99 - done, (until - next - Duration{1}) / Nanoseconds(10) + 1});
      if (done + 1 == special) seen = {path->now(), other->done};
      done += steps;
      const SimTime after = next + Nanoseconds(10) * steps;
      return {steps, after - Nanoseconds(10), after};
    }
    SimTime Lands(SimTime next) override {
      return next + Nanoseconds(10) * ((done < special ? special - 1 : 99) - done);
    }
    bool RunsInTurn(SimTime) override { return done + 1 == special; }
    bool MayStepAt(SimTime next, SimTime time) const override { return (time - next).ns % 10 == 0; }
    Path* path = nullptr;
    const Steps* other = nullptr;
    int64_t special = 0;
    int64_t done = 0;
    std::pair<SimTime, int64_t> seen;
  };
  Engine engine(Engine::Options{});
  const LpId lp = engine.AddLp("lp");
  Steps a, b;
  a.special = 50;
  a.other = &b;
  for (Steps* const steps : {&a, &b}) {
    engine.Start(lp, SimTime{steps == &a ? 0 : 5}, "path", [steps](Path& path) -> Task<void> {
      steps->path = &path;
      co_await path.Take(Nanoseconds(10), *steps);
      EXPECT_EQ(steps->done, 99);
    });
  }
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_EQ(a.seen, std::make_pair(SimTime{500}, int64_t{0}));
  EXPECT_EQ(engine.events_executed(), 202u);
  EXPECT_EQ(engine.now(), SimTime{1005});
}

// An engine that goes while a stretch is under way, and an exception on its LP.
TEST(StretchTest, MayBeLeftUnfinished) {
  class Endless : public Stretch {
   public:
    Ran RunSteps(SimTime next, SimTime until, int64_t most) override {
      const int64_t steps = std::min(most, (until - next - Duration{1}) / Nanoseconds(10) + 1);
      return {steps, next + Nanoseconds(10) * (steps - 1), next + Nanoseconds(10) * steps};
    }
    SimTime Lands(SimTime next) override { return next + Seconds(1); }
  };
  Engine engine(Engine::Options{});
  TextSink sink;
  engine.SetSampler(Nanoseconds(100), &sink);
  const LpId lp = engine.AddLp("lp");
  engine.Start(lp, SimTime{0}, "path", [](Path& path) -> Task<void> {
    Endless endless;
    co_await path.Take(Nanoseconds(10), endless);
  });
  engine.Start(lp, SimTime{1000}, "thrower", [](Path&) -> Task<void> {
    throw std::runtime_error("no");
    co_return;
  });
  EXPECT_FALSE(engine.Run().ok());
  EXPECT_EQ(engine.events_executed(), 101u);  // two starts, and the steps before the one at 1000
}

}  // namespace
}  // namespace numasim::sim
