// Conform that is ended before its end. What its steps answer is tested against recordings of kernels.
#include "workloads/conform.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "workloads/machine/boot_state.h"
#include "workloads/script.h"

namespace numasim::workloads {
namespace {

// The last of these steps takes far more than the 100 ms after which the end is asked for in a step.
constexpr char kScript[] = "spawn p\n@p map m 1T anon noreserve\n@p touch m r\n";

class ConformTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string path =
        absl::StrCat(std::getenv("TEST_SRCDIR"), "/numasim/tests/kernel_truth/hugetlb_fork_cow.truth.json");
    std::ifstream in(path);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    boot_ = ParseBootState("boot.json", text);
    script_ = ParseScript(kScript, "s.mm");
    ASSERT_TRUE(boot_.ok()) << boot_.status();
    ASSERT_TRUE(script_.ok()) << script_.status();
  }

  absl::StatusOr<Conformance> Run(const std::function<bool()>& ended) const {
    return Conform(*script_, "s.mm", *boot_, "boot.json", ended);
  }

  absl::StatusOr<BootState> boot_;
  absl::StatusOr<Script> script_;
};

TEST_F(ConformTest, GoesToItsEndWhereNothingEndsIt) {
  const auto conformance = Run([] { return false; });
  ASSERT_TRUE(conformance.ok()) << conformance.status();
  EXPECT_EQ(conformance->steps["steps"].size(), 1 + script_->ops.size());
}

TEST_F(ConformTest, IsEndedBeforeAStep) {
  const auto conformance = Run([] { return true; });
  EXPECT_TRUE(absl::IsCancelled(conformance.status())) << conformance.status();
  EXPECT_EQ(conformance.status().message(), "s.mm:1: 'spawn p', step 1 of 3");
}

TEST_F(ConformTest, IsEndedWithinAStep) {
  // Before the three steps it is asked three times.
  int asked = 0;
  const auto conformance = Run([&asked] { return ++asked > 3; });
  EXPECT_TRUE(absl::IsCancelled(conformance.status())) << conformance.status();
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(conformance.status().message(), "s.mm:3: '@p touch m r', step 3 of 3");
}

}  // namespace
}  // namespace numasim::workloads
