// TraceSink: hands the engine's samples and log records on to a trace file, and keeps the log's sums for the
// summary. Owned by `numasim run`; called by the thread in Engine::Run.
#ifndef NUMASIM_CLI_TRACE_SINK_H_
#define NUMASIM_CLI_TRACE_SINK_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "proto/trace_reader.h"
#include "proto/trace_writer.h"
#include "sim/engine.h"
#include "sim/sampler.h"
#include "workloads/simulation.h"

namespace numasim {

class TraceSink : public sim::SampleSink {
 public:
  // What goes to `writer` is shown to `also`, too, unless it is null.
  TraceSink(const sim::Engine& engine, TraceWriter& writer, TraceVisitor* also)
      : engine_(engine), writer_(writer), also_(also) {}

  void OnSample(sim::SimTime t, std::span<const int64_t> values) override;
  void OnRepeat(sim::SimTime first, sim::Duration interval, int64_t count) override;
  void OnLog(const sim::LogRecord& record) override;

  // The engine's lock statistics, at the end of a run.
  void WriteLocks();
  // What `simulation` did, by kind of operation, at the end of a run.
  void WriteOperations(const workloads::Simulation& simulation);

  // How often each kind of event was logged for each reason: see ReasonText().
  const std::map<std::pair<std::string, std::string>, int64_t>& events() const { return events_; }

 private:
  const sim::Engine& engine_;
  TraceWriter& writer_;
  TraceVisitor* const also_;
  std::vector<int64_t> last_values_;  // for `also_`
  sim::SimTime last_{-1};
  std::map<std::pair<std::string, std::string>, int64_t> events_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_TRACE_SINK_H_
