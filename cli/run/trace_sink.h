// TraceSink: hands the engine's samples and log records on as those of a trace, and keeps the log's sums for
// the summary. Owned by who runs the engine; called by the thread in Engine::Run.
#ifndef NUMASIM_CLI_RUN_TRACE_SINK_H_
#define NUMASIM_CLI_RUN_TRACE_SINK_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "proto/trace_output.h"
#include "sim/engine.h"
#include "sim/sampler.h"
#include "workloads/simulation.h"

namespace numasim {

class TraceSink : public sim::SampleSink {
 public:
  TraceSink(const sim::Engine& engine, TraceOutput& output) : engine_(engine), output_(output) {}

  void OnSample(sim::SimTime t, std::span<const int64_t> values) override;
  void OnRepeat(sim::SimTime first, sim::Duration interval, int64_t count) override;
  void OnLog(const sim::LogRecord& record) override;

  // At the end of a run: the final state, the lock statistics, and what was done by kind of operation.
  void WriteEnd(workloads::Simulation& simulation);
  // Then, for an output that keeps it, what pageblocks are used for: that looks at all of the machine's
  // memory.
  void WritePageblocks(const MemorySystem& memory);

  // How often each kind of event was logged for each reason: see ReasonText().
  const std::map<std::pair<std::string, std::string>, int64_t>& events() const { return events_; }

 private:
  void OnSpan(const sim::LogRecord& record, const sim::Span& span);
  void WriteLocks();
  void WriteOperations(const workloads::Simulation& simulation);

  const sim::Engine& engine_;
  TraceOutput& output_;
  sim::SimTime last_{-1};
  std::map<std::pair<std::string, std::string>, int64_t> events_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_RUN_TRACE_SINK_H_
