// Pledges change nothing but how often LPs hear of each other: the same samples, log and order as step by
// step, for any number of threads.
#include "sim/pledge.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/engine.h"
#include "sim/locks.h"
#include "sim/run_control.h"

namespace numasim::sim {
namespace {

constexpr Duration kHop = Nanoseconds(500);

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

// `left` steps are to come, each of at least `each`; the first of them ends at the path's next event.
class Steps : public Pledge {
 public:
  Steps(const int64_t& left, Duration each) : left_(left), each_(each) {}
  SimTime Until(SimTime next) const override { return next + each_ * (left_ - 1); }

 private:
  const int64_t& left_;
  Duration each_;
};

Engine::Options OptionsFor(int threads) {
  Engine::Options options;
  options.threads = threads;
  options.lookahead = kHop;
  if (threads > 1) options.scheme = Scheme::kParallel;
  return options;
}

// A path that takes `count` steps of `each` with a pledge, and then goes to another LP.
Task<void> Work(Path& path, int64_t count, Duration each, LpId then, int64_t& done) {
  int64_t left = count;
  {
    Steps steps(left, each);
    const PledgeScope scope(path, steps);
    for (; left > 0; --left) co_await path.Take(each);
  }
  co_await path.HopTo(then, kHop);
  ++done;
}

TEST(PledgeTest, LpsThatSendNothingRunFar) {
  Engine engine(OptionsFor(1));
  const LpId a = engine.AddLp("a");
  const LpId b = engine.AddLp("b");
  int64_t at_a = 0, at_b = 0;
  engine.Start(a, SimTime{}, "one",
               [&](Path& path) { return Work(path, 100'000, Nanoseconds(100), b, at_b); });
  engine.Start(b, SimTime{}, "two",
               [&](Path& path) { return Work(path, 100'000, Nanoseconds(100), a, at_a); });
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_EQ(at_a, 1);
  EXPECT_EQ(at_b, 1);
  EXPECT_EQ(engine.now(), SimTime{10'000'500});
  // Without pledges each window has five steps of each, so that there are 20,000.
  EXPECT_LT(WindowsRun(engine), 100u);
}

TEST(PledgeTest, StepByStepNobodyIsAsked) {
  Engine::Options options = OptionsFor(1);
  options.step_by_step = true;
  Engine engine(options);
  const LpId a = engine.AddLp("a");
  const LpId b = engine.AddLp("b");
  int64_t at_a = 0, at_b = 0;
  engine.Start(a, SimTime{}, "one",
               [&](Path& path) { return Work(path, 10'000, Nanoseconds(100), b, at_b); });
  engine.Start(b, SimTime{}, "two",
               [&](Path& path) { return Work(path, 10'000, Nanoseconds(100), a, at_a); });
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_GE(WindowsRun(engine), 2'000u);
}

// Runs two LPs, where `path` is on the first and has pledged 1,000 steps of 100 ns.
void RunBeside(Task<void> (*path)(Path&, LpId, SpinLock&)) {
  Engine engine(OptionsFor(1));
  const LpId a = engine.AddLp("a");
  const LpId b = engine.AddLp("b");
  SpinLock lock(engine, a, "lock");
  int64_t done = 0;
  engine.Start(a, SimTime{}, "breaker", [&](Path& p) { return path(p, b, lock); });
  engine.Start(b, SimTime{}, "other", [&](Path& p) { return Work(p, 1'000, Nanoseconds(100), a, done); });
  (void)engine.Run();
}

TEST(PledgeDeathTest, GoingToAnotherLpTooEarly) {
  EXPECT_DEATH(RunBeside([](Path& path, LpId b, SpinLock&) -> Task<void> {
                 const int64_t left = 1'000;
                 Steps steps(left, Nanoseconds(100));
                 const PledgeScope scope(path, steps);
                 for (int i = 0; i < 10; ++i) co_await path.Take(Nanoseconds(100));
                 co_await path.HopTo(b, kHop);
               }),
               "path 'breaker' goes to another LP at 1us on LP 'a', of which nothing was to come before");
}

TEST(PledgeDeathTest, EndingItTooEarly) {
  EXPECT_DEATH(RunBeside([](Path& path, LpId, SpinLock&) -> Task<void> {
                 const int64_t left = 1'000;
                 Steps steps(left, Nanoseconds(100));
                 const PledgeScope scope(path, steps);
                 for (int i = 0; i < 10; ++i) co_await path.Take(Nanoseconds(100));
               }),
               "path 'breaker' does not go on with what it pledged at 1us on LP 'a'");
}

TEST(PledgeDeathTest, WakingWhoHasMadeNone) {
  EXPECT_DEATH(RunBeside([](Path& path, LpId, SpinLock& lock) -> Task<void> {
                 co_await lock.Acquire(path);
                 path.Start(path.lp(), Nanoseconds(0), "waiter", [&lock](Path& p) -> Task<void> {
                   co_await lock.Acquire(p);
                   lock.Release(p);
                 });
                 co_await path.Take(Nanoseconds(100));
                 const int64_t left = 1'000;
                 Steps steps(left, Nanoseconds(100));
                 const PledgeScope scope(path, steps);
                 for (int i = 0; i < 10; ++i) co_await path.Take(Nanoseconds(100));
                 lock.Release(path);
                 for (int i = 0; i < 10; ++i) co_await path.Take(Nanoseconds(100));
               }),
               "path 'waiter' is woken or goes on, which has pledged nothing,");
}

// A path that finds it has to go another way says so before it gives way: from then on the others wait for
// it.
TEST(PledgeTest, OneThatIsVoidDoesNotCount) {
  Engine engine(OptionsFor(1));
  const LpId a = engine.AddLp("a");
  const LpId b = engine.AddLp("b");
  int64_t done = 0;
  engine.Start(a, SimTime{}, "one", [&](Path& path) -> Task<void> {
    int64_t left = 1'000;
    Steps steps(left, Nanoseconds(100));
    PledgeScope scope(path, steps);
    for (; left > 500; --left) co_await path.Take(Nanoseconds(100));
    // What was pledged is over at 100 us.
    left = 1;
    co_await path.Take(Nanoseconds(60'000));
    path.VoidPledge();
    co_await path.Take(Nanoseconds(0));
    EXPECT_FALSE(path.KeepsPledge());
    co_await path.HopTo(b, kHop);
    EXPECT_FALSE(path.KeepsPledge());
    co_await path.HopTo(a, kHop);
    scope.Renew();
    left = 0;
    EXPECT_TRUE(path.KeepsPledge());
  });
  engine.Start(b, SimTime{}, "two",
               [&](Path& path) { return Work(path, 10'000, Nanoseconds(100), a, done); });
  ASSERT_TRUE(engine.Run().ok());
  EXPECT_EQ(done, 1);
  // Only round the time at which the first path is not bound by its pledge are there windows of a hop.
  EXPECT_LT(WindowsRun(engine), 60u);
}

// Nodes with workers that do so many steps at home, with the node's lock, before they visit the next node,
// where they tell those that work there to stop early, or only look. All durations are multiples of 20 ns, so
// that much falls together.
class Mill {
 public:
  Mill(Engine& engine, int nodes, int workers) {
    for (int i = 0; i < nodes; ++i) {
      const std::string name = "node" + std::to_string(i);
      const LpId lp = engine.AddLp(name);
      nodes_.push_back(std::make_unique<Node>(engine, lp, engine.MakeRandom(name)));
      engine.AddColumn({name + ".work", "1", &nodes_.back()->work, lp});
      engine.AddColumn({name + ".mix", "1", &nodes_.back()->mix, lp});
    }
    for (size_t i = 0; i < nodes_.size(); ++i) {
      for (int k = 0; k < workers; ++k) {
        engine.Start(nodes_[i]->lp, SimTime{20 * k}, nodes_[i]->name + "." + std::to_string(k),
                     [this, i](Path& path) { return Live(path, i); });
      }
    }
  }

  // Rounds that were ended by a visitor while they were under a pledge.
  int64_t cut_short() const {
    int64_t all = 0;
    for (const auto& node : nodes_) all += node->cut_short;
    return all;
  }

 private:
  struct Node {
    Node(Engine& engine, LpId at, RandomStream stream)
        : lp(at), name(engine.lp_name(at)), random(stream), lock(engine, at, "lock") {}
    LpId lp;
    std::string name;
    RandomStream random;
    SpinLock lock;
    int64_t work = 0;
    int64_t mix = 1;
    uint64_t stops = 0;  // grows where a visitor has all that work here stop
    int64_t cut_short = 0;
  };

  // `left` steps, unless a visitor comes, and unless one waits for the lock who has pledged nothing.
  class Round : public Pledge {
   public:
    Round(const Node& node, const int64_t& left) : node_(node), left_(left), stops_(node.stops) {}
    bool stopped() const { return node_.stops != stops_; }
    SimTime Until(SimTime next) const override {
      if (stopped() || !node_.lock.only_pledges_wait()) return next;
      return next + Nanoseconds(20) * (left_ - 1);
    }

   private:
    const Node& node_;
    const int64_t& left_;
    uint64_t stops_;
  };

  Task<void> Live(Path& path, size_t home) {
    Node& node = *nodes_[home];
    for (int round = 0; round < 40; ++round) {
      int64_t left = static_cast<int64_t>(node.random.Uniform(400));
      co_await WorkAtHome(path, node, left);
      if (left > 0) ++node.cut_short;
      path.Log(1, std::to_string(left) + " " + std::to_string(node.mix));
      Node& other = *nodes_[(home + 1 + node.random.Uniform(nodes_.size() - 1)) % nodes_.size()];
      const bool stops = node.random.Uniform(3) == 0;
      co_await path.HopTo(other.lp, kHop + Nanoseconds(20) * static_cast<int64_t>(node.random.Uniform(50)));
      co_await other.lock.Acquire(path);
      Mix(other, static_cast<int64_t>(path.id()));
      if (stops) ++other.stops;
      co_await path.Take(Nanoseconds(40));
      other.lock.Release(path);
      co_await path.HopTo(node.lp, kHop);
    }
  }

  Task<void> WorkAtHome(Path& path, Node& node, int64_t& left) {
    Round steps(node, left);
    const PledgeScope scope(path, steps);
    for (; left > 0 && !steps.stopped(); --left) {
      if (node.mix % 4 == 0) {
        co_await node.lock.Acquire(path);
        co_await path.Take(Nanoseconds(20));
        node.lock.Release(path);
      } else {
        co_await path.Take(Nanoseconds(20 + 20 * (node.mix & 1)));
      }
      ++node.work;
      Mix(node, static_cast<int64_t>(path.id()) + path.now().ns);
    }
  }

  static void Mix(Node& node, int64_t with) {
    node.mix = static_cast<int64_t>(
        (static_cast<uint64_t>(node.mix) * 0x9e3779b97f4a7c15u + static_cast<uint64_t>(with)) >> 1);
  }

  std::vector<std::unique_ptr<Node>> nodes_;
};

struct Told {
  std::string text;
  uint64_t windows = 0;
  int64_t cut_short = 0;
};

Told RunMill(uint64_t seed, int threads, bool step_by_step) {
  Engine::Options options = OptionsFor(threads);
  options.seed = seed;
  options.step_by_step = step_by_step;
  Engine engine(options);
  Mill mill(engine, 2 + static_cast<int>(seed % 5), 1 + static_cast<int>(seed % 7));
  TextSink sink;
  engine.SetSampler(Nanoseconds(1'000 + 10 * static_cast<int64_t>(seed % 100)), &sink);
  EXPECT_TRUE(engine.Run().ok());
  engine.SampleNow();
  return {sink.text, WindowsRun(engine), mill.cut_short()};
}

TEST(PledgeTest, AllIsAsStepByStep) {
  uint64_t windows = 0, windows_step_by_step = 0;
  int64_t cut_short = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const Told expected = RunMill(seed, 1, true);
    windows_step_by_step += expected.windows;
    for (const int threads : {1, 2, 3}) {
      const Told told = RunMill(seed, threads, false);
      ASSERT_EQ(told.text, expected.text) << "seed " << seed << ", " << threads << " threads";
      if (threads > 1) continue;
      windows += told.windows;
      cut_short += told.cut_short;
    }
  }
  // What this is about took place: windows reached further, and visitors came in the midst of them.
  EXPECT_LT(windows, windows_step_by_step * 9 / 10);
  EXPECT_GT(cut_short, 500);
}

}  // namespace
}  // namespace numasim::sim
