#include "workloads/units.h"

#include <random>
#include <string>

#include "gtest/gtest.h"
#include "sim/time.h"

namespace numasim::workloads {
namespace {

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(ParseSizeTest, UnitsArePowersOf1024) {
  EXPECT_EQ(*ParseSize("0"), 0);
  EXPECT_EQ(*ParseSize("4096"), 4096);
  EXPECT_EQ(*ParseSize("3K"), int64_t{3} << 10);
  EXPECT_EQ(*ParseSize("3M"), int64_t{3} << 20);
  EXPECT_EQ(*ParseSize("64G"), int64_t{64} << 30);
  EXPECT_EQ(*ParseSize("2T"), int64_t{2} << 40);
}

TEST(ParseSizeTest, GreatestSizeFitsAndTheNextDoesNot) {
  EXPECT_EQ(*ParseSize("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(*ParseSize("8388607T"), int64_t{8388607} << 40);
  EXPECT_EQ(Message(ParseSize("8388608T").status()), "is too large; expected at most 8388607T");
  EXPECT_EQ(Message(ParseSize("9223372036854775808").status()), "is too large; expected at most 8388607T");
}

TEST(ParseShareTest, PercentAndPartsOfOneAreTheSame) {
  EXPECT_EQ(*ParseShare("80%", 1000), 800);
  EXPECT_EQ(*ParseShare("0.8", 1000), 800);
  EXPECT_EQ(*ParseShare("0", 1000), 0);
  EXPECT_EQ(*ParseShare("1", 1000), 1000);
  EXPECT_EQ(*ParseShare("100%", 1000), 1000);
  EXPECT_EQ(*ParseShare("33.36%", 1000), 334);  // to the nearest
}

TEST(ParseShareTest, MistakesSayWhatIsRight) {
  const std::string expected = "; expected a share from 0% to 100%, such as 80% or 0.8";
  EXPECT_EQ(Message(ParseShare("", 10).status()), "is not a share" + expected);
  EXPECT_EQ(Message(ParseShare("%", 10).status()), "is not a share" + expected);
  EXPECT_EQ(Message(ParseShare("nan", 10).status()), "is not a share" + expected);
  EXPECT_EQ(Message(ParseShare("-1%", 10).status()), "is negative" + expected);
  EXPECT_EQ(Message(ParseShare("1.01", 10).status()), "is more than the whole" + expected);
}

TEST(ParseSizeTest, MistakesSayWhatIsRight) {
  EXPECT_EQ(Message(ParseSize("").status()), "is empty; expected a size of 0 or more, such as 64M");
  EXPECT_EQ(Message(ParseSize("M").status()), "is not a size; expected a size of 0 or more, such as 64M");
  EXPECT_EQ(Message(ParseSize("+1").status()), "is not a size; expected a size of 0 or more, such as 64M");
  EXPECT_EQ(Message(ParseSize("-1").status()), "is negative; expected a size of 0 or more, such as 64M");
  EXPECT_EQ(Message(ParseSize("1k").status()), "has the unknown unit 'k'; expected K, M, G or T");
  EXPECT_EQ(Message(ParseSize("1 K").status()), "has the unknown unit ' K'; expected K, M, G or T");
}

TEST(ParseDurationTest, ReadsNumbersWithUnits) {
  constexpr int64_t kSecond = 1'000'000'000;
  EXPECT_EQ(*ParseDuration("7ns"), 7);
  EXPECT_EQ(*ParseDuration("7us"), 7'000);
  EXPECT_EQ(*ParseDuration("10ms"), 10'000'000);
  EXPECT_EQ(*ParseDuration("3s"), 3 * kSecond);
  EXPECT_EQ(*ParseDuration("2m"), 120 * kSecond);
  EXPECT_EQ(*ParseDuration("1h5s"), 3605 * kSecond);
  EXPECT_EQ(*ParseDuration("0s"), 0);
}

TEST(ParseDurationTest, ReadsFractionsThatAreWholeNanoseconds) {
  EXPECT_EQ(*ParseDuration("1.5s"), 1'500'000'000);
  EXPECT_EQ(*ParseDuration(".5m"), 30'000'000'000);
  EXPECT_EQ(*ParseDuration("1.50000000000000000000us"), 1500);
  EXPECT_EQ(*ParseDuration("1h1m0.000000001s"), 3'660'000'000'001);
  EXPECT_EQ(*ParseDuration("0.0000000000025h"), 9);
  for (const char* text : {"0.1ns", "1.5ns", "1.0000000001s", "0.00000000000000000001h"}) {
    EXPECT_EQ(Message(ParseDuration(text).status()),
              "is not a whole number of nanoseconds; expected a time such as 10ms, 1.5s or 250ns");
  }
}

TEST(ParseDurationTest, ReadsWhatIsPrinted) {
  std::mt19937_64 random(1);
  for (int bits = 1; bits < 64; ++bits) {
    const auto ns = static_cast<int64_t>(random() >> (64 - bits));
    EXPECT_EQ(*ParseDuration(sim::ToString(sim::Duration{ns})), ns);
  }
  for (const int64_t ns : {int64_t{0}, INT64_MAX}) {
    EXPECT_EQ(*ParseDuration(sim::ToString(sim::Duration{ns})), ns);
  }
}

TEST(ParseDurationTest, MistakesSayWhatIsRight) {
  const std::string no_unit = "has no unit; expected one of h, m, s, ms, us or ns, such as 10ms";
  const std::string no_time = "is not a time; expected a time of 0 or more, such as 10ms or 1.5s";
  const std::string too_large = "is too large; expected at most 9223372036s";
  EXPECT_EQ(Message(ParseDuration("").status()),
            "is empty; expected a time of 0 or more, such as 10ms or 1.5s");
  EXPECT_EQ(Message(ParseDuration("-1s").status()),
            "is negative; expected a time of 0 or more, such as 10ms or 1.5s");
  for (const char* text : {"10", "1.5", "1s5"}) EXPECT_EQ(Message(ParseDuration(text).status()), no_unit);
  for (const char* text : {"soon", ".ms", "10 ms", "10ms ", "+1s", "1s-5ms"}) {
    EXPECT_EQ(Message(ParseDuration(text).status()), no_time) << text;
  }
  EXPECT_EQ(Message(ParseDuration("10days").status()),
            "has the unknown unit 'days'; expected h, m, s, ms, us or ns");
  for (const char* text : {"9223372037s", "9223372036854775808ns", "9999999h", "9223372036s1s",
                           "9999999999999999999.9999999999975h", "99999999999999999999ns"}) {
    EXPECT_EQ(Message(ParseDuration(text).status()), too_large) << text;
  }
}

TEST(ParseCountTest, BoundsAreInclusive) {
  EXPECT_EQ(*ParseCount("1", 1, 3), 1);
  EXPECT_EQ(*ParseCount("3", 1, 3), 3);
  EXPECT_EQ(Message(ParseCount("0", 1, 3).status()), "is too small; expected a whole number from 1 to 3");
  EXPECT_EQ(Message(ParseCount("4", 1, 3).status()), "is too large; expected a whole number from 1 to 3");
}

TEST(ParseNodeListTest, RangesAndNumbersJoin) {
  EXPECT_EQ(ParseNodeList("0-3,5")->bits(), 0b101111u);
  EXPECT_EQ(ParseNodeList("2")->bits(), 0b100u);
  EXPECT_EQ(ParseNodeList("5,0-1,1")->bits(), 0b100011u);
  EXPECT_EQ(ParseNodeList("0-63")->bits(), ~uint64_t{0});
}

TEST(ParseNodeListTest, MistakesSayWhatIsRight) {
  EXPECT_EQ(Message(ParseNodeList("0-4", 4).status()),
            "names node 4, which does not exist; expected nodes from 0 to 3");
  EXPECT_EQ(Message(ParseNodeList("1", 1).status()),
            "names node 1, which does not exist; expected node 0, the only one");
  EXPECT_EQ(Message(ParseNodeList("3-1").status()),
            "has a range that ends before it begins (3-1); expected the smaller node first");
  for (const std::string text : {"", ",", "1,", "1-", "-1", "a", "1-2-3", "0 1"}) {
    EXPECT_EQ(Message(ParseNodeList(text).status()),
              "is not a list of nodes; expected node numbers and ranges, such as 0-3,5")
        << text;
  }
}

TEST(SizeTextTest, TakesTheGreatestUnitThatIsExact) {
  EXPECT_EQ(SizeText(0), "0");
  EXPECT_EQ(SizeText(1), "1");
  EXPECT_EQ(SizeText(1500 << 10), "1500K");
  EXPECT_EQ(SizeText(8 << 20), "8M");
  EXPECT_EQ(SizeText(int64_t{1024} << 30), "1T");
}

TEST(SizeTextTest, ReadsBackToTheSame) {
  for (int64_t bytes :
       {int64_t{0}, int64_t{4095}, int64_t{4096}, int64_t{3} << 29, int64_t{5} << 41, INT64_MAX}) {
    EXPECT_EQ(*ParseSize(SizeText(bytes)), bytes);
  }
}

TEST(NodeListTextTest, JoinsNeighboursAndReadsBack) {
  EXPECT_EQ(NodeListText(NodeMask(0b101111)), "0-3,5");
  EXPECT_EQ(NodeListText(NodeMask(0b1010)), "1,3");
  EXPECT_EQ(NodeListText(NodeMask::All()), "0-63");
  for (uint64_t bits : {0x1ull, 0x8000000000000000ull, 0xf0f0f0f0f0f0f0f1ull, 0x123456789abcdefull}) {
    EXPECT_EQ(ParseNodeList(NodeListText(NodeMask(bits)))->bits(), bits);
  }
}

}  // namespace
}  // namespace numasim::workloads
