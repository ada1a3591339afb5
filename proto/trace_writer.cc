#include "proto/trace_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "proto/trace_frame.h"

namespace numasim {
namespace {

// A block ends once it has this many changes, runs or bytes of events, or kMaxRowsPerBlock rows: some 100
// KiB, large enough for its fixed cost (the base values) not to matter and small enough for a killed run to
// lose little.
constexpr size_t kChangesPerBlock = size_t{1} << 16;
constexpr int kRunsPerBlock = 4096;
constexpr size_t kEventBytesPerBlock = size_t{1} << 17;

// A caller that breaks the contract would make a trace that lies: stop, in release builds too.
void Require(bool holds, const char* rule, int64_t got, int64_t expected) {
  if (holds) return;
  std::fprintf(stderr, "TraceWriter: %s: %lld against %lld\n", rule, static_cast<long long>(got),
               static_cast<long long>(expected));
  std::abort();
}

}  // namespace

absl::StatusOr<std::unique_ptr<TraceWriter>> TraceWriter::Create(const std::string& path,
                                                                 const trace::Header& header) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot create trace ", path));
  auto writer = absl::WrapUnique(new TraceWriter(path, fd, header.column_size()));
  writer->Write(EncodeMark());
  trace::Record record;
  *record.mutable_header() = header;
  writer->WriteRecord(record);
  if (!writer->status().ok()) return writer->status();
  return writer;
}

TraceWriter::TraceWriter(std::string path, int fd, size_t columns)
    : path_(std::move(path)), fd_(fd), last_(columns, 0), use_(columns) {
  log_.reserve(kChangesPerBlock + columns);
}

TraceWriter::~TraceWriter() { Discard(); }

void TraceWriter::AddSample(int64_t time_ns, absl::Span<const int64_t> values) {
  Require(values.size() == last_.size(), "values in a sample", values.size(), last_.size());
  Require(time_ns > last_ns_, "a sample's time is not after the last one's", time_ns, last_ns_);
  if (!status_.ok()) return;
  LogChanges(values);
  ++rows_;
  ExtendRun(time_ns, /*interval_ns=*/0, 1, /*repeat=*/false);
  last_ns_ = time_ns;
  EndBlockIfFull();
}

void TraceWriter::AddRepeat(int64_t first_ns, int64_t interval_ns, int64_t count) {
  Require(last_ns_ >= 0, "a repeat before the first sample", first_ns, last_ns_);
  Require(first_ns > last_ns_, "a repeat's time is not after the last sample's", first_ns, last_ns_);
  Require(interval_ns >= 1, "interval of a repeat", interval_ns, 1);
  Require(count >= 1, "count of a repeat", count, 1);
  Require(count - 1 <= (std::numeric_limits<int64_t>::max() - first_ns) / interval_ns,
          "a repeat passes the end of time", count, interval_ns);
  if (!status_.ok()) return;
  ExtendRun(first_ns, interval_ns, count, /*repeat=*/true);
  last_ns_ = first_ns + (count - 1) * interval_ns;
  EndBlockIfFull();
}

void TraceWriter::AddEvent(trace::Event event) {
  Require(event.time_ns() >= 0, "time of an event", event.time_ns(), 0);
  if (!status_.ok()) return;
  event_bytes_ += event.ByteSizeLong();
  *block().add_event() = std::move(event);
  EndBlockIfFull();
}

void TraceWriter::AddLockStats(trace::LockStats stats) {
  if (!status_.ok()) return;
  event_bytes_ += stats.ByteSizeLong();
  *block().add_lock() = std::move(stats);
  EndBlockIfFull();
}

void TraceWriter::LogChanges(absl::Span<const int64_t> values) {
  const int64_t* now = values.data();
  int64_t* last = last_.data();
  const auto compare = [&](size_t i) {
    if (now[i] == last[i]) return;
    const uint64_t delta = static_cast<uint64_t>(now[i]) - static_cast<uint64_t>(last[i]);
    log_.push_back({static_cast<int64_t>(delta), static_cast<uint32_t>(i), rows_});
    last[i] = now[i];
  };
  // Most columns stand still most of the time: eight at once are passed over with one branch.
  constexpr size_t kStride = 8;
  size_t i = 0;
  for (; i + kStride <= values.size(); i += kStride) {
    uint64_t differ = 0;
    for (size_t j = i; j < i + kStride; ++j) differ |= static_cast<uint64_t>(now[j] ^ last[j]);
    if (differ == 0) continue;
    for (size_t j = i; j < i + kStride; ++j) compare(j);
  }
  for (; i < values.size(); ++i) compare(i);
}

// Joins the samples to the last run where they go on at its distance; one sample alone has no distance yet.
void TraceWriter::ExtendRun(int64_t first_ns, int64_t interval_ns, int64_t count, bool repeat) {
  trace::Block& current = block();
  if (current.run_size() > 0) {
    trace::SampleRun& run = *current.mutable_run(current.run_size() - 1);
    const int64_t gap_ns = first_ns - last_ns_;
    const bool at_distance = run.count() == 1 || run.interval_ns() == gap_ns;
    if (run.repeat() == repeat && at_distance && (count == 1 || interval_ns == gap_ns)) {
      run.set_interval_ns(gap_ns);
      run.set_count(run.count() + count);
      return;
    }
  }
  trace::SampleRun& run = *current.add_run();
  run.set_first_ns(first_ns);
  if (count > 1) {
    run.set_interval_ns(interval_ns);
    run.set_count(count);
  }
  if (repeat) run.set_repeat(true);
}

void TraceWriter::EndBlockIfFull() {
  if (log_.size() >= kChangesPerBlock || rows_ >= kMaxRowsPerBlock || event_bytes_ >= kEventBytesPerBlock ||
      block().run_size() >= kRunsPerBlock) {
    EndBlock();
  }
}

void TraceWriter::EndBlock() {
  if (block().run_size() == 0 && block().event_size() == 0 && block().lock_size() == 0) return;
  if (block().run_size() > 0) block().mutable_base()->Add(base_.begin(), base_.end());
  EncodeChanges();
  index_.AddBlock(block(), offset_);
  WriteRecord(record_);
  block().Clear();
  log_.clear();
  rows_ = 0;
  event_bytes_ = 0;
  if (last_ns_ >= 0) base_ = last_;
}

void TraceWriter::EncodeChanges() {
  for (const Change& change : log_) {
    ColumnUse& use = use_[change.column];
    ++use.changes;
    use.next_row = change.row + 1;
  }
  for (size_t column = 0; column < use_.size(); ++column) {
    ColumnUse& use = use_[column];
    if (use.changes == 0) continue;
    use.out = block().add_changes();
    use.out->set_column(static_cast<uint32_t>(column));
    // A gap and a delta of zero cost a byte each: gaps pay off if fewer than half of the rows change.
    use.gaps = use.next_row > 2 * use.changes;
    if (use.gaps) {
      use.out->mutable_row_gap()->Reserve(static_cast<int>(use.changes));
      use.out->mutable_delta()->Reserve(static_cast<int>(use.changes));
    } else {
      use.out->mutable_delta()->Resize(static_cast<int>(use.next_row), 0);
    }
    use.next_row = 0;
  }
  for (const Change& change : log_) {
    ColumnUse& use = use_[change.column];
    if (use.gaps) {
      use.out->mutable_delta()->AddAlreadyReserved(change.delta);
      use.out->mutable_row_gap()->AddAlreadyReserved(change.row + 1 - use.next_row);
      use.next_row = change.row + 1;
    } else {
      use.out->mutable_delta()->Set(static_cast<int>(change.row), change.delta);
    }
  }
  use_.assign(use_.size(), ColumnUse());
}

absl::Status TraceWriter::Finish() {
  if (!status_.ok()) return status_;
  if (finished_) return absl::FailedPreconditionError(absl::StrCat("trace ", path_, " is finished already"));
  EndBlock();
  const uint64_t footer_offset = offset_;
  trace::Record record;
  *record.mutable_footer() = index_.Build();
  Write(absl::StrCat(EncodeFrame(record.SerializeAsString()), EncodeEnd(footer_offset)));
  if (!status_.ok()) return status_;
  // Some file systems report a full disk only here.
  if (close(std::exchange(fd_, -1)) != 0) {
    Fail(errno, "close");
    return status_;
  }
  finished_ = true;
  return absl::OkStatus();
}

void TraceWriter::WriteRecord(const trace::Record& record) { Write(EncodeFrame(record.SerializeAsString())); }

void TraceWriter::Write(absl::string_view bytes) {
  if (!status_.ok()) return;
  offset_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      Fail(errno, "write");
      return;
    }
  }
}

void TraceWriter::Fail(int error, absl::string_view doing) {
  Discard();
  status_ = absl::ErrnoToStatus(error, absl::StrCat("cannot ", doing, " trace ", path_));
}

void TraceWriter::Discard() {
  if (finished_ || !status_.ok()) return;
  status_ = absl::CancelledError(absl::StrCat("trace ", path_, " was discarded"));
  struct stat file = {};
  if (stat(path_.c_str(), &file) == 0 && S_ISREG(file.st_mode)) unlink(path_.c_str());
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

}  // namespace numasim
