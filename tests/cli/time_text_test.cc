#include "cli/time_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace numasim {
namespace {

std::string Refusal(const std::string& text) { return std::string(ParseTimeText(text).status().message()); }

TEST(TimeText, ReadsNumbersWithUnits) {
  EXPECT_EQ(*ParseTimeText("0ns"), 0);
  EXPECT_EQ(*ParseTimeText("10ms"), 10 * 1000 * 1000);
  EXPECT_EQ(*ParseTimeText("1.5s"), 1500 * 1000 * 1000);
  EXPECT_EQ(*ParseTimeText("250us"), 250 * 1000);
  EXPECT_EQ(*ParseTimeText(".5m"), int64_t{30} * 1000 * 1000 * 1000);
  EXPECT_EQ(*ParseTimeText("1h1m0.000000001s"), int64_t{3660} * 1000 * 1000 * 1000 + 1);
  EXPECT_EQ(*ParseTimeText("1.50000000000000000000us"), 1500);
}

TEST(TimeText, ReadsWhatItWrites) {
  std::mt19937_64 random(1);
  for (int bits = 1; bits < 64; ++bits) {
    const auto time_ns = static_cast<int64_t>(random() >> (64 - bits));
    EXPECT_EQ(*ParseTimeText(TimeText(time_ns)), time_ns) << TimeText(time_ns);
  }
  for (int64_t time_ns : {int64_t{0}, std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(*ParseTimeText(TimeText(time_ns)), time_ns);
  }
}

TEST(TimeText, RefusesWhatIsNoTime) {
  const std::string no_time = "not a time, write it as 10ms, 1.5s or 250us";
  for (const char* text : {"", "soon", "ms", ".ms", "10 ms", "10ms ", "1e3s", "inf", "10days", "+1s"}) {
    EXPECT_EQ(Refusal(text), text + (": " + no_time));
  }
}

TEST(TimeText, RefusesNumbersWithoutUnit) {
  for (const char* text : {"0", "10", "1.5", "1s5"}) {
    EXPECT_EQ(Refusal(text), text + std::string(": a time needs a unit: ns, us, ms, s, m or h"));
  }
}

TEST(TimeText, RefusesWhatItCannotHold) {
  EXPECT_EQ(Refusal("-1ms"), "-1ms: simulated time starts at 0");
  for (const char* text : {"0.1ns", "1.0000000001s", "0.00000000000000000001h"}) {
    EXPECT_EQ(Refusal(text), text + std::string(": simulated time is in whole nanoseconds"));
  }
  for (const char* text :
       {"9223372036854775808ns", "9999999h", "9999999999999999999h", "99999999999999999999ns"}) {
    EXPECT_EQ(Refusal(text), text + std::string(": later than a simulation can reach (about 292 years)"));
  }
}

}  // namespace
}  // namespace numasim
