// PHOLD, the standard model of parallel discrete-event simulation: a fixed number of jobs, each of which
// waits for an exponential time plus the lookahead and then, with some probability, moves to another LP
// chosen evenly. Here each job is a path. Used by the engine's tests and its benchmarks.
#ifndef NUMASIM_TESTS_SIM_PHOLD_H_
#define NUMASIM_TESTS_SIM_PHOLD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sim/engine.h"

namespace numasim::sim {

class Phold {
 public:
  struct Options {
    int lps = 1024;
    int jobs_per_lp = 1;
    double remote = 0.1;              // the share of steps that go to another LP
    Duration mean = Microseconds(5);  // of a step, the engine's lookahead included
    int spin = 0;                     // real work in each event: this many rounds of arithmetic
  };

  // Adds the LPs to `engine` and starts the jobs. Must outlive the engine's runs.
  Phold(Engine& engine, const Options& options) : options_(options) {
    const Duration lookahead = engine.options().lookahead;
    NUMASIM_CHECK_GE(options.mean, lookahead);
    exponential_mean_ = static_cast<double>((options.mean - lookahead).ns);
    lookahead_ = lookahead;
    for (int i = 0; i < options.lps; ++i) {
      const std::string name = "lp" + std::to_string(i);
      ids_.push_back(engine.AddLp(name));
      nodes_.emplace_back(engine.MakeRandom(name));
    }
    for (int i = 0; i < options.lps; ++i) {
      for (int j = 0; j < options.jobs_per_lp; ++j) {
        const Duration first = Step(nodes_[static_cast<size_t>(i)]);
        engine.Start(ids_[static_cast<size_t>(i)], SimTime{} + first, "job",
                     [this](Path& path) { return Job(path); });
      }
    }
  }

  // Steps of all jobs so far, without their starts.
  uint64_t steps() const {
    uint64_t sum = 0;
    for (const Node& node : nodes_) sum += node.steps;
    return sum;
  }

  // Depends on which LP did what in which order.
  uint64_t hash() const {
    uint64_t hash = 0;
    for (const Node& node : nodes_) hash = hash * 0x100000001b3u + node.hash;
    return hash;
  }

 private:
  struct alignas(64) Node {
    explicit Node(RandomStream stream) : random(stream) {}
    RandomStream random;
    uint64_t steps = 0;
    uint64_t hash = 0;
  };

  Duration Step(Node& node) const {
    return lookahead_ + Duration{static_cast<int64_t>(node.random.Exponential(exponential_mean_))};
  }

  Task<void> Job(Path& path) {
    for (;;) {
      Node& node = nodes_[static_cast<size_t>(path.lp().value)];
      ++node.steps;
      node.hash = (node.hash ^ static_cast<uint64_t>(path.now().ns)) * 0x9e3779b97f4a7c15u + path.id();
      for (int i = 0; i < options_.spin; ++i)
        node.hash = (node.hash ^ (node.hash >> 29)) * 0xbf58476d1ce4e5b9u;
      const Duration step = Step(node);
      if (ids_.size() > 1 && node.random.Bernoulli(options_.remote)) {
        // Any but this one: the last stands in for it.
        auto to = static_cast<int32_t>(node.random.Uniform(ids_.size() - 1));
        if (to == path.lp().value) to = static_cast<int32_t>(ids_.size()) - 1;
        co_await path.HopTo(LpId{to}, step);
      } else {
        co_await path.Take(step);
      }
    }
  }

  Options options_;
  Duration lookahead_;
  double exponential_mean_ = 0;
  std::vector<LpId> ids_;
  std::vector<Node> nodes_;
};

}  // namespace numasim::sim

#endif  // NUMASIM_TESTS_SIM_PHOLD_H_
