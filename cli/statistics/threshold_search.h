// Halving: finds the last of a row of candidates that is good, where all before a good one are good too.
#ifndef NUMASIM_CLI_STATISTICS_THRESHOLD_SEARCH_H_
#define NUMASIM_CLI_STATISTICS_THRESHOLD_SEARCH_H_

#include <cstddef>
#include <optional>

namespace numasim {

class ThresholdSearch {
 public:
  explicit ThresholdSearch(size_t candidates) : first_bad_(candidates) {}

  // The candidate to try next; nothing when the answer is known.
  std::optional<size_t> Next() const {
    if (first_open_ == first_bad_) return std::nullopt;
    return first_open_ + (first_bad_ - first_open_) / 2;
  }

  // What came of it.
  void Tell(size_t candidate, bool good) {
    if (good) {
      first_open_ = candidate + 1;
    } else {
      first_bad_ = candidate;
    }
  }

  // When Next() has nothing more: the last good candidate; nothing if none is.
  std::optional<size_t> Answer() const {
    return first_open_ == 0 ? std::nullopt : std::optional<size_t>(first_open_ - 1);
  }

  // How many are tried of so many candidates, at most.
  static int MostTries(size_t candidates) {
    int tries = 0;
    for (; candidates > 0; candidates /= 2) ++tries;
    return tries;
  }

 private:
  // All before the first are good, all from the second on are not.
  size_t first_open_ = 0;
  size_t first_bad_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_STATISTICS_THRESHOLD_SEARCH_H_
