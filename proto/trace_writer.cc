#include "proto/trace_writer.h"

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
  absl::StatusOr<std::unique_ptr<ReplacedFile>> file = ReplacedFile::Create(path);
  if (!file.ok()) {
    return absl::Status(file.status().code(),
                        absl::StrCat("cannot create trace ", path, ": ", file.status().message()));
  }
  auto writer = absl::WrapUnique(new TraceWriter(path, *std::move(file), header.column_size()));
  writer->Write(EncodeMark());
  trace::Record record;
  *record.mutable_header() = header;
  writer->WriteRecord(record);
  if (!writer->status().ok()) return writer->status();
  return writer;
}

TraceWriter::TraceWriter(std::string path, std::unique_ptr<ReplacedFile> file, size_t columns)
    : path_(std::move(path)),
      file_(std::move(file)),
      partial_path_(file_->place()),
      last_(columns, 0),
      use_(columns) {
  log_.reserve(kChangesPerBlock + columns);
}

TraceWriter::~TraceWriter() { Discard(); }

void TraceWriter::AddSample(int64_t time_ns, absl::Span<const int64_t> values) {
  Require(values.size() == last_.size(), "values in a sample", values.size(), last_.size());
  Require(time_ns > last_ns_, "a sample's time is not after the last one's", time_ns, last_ns_);
  if (!status_.ok()) return;
  saved_ = false;
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
  saved_ = false;
  ExtendRun(first_ns, interval_ns, count, /*repeat=*/true);
  last_ns_ = first_ns + (count - 1) * interval_ns;
  EndBlockIfFull();
}

void TraceWriter::AddEvent(trace::Event event) {
  Require(event.time_ns() >= 0, "time of an event", event.time_ns(), 0);
  if (!status_.ok()) return;
  saved_ = false;
  event_bytes_ += event.ByteSizeLong();
  *block().add_event() = std::move(event);
  EndBlockIfFull();
}

void TraceWriter::AddSpan(trace::Span span) {
  Require(span.began_ns() >= 0, "beginning of a span", span.began_ns(), 0);
  Require(span.ended_ns() >= span.began_ns(), "end of a span", span.ended_ns(), span.began_ns());
  if (!status_.ok()) return;
  saved_ = false;
  event_bytes_ += span.ByteSizeLong();
  *block().add_span() = std::move(span);
  EndBlockIfFull();
}

void TraceWriter::AddLockStats(trace::LockStats stats) {
  if (!status_.ok()) return;
  saved_ = false;
  event_bytes_ += stats.ByteSizeLong();
  *block().add_lock() = std::move(stats);
  EndBlockIfFull();
}

void TraceWriter::AddOperationStats(trace::OperationStats stats) {
  if (!status_.ok()) return;
  saved_ = false;
  event_bytes_ += stats.ByteSizeLong();
  *block().add_operation() = std::move(stats);
  EndBlockIfFull();
}

void TraceWriter::AddPageblocks(trace::PageblockMap map) {
  if (!status_.ok()) return;
  saved_ = false;
  event_bytes_ += map.ByteSizeLong();
  *block().add_pageblocks() = std::move(map);
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
  const bool empty = block().run_size() == 0 && block().event_size() == 0 && block().lock_size() == 0 &&
                     block().operation_size() == 0 && block().pageblocks_size() == 0 &&
                     block().span_size() == 0;
  if (empty) return;
  Complete(block());
  index_.AddBlock(block(), offset_);
  WriteRecord(record_);
  block().Clear();
  log_.clear();
  rows_ = 0;
  event_bytes_ = 0;
  saved_ = true;
  if (last_ns_ >= 0) base_ = last_;
}

void TraceWriter::SaveTail() {
  if (saved_ || !status_.ok() || file_->direct()) return;
  trace::Record tail = record_;
  Complete(*tail.mutable_block());
  Update(file_->SetTail(EncodeFrame(tail.SerializeAsString())), "write");
  saved_ = true;
}

void TraceWriter::Complete(trace::Block& block) {
  if (block.run_size() > 0) block.mutable_base()->Add(base_.begin(), base_.end());
  EncodeChanges(block);
}

void TraceWriter::EncodeChanges(trace::Block& block) {
  for (const Change& change : log_) {
    ColumnUse& use = use_[change.column];
    ++use.changes;
    use.next_row = change.row + 1;
  }
  for (size_t column = 0; column < use_.size(); ++column) {
    ColumnUse& use = use_[column];
    if (use.changes == 0) continue;
    use.out = block.add_changes();
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

absl::Status TraceWriter::Finish(absl::string_view ended_by) {
  if (!status_.ok()) return status_;
  if (finished_) return absl::FailedPreconditionError(absl::StrCat("trace ", path_, " is finished already"));
  EndBlock();
  const uint64_t footer_offset = offset_;
  trace::Record record;
  trace::Footer& footer = *record.mutable_footer() = index_.Build();
  if (!ended_by.empty()) footer.set_ended_by(ended_by.data(), ended_by.size());
  Write(absl::StrCat(EncodeFrame(record.SerializeAsString()), EncodeEnd(footer_offset)));
  if (!status_.ok()) return status_;
  Update(ended_by.empty() ? file_->Commit() : file_->Keep(), "complete");
  finished_ = status_.ok();
  return status_;
}

void TraceWriter::WriteRecord(const trace::Record& record) { Write(EncodeFrame(record.SerializeAsString())); }

void TraceWriter::Write(absl::string_view bytes) {
  if (!status_.ok()) return;
  Update(file_->Append(bytes), "write");
  offset_ += bytes.size();
}

void TraceWriter::Update(const absl::Status& status, absl::string_view doing) {
  if (status.ok()) return;
  file_->Discard();
  status_ =
      absl::Status(status.code(), absl::StrCat("cannot ", doing, " trace ", path_, ": ", status.message()));
}

void TraceWriter::Discard() {
  if (finished_ || !status_.ok()) return;
  status_ = absl::CancelledError(absl::StrCat("trace ", path_, " was discarded"));
  file_->Discard();
}

}  // namespace numasim
