// Texts of sizes, times, counts and node lists, as scripts, scenarios and command lines write them.
//
// Plain functions without state. A mistake is InvalidArgument whose message goes on after the value, such as
// "is negative; expected a size of 0 or more, such as 64M": the caller puts file, line, field and 'VALUE'
// before it.
#ifndef NUMASIM_WORKLOADS_UNITS_H_
#define NUMASIM_WORKLOADS_UNITS_H_

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "models/base/types.h"

namespace numasim::workloads {

// "64G" in bytes. Units are K, M, G and T, powers of 1024; none means bytes.
absl::StatusOr<int64_t> ParseSize(std::string_view text);

// "10ms", "1.5s" or "1h5s" in nanoseconds: one or more numbers, each with its unit (h, m, s, ms, us or ns),
// as sim::ToString writes them. Part of a nanosecond is a mistake.
absl::StatusOr<int64_t> ParseDuration(std::string_view text);

// "80%" or "0.8" in parts of `whole`, rounded to the nearest; at most all of it.
absl::StatusOr<int64_t> ParseShare(std::string_view text, int64_t whole);

// A whole number between `least` and `most`. `least` is not negative.
absl::StatusOr<int64_t> ParseCount(std::string_view text, int64_t least = 0,
                                   int64_t most = std::numeric_limits<int64_t>::max());

// "0-3,5" as a set of nodes, each below `nodes`.
absl::StatusOr<NodeMask> ParseNodeList(std::string_view text, int nodes = kMaxNodes);

// The shortest text that ParseSize reads back as `bytes`: 8388608 is "8M". `bytes` is not negative.
std::string SizeText(int64_t bytes);

// The text that ParseNodeList reads back: "0-3,5".
std::string NodeListText(NodeMask nodes);

// A value from an input file, safe to print and not too long, in quotes: 'VALUE'.
std::string Quoted(std::string_view value);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_UNITS_H_
