// GuestPlan: a group of guests of a scenario, read and checked; and what is drawn for each of its guests.
//
// A plan is a value: part of the LoadedScenario, read from everywhere. Guest k of a group is given its
// choices by the run's seed, the group's name and k alone, each kind of choice from a random stream of its
// own. Whatever else happens in a run, and whatever is changed about other groups or other choices, it stays
// the same guest.
#ifndef NUMASIM_WORKLOADS_GENERATE_GUEST_PLAN_H_
#define NUMASIM_WORKLOADS_GENERATE_GUEST_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "models/base/huge_size.h"
#include "models/base/types.h"
#include "sim/random.h"
#include "workloads/generate/distribution.h"
#include "workloads/integer_math.h"
#include "workloads/operations.h"

namespace numasim::workloads {

enum class GuestPages : uint8_t { kAnon, k4K, kThp, k2M, k1G };

// "anon", "4K", "thp", "2M", "1G": one of the names that a field page_size may have.
GuestPages GuestPagesNamed(std::string_view name);

// The HugeTLB size of the pages; none where they are anonymous memory.
constexpr std::optional<HugeSize> HugeSizeOf(GuestPages pages) {
  if (pages == GuestPages::k2M) return HugeSize::k2M;
  if (pages == GuestPages::k1G) return HugeSize::k1G;
  return std::nullopt;
}
// Base pages of one of them.
constexpr int64_t UnitOf(GuestPages pages) {
  const std::optional<HugeSize> size = HugeSizeOf(pages);
  return size.has_value() ? PagesOf(*size) : 1;
}

struct GuestPolicy {
  Policy policy;
  bool own = false;  // of the node that the guest runs on, which then is its only one
};

// Arrivals one after the other.
struct GapArrival {
  Distribution gap;  // ns
};
struct TimesArrival {
  std::vector<int64_t> times;  // ns from the plan's start, not falling
};
struct ClosedLoop {
  int guests = 1;
  Distribution pause;  // ns
};
using Arrival = std::variant<GapArrival, TimesArrival, ClosedLoop>;

// How a process gets and uses its memory.
struct GuestHabits {
  enum class Order : uint8_t { kAscending, kRandom };

  bool policy_of_mapping = false;
  bool populate = false;
  Order order = Order::kAscending;
};

struct GuestPlan : GuestHabits {
  enum class Placement : uint8_t { kRoundRobin, kMostFree, kRandom };

  std::string name;
  std::string place;  // "FILE:LINE: guests 'NAME'", for messages
  Arrival arrival;
  std::optional<int64_t> count;
  int64_t start_ns = 0;
  std::optional<int64_t> until_ns;
  Distribution size;                     // bytes
  std::optional<Distribution> lifetime;  // ns; none: it stays
  std::vector<GuestPages> pages;         // at least one
  std::vector<double> pages_up_to;       // SumsOf their weights
  std::vector<NodeId> nodes;             // as given; none: all with CPUs
  Placement placement = Placement::kRoundRobin;
  std::vector<GuestPolicy> policies;  // at least one
  std::vector<double> policies_up_to;
  Distribution share;  // of its memory that it touches, in parts of kWholeShare
  int steps = 1;
  bool other_node = false;
  int retries = 0;
  Distribution retry_after;  // ns

  // Whether anything of it is drawn, so that another seed makes another run.
  bool random() const;
  // Stream `k` for one kind of choice.
  sim::RandomStream StreamOf(uint64_t seed, std::string_view what, int64_t k) const;
};

struct GuestChoices {
  GuestPages pages = GuestPages::kAnon;
  int64_t units = 1;    // pages of that size that it maps
  int64_t touched = 1;  // and that it uses
  const GuestPolicy* policy = nullptr;
  std::optional<int64_t> lifetime_ns;
  uint64_t order_key = 0;

  int64_t base_pages() const { return units * UnitOf(pages); }
  // How many of the pages that it uses are in the first `parts` of `all` equal parts.
  int64_t TouchedAfter(int parts, int all) const { return InProportion(touched, parts, all); }
};

// What guest `k` of the plan is like, k from 0.
GuestChoices ChoicesOf(const GuestPlan& plan, uint64_t seed, int64_t k);

// The times of arrivals that follow each other, in ns of the run, rising or equal: of GapArrival and
// TimesArrival. Ends where the plan's count or `until` do, with the file, or at the end of simulated time.
class ArrivalTimes {
 public:
  ArrivalTimes(const GuestPlan& plan, uint64_t seed);

  // The next one; none where there are no more.
  std::optional<int64_t> Next();

 private:
  std::optional<int64_t> NextOffset();

  const GuestPlan& plan_;
  sim::RandomStream gaps_;
  int64_t taken_ = 0;
  int64_t at_ns_ = 0;  // from the plan's start
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_GUEST_PLAN_H_
