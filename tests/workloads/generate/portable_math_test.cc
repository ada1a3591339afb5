#include "workloads/generate/portable_math.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace numasim::workloads {
namespace {

// The C library's results are good to the last digit but one; so must ours be, with room for a few roundings.
constexpr double kRelative = 4e-15;

TEST(PortableMathTest, LogIsThatOfTheCLibrary) {
  for (double x = 0x1p-1000; x < 0x1p1000; x *= 1.37) {
    EXPECT_NEAR(PortableLog(x), std::log(x), kRelative * std::max(1.0, std::fabs(std::log(x)))) << x;
  }
  for (double x = 0.5; x < 2; x += 0.001)
    EXPECT_NEAR(PortableLog(x), std::log(x), kRelative * std::fabs(std::log(x)) + 1e-18) << x;
  EXPECT_EQ(PortableLog(1), 0);
}

TEST(PortableMathTest, ExpIsThatOfTheCLibraryAndEndsAtItsLimits) {
  for (double x = -699; x < 709; x += 0.37) EXPECT_NEAR(PortableExp(x) / std::exp(x), 1, kRelative) << x;
  EXPECT_EQ(PortableExp(0), 1);
  EXPECT_EQ(PortableExp(-1e300), 0);
  EXPECT_EQ(PortableExp(1e300), std::numeric_limits<double>::max());
}

TEST(PortableMathTest, PowerIsThatOfTheCLibrary) {
  for (double x = 1e-6; x < 1e6; x *= 3.1) {
    for (double y = -8; y < 8; y += 0.7) {
      // An error of the exponent shows as much larger as that is.
      const double exponent = std::fabs(y * std::log(x));
      EXPECT_NEAR(PortablePower(x, y) / std::pow(x, y), 1, kRelative * (1 + exponent)) << x << "^" << y;
    }
  }
}

// Phi(quantile(p)) is p. Where the density is small an error of the quantile hardly shows in p, so the upper
// tail is compared as the lower one.
TEST(PortableMathTest, NormalQuantileInvertsTheDistributionFunction) {
  for (double p = 0x1p-54; p < 0.5; p *= 1.21) {
    const double z = NormalQuantile(p);
    const double back = 0.5 * std::erfc(-z / std::sqrt(2.0));
    // d(ln Phi) / dz is about -z in the tail.
    EXPECT_NEAR(back / p, 1, 1e-14 * (1 + z * z)) << p;
  }
  for (double p = 0.01; p < 1; p += 0.01) EXPECT_NEAR(NormalQuantile(p), -NormalQuantile(1 - p), 1e-13) << p;
  EXPECT_EQ(NormalQuantile(0.5), 0);
  // A table's value.
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-14);
}

TEST(PortableMathTest, QuotientsHoldTheirDigitsNearZero) {
  for (double x = -20; x < 20; x += 0.013) {
    if (std::fabs(x) < 1e-9) continue;
    EXPECT_NEAR(ExpMinusOneOver(x) * x / std::expm1(x), 1, 1e-14) << x;
  }
  for (double x = -0.99; x < 20; x += 0.013) {
    if (std::fabs(x) < 1e-9) continue;
    EXPECT_NEAR(LogOnePlusOver(x) * x / std::log1p(x), 1, 1e-14) << x;
  }
  EXPECT_EQ(ExpMinusOneOver(0), 1);
  EXPECT_EQ(LogOnePlusOver(0), 1);
  EXPECT_NEAR(ExpMinusOneOver(1e-9), 1 + 0.5e-9, 1e-16);
  EXPECT_NEAR(LogOnePlusOver(1e-9), 1 - 0.5e-9, 1e-16);
}

}  // namespace
}  // namespace numasim::workloads
