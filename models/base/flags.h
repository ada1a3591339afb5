// Flags: a set of flags of one kind, such as gfp_t. Sets of different kinds do not mix, and none is a number.
#ifndef NUMASIM_MODELS_BASE_FLAGS_H_
#define NUMASIM_MODELS_BASE_FLAGS_H_

#include <cstdint>

namespace numasim {

// `Kind` only tells one kind from another.
template <typename Kind>
class Flags {
 public:
  constexpr Flags() = default;
  static constexpr Flags Bit(int bit) { return Flags(uint32_t{1} << bit); }
  // Whether the set has every one of `flags`.
  constexpr bool Has(Flags flags) const { return (bits_ & flags.bits_) == flags.bits_; }
  constexpr Flags Without(Flags flags) const { return Flags(bits_ & ~flags.bits_); }
  constexpr Flags If(bool condition) const { return condition ? *this : Flags(); }
  constexpr Flags operator|(Flags other) const { return Flags(bits_ | other.bits_); }
  constexpr Flags& operator|=(Flags other) { return *this = *this | other; }
  friend constexpr bool operator==(Flags, Flags) = default;

 private:
  constexpr explicit Flags(uint32_t bits) : bits_(bits) {}
  uint32_t bits_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_FLAGS_H_
