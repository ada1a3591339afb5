#include "cli/export/instants.h"

namespace numasim {

perfetto::DebugAnnotation& Values::Add(const std::string& name) {
  perfetto::DebugAnnotation& value = *list_.Add();
  value.set_name_iid(Instants::NumberOf(name, instants_.values_,
                                        *packet_.mutable_interned_data()->mutable_debug_annotation_names()));
  return value;
}

void Instants::End(int64_t time_ns, uint64_t track) {
  perfetto::TracePacket& packet = packets_.Add();
  packet.set_timestamp(static_cast<uint64_t>(time_ns));
  packet.mutable_track_event()->set_type(perfetto::TrackEvent::TYPE_SLICE_END);
  packet.mutable_track_event()->set_track_uuid(track);
}

Values Instants::AddEvent(perfetto::TrackEvent::Type type, int64_t time_ns, uint64_t track,
                          const std::string& category, const std::string& name) {
  perfetto::TracePacket& packet = packets_.Add();
  packet.set_timestamp(static_cast<uint64_t>(time_ns));
  packet.set_sequence_flags(packet.sequence_flags() | perfetto::TracePacket::SEQ_NEEDS_INCREMENTAL_STATE);
  perfetto::InternedData& brought = *packet.mutable_interned_data();
  perfetto::TrackEvent& event = *packet.mutable_track_event();
  event.set_type(type);
  event.set_track_uuid(track);
  event.add_category_iids(NumberOf(category, categories_, *brought.mutable_event_categories()));
  event.set_name_iid(NumberOf(name, events_, *brought.mutable_event_names()));
  return {*this, packet, *event.mutable_debug_annotations()};
}

uint64_t Instants::NumberOf(const std::string& name, Numbers& numbers, Names& brought) {
  const auto [number, is_new] = numbers.try_emplace(name, numbers.size() + 1);
  if (is_new) {
    perfetto::InternedName& entry = *brought.Add();
    entry.set_iid(number->second);
    entry.set_name(name);
  }
  return number->second;
}

}  // namespace numasim
