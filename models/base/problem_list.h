// ProblemList: what a check found wrong, as sentences. A value on the stack of the check.
#ifndef NUMASIM_MODELS_BASE_PROBLEM_LIST_H_
#define NUMASIM_MODELS_BASE_PROBLEM_LIST_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace numasim {

class ProblemList {
 public:
  // One fault can show in thousands of places: beyond this many they are only counted.
  static constexpr size_t kMost = 50;

  template <typename... Parts>
  void Add(const Parts&... parts) {
    if (problems_.size() < kMost) {
      problems_.push_back(absl::StrCat(parts...));
    } else {
      ++more_;
    }
  }
  // Adds "<what> is <actual>, expected <expected>" where the two differ.
  template <typename Actual, typename Expected, typename... Parts>
  void Expect(const Actual& actual, const Expected& expected, const Parts&... what) {
    if (actual != expected) Add(what..., " is ", actual, ", expected ", expected);
  }

  std::vector<std::string> Take() && {
    if (more_ > 0) problems_.push_back(absl::StrCat("and ", more_, " more"));
    return std::move(problems_);
  }

 private:
  std::vector<std::string> problems_;
  int64_t more_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_PROBLEM_LIST_H_
