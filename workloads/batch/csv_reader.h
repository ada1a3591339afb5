// Tables of jobs, virtual machines or pods as comma-separated values (RFC 4180), by a column mapping.
#ifndef NUMASIM_WORKLOADS_BATCH_CSV_READER_H_
#define NUMASIM_WORKLOADS_BATCH_CSV_READER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "workloads/batch/column_mapping.h"
#include "workloads/batch/job_log_builder.h"
#include "workloads/log_lines.h"

namespace numasim::workloads {

// CsvRecord: one record at a time. Quoted fields may hold commas, line ends and "" for a quote.
class CsvRecord {
 public:
  // Reads the next record that is not blank; false at the end of the lines. A record whose quotes are not
  // closed ends with the file, or where it is longer than a line may be, and is not whole().
  bool Next(LogLines& lines);

  const std::vector<std::string>& fields() const { return fields_; }
  // The line that it begins on.
  int64_t line() const { return line_; }
  bool whole() const { return whole_; }

 private:
  std::vector<std::string> fields_;
  int64_t line_ = 0;
  bool whole_ = true;
};

// All records. A mistake where the header lacks a column that the mapping names.
absl::Status ReadCsv(LogLines& lines, const ColumnMapping& mapping, JobLogBuilder& log);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_BATCH_CSV_READER_H_
