#include "workloads/batch/log_values.h"

#include <gtest/gtest.h>

#include <optional>

namespace numasim::workloads {
namespace {

constexpr int64_t kS = kNsPerSecond;

TEST(LogValuesTest, NumbersMayHaveFractions) {
  EXPECT_EQ(ParseScaled("552.21", kS), 552'210'000'000);
  EXPECT_EQ(ParseScaled("-1", kS), -kS);
  EXPECT_EQ(ParseScaled("0.0000000006", kS), 1);  // rounded
  EXPECT_EQ(ParseScaled("1.00000000000000000001", kS), kS);
  EXPECT_EQ(ParseScaled("1.", 10), std::nullopt);
  EXPECT_EQ(ParseScaled(".5", 10), std::nullopt);
  EXPECT_EQ(ParseScaled("1e3", 10), std::nullopt);
  EXPECT_EQ(ParseScaled("1.5x", 10), std::nullopt);
  EXPECT_EQ(ParseScaled("--1", 10), std::nullopt);
  EXPECT_EQ(ParseScaled("+1", 10), std::nullopt);
  EXPECT_EQ(ParseScaled("", 10), std::nullopt);
}

TEST(LogValuesTest, WhatIsTooLargeIsNoValue) {
  EXPECT_EQ(ParseScaled("9223372036", kS), 9223372036 * kS);
  EXPECT_EQ(ParseScaled("9223372037", kS), std::nullopt);
  EXPECT_EQ(ParseScaled("99999999999999999999", 1), std::nullopt);
  EXPECT_EQ(ParseLogSize("9000000P", 1), std::nullopt);
  EXPECT_EQ(ParseSlurmTime("999999999999-00:00:00"), std::nullopt);
  EXPECT_EQ(ParseSlurmTime("9223372036854775807:00:00"), std::nullopt);
  EXPECT_EQ(Times(int64_t{1} << 40, int64_t{1} << 40), std::nullopt);
}

// 19,783 days from 1970 to 2024-03-01.
TEST(LogValuesTest, DatesAreSecondsSince1970) {
  EXPECT_EQ(ParseDate("1970-01-02T00:00:00"), 86'400);
  EXPECT_EQ(ParseDate("2024-03-01T12:30:05"), 19'783 * 86'400 + 12 * 3600 + 30 * 60 + 5);
  EXPECT_EQ(ParseDate("2024-03-01 12:30:05Z"), ParseDate("2024-03-01T12:30:05"));
  EXPECT_EQ(ParseDate("2024-02-29T00:00:00").value() + 86'400, ParseDate("2024-03-01T00:00:00").value());
  EXPECT_EQ(ParseDate("2023-02-29T00:00:00"), std::nullopt);
  EXPECT_EQ(ParseDate("2024-03-01"), std::nullopt);
  EXPECT_EQ(ParseDate("2024-03-01T24:00:00"), std::nullopt);
  EXPECT_EQ(ParseDate("Unknown"), std::nullopt);
}

TEST(LogValuesTest, SlurmTimesHaveDaysOrHoursOrNeither) {
  EXPECT_EQ(ParseSlurmTime("2-03:04:05"), (((2 * 24 + 3) * 60 + 4) * 60 + 5) * kS);
  EXPECT_EQ(ParseSlurmTime("100:00:01"), 360'001 * kS);
  EXPECT_EQ(ParseSlurmTime("01:02.500"), 62 * kS + kS / 2);
  EXPECT_EQ(ParseSlurmTime("UNLIMITED"), std::nullopt);
  EXPECT_EQ(ParseSlurmTime("5"), std::nullopt);
  EXPECT_EQ(ParseSlurmTime("1-"), std::nullopt);
  EXPECT_EQ(ParseSlurmTime("1:2:3:4"), std::nullopt);
}

TEST(LogValuesTest, SizesHaveUnitsOfTheirOwnOrTheColumns) {
  EXPECT_EQ(ParseLogSize("1.5G", 1), 3 * (int64_t{1} << 29));
  EXPECT_EQ(ParseLogSize("12345k", 1), 12345 * 1024);
  EXPECT_EQ(ParseLogSize("4GiB", 1), int64_t{1} << 32);
  EXPECT_EQ(ParseLogSize("512", 1 << 20), int64_t{512} << 20);
  EXPECT_EQ(ParseLogSize("512B", 1 << 20), 512);
  EXPECT_EQ(ParseLogSize("G", 1), std::nullopt);
  EXPECT_EQ(ParseLogSize("B", 1), std::nullopt);
  EXPECT_EQ(ParseLogSize("", 1), std::nullopt);
  EXPECT_EQ(ParseLogSize("4X", 1), std::nullopt);
}

}  // namespace
}  // namespace numasim::workloads
