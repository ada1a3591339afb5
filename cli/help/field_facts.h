// What is declared of one field, in words.
#ifndef NUMASIM_CLI_HELP_FIELD_FACTS_H_
#define NUMASIM_CLI_HELP_FIELD_FACTS_H_

#include <string>

#include "cli/help/field_reference.h"
#include "google/protobuf/descriptor.h"

namespace numasim {

FieldEntry FactsOf(const google::protobuf::FieldDescriptor& field, std::string path);

}  // namespace numasim

#endif  // NUMASIM_CLI_HELP_FIELD_FACTS_H_
