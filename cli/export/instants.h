// Events of a Perfetto trace with named values: instants, which have no duration, and slices, which have one.
// The names are in the trace once; the packets refer to them by numbers.
#ifndef NUMASIM_CLI_EXPORT_INSTANTS_H_
#define NUMASIM_CLI_EXPORT_INSTANTS_H_

#include <cstdint>
#include <string>
#include <unordered_map>

#include "cli/export/packet_stream.h"
#include "proto/perfetto.pb.h"

namespace numasim {

class Instants;

// The named values of an event, or of a dictionary in it. Valid until the stream's next packet.
class Values {
 public:
  // A value of this name, to be set.
  perfetto::DebugAnnotation& Add(const std::string& name);
  // Those in `dictionary`, which is one of these values or an element of an array among them.
  Values In(perfetto::DebugAnnotation& dictionary) const {
    return {instants_, packet_, *dictionary.mutable_dict_entries()};
  }

 private:
  friend class Instants;
  using List = google::protobuf::RepeatedPtrField<perfetto::DebugAnnotation>;
  Values(Instants& instants, perfetto::TracePacket& packet, List& list)
      : instants_(instants), packet_(packet), list_(list) {}

  Instants& instants_;
  perfetto::TracePacket& packet_;
  List& list_;
};

class Instants {
 public:
  explicit Instants(PacketStream& packets) : packets_(packets) {}

  // Adds an instant at `time_ns`. A category is what kind of thing it tells of, such as "lock".
  Values Add(int64_t time_ns, uint64_t track, const std::string& category, const std::string& name) {
    return AddEvent(perfetto::TrackEvent::TYPE_INSTANT, time_ns, track, category, name);
  }
  // Begins a slice, which the next End of the track ends.
  Values Begin(int64_t time_ns, uint64_t track, const std::string& category, const std::string& name) {
    return AddEvent(perfetto::TrackEvent::TYPE_SLICE_BEGIN, time_ns, track, category, name);
  }
  void End(int64_t time_ns, uint64_t track);

 private:
  friend class Values;
  Values AddEvent(perfetto::TrackEvent::Type type, int64_t time_ns, uint64_t track,
                  const std::string& category, const std::string& name);
  using Numbers = std::unordered_map<std::string, uint64_t>;
  using Names = google::protobuf::RepeatedPtrField<perfetto::InternedName>;

  // The number of `name`; where it is new, the packet that `brought` belongs to brings it along.
  static uint64_t NumberOf(const std::string& name, Numbers& numbers, Names& brought);

  PacketStream& packets_;
  Numbers categories_;
  Numbers events_;
  Numbers values_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_EXPORT_INSTANTS_H_
