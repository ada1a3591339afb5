// An event: at `time` the path goes on. Plain 24 bytes, moved by value through the queues.
#ifndef NUMASIM_SIM_EVENT_H_
#define NUMASIM_SIM_EVENT_H_

#include <cstdint>

namespace numasim::sim {

class Path;

namespace internal {

struct Event {
  int64_t time;    // nanoseconds since the start
  uint64_t order;  // source LP in the upper 20 bits, the source's sequence number below: see EventOrder
  Path* path;
};
static_assert(sizeof(Event) == 24);

inline constexpr int kSequenceBits = 44;

// The order among events of the same time: by source (0 is the outside, LP i is i + 1), then as the source
// gave them out. 2^44 events of one source are ten days at 20 million a second.
constexpr uint64_t EventOrder(uint64_t source, uint64_t sequence) {
  return (source << kSequenceBits) | sequence;
}

// One 128-bit comparison, which compiles without a branch.
inline bool Before(const Event& a, const Event& b) {
  const auto key = [](const Event& e) {
    return (static_cast<unsigned __int128>(static_cast<uint64_t>(e.time)) << 64) | e.order;
  };
  return key(a) < key(b);
}

}  // namespace internal
}  // namespace numasim::sim

#endif  // NUMASIM_SIM_EVENT_H_
