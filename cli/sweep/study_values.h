// The values of a study's parameter: listed, or numbers from a range or drawn at random.
#ifndef NUMASIM_CLI_SWEEP_STUDY_VALUES_H_
#define NUMASIM_CLI_SWEEP_STUDY_VALUES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/study.pb.h"
#include "workloads/text_message.h"

namespace numasim {

// All values of `parameter`, of which `view` is, in the order in which they are listed, rise, or are drawn;
// none twice. `seed` is the study's. A mistake names file, line, field and value.
absl::StatusOr<std::vector<std::string>> ValuesOf(const workloads::MessageView& view,
                                                  const StudyParameter& parameter, uint64_t seed);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_STUDY_VALUES_H_
