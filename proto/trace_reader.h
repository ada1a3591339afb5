// Reads a trace file (proto/trace.proto), whole or cut. Owned by whoever opened it; not shared between
// threads.
//
// Every byte read is checked. A file without an end is of a run that was killed or still runs: all its whole
// blocks are readable and end_status() says where it stops.
#ifndef NUMASIM_PROTO_TRACE_READER_H_
#define NUMASIM_PROTO_TRACE_READER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "proto/trace.pb.h"

namespace numasim {

// Where a reader's status says that a file is no trace, with what else the caller takes at its end, such as
// ", or the database of a sweep"; every other status as it is.
absl::Status AlsoExpecting(absl::string_view others, const absl::Status& status);

// `count` samples, `interval_ns` apart (0 if one), that all show `values`, in the order of the header's
// columns. The values live until the visit returns.
struct SampleSpan {
  int64_t first_ns = 0;
  int64_t interval_ns = 0;
  int64_t count = 1;
  absl::Span<const int64_t> values;

  int64_t last_ns() const { return first_ns + (count - 1) * interval_ns; }
};

// Simulated nanoseconds, both ends included.
struct TimeRange {
  int64_t from_ns = 0;
  int64_t to_ns = std::numeric_limits<int64_t>::max();

  bool Contains(int64_t time_ns) const { return from_ns <= time_ns && time_ns <= to_ns; }
};

// Receives what a trace holds. Samples come by rising time; events in the order they were reported, each
// before the first sample of its block that is not earlier than it. Equal samples are not promised to come in
// one span.
class TraceVisitor {
 public:
  virtual ~TraceVisitor() = default;
  virtual void OnSamples(const SampleSpan& samples) {}
  virtual void OnEvent(const trace::Event& event) {}
  // Those that have a part within the range, in each block behind its samples and events.
  virtual void OnSpan(const trace::Span& span) {}
  virtual void OnLock(const trace::LockStats& lock) {}
  virtual void OnOperation(const trace::OperationStats& operation) {}
  virtual void OnPageblocks(const trace::PageblockMap& map) {}
};

// Bytes at rest: a file, or memory in tests.
class TraceSource {
 public:
  virtual ~TraceSource() = default;
  virtual uint64_t size() const = 0;
  // Reads exactly `size` bytes from `offset`, which are within size().
  virtual absl::Status Read(uint64_t offset, size_t size, std::string* out) = 0;
};

class TraceReader {
 public:
  // Fails if the file cannot be read, is not a trace, is of another version, or its header is cut or damaged.
  static absl::StatusOr<std::unique_ptr<TraceReader>> Open(const std::string& path);
  // Messages call the source `name`.
  static absl::StatusOr<std::unique_ptr<TraceReader>> Open(std::unique_ptr<TraceSource> source,
                                                           std::string name);

  TraceReader(const TraceReader&) = delete;
  TraceReader& operator=(const TraceReader&) = delete;

  const trace::Header& header() const { return header_; }

  // Of a cut trace: built from the blocks that are readable.
  const trace::Footer& index() const { return index_; }

  bool complete() const { return end_status_.ok(); }

  // kDataLoss, with the file, the place and the last readable time, if the trace is cut or damaged as far as
  // opening it could tell.
  const absl::Status& end_status() const { return end_status_; }

  // Shows `visitor` the samples and events within `range`, and the statistics of locks and operations, which
  // are of the whole run. Blocks outside the range are not read. Returns kDataLoss at the first damage, else
  // end_status().
  absl::Status Read(const TimeRange& range, TraceVisitor* visitor);

 private:
  enum class Frame { kRecord, kCut, kDamaged };

  TraceReader(std::unique_ptr<TraceSource> source, std::string name);

  absl::Status ReadStart();
  absl::Status ReadEnd();
  absl::Status ScanBlocks();
  absl::Status CutAt(uint64_t offset) const;
  absl::Status DamagedAt(uint64_t offset, absl::string_view fault) const;

  // Reads the record at `offset`; `next` is the offset after it. On kDamaged, `fault` says what is wrong.
  absl::StatusOr<Frame> ReadFrame(uint64_t offset, trace::Record* record, uint64_t* next, std::string* fault);
  absl::Status ReadBlock(const trace::BlockIndex& index, trace::Record* record);

  const std::unique_ptr<TraceSource> source_;
  const std::string name_;
  trace::Header header_;
  uint64_t first_block_ = 0;  // offset after the header
  trace::Footer index_;
  absl::Status end_status_;
};

}  // namespace numasim

#endif  // NUMASIM_PROTO_TRACE_READER_H_
