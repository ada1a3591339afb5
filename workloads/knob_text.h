// What a knob option of proto/annotations.proto allows, as words for messages and references.
#ifndef NUMASIM_WORKLOADS_KNOB_TEXT_H_
#define NUMASIM_WORKLOADS_KNOB_TEXT_H_

#include <string>

#include "proto/annotations.pb.h"

namespace numasim::workloads {

// "from 0 to 4096 (CPUs)" of a number; without bounds "(CPUs)", or nothing.
std::string RangeText(const Knob& knob);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_KNOB_TEXT_H_
