// What happened in a run, as lanes of a time line: events of one kind and, where they are failures, of one
// reason, with how many there were at which time. A lane of many events counts those that are close together
// as one mark. Owned by whoever reads the trace.
#ifndef NUMASIM_CLI_REPORT_EVENT_LANES_H_
#define NUMASIM_CLI_REPORT_EVENT_LANES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "proto/trace.pb.h"

namespace numasim {

class EventLane {
 public:
  struct Mark {
    int64_t time_ns = 0;  // of its first event
    uint64_t count = 0;
  };

  // Of events like `first`, which is still to be added.
  EventLane(std::string reason, const trace::Event& first);

  void Add(const trace::Event& event);

  const std::string& kind() const { return kind_; }
  const std::string& reason() const { return reason_; }    // "" of what is no failure
  const std::string& example() const { return example_; }  // all that its first event says
  bool failure() const { return failure_; }
  uint64_t count() const { return count_; }
  int64_t first_ns() const { return first_ns_; }
  int64_t last_ns() const { return last_ns_; }
  const std::vector<Mark>& marks() const { return marks_; }  // by rising time
  int64_t stretch_ns() const { return stretch_ns_; }         // of a mark; 0: events of one time

 private:
  void Thin();

  const std::string kind_;
  const std::string reason_;
  const std::string example_;
  const bool failure_;
  uint64_t count_ = 0;
  int64_t first_ns_;
  int64_t last_ns_;
  int64_t stretch_ns_ = 0;
  std::vector<Mark> marks_;
};

class EventLanes {
 public:
  void Add(const trace::Event& event);

  // The most frequent first, at equal counts by kind and reason.
  std::vector<const EventLane*> ByCount() const;

 private:
  std::map<std::pair<std::string, std::string>, EventLane> lanes_;  // by kind and reason
};

}  // namespace numasim

#endif  // NUMASIM_CLI_REPORT_EVENT_LANES_H_
