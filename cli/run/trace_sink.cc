#include "cli/run/trace_sink.h"

#include <any>
#include <utility>

#include "absl/types/span.h"
#include "cli/text/failure_text.h"
#include "models/base/failure.h"
#include "models/physical/memory_system.h"
#include "models/physical/pageblock_use.h"

namespace numasim {
namespace {

trace::Histogram ToProto(const sim::Histogram& from) {
  trace::Histogram to;
  to.set_sum(from.sum());
  to.set_max(from.max());
  for (size_t b = 0; b < from.buckets().size(); ++b) {
    if (from.buckets()[b] == 0) continue;
    trace::Histogram::Bucket& bucket = *to.add_bucket();
    bucket.set_low(sim::Histogram::LowerBound(b));
    bucket.set_high(sim::Histogram::LowerBound(b + 1) - 1);
    bucket.set_count(from.buckets()[b]);
  }
  return to;
}

trace::FailedCase CaseOf(const Failure& from, const sim::ProgramPlace& place) {
  trace::FailedCase to;
  if (from.start != kNoPfn) {
    to.set_start(static_cast<int64_t>(from.start.value));
    to.set_end(static_cast<int64_t>((from.start + from.range_pages).value));
  }
  if (from.pfn != kNoPfn) to.set_pfn(static_cast<int64_t>(from.pfn.value));
  if (from.pages.has_value()) to.set_pages(*from.pages);
  if (from.got.has_value()) to.set_got(*from.got);
  if (place.program != nullptr) to.set_script(*place.program);
  if (place.line > 0) to.set_line(place.line);
  if (!from.tasks.empty()) to.set_tasks(from.tasks);
  return to;
}

trace::Failure ToProto(const Failure& from, const sim::ProgramPlace& place) {
  trace::Failure to;
  if (!from.area.empty()) to.set_area(from.area);
  if (from.order.has_value()) to.set_order(*from.order);
  if (from.size.has_value()) to.set_size(kHugeSizeNames[*from.size]);
  for (NodeMask rest = from.nodes; !rest.empty(); rest.Clear(rest.First())) to.add_node(rest.First().value);
  if (from.preferred != kNoNode) to.set_preferred(from.preferred.value);
  to.set_error(ErrnoName(from.error));
  to.set_function(from.function);
  if (*from.reason != '\0') to.set_reason(from.reason);
  if (from.user.kind != FrameUser::Kind::kUnknown) to.set_owner(from.user.kind_name());
  if (from.user.held != FrameUser::Held::kNo) to.set_held(from.user.held_name());
  if (!from.victim.empty()) to.set_victim(from.victim);
  trace::FailedCase of_this = CaseOf(from, place);
  if (of_this.ByteSizeLong() > 0) *to.mutable_at() = std::move(of_this);
  return to;
}

}  // namespace

void TraceSink::OnSample(sim::SimTime t, std::span<const int64_t> values) {
  // The last sample, of the final state, may fall on the time of a regular one.
  if (t <= last_) return;
  last_ = t;
  output_.AddSample(t.ns, absl::MakeConstSpan(values.data(), values.size()));
}

void TraceSink::OnRepeat(sim::SimTime first, sim::Duration interval, int64_t count) {
  last_ = first + interval * (count - 1);
  output_.AddRepeat(first.ns, interval.ns, count);
}

void TraceSink::OnSpan(const sim::LogRecord& record, const sim::Span& span) {
  trace::Span to;
  to.set_kind(span.kind);
  to.set_name(record.detail);
  to.set_path(record.path);
  to.set_lp(engine_.lp_name(record.lp));
  to.set_began_ns(span.began.ns);
  to.set_ended_ns(record.time.ns);
  if (*span.failed != '\0') to.set_failed(span.failed);
  output_.AddSpan(std::move(to));
}

void TraceSink::OnLog(const sim::LogRecord& record) {
  if (const auto* span = std::any_cast<sim::Span>(&record.facts); span != nullptr)
    return OnSpan(record, *span);
  trace::Event event;
  event.set_time_ns(record.time.ns);
  event.set_lp(engine_.lp_name(record.lp));
  event.set_kind(LogKindName(static_cast<LogKind>(record.kind)));
  event.set_path(record.path);
  if (const auto* failure = std::any_cast<Failure>(&record.facts); failure != nullptr) {
    *event.mutable_failure() = ToProto(*failure, record.place);
  } else {
    event.set_detail(record.detail);
  }
  ++events_[{event.kind(), ReasonText(event)}];
  output_.AddEvent(std::move(event));
}

void TraceSink::WriteEnd(workloads::Simulation& simulation) {
  simulation.engine().SampleNow();
  WriteLocks();
  WriteOperations(simulation);
}

void TraceSink::WritePageblocks(const MemorySystem& memory) {
  for (int n = 0; n < memory.node_count(); ++n) {
    for (const auto& zone : memory.node(NodeId{n}).zones) {
      if (zone == nullptr) continue;
      trace::PageblockMap map;
      map.set_zone(zone->Name());
      map.set_first_pfn(zone->frames().base().value);
      for (const PageblockRun& run : PageblockUses(zone->frames())) {
        map.add_use(static_cast<trace::PageblockMap::Use>(run.use));
        map.add_count(static_cast<uint64_t>(run.count));
      }
      output_.AddPageblocks(std::move(map));
    }
  }
}

void TraceSink::WriteOperations(const workloads::Simulation& simulation) {
  for (const workloads::Simulation::Operations& operations : simulation.AllOperations()) {
    for (const auto& [name, of_kind] : operations.table) {
      trace::OperationStats stats;
      if (!operations.name.empty()) stats.set_script(operations.name);
      stats.set_operation(std::string(name));
      stats.set_tried(of_kind.tried());
      for (const auto& [reason, count] : of_kind.failed()) {
        trace::FailureCount& failed = *stats.add_failed();
        failed.set_reason(std::string(reason));
        failed.set_count(count);
      }
      const sim::Histogram& latency = of_kind.latency();
      if (latency.count() > 0) *stats.mutable_latency_ns() = ToProto(latency);
      output_.AddOperationStats(std::move(stats));
    }
  }
}

void TraceSink::WriteLocks() {
  for (const sim::LockStats* lock : engine_.lock_stats()) {
    if (lock->acquisitions == 0 && lock->try_failed == 0) continue;
    trace::LockStats stats;
    stats.set_name(lock->name);
    stats.set_lp(engine_.lp_name(lock->lp));
    stats.set_kind(sim::LockKindName(lock->kind));
    stats.set_acquired(lock->acquisitions);
    stats.set_contended(lock->contended);
    *stats.mutable_wait_ns() = ToProto(lock->wait);
    *stats.mutable_hold_ns() = ToProto(lock->hold);
    output_.AddLockStats(std::move(stats));
  }
}

}  // namespace numasim
