// What a trace is called where its path would be too long.
#ifndef NUMASIM_CLI_DUMP_TRACE_LABEL_H_
#define NUMASIM_CLI_DUMP_TRACE_LABEL_H_

#include <string>

namespace numasim {

// The file's name without ".trace.pb", ".pb" or ".partial".
std::string TraceLabel(const std::string& path);

}  // namespace numasim

#endif  // NUMASIM_CLI_DUMP_TRACE_LABEL_H_
