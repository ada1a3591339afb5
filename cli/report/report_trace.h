// ReportTrace: what a report shows of one trace, small enough for a page whatever the trace's length. Owned
// by the subcommand, which reads one for each trace that it is given.
#ifndef NUMASIM_CLI_REPORT_REPORT_TRACE_H_
#define NUMASIM_CLI_REPORT_REPORT_TRACE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/report/event_lanes.h"
#include "cli/report/thinned_samples.h"
#include "proto/trace.pb.h"

namespace numasim {

struct ReportTrace {
  std::string path;   // as given
  std::string label;  // its name in the report
  trace::Header header;
  int64_t end_ns = 0;    // of the last sample or event
  uint64_t samples = 0;  // in the trace
  uint64_t events = 0;
  std::string ended_by;  // what ended the run before its end; "" if nothing did
  std::string cut;       // why the trace is not read to its end; "" if it is
  ThinnedSamples counters;
  EventLanes lanes;
  std::vector<trace::LockStats> locks;
  std::vector<trace::OperationStats> operations;
  std::vector<trace::PageblockMap> pageblocks;
};

// Reads a trace that is called `label` in the report. A trace that is cut or damaged behind its header is
// read as far as it goes, and `cut` says so. Fails, naming the file, if it cannot be read or is no trace.
absl::StatusOr<std::unique_ptr<ReportTrace>> ReadReportTrace(const std::string& path, std::string label);

// How traces are called in a report: by file name without its ending, or by the whole path where another one
// has the same. Paths are of different files.
std::vector<std::string> ReportLabels(const std::vector<std::string>& paths);

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_REPORT_TRACE_H_
