#include "proto/trace_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "files/replaced_file.h"
#include "google/protobuf/util/message_differencer.h"
#include "proto/trace_block.h"
#include "proto/trace_frame.h"

namespace numasim {
namespace {

// At the end of a message, so that AlsoExpecting() can go on.
constexpr char kIsNoTrace[] = " is not a trace of numasim; expected one that numasim run wrote";

class FileSource : public TraceSource {
 public:
  FileSource(std::string path, int fd, uint64_t size) : path_(std::move(path)), fd_(fd), size_(size) {}
  ~FileSource() override { close(fd_); }

  uint64_t size() const override { return size_; }

  absl::Status Read(uint64_t offset, size_t size, std::string* out) override {
    out->resize(size);
    size_t done = 0;
    while (done < size) {
      const ssize_t got = pread(fd_, out->data() + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read trace ", path_));
      if (got == 0) return absl::DataLossError(absl::StrCat("trace ", path_, " shrinks while it is read"));
      done += static_cast<size_t>(got);
    }
    return absl::OkStatus();
  }

 private:
  const std::string path_;
  const int fd_;
  const uint64_t size_;
};

absl::Status CannotOpen(const std::string& path, int error) {
  absl::Status status = absl::ErrnoToStatus(error, absl::StrCat("cannot open trace ", path));
  const std::string partial = PartialPath(path);
  if (error != ENOENT || access(partial.c_str(), F_OK) != 0) return status;
  return absl::NotFoundError(absl::StrCat(status.message(), "; there is ", partial,
                                          ", of a run that was ended, killed, or has not ended yet"));
}

// Hands a block's samples and events to a visitor, merged by time and clipped to a range.
class BlockShow {
 public:
  BlockShow(const trace::Block& block, const TimeRange& range, TraceVisitor* visitor)
      : block_(block), range_(range), visitor_(*visitor) {}

  void Show(size_t columns) {
    BlockRows rows(block_, columns);
    uint32_t row = 0;  // the run's first
    for (const trace::SampleRun& run : block_.run()) {
      if (run.repeat()) {
        ShowSpan({run.first_ns(), run.interval_ns(), run.count(), rows.values()});
        continue;
      }
      const auto end = static_cast<uint32_t>(row + run.count());
      for (uint32_t i = row; i < end;) {
        rows.Advance(i);
        const uint32_t next = std::min(rows.NextChange(), end);
        const int64_t first_ns = run.first_ns() + static_cast<int64_t>(i - row) * run.interval_ns();
        ShowSpan({first_ns, run.interval_ns(), next - i, rows.values()});
        i = next;
      }
      row = end;
    }
    while (event_ < block_.event_size()) ShowEvent();
    for (const trace::Span& span : block_.span()) {
      if (span.began_ns() <= range_.to_ns && span.ended_ns() >= range_.from_ns) visitor_.OnSpan(span);
    }
    for (const trace::LockStats& lock : block_.lock()) visitor_.OnLock(lock);
    for (const trace::OperationStats& operation : block_.operation()) visitor_.OnOperation(operation);
    for (const trace::PageblockMap& map : block_.pageblocks()) visitor_.OnPageblocks(map);
  }

 private:
  // Splits the span where an event falls inside it.
  void ShowSpan(SampleSpan span) {
    while (true) {
      while (event_ < block_.event_size() && block_.event(event_).time_ns() <= span.first_ns) ShowEvent();
      if (event_ == block_.event_size() || block_.event(event_).time_ns() > span.last_ns()) break;
      const int64_t gap_ns = block_.event(event_).time_ns() - span.first_ns;
      const int64_t before = (gap_ns - 1) / span.interval_ns + 1;
      ShowClipped({span.first_ns, span.interval_ns, before, span.values});
      span.first_ns += before * span.interval_ns;
      span.count -= before;
    }
    ShowClipped(span);
  }

  void ShowClipped(SampleSpan span) {
    if (span.last_ns() < range_.from_ns || span.first_ns > range_.to_ns) return;
    if (span.first_ns < range_.from_ns) {
      const int64_t skipped = (range_.from_ns - span.first_ns - 1) / span.interval_ns + 1;
      span.first_ns += skipped * span.interval_ns;
      span.count -= skipped;
    }
    if (span.last_ns() > range_.to_ns) {
      if (range_.to_ns < span.first_ns) return;
      span.count = (range_.to_ns - span.first_ns) / span.interval_ns + 1;
    }
    if (span.count == 1) span.interval_ns = 0;
    visitor_.OnSamples(span);
  }

  void ShowEvent() {
    const trace::Event& event = block_.event(event_++);
    if (range_.Contains(event.time_ns())) visitor_.OnEvent(event);
  }

  const trace::Block& block_;
  const TimeRange range_;
  TraceVisitor& visitor_;
  int event_ = 0;  // the first not shown
};

bool Overlaps(const trace::BlockIndex& block, const TimeRange& range) {
  if (block.locks() > 0 || block.operations() > 0 || block.pageblock_maps() > 0) return true;
  return block.has_first_ns() && block.first_ns() <= range.to_ns && block.last_ns() >= range.from_ns;
}

}  // namespace

absl::Status AlsoExpecting(absl::string_view others, const absl::Status& status) {
  if (!absl::EndsWith(status.message(), kIsNoTrace)) return status;
  return absl::Status(status.code(), absl::StrCat(status.message(), others));
}

absl::StatusOr<std::unique_ptr<TraceReader>> TraceReader::Open(const std::string& path) {
  const int fd =
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // not waiting for the writer of a pipe
  if (fd < 0) return CannotOpen(path, errno);
  struct stat file = {};
  const int error = fstat(fd, &file) == 0 ? 0 : errno;
  auto source = std::make_unique<FileSource>(path, fd, file.st_size);
  if (error != 0) return absl::ErrnoToStatus(error, absl::StrCat("cannot read trace ", path));
  if (!S_ISREG(file.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file"));
  return Open(std::move(source), path);
}

absl::StatusOr<std::unique_ptr<TraceReader>> TraceReader::Open(std::unique_ptr<TraceSource> source,
                                                               std::string name) {
  auto reader = absl::WrapUnique(new TraceReader(std::move(source), std::move(name)));
  if (absl::Status status = reader->ReadStart(); !status.ok()) return status;
  reader->end_status_ = reader->ReadEnd();
  return reader;
}

TraceReader::TraceReader(std::unique_ptr<TraceSource> source, std::string name)
    : source_(std::move(source)), name_(std::move(name)) {}

absl::Status TraceReader::ReadStart() {
  std::string mark;
  const size_t mark_size = std::min<uint64_t>(source_->size(), kMarkSize);
  if (absl::Status status = source_->Read(0, mark_size, &mark); !status.ok()) return status;
  if (!HasTraceMark(mark)) {
    return absl::InvalidArgumentError(absl::StrCat(name_, kIsNoTrace));
  }
  if (MarkVersion(mark) != kTraceVersion) {
    return absl::InvalidArgumentError(absl::StrCat("trace ", name_, " has version ", MarkVersion(mark),
                                                   ", this program reads version ", kTraceVersion));
  }
  trace::Record record;
  std::string fault;
  const absl::StatusOr<Frame> frame = ReadFrame(kMarkSize, &record, &first_block_, &fault);
  if (!frame.ok()) return frame.status();
  if (*frame == Frame::kCut) {
    return absl::DataLossError(absl::StrCat(
        "trace ", name_, " is cut inside its header; expected a trace whose beginning is there"));
  }
  if (*frame == Frame::kRecord && !record.has_header()) fault = "not a header";
  if (!fault.empty()) return DamagedAt(kMarkSize, fault);
  header_ = std::move(*record.mutable_header());
  return absl::OkStatus();
}

// Finds the footer from the file's end; without one looks at all blocks.
absl::Status TraceReader::ReadEnd() {
  const uint64_t size = source_->size();
  if (size < first_block_ + kFrameHeadSize + kEndSize) return ScanBlocks();
  std::string bytes;
  if (absl::Status status = source_->Read(size - kEndSize, kEndSize, &bytes); !status.ok()) return status;
  uint64_t offset = 0;
  if (!DecodeEnd(bytes, &offset)) return ScanBlocks();
  trace::Record record;
  uint64_t next = 0;
  std::string fault;
  const absl::StatusOr<Frame> frame = ReadFrame(offset, &record, &next, &fault);
  if (!frame.ok()) return frame.status();
  if (*frame != Frame::kRecord || !record.has_footer() || next != size - kEndSize) return ScanBlocks();
  index_ = std::move(*record.mutable_footer());
  return absl::OkStatus();
}

// Builds the index of a trace that does not end as it should, up to the first place that is not a whole
// block.
absl::Status TraceReader::ScanBlocks() {
  TraceIndexBuilder builder;
  uint64_t offset = first_block_;
  trace::Record record;
  std::string fault;
  while (offset < source_->size()) {
    uint64_t next = 0;
    const absl::StatusOr<Frame> frame = ReadFrame(offset, &record, &next, &fault);
    if (!frame.ok()) return frame.status();
    if (*frame != Frame::kRecord) break;
    if (record.has_block()) {
      fault = BlockFault(record.block(), header_.column_size());
      if (!fault.empty()) break;
      builder.AddBlock(record.block(), offset);
    } else if (record.has_footer()) {
      // Of the end, less is there than should be, or something else: a write that was cut, or damage.
      if (source_->size() - next >= kEndSize) fault = "not the end of a trace";
      offset = next;
      break;
    } else {
      fault = "a record of unknown kind";
      break;
    }
    offset = next;
  }
  index_ = builder.Build();
  return fault.empty() ? CutAt(offset) : DamagedAt(offset, fault);
}

absl::StatusOr<TraceReader::Frame> TraceReader::ReadFrame(uint64_t offset, trace::Record* record,
                                                          uint64_t* next, std::string* fault) {
  const uint64_t size = source_->size();
  if (offset > size || size - offset < kFrameHeadSize) return Frame::kCut;
  std::string bytes;
  if (absl::Status status = source_->Read(offset, kFrameHeadSize, &bytes); !status.ok()) return status;
  FrameHead head;
  if (!DecodeFrameHead(bytes, &head)) {
    *fault = "the checksum of a record's length is wrong";
    return Frame::kDamaged;
  }
  const uint64_t start = offset + kFrameHeadSize;
  if (size - start < head.length) return Frame::kCut;
  if (absl::Status status = source_->Read(start, head.length, &bytes); !status.ok()) return status;
  if (Crc32(bytes) != head.payload_crc) {
    *fault = "the checksum of a record is wrong";
    return Frame::kDamaged;
  }
  if (!record->ParseFromString(bytes)) {
    *fault = "a record cannot be parsed";
    return Frame::kDamaged;
  }
  *next = start + head.length;
  return Frame::kRecord;
}

absl::Status TraceReader::CutAt(uint64_t offset) const {
  const std::string last =
      index_.has_last_ns() ? absl::StrCat("after ", absl::FormatDuration(absl::Nanoseconds(index_.last_ns())))
                           : "before its first sample";
  return absl::DataLossError(absl::StrCat("trace ", name_, " is cut ", last, " (byte ", offset,
                                          "): the run that wrote it was killed or has not ended"));
}

absl::Status TraceReader::DamagedAt(uint64_t offset, absl::string_view fault) const {
  return absl::DataLossError(absl::StrCat("trace ", name_, " is damaged at byte ", offset, ": ", fault));
}

absl::Status TraceReader::ReadBlock(const trace::BlockIndex& index, trace::Record* record) {
  uint64_t next = 0;
  std::string fault;
  const absl::StatusOr<Frame> frame = ReadFrame(index.offset(), record, &next, &fault);
  if (!frame.ok()) return frame.status();
  if (*frame == Frame::kCut) {
    fault = "a record goes past the end of the file";
  } else if (*frame == Frame::kRecord && !record->has_block()) {
    fault = "not a block, as the index says";
  } else if (*frame == Frame::kRecord) {
    fault = BlockFault(record->block(), header_.column_size());
  }
  if (!fault.empty()) return DamagedAt(index.offset(), fault);
  if (!google::protobuf::util::MessageDifferencer::Equals(IndexOf(record->block(), index.offset()), index)) {
    return DamagedAt(index.offset(), "not the block the index tells of");
  }
  return absl::OkStatus();
}

absl::Status TraceReader::Read(const TimeRange& range, TraceVisitor* visitor) {
  trace::Record record;
  for (const trace::BlockIndex& index : index_.block()) {
    if (!Overlaps(index, range)) continue;
    if (absl::Status status = ReadBlock(index, &record); !status.ok()) return status;
    BlockShow(record.block(), range, visitor).Show(header_.column_size());
  }
  return end_status_;
}

}  // namespace numasim
