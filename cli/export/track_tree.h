// The tracks of a Perfetto trace, in groups below one that stands for the run:
//
//   numasim quickstart.textproto
//     node0
//       events                     of what was reported on the node, a track for each kind
//       locks
//       node0.numa_hit             counters
//       Normal
//         node0.Normal.nr_free_pages
//         free_blocks ..
//     operations
//       web ..
//     paths
//       web#3
//         operation                what it did, one by one, and
//         lock_wait                waited for
//
// A group is called by its part of a name, since it stands below the others. A track is called by its whole
// name, as dump, metrics and compare know it: Perfetto shows it alone where it is searched for or pinned.
#ifndef NUMASIM_CLI_EXPORT_TRACK_TREE_H_
#define NUMASIM_CLI_EXPORT_TRACK_TREE_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "cli/export/packet_stream.h"
#include "proto/trace.pb.h"

namespace numasim {

// Each function gives the number by which events name a track. A track is described, after the groups that it
// is in, when it is asked for first.
class TrackTree {
 public:
  TrackTree(const trace::Header& header, PacketStream& packets);

  uint64_t run() const { return run_; }
  uint64_t OfCounter(const trace::Column& column);
  uint64_t OfEvent(const trace::Event& event);
  // Spans of one path and kind follow one another, those of two kinds may overlap.
  uint64_t OfSpan(const trace::Span& span);
  uint64_t OfLock(const trace::LockStats& lock);
  uint64_t OfOperation(const trace::OperationStats& operation);

 private:
  // In which order they are shown within a group.
  enum class Kind { kEvents, kLocks, kOperations, kPaths, kGroup, kCounter };

  static constexpr uint64_t kNoGroup = 0;

  struct Found {
    uint64_t number = 0;
    perfetto::TrackDescriptor* added = nullptr;  // null: it was there. Valid until the stream's next packet
  };

  // A node, or what else events and locks are on.
  uint64_t Place(const std::string& lp);
  uint64_t Group(uint64_t parent, Kind kind, const std::string& name);
  Found FindOrAdd(uint64_t parent, Kind kind, const std::string& name);

  PacketStream& packets_;
  std::map<std::tuple<uint64_t, Kind, std::string>, uint64_t> numbers_;  // by group, kind and name
  const uint64_t run_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_EXPORT_TRACK_TREE_H_
