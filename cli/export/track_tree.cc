#include "cli/export/track_tree.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/statistics/statistics.h"

namespace numasim {

TrackTree::TrackTree(const trace::Header& header, PacketStream& packets)
    : packets_(packets), run_(Group(kNoGroup, Kind::kGroup, "numasim " + header.scenario_name())) {}

uint64_t TrackTree::OfCounter(const trace::Column& column) {
  std::vector<std::string> parts = absl::StrSplit(column.name(), '.');
  parts.pop_back();
  uint64_t group = run_;
  for (const std::string& part : parts) group = Group(group, Kind::kGroup, part);
  const Found found = FindOrAdd(group, Kind::kCounter, column.name());
  if (found.added != nullptr) {
    found.added->mutable_counter()->set_unit_name(column.unit());
    found.added->set_description(column.gauge() ? "goes up and down" : "counts since the start of the run");
  }
  return found.number;
}

uint64_t TrackTree::OfEvent(const trace::Event& event) {
  const std::string place = event.lp().empty() ? "" : event.lp() + ".";
  return FindOrAdd(Group(Place(event.lp()), Kind::kEvents, "events"), Kind::kEvents,
                   absl::StrCat("events.", place, event.kind()))
      .number;
}

uint64_t TrackTree::OfSpan(const trace::Span& span) {
  const uint64_t path = Group(Group(run_, Kind::kPaths, "paths"), Kind::kPaths, span.path());
  return FindOrAdd(path, Kind::kPaths, span.kind()).number;
}

uint64_t TrackTree::OfLock(const trace::LockStats& lock) {
  return FindOrAdd(Group(Place(lock.lp()), Kind::kLocks, "locks"), Kind::kLocks, LockName(lock)).number;
}

uint64_t TrackTree::OfOperation(const trace::OperationStats& operation) {
  uint64_t group = Group(run_, Kind::kOperations, "operations");
  if (operation.has_script()) group = Group(group, Kind::kGroup, operation.script());
  return FindOrAdd(group, Kind::kOperations, OperationName(operation)).number;
}

uint64_t TrackTree::Place(const std::string& lp) { return lp.empty() ? run_ : Group(run_, Kind::kGroup, lp); }

uint64_t TrackTree::Group(uint64_t parent, Kind kind, const std::string& name) {
  const Found found = FindOrAdd(parent, kind, name);
  if (found.added != nullptr) found.added->set_child_ordering(perfetto::TrackDescriptor::EXPLICIT);
  return found.number;
}

TrackTree::Found TrackTree::FindOrAdd(uint64_t parent, Kind kind, const std::string& name) {
  const auto [track, is_new] = numbers_.try_emplace({parent, kind, name}, numbers_.size() + 1);
  const uint64_t number = track->second;
  if (!is_new) return {number, nullptr};
  perfetto::TrackDescriptor& descriptor = *packets_.Add().mutable_track_descriptor();
  descriptor.set_uuid(number);
  descriptor.set_name(name);
  if (parent != kNoGroup) descriptor.set_parent_uuid(parent);
  // By kind, and those of a kind as they come. Numbers of tracks are far below this.
  constexpr int32_t kTracksOfAKind = 1 << 28;
  descriptor.set_sibling_order_rank(static_cast<int32_t>(kind) * kTracksOfAKind +
                                    static_cast<int32_t>(number));
  return {number, &descriptor};
}

}  // namespace numasim
