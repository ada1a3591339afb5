#include "tests/proto/trace_test_util.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace numasim {

TempPath::TempPath(const std::string& name)
    : path_(absl::StrCat(testing::TempDir(), "/", getpid(), "-", name)) {
  unlink(path_.c_str());
  unlink(partial().c_str());
}

TempPath::~TempPath() {
  unlink(path_.c_str());
  unlink(partial().c_str());
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
  EXPECT_TRUE(out.flush()) << path;
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

trace::Header HeaderWithColumns(int columns) {
  trace::Header header;
  header.set_sampling_interval_ns(1000);
  for (int i = 0; i < columns; ++i) {
    header.add_column()->set_name(absl::StrCat("c", i));
    header.mutable_column(i)->set_unit("pages");
  }
  return header;
}

trace::Event EventAt(int64_t time_ns, const std::string& kind) {
  trace::Event event;
  event.set_time_ns(time_ns);
  event.set_lp("node0");
  event.set_kind(kind);
  event.set_path("fault");
  event.set_detail("no page of order 0");
  return event;
}

namespace {

void AddBucket(int64_t low, int64_t high, uint64_t count, trace::Histogram* histogram) {
  trace::Histogram::Bucket* bucket = histogram->add_bucket();
  bucket->set_low(low);
  bucket->set_high(high);
  bucket->set_count(count);
}

}  // namespace

trace::LockStats LockNamed(const std::string& name) {
  trace::LockStats lock;
  lock.set_name(name);
  lock.set_kind("spinlock");
  lock.set_acquired(7);
  lock.set_contended(1);
  lock.mutable_wait_ns()->set_sum(40);
  lock.mutable_wait_ns()->set_max(40);
  AddBucket(32, 63, 1, lock.mutable_wait_ns());
  lock.mutable_hold_ns()->set_sum(301);
  lock.mutable_hold_ns()->set_max(100);
  AddBucket(8, 15, 4, lock.mutable_hold_ns());
  AddBucket(64, 127, 3, lock.mutable_hold_ns());
  return lock;
}

void Content::OnSamples(const SampleSpan& span) {
  EXPECT_GE(span.count, 1);
  for (int64_t i = 0; i < span.count; ++i) {
    samples.push_back(
        {span.first_ns + i * span.interval_ns, std::vector<int64_t>(span.values.begin(), span.values.end())});
  }
}

absl::Status StringSource::Read(uint64_t offset, size_t size, std::string* out) {
  EXPECT_LE(offset, bytes_.size());
  EXPECT_LE(size, bytes_.size() - offset);
  *out = bytes_.substr(offset, size);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<TraceReader>> OpenBytes(std::string bytes) {
  return TraceReader::Open(std::make_unique<StringSource>(std::move(bytes)), "bytes");
}

namespace {

// Draws what a run reports.
class RandomRun {
 public:
  RandomRun(uint64_t seed, int columns, TraceWriter* writer)
      : random_(seed), writer_(*writer), values_(columns) {
    for (int i = 0; i < columns; ++i) odds_.push_back(std::vector<int>{0, 1, 10, 500, 1000}[Draw(5)]);
  }

  void Step() {
    const int kind = static_cast<int>(Draw(100));
    if (kind < 90 || expected_.samples.empty()) return AddSample();
    if (kind < 95) return AddRepeat();
    const trace::Event event = EventAt(now_ns_ + static_cast<int64_t>(Draw(3)) - 1 + (now_ns_ == 0), "draw");
    writer_.AddEvent(event);
    expected_.OnEvent(event);
  }

  Content Done() {
    const trace::LockStats lock = LockNamed("hugetlb_lock");
    writer_.AddLockStats(lock);
    expected_.OnLock(lock);
    return std::move(expected_);
  }

 private:
  uint64_t Draw(uint64_t below) { return random_() % below; }

  void AddSample() {
    now_ns_ += Draw(20) == 0 ? 1 + static_cast<int64_t>(Draw(5000)) : 1000;
    for (size_t i = 0; i < values_.size(); ++i) {
      if (static_cast<int>(Draw(1000)) >= odds_[i]) continue;
      // Now and then the greatest jumps there are.
      values_[i] =
          Draw(50) == 0 ? static_cast<int64_t>(random_()) : values_[i] / 2 + static_cast<int64_t>(Draw(64));
    }
    writer_.AddSample(now_ns_, values_);
    expected_.OnSamples({now_ns_, 0, 1, values_});
  }

  void AddRepeat() {
    const auto interval_ns = static_cast<int64_t>(Draw(2) == 0 ? 1000 : 1 + Draw(2000));
    const auto count = static_cast<int64_t>(1 + Draw(30));
    const SampleSpan span = {now_ns_ + interval_ns, interval_ns, count, values_};
    writer_.AddRepeat(span.first_ns, interval_ns, count);
    expected_.OnSamples(span);
    now_ns_ = span.last_ns();
  }

  std::mt19937_64 random_;
  TraceWriter& writer_;
  std::vector<int64_t> values_;
  std::vector<int> odds_;  // of a change, in 1000
  int64_t now_ns_ = 0;
  Content expected_;
};

}  // namespace

Content ReportRandomRun(uint64_t seed, int columns, int steps, TraceWriter* writer) {
  RandomRun run(seed, columns, writer);
  for (int i = 0; i < steps; ++i) run.Step();
  return run.Done();
}

}  // namespace numasim
