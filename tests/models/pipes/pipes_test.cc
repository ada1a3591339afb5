// Memory that pipes take (fs/pipe.c, Linux 6.1).
#include "models/pipes/pipes.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

constexpr int64_t kArray = 4;  // pages of the array of a pipe's buffers

class PipesTest : public ::testing::Test {
 protected:
  PipesTest() : machine_(DescribedMachine({128 * kMiB})) {
    machine_.Run("spawn p");
    before_ = machine_.UnusedPages();
  }
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }
  int64_t Taken() const { return before_ - machine_.UnusedPages(); }

  TestMachine machine_;
  int64_t before_ = 0;
};

TEST_F(PipesTest, EachTakesItsPagesAndAnArray) {
  machine_.Run("@p pipes k 3M");
  EXPECT_EQ(Taken(), 3 * (Pipes::kPages + kArray));
}

TEST_F(PipesTest, TheLastOneMayBeFilledInPart) {
  machine_.Run("@p pipes k 1100K");
  EXPECT_EQ(Taken(), 275 + 2 * kArray);
}

TEST_F(PipesTest, EverySecondGivesBackHalf) {
  machine_.Run("@p pipes k 4M\n@p drain_pipes k 2");
  EXPECT_EQ(Taken(), 2 * (Pipes::kPages + kArray));
  machine_.Run("@p drain_pipes k");
  EXPECT_EQ(Taken(), 0);
  EXPECT_EQ(machine_.Run("@p drain_pipes k").error, Errno::kNoEnt);
}

TEST_F(PipesTest, AnExitClosesThem) {
  machine_.Run("spawn q\n@q pipes k 2M\n@q exit");
  EXPECT_EQ(Taken(), 0);
}

TEST_F(PipesTest, WhatAChildHasOpenStays) {
  machine_.Run("spawn q\n@q pipes k 2M\n@q fork c\n@q exit");
  EXPECT_GE(Taken(), 2 * (Pipes::kPages + kArray));
  machine_.Run("@c exit");
  EXPECT_EQ(Taken(), 0);
}

}  // namespace
}  // namespace numasim
