#include "cli/export/packet_stream.h"

#include "cli/signals.h"

namespace numasim {
namespace {

constexpr int kMostWaiting = 4096;  // packets, of some 25 bytes each
constexpr uint32_t kSequence = 1;

}  // namespace

perfetto::TracePacket& PacketStream::Add() {
  // An error is kept, and told when the trace has been read.
  if (waiting_.packet_size() >= kMostWaiting) Flush().IgnoreError();
  perfetto::TracePacket& packet = *waiting_.add_packet();
  packet.set_trusted_packet_sequence_id(kSequence);
  if (!any_) {
    packet.set_first_packet_on_sequence(true);
    packet.set_previous_packet_dropped(true);
    packet.set_sequence_flags(perfetto::TracePacket::SEQ_INCREMENTAL_STATE_CLEARED);
    any_ = true;
  }
  return packet;
}

bool PacketStream::writes() const { return status_.ok() && EndSignals::Noted() == 0; }

absl::Status PacketStream::Flush() {
  if (status_.ok() && EndSignals::Noted() != 0)
    status_ = absl::CancelledError(EndSignals::Name(EndSignals::Noted()));
  bytes_.clear();
  waiting_.AppendToString(&bytes_);
  waiting_.Clear();
  if (status_.ok()) status_ = file_.Append(bytes_);
  return status_;
}

}  // namespace numasim
