// Writes a trace file (proto/trace.proto) while a simulation runs. Owned by the code that hands the engine's
// samples on; called by one thread at a time, in the order of simulated time, so that the bytes depend on
// what is reported alone: blocks end by their content, never by the clock or the number of threads.
//
// The trace is written as NAME.partial and takes its name when it is finished (files/replaced_file.h): what
// had that name before is there until then. A writer that is not finished removes its file, be it for an
// error or because the run that owns it failed. Only a killed process leaves one: without an end, and
// readable up to the last block or SaveTail.
#ifndef NUMASIM_PROTO_TRACE_WRITER_H_
#define NUMASIM_PROTO_TRACE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "files/replaced_file.h"
#include "proto/trace.pb.h"
#include "proto/trace_block.h"
#include "proto/trace_output.h"

namespace numasim {

class TraceWriter final : public TraceOutput {
 public:
  // Begins the trace that will be `path` and writes the header, whose columns give the order of values in
  // samples. Fails, and leaves no file, if that cannot be done or if another program is writing that trace.
  static absl::StatusOr<std::unique_ptr<TraceWriter>> Create(const std::string& path,
                                                             const trace::Header& header);

  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;
  ~TraceWriter() override;

  void AddSample(int64_t time_ns, absl::Span<const int64_t> values) override;
  void AddRepeat(int64_t first_ns, int64_t interval_ns, int64_t count) override;
  void AddEvent(trace::Event event) override;
  void AddSpan(trace::Span span) override;
  void AddLockStats(trace::LockStats stats) override;
  void AddOperationStats(trace::OperationStats stats) override;
  void AddPageblocks(trace::PageblockMap map) override;

  // Writes what has come since the last block, for the case that the process is killed. The finished trace
  // does not show it: the block goes on and is written again in the same place when it is full. Call it from
  // time to time; it does nothing where nothing has come.
  void SaveTail();

  // The first error in writing, which names the file; nothing is written after it and the file is gone.
  const absl::Status& status() const { return status_; }

  // Writes what is buffered and the footer. Only if this returns OK is the trace complete. A run that was
  // `ended_by` something before its end, such as "SIGINT", leaves its trace under the partial name.
  absl::Status Finish(absl::string_view ended_by = "");

  // Removes the file, unless finished. Not, if `path` was no regular file (/dev/null, a pipe).
  void Discard();

  uint64_t bytes_written() const { return offset_; }
  bool direct() const { return file_->direct(); }
  // The file's name until it is finished, and for good where the run was ended.
  const std::string& partial_path() const { return partial_path_; }

 private:
  struct Change {
    int64_t delta;
    uint32_t column;
    uint32_t row;
  };
  // Of one column in the current block.
  struct ColumnUse {
    uint32_t changes = 0;
    uint32_t next_row = 0;  // the row after the last change
    bool gaps = false;      // leave out rows without a change
    trace::ColumnChanges* out = nullptr;
  };

  TraceWriter(std::string path, std::unique_ptr<ReplacedFile> file, size_t columns);

  trace::Block& block() { return *record_.mutable_block(); }
  void LogChanges(absl::Span<const int64_t> values);
  void ExtendRun(int64_t first_ns, int64_t interval_ns, int64_t count, bool repeat);
  void EndBlockIfFull();
  void EndBlock();
  // Puts what the log holds into a copy of the current block, or into itself.
  void Complete(trace::Block& block);
  void EncodeChanges(trace::Block& block);
  void WriteRecord(const trace::Record& record);
  void Write(absl::string_view bytes);
  void Update(const absl::Status& status, absl::string_view doing);

  const std::string path_;
  const std::unique_ptr<ReplacedFile> file_;
  const std::string partial_path_;
  bool finished_ = false;
  absl::Status status_;
  uint64_t offset_ = 0;
  TraceIndexBuilder index_;

  // The block being filled. Its changes wait in a log, in the order they come, which is cheap to append to,
  // and are put in columns when it ends.
  trace::Record record_;
  std::vector<Change> log_;
  uint32_t rows_ = 0;
  bool saved_ = true;  // the file has all of it
  size_t event_bytes_ = 0;

  std::vector<int64_t> last_;   // values of the last sample
  std::vector<int64_t> base_;   // of the last sample before the block
  std::vector<ColumnUse> use_;  // scratch of EncodeChanges
  int64_t last_ns_ = -1;        // time of the last sample, -1 before the first
};

}  // namespace numasim

#endif  // NUMASIM_PROTO_TRACE_WRITER_H_
