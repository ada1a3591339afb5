// ColumnMapping: which column of a table is which part of a Job, from a text such as
//
//   submit=created,end=deleted,cpus=cores,request=memory:M
//
// FIELD=COLUMN or FIELD=COLUMN:UNIT, by commas. COLUMN is a name of the header, or #N, counted from 1. Units
// of times are s (default), ms, us, ns, min, h and d, of memory B (default), K, M, G and T, of cpus milli. A
// value may also be a date (2024-03-01T12:00:00) or have a unit of its own (4G).
#ifndef NUMASIM_WORKLOADS_BATCH_COLUMN_MAPPING_H_
#define NUMASIM_WORKLOADS_BATCH_COLUMN_MAPPING_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace numasim::workloads {

// What a column can be, in the order of their names.
enum class JobField : uint8_t {
  kSubmit,
  kStart,
  kEnd,
  kRun,
  kLimit,
  kCpus,
  kMemory,
  kRequest,
  kProgram,
  kUser,
  kId,
};
inline constexpr std::string_view kJobFieldNames[] = {"submit", "start",   "end",     "run",  "limit", "cpus",
                                                      "memory", "request", "program", "user", "id"};
inline constexpr size_t kJobFields = std::size(kJobFieldNames);

struct ColumnMapping {
  struct Column {
    std::string name;   // of the header; empty: `number` says it
    int number = 0;     // from 1
    int64_t scale = 1;  // one unit in ns, bytes or thousandths of a CPU
    bool mapped() const { return !name.empty() || number > 0; }
  };
  std::array<Column, kJobFields> columns;

  const Column& of(JobField field) const { return columns[static_cast<size_t>(field)]; }
  Column& of(JobField field) { return columns[static_cast<size_t>(field)]; }
  // Some column is known by its name only.
  bool needs_header() const;
};

// A mistake reads on after the mapping's name: "'submitt=1' names no part of a job; expected ..". There are
// always a submit or start, and a run or end.
absl::StatusOr<ColumnMapping> ParseColumnMapping(std::string_view text);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_COLUMN_MAPPING_H_
