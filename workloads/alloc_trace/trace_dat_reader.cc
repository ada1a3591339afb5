#include "workloads/alloc_trace/trace_dat_reader.h"

// trace-cmd.h includes tracefs.h, which is no C++ in Debian 12, and needs nothing of it: its include guard.
#define _TRACE_FS_H
#include <sched.h>
#include <trace-cmd/trace-cmd.h>
#include <trace-seq.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/statusor.h"
#include "files/shared_file.h"
#include "workloads/alloc_trace/text_reader.h"
#include "workloads/log_lines.h"
#include "workloads/machine/child_process.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

constexpr std::string_view kBegin = "\x17\x08\x44tracing";
constexpr unsigned kPatience = 600;  // seconds; a million events take some three

struct InputCloser {
  void operator()(tracecmd_input* input) const { tracecmd_close(input); }
};
using Input = std::unique_ptr<tracecmd_input, InputCloser>;

// Writes the events' lines, in the process that reads them.
class LineWriter {
 public:
  explicit LineWriter(tep_handle* events) : events_(events) { trace_seq_init(&fields_); }
  ~LineWriter() { trace_seq_destroy(&fields_); }
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  void Add(tep_record& record, int cpu);
  std::string Take() { return std::move(text_); }

 private:
  tep_handle* events_;
  trace_seq fields_;
  std::string text_;
};

void LineWriter::Add(tep_record& record, int cpu) {
  // -1: some, and the kernel did not count them.
  if (record.missed_events != 0)
    Append(text_, "CPU:", cpu, " [LOST ", record.missed_events > 0 ? record.missed_events : 1, " EVENTS]\n");
  const tep_event* const event = tep_find_event_by_record(events_, &record);
  if (event == nullptr) return Append(text_, "an event of an unknown kind\n");
  constexpr uint64_t kNsPerSecond = 1'000'000'000;
  char time[64];
  std::snprintf(time, sizeof(time), "%" PRIu64 ".%09" PRIu64, uint64_t{record.ts} / kNsPerSecond,
                uint64_t{record.ts} % kNsPerSecond);
  Append(text_, "-0 [", cpu, "] ", time, ": ", event->name, ": ");
  if (std::string_view(event->name).starts_with("mm_page_")) {
    trace_seq_reset(&fields_);
    tep_print_event(events_, &fields_, &record, "%s", TEP_PRINT_INFO);
    text_.append(fields_.buffer, fields_.len);
  }
  text_ += '\n';
}

int AddRecord(tracecmd_input* /*input*/, tep_record* record, int cpu, void* writer) {
  static_cast<LineWriter*>(writer)->Add(*record, cpu);
  return 0;
}

// The events as text, in this process.
absl::StatusOr<std::string> TextOf(std::string_view bytes) {
  const SharedFile file;
  if (file.descriptor() < 0 || !file.Write(std::string(bytes)) || lseek(file.descriptor(), 0, SEEK_SET) != 0)
    return absl::ResourceExhaustedError("no room for a copy of it");
  const Input input(
      tracecmd_open_fd(file.descriptor(), TRACECMD_FL_LOAD_NO_PLUGINS | TRACECMD_FL_LOAD_NO_SYSTEM_PLUGINS));
  if (input == nullptr) return absl::AbortedError("it refuses it");
  LineWriter writer(tracecmd_get_tep(input.get()));
  if (tracecmd_iterate_events(input.get(), nullptr, 0, AddRecord, &writer) < 0)
    return absl::AbortedError("it cannot go through its events");
  return writer.Take();
}

}  // namespace

bool IsTraceDat(std::string_view bytes) { return bytes.starts_with(kBegin); }

absl::Status ReadTraceDat(const std::string& name, std::string_view bytes, AllocTraceBuilder& trace) {
  const ChildResult result = RunInChild([&] { return TextOf(bytes); }, kPatience);
  if (!result.made.ok())
    return absl::InvalidArgumentError(
        Cat(name, ": is no trace that libtracecmd can read: ", result.made.status().message(),
            FirstComplaint(result), "; expected a trace.dat of trace-cmd"));
  LogLines lines(name, *result.made);
  ReadTextTrace(lines, TextTrace::kFtrace, trace);
  return lines.status();
}

}  // namespace numasim::workloads
