// EnumArray: an array with one entry for each enumerator of an enum class whose enumerators count from 0.
#ifndef NUMASIM_MODELS_BASE_ENUM_ARRAY_H_
#define NUMASIM_MODELS_BASE_ENUM_ARRAY_H_

#include <array>
#include <cstddef>

namespace numasim {

template <typename Enum, typename T, size_t kCount>
struct EnumArray : std::array<T, kCount> {
  using std::array<T, kCount>::operator[];  // by number, for those that count through them
  constexpr T& operator[](Enum key) { return (*this)[static_cast<size_t>(key)]; }
  constexpr const T& operator[](Enum key) const { return (*this)[static_cast<size_t>(key)]; }
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_ENUM_ARRAY_H_
