// Scans over the next event times of all LPs, once per window each: with many LPs and little in a window they
// are a good part of the run loop's work, so they use vector instructions where the CPU has them.
#ifndef NUMASIM_SIM_FRONT_SCAN_H_
#define NUMASIM_SIM_FRONT_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace numasim::sim::internal {

// The two least of all times; equal where two LPs share the least, and the end of time where there are fewer.
struct Front {
  int64_t first;
  int64_t second;
  friend bool operator==(const Front&, const Front&) = default;
};

class FrontScan {
 public:
  // Chooses by the CPU; `plain` asks for the version that every CPU can run, for its test.
  explicit FrontScan(bool plain = false);

  Front Find(std::span<const int64_t> next) const { return find_(next); }

  // Writes the places of all times before `bound` to `out`, in order, and returns how many. `out` has room
  // for as many as there are times, and 4 more.
  size_t CollectBefore(std::span<const int64_t> next, int64_t bound, uint32_t* out) const {
    return collect_(next, bound, out);
  }

 private:
  Front (*find_)(std::span<const int64_t>);
  size_t (*collect_)(std::span<const int64_t>, int64_t, uint32_t*);
};

}  // namespace numasim::sim::internal

#endif  // NUMASIM_SIM_FRONT_SCAN_H_
