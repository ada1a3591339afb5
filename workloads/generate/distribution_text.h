// Reads distributions, and the values and times in data files, of a scenario.
//
// Plain functions. A mistake is InvalidArgument, "FILE:LINE:COL: FIELD: 'VALUE' is ...; expected ...", as all
// of a scenario.
#ifndef NUMASIM_WORKLOADS_GENERATE_DISTRIBUTION_TEXT_H_
#define NUMASIM_WORKLOADS_GENERATE_DISTRIBUTION_TEXT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workloads/generate/distribution.h"
#include "workloads/text_message.h"

namespace numasim::workloads {

// What the numbers of a distribution are.
enum class ValueUnit { kSize, kTime, kShare };  // bytes, nanoseconds, parts of kWholeShare

inline constexpr int64_t kWholeShare = 1'000'000'000;

// The files that a scenario names.
struct InputFiles {
  // The text of the file that a field of the view names. A Status tells of the field.
  std::function<absl::StatusOr<std::string>(const MessageView& view, std::string_view field,
                                            const std::string& name)>
      read;
  // The file's name for messages.
  std::function<std::string(const std::string& name)> display;
};

// `view` is of a Distribution. All that it can draw is a value of the unit.
absl::StatusOr<Distribution> ReadDistribution(const MessageView& view, ValueUnit unit,
                                              const InputFiles& files);

// The share that the field's `text` is, in parts of kWholeShare.
absl::Status ReadShare(const MessageView& view, std::string_view field, std::string_view text,
                       int64_t& share);

// The times in the text file that a field of `view` names, in nanoseconds, not falling.
absl::StatusOr<std::vector<int64_t>> ReadTimes(const MessageView& view, std::string_view field,
                                               const std::string& file, const InputFiles& files);

// The field with weights is empty, or has one for each of the `n` values in the field `values`, not all 0.
absl::Status CheckWeights(const MessageView& view, std::string_view field, const std::vector<double>& weights,
                          std::string_view values, size_t n);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_DISTRIBUTION_TEXT_H_
