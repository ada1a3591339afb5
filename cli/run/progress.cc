#include "cli/run/progress.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/text/time_text.h"

namespace numasim {
namespace {

// Less than this in kFirstMessage is no progress: the slowest simulation of many CPUs does a thousand times
// more.
constexpr sim::Duration kProgress = sim::Microseconds(1);

constexpr char kClearLine[] = "\r\033[K";

}  // namespace

Progress::~Progress() {
  if (line_) err_ << kClearLine << std::flush;
}

void Progress::Show(sim::SimTime now, uint64_t events, Clock::time_point clock) {
  WatchTime(now, clock);
  if (line_) ShowLine(now, events, clock);
}

void Progress::ShowLine(sim::SimTime now, uint64_t events, Clock::time_point clock) {
  std::string end;
  if (simulation_.scenario().stop_after_ns.has_value()) {
    end = absl::StrCat(" of ", TimeText(known_end_.ns));
  } else if (now < known_end_) {
    end = absl::StrCat(" of at least ", TimeText(known_end_.ns));
  }
  const double wall_s = std::max(std::chrono::duration<double>(clock - started_).count(), 1e-3);
  err_ << absl::StrFormat("%ssimulated %.3fs%s, %.0f%% of operations, %.1f M events/s", kClearLine,
                          static_cast<double>(now.ns) / 1e9, end, simulation_.ShareDone() * 100,
                          static_cast<double>(events) / 1e6 / wall_s)
       << std::flush;
}

void Progress::WatchTime(sim::SimTime now, Clock::time_point clock) {
  if (now - from_ >= kProgress) {
    from_ = now;
    since_ = clock;
    next_message_ = kFirstMessage;
    return;
  }
  if (clock - since_ < next_message_) return;
  next_message_ *= 2;
  const auto still_s = std::chrono::duration_cast<std::chrono::seconds>(clock - since_).count();
  const std::string path = simulation_.NextPath();
  const std::string where = simulation_.WhereIs(path);
  if (line_) err_ << kClearLine;
  err_ << absl::StrCat("numasim: simulated time has stood still at ", TimeText(now.ns), " for ", still_s,
                       " s; what runs is '", path, "'", where.empty() ? "" : ", at ", where, "\n")
       << std::flush;
}

}  // namespace numasim
