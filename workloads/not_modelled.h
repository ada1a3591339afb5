// What operations of a script the models cannot do yet.
//
// Plain functions, for before anything runs, and for an operation that is about to be performed.
#ifndef NUMASIM_WORKLOADS_NOT_MODELLED_H_
#define NUMASIM_WORKLOADS_NOT_MODELLED_H_

#include <string>

#include "workloads/operation_groups.h"
#include "workloads/script.h"

namespace numasim::workloads {

// What the models cannot do yet, as "PART is not modelled yet"; empty if they can do all of it.
std::string MissingPart(const OpKind& kind);

// The first operation with such a part, as "FILE:LINE: 'OPERATION': PART is not modelled yet"; empty if the
// models can do all.
std::string FirstNotModelled(const Script& script, const LineName& place);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_NOT_MODELLED_H_
