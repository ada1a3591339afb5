// Sampling: what is seen when, jumps over idle time, and the order of log records.
#include "sim/sampler.h"

#include <any>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/engine.h"

namespace numasim::sim {
namespace {

using ::testing::ElementsAre;

// Writes each call as a line.
class Lines : public SampleSink {
 public:
  void OnSample(SimTime t, std::span<const int64_t> values) override {
    std::string line = "t" + std::to_string(t.ns);
    for (const int64_t v : values) line += " " + std::to_string(v);
    lines.push_back(line);
  }
  void OnRepeat(SimTime first, Duration interval, int64_t count) override {
    lines.push_back("repeat " + std::to_string(first.ns) + "+" + std::to_string(interval.ns) + "*" +
                    std::to_string(count));
  }
  void OnLog(const LogRecord& r) override {
    lines.push_back("log " + std::to_string(r.time.ns) + " lp" + std::to_string(r.lp.value) + " #" +
                    std::to_string(r.seq) + " " + std::to_string(r.kind) + " " + r.path + ": " + r.detail);
  }
  std::vector<std::string> lines;
};

class SamplerTest : public testing::Test {
 protected:
  // Counts `n` up by one at each multiple of `step`, `times` times.
  void Count(LpId lp, int64_t& n, int64_t step, int times) {
    engine_.Start(lp, SimTime{step}, "count", [&n, step, times](Path& path) -> Task<void> {
      for (int i = 0; i < times; ++i) {
        ++n;
        co_await path.Take(Nanoseconds(step));
      }
    });
  }

  Engine engine_{{.lookahead = Nanoseconds(50)}};
  LpId a_ = engine_.AddLp("a");
  LpId b_ = engine_.AddLp("b");
  Lines sink_;
};

TEST_F(SamplerTest, ASampleIsTheStateBeforeTheEventsOfItsTime) {
  int64_t x = 0;
  int64_t y = 0;
  engine_.AddColumn({"x", "1", &x, a_});
  engine_.AddColumn({"y", "1", &y, b_});
  engine_.SetSampler(Nanoseconds(100), &sink_);
  Count(a_, x, 50, 8);   // at 50, 100, ..
  Count(b_, y, 100, 3);  // at 100, 200, 300
  ASSERT_TRUE(engine_.Run(SimTime{400}).ok());
  EXPECT_THAT(sink_.lines, ElementsAre("t0 0 0", "t100 1 0", "t200 3 1", "t300 5 2", "t400 7 3"));
  EXPECT_EQ(x, 8);
}

TEST_F(SamplerTest, IdleTimeIsOneCallHoweverLong) {
  int64_t x = 0;
  engine_.AddColumn({"x", "1", &x, a_});
  engine_.SetSampler(Nanoseconds(100), &sink_);
  engine_.Start(a_, SimTime{150}, "p", [&](Path& path) -> Task<void> {
    ++x;
    co_await path.Take(Seconds(1));
    ++x;
  });
  ASSERT_TRUE(engine_.Run(SimTime{Seconds(2).ns}).ok());
  // The second event is at 1,000,000,150: samples up to ..100 still repeat the first value.
  EXPECT_THAT(sink_.lines, ElementsAre("t0 0", "repeat 100+100*1", "t200 1", "repeat 300+100*9999999",
                                       "t1000000200 2", "repeat 1000000300+100*9999998"));
}

TEST_F(SamplerTest, AnIdleEndWithoutALimitIsNotSampledButCanBe) {
  int64_t x = 0;
  engine_.AddColumn({"x", "1", &x, a_});
  engine_.SetSampler(Nanoseconds(100), &sink_);
  Count(a_, x, 50, 4);  // at 50 to 200; the last Take ends at 250
  ASSERT_TRUE(engine_.Run().ok());
  EXPECT_THAT(sink_.lines, ElementsAre("t0 0", "t100 1", "t200 3"));
  engine_.SampleNow();
  EXPECT_EQ(sink_.lines.back(), "t250 4");
}

TEST_F(SamplerTest, GoesOnInTheNextRun) {
  int64_t x = 0;
  engine_.AddColumn({"x", "1", &x, a_});
  engine_.SetSampler(Nanoseconds(100), &sink_);
  Count(a_, x, 50, 100);
  ASSERT_TRUE(engine_.Run(SimTime{149}).ok());
  EXPECT_THAT(sink_.lines, ElementsAre("t0 0", "t100 1"));
  ASSERT_TRUE(engine_.Run(SimTime{200}).ok());
  EXPECT_THAT(sink_.lines, ElementsAre("t0 0", "t100 1", "t200 3"));
}

TEST_F(SamplerTest, LogRecordsComeByTimeThenLpAndAfterTheSampleOfTheirTime) {
  engine_.SetSampler(Nanoseconds(100), &sink_);
  for (const LpId lp : {b_, a_}) {
    engine_.Start(lp, SimTime{90}, lp == a_ ? "pa" : "pb", [](Path& path) -> Task<void> {
      path.Log(1, "first");
      path.Log(2, "second");
      co_await path.Take(Nanoseconds(10));
      path.Log(3, "third");
    });
  }
  ASSERT_TRUE(engine_.Run().ok());
  EXPECT_THAT(sink_.lines, ElementsAre("t0", "log 90 lp0 #0 1 pa: first", "log 90 lp0 #1 2 pa: second",
                                       "log 90 lp1 #0 1 pb: first", "log 90 lp1 #1 2 pb: second", "t100",
                                       "log 100 lp0 #2 3 pa: third", "log 100 lp1 #2 3 pb: third"));
}

TEST_F(SamplerTest, FactsOfAModelReachTheSinkAsTheyAre) {
  struct Facts {
    int pages = 0;
  };
  struct Reader : SampleSink {
    void OnSample(SimTime, std::span<const int64_t>) override {}
    void OnRepeat(SimTime, Duration, int64_t) override {}
    void OnLog(const LogRecord& record) override { pages = std::any_cast<Facts>(record.facts).pages; }
    int pages = 0;
  } reader;
  engine_.SetSampler(Nanoseconds(100), &reader);
  engine_.Start(a_, SimTime{1}, "p", [](Path& path) -> Task<void> {
    path.Log(1, {}, Facts{7});
    co_return;
  });
  ASSERT_TRUE(engine_.Run().ok());
  EXPECT_EQ(reader.pages, 7);
}

// The second path is made of what the first one left.
TEST_F(SamplerTest, ARecordSaysWhereInItsProgramThePathWas) {
  struct Reader : SampleSink {
    void OnSample(SimTime, std::span<const int64_t>) override {}
    void OnRepeat(SimTime, Duration, int64_t) override {}
    void OnLog(const LogRecord& record) override {
      const std::string* const program = record.place.program;
      places.push_back((program == nullptr ? "none" : *program) + ":" + std::to_string(record.place.line));
    }
    std::vector<std::string> places;
  } reader;
  const std::string program = "script";
  engine_.SetSampler(Nanoseconds(100), &reader);
  engine_.Start(a_, SimTime{1}, "p", [&program](Path& path) -> Task<void> {
    path.Log(1, "before");
    path.set_place({&program, 3});
    path.Log(1, "at line 3");
    co_await path.Take(Nanoseconds(5));
    path.Log(1, "still there");
    path.set_place({&program, 4});
    path.Log(1, "at line 4");
  });
  engine_.Start(a_, SimTime{10}, "starts another", [](Path& path) -> Task<void> {
    path.Start(path.lp(), Nanoseconds(1), "q", [](Path& q) -> Task<void> {
      q.Log(1, "of no program");
      co_return;
    });
    co_return;
  });
  ASSERT_TRUE(engine_.Run().ok());
  EXPECT_THAT(reader.places, ElementsAre("none:0", "script:3", "script:3", "script:4", "none:0"));
}

TEST_F(SamplerTest, ASamplerSetLaterStartsAtTheNextMultiple) {
  int64_t x = 0;
  engine_.AddColumn({"x", "1", &x, a_});
  Count(a_, x, 50, 100);
  ASSERT_TRUE(engine_.Run(SimTime{120}).ok());
  engine_.SetSampler(Nanoseconds(100), &sink_);
  ASSERT_TRUE(engine_.Run(SimTime{300}).ok());
  EXPECT_THAT(sink_.lines, ElementsAre("t200 3", "t300 5"));
}

}  // namespace
}  // namespace numasim::sim
