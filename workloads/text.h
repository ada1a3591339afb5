// The few string functions of this layer, for std::string_view.
//
// The distribution's Abseil is built with a string_view of its own, which does not convert; these hand over
// to it.
#ifndef NUMASIM_WORKLOADS_TEXT_H_
#define NUMASIM_WORKLOADS_TEXT_H_

#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace numasim::workloads {

inline absl::string_view ForAbsl(std::string_view text) { return {text.data(), text.size()}; }

inline absl::string_view ForAbsl(absl::string_view text) { return text; }
inline absl::string_view ForAbsl(const std::string& text) { return text; }
inline absl::string_view ForAbsl(const char* text) { return text; }

inline std::string_view FromAbsl(absl::string_view text) { return {text.data(), text.size()}; }

template <class T>
auto ForAbsl(const T& number)
  requires std::is_arithmetic_v<T>
{
  return number;
}

// All arguments, texts and numbers, one after another.
template <class... Args>
std::string Cat(const Args&... args) {
  return absl::StrCat(ForAbsl(args)...);
}

template <class... Args>
void Append(std::string& out, const Args&... args) {
  absl::StrAppend(&out, ForAbsl(args)...);
}

// The parts of `text` between separators; one more than there are separators.
std::vector<std::string_view> Split(std::string_view text, char separator);

std::string Join(std::span<const std::string_view> parts, std::string_view separator);

// Without white space at both ends.
std::string_view Trim(std::string_view text);

// One or more letters, digits, '_', '.' and '-': what things of a scenario are called.
bool IsName(std::string_view text);

// Takes `prefix` off the front of `text`; false if it is not there.
bool ConsumePrefix(std::string_view& text, std::string_view prefix);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_TEXT_H_
