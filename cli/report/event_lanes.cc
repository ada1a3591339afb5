#include "cli/report/event_lanes.h"

#include <algorithm>
#include <utility>

#include "cli/text/failure_text.h"

namespace numasim {
namespace {

// Marks of a lane: more than a plot of a usual width can tell apart.
constexpr size_t kMostMarks = 600;
// Reasons that are told apart. What is said beyond them of a kind is one lane.
constexpr size_t kMostLanes = 1000;
constexpr char kOtherReasons[] = "other reasons";

std::string ReasonOf(const trace::Event& event) { return event.has_failure() ? ReasonText(event) : ""; }

}  // namespace

EventLane::EventLane(std::string reason, const trace::Event& first)
    : kind_(first.kind()),
      reason_(std::move(reason)),
      example_(DetailText(first)),
      failure_(first.has_failure()),
      first_ns_(first.time_ns()),
      last_ns_(first.time_ns()) {}

void EventLane::Add(const trace::Event& event) {
  // Events come in the order in which they were reported, which is not always that of their times.
  const int64_t time_ns = event.time_ns();
  ++count_;
  first_ns_ = std::min(first_ns_, time_ns);
  last_ns_ = std::max(last_ns_, time_ns);
  if (!marks_.empty() && time_ns - marks_.back().time_ns <= stretch_ns_) {
    ++marks_.back().count;
    return;
  }
  marks_.push_back({time_ns, 1});
  if (marks_.size() > kMostMarks) Thin();
}

void EventLane::Thin() {
  const int64_t span = marks_.back().time_ns - marks_.front().time_ns;
  constexpr auto kWanted = static_cast<int64_t>(kMostMarks / 2);
  stretch_ns_ = span / kWanted + 1;
  size_t kept = 0;
  for (size_t i = 1; i < marks_.size(); ++i) {
    if (marks_[i].time_ns - marks_[kept].time_ns <= stretch_ns_) {
      marks_[kept].count += marks_[i].count;
    } else {
      marks_[++kept] = marks_[i];
    }
  }
  marks_.resize(kept + 1);
}

void EventLanes::Add(const trace::Event& event) {
  std::pair<std::string, std::string> key(event.kind(), ReasonOf(event));
  auto lane = lanes_.find(key);
  if (lane == lanes_.end()) {
    if (lanes_.size() >= kMostLanes) key.second = kOtherReasons;
    lane = lanes_.try_emplace(key, key.second, event).first;
  }
  lane->second.Add(event);
}

std::vector<const EventLane*> EventLanes::ByCount() const {
  std::vector<const EventLane*> lanes;
  for (const auto& [key, lane] : lanes_) lanes.push_back(&lane);
  std::stable_sort(lanes.begin(), lanes.end(),
                   [](const EventLane* a, const EventLane* b) { return a->count() > b->count(); });
  return lanes;
}

}  // namespace numasim
