// A named event of a model, for the trace.
#ifndef NUMASIM_SIM_LOG_RECORD_H_
#define NUMASIM_SIM_LOG_RECORD_H_

#include <any>
#include <cstdint>
#include <string>

#include "sim/lock_stats.h"
#include "sim/time.h"

namespace numasim::sim {

// Facts of a record (LogRecord::facts) that tells of a time which ends with it, such as a wait: see
// Engine::RecordSpans(). The record's detail is its name.
struct Span {
  const char* kind;  // lives for ever
  SimTime began;
  const char* failed;  // why; "" if it did not. Lives for ever
};

// Where in a program of its own, such as a script, a path is.
struct ProgramPlace {
  const std::string* program = nullptr;  // its name, which outlives the engine's run; null: there is none
  int32_t line = 0;                      // of it; 0: none
};

struct LogRecord {
  SimTime time;
  LpId lp;
  uint64_t seq = 0;    // counts the records of the LP
  int32_t kind = 0;    // the model's own numbering
  std::string path;    // the name of the path that logged it
  std::string detail;  // for a person
  std::any facts;      // the model's own; the engine only carries it
  ProgramPlace place;  // where the path was: see Path::set_place()
};

}  // namespace numasim::sim

#endif  // NUMASIM_SIM_LOG_RECORD_H_
