#include "sim/portable_math.h"

#include <gtest/gtest.h>

#include <cmath>

namespace numasim::sim {
namespace {

TEST(PortableMathTest, ExpIsThatOfTheMathsLibraryButForRounding) {
  for (double x = 0; x < 64; x += 0.37) EXPECT_NEAR(ExpOfMinus(x) / std::exp(-x), 1, 1e-11) << x;
  EXPECT_EQ(ExpOfMinus(0), 1);
}

TEST(PortableMathTest, LogIsThatOfTheMathsLibraryButForRounding) {
  for (double y = 1; y > 0x1p-40; y *= 0.9) EXPECT_NEAR(MinusLog(y), -std::log(y), 1e-10) << y;
  EXPECT_NEAR(MinusLog(0x1p-40), 40 * std::log(2.0), 1e-10);
}

}  // namespace
}  // namespace numasim::sim
