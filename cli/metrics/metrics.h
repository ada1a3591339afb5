// Metrics: the numbers in which two runs can be compared, read from a trace.
//
//   NAME                 a column's last value; of a gauge also NAME.least, NAME.peak and NAME.mean, the mean
//                        over simulated time
//   events.KIND          how often an event was reported
//   lock.LP.NAME.VALUE   what a lock saw; VALUE is acquired, contended, or wait_ or hold_ with mean_ns, 99_ns
//                        or max_ns. Waits are those of the contended acquisitions. Where a lock's name begins
//                        with its place, as node0.Normal.lock does, that is not said again
//   operation.SCRIPT.OPERATION.VALUE
//                        what the streams of a script did; VALUE is tried, failed, failed_share (of those
//                        tried), failed.REASON, mean_ns, 99_ns or max_ns. Without SCRIPT: of the whole
//                        machine, such as operation.fault_base.mean_ns
//   simulated_ns         when the run ended
//   PERIOD...            those of a part of the run (cli/metrics/period_metrics.h), where one is asked for
#ifndef NUMASIM_CLI_METRICS_METRICS_H_
#define NUMASIM_CLI_METRICS_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "cli/metrics/metric.h"
#include "proto/trace.pb.h"
#include "proto/trace_output.h"

namespace numasim {

// What a trace tells of its run.
struct RunMetrics {
  std::string path;
  std::string scenario_name;
  std::string program_version;
  uint64_t seed = 0;
  uint64_t scenario_hash = 0;  // of the texts of the scenario and all that it names, without their names
  std::map<std::string, Metric> metrics;
};

// Reads the whole trace. Fails if it cannot be read, is no trace, is cut or damaged, or if its run was ended
// before its end: counts of a part of a run are not those of the run. The status names the file.
absl::StatusOr<RunMetrics> ReadMetrics(const std::string& path,
                                       const std::vector<MetricPeriod>& periods = {});

// Makes the same numbers of a run as it goes, without a trace. Owned by who runs the engine.
class MetricsRecorder final : public TraceOutput {
 public:
  // `header` is what the trace would have.
  explicit MetricsRecorder(trace::Header header, const std::vector<MetricPeriod>& periods = {});
  ~MetricsRecorder() override;

  void AddSample(int64_t time_ns, absl::Span<const int64_t> values) override;
  void AddRepeat(int64_t first_ns, int64_t interval_ns, int64_t count) override;
  void AddEvent(trace::Event event) override;
  void AddLockStats(trace::LockStats stats) override;
  void AddOperationStats(trace::OperationStats stats) override;
  void AddSpan(trace::Span) override {}                // its time is in the statistics of its kind
  void AddPageblocks(trace::PageblockMap) override {}  // no metric

  // When the run is at its end, once. RunMetrics::path is empty.
  RunMetrics Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_METRICS_METRICS_H_
