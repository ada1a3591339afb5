#include "models/base/flags.h"

#include <concepts>

#include "gtest/gtest.h"
#include "models/base/gfp.h"
#include "models/physical/alloc_flags.h"

namespace numasim {
namespace {

template <typename A, typename B>
concept CanBeJoined = requires(A a, B b) { a | b; };

TEST(FlagsTest, KindsDoNotMixAndAreNoNumbers) {
  static_assert(CanBeJoined<GfpFlags, GfpFlags>);
  static_assert(!CanBeJoined<GfpFlags, AllocFlags>);
  static_assert(!CanBeJoined<GfpFlags, unsigned>);
  static_assert(!std::convertible_to<GfpFlags, AllocFlags>);
  static_assert(!std::convertible_to<unsigned, GfpFlags> && !std::constructible_from<GfpFlags, unsigned>);
  static_assert(!std::convertible_to<GfpFlags, bool>);
}

TEST(FlagsTest, ASetHasWhatWasPutIn) {
  constexpr GfpFlags kSet = kGfpKernel | kGfpNoWarn;
  static_assert(kSet.Has(kGfpNoWarn) && kSet.Has(kGfpDirectReclaim) && !kSet.Has(kGfpMovable));
  static_assert(!kSet.Has(kGfpNoWarn | kGfpMovable), "has both or has not");
  static_assert(kSet.Without(kGfpNoWarn) == kGfpKernel);
  static_assert(kGfpHigh.If(false) == GfpFlags() && kGfpHigh.If(true) == kGfpHigh);
}

TEST(FlagsTest, TheHighestZoneFollowsFromTheFlags) {
  static_assert(GfpZone(kGfpKernel) == ZoneType::kNormal);
  static_assert(GfpZone(kGfpHighuser) == ZoneType::kNormal);
  static_assert(GfpZone(kGfpHighuserMovable) == ZoneType::kMovable);
  static_assert(GfpZone(kGfpKernel | kGfpMovable) == ZoneType::kNormal);
  static_assert(GfpZone(kGfpHighuserMovable | kGfpDma32) == ZoneType::kDma32);
  static_assert(GfpZone(kGfpKernel | kGfpDma | kGfpDma32) == ZoneType::kDma);
}

}  // namespace
}  // namespace numasim
