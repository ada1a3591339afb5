// How sure it is that a share lies below or above a bound, from how often something happened in so many
// independent trials. Pure functions.
//
// Exact, from the binomial distribution: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial
// limits illustrated in the case of the binomial", Biometrika 26, 1934.
#ifndef NUMASIM_CLI_STATISTICS_PROPORTION_H_
#define NUMASIM_CLI_STATISTICS_PROPORTION_H_

#include <cstdint>

namespace numasim {

struct ShareBounds {
  double low = 0;
  double high = 1;
};

// Bounds of the true share, from 0 to 1, where `hits` of `trials` were seen. Each is wrong with a probability
// of at most `error`, between 0 and 1; both together of twice that. 0 <= hits <= trials.
ShareBounds BoundsOfShare(int64_t hits, int64_t trials, double error);

}  // namespace numasim

#endif  // NUMASIM_CLI_STATISTICS_PROPORTION_H_
