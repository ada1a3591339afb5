#include "cli/sweep/sweep_progress.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace numasim {
namespace {

constexpr char kClearLine[] = "\r\033[K";
constexpr std::chrono::milliseconds kEvery{100};

// "1h 5m", "3m 20s", "12s": what is left is not known better.
std::string LeftText(double seconds) {
  const auto s = static_cast<int64_t>(seconds + 0.5);
  if (s >= 3600) return absl::StrCat(s / 3600, "h ", s / 60 % 60, "m");
  if (s >= 60) return absl::StrCat(s / 60, "m ", s % 60, "s");
  return absl::StrCat(s, "s");
}

}  // namespace

SweepProgress::~SweepProgress() {
  if (line_) err_ << kClearLine << std::flush;
}

void SweepProgress::Begin(size_t all, size_t done, size_t failed, Clock::time_point now) {
  all_ = all;
  before_ = done_ = done;
  failed_ = failed;
  started_ = now;
  shown_ = now - kEvery;
  Show(now);
}

void SweepProgress::Ended(bool failed, Clock::time_point now) {
  ++done_;
  if (failed) ++failed_;
  Show(now);
}

void SweepProgress::Show(Clock::time_point now) {
  if (!line_ || now - shown_ < kEvery) return;
  shown_ = now;
  err_ << kClearLine << Text(now) << std::flush;
}

void SweepProgress::Print(const std::string& message) {
  if (line_) err_ << kClearLine;
  err_ << message << std::flush;
}

std::string SweepProgress::Text(Clock::time_point now) const {
  std::string text = absl::StrFormat("%d of %d runs", done_, all_);
  if (failed_ > 0) absl::StrAppend(&text, ", ", failed_, " failed");
  if (done_ == before_) return text;
  const double took_s = std::chrono::duration<double>(now - started_).count();
  const double left_s = took_s / static_cast<double>(done_ - before_) * static_cast<double>(all_ - done_);
  return absl::StrCat(text, ", ", LeftText(left_s), " left");
}

}  // namespace numasim
