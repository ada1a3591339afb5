// The packets of a Perfetto trace on their way into a file, which is written piece by piece: what waits in
// memory does not grow with the trace. Owned by the subcommand, for one file.
#ifndef NUMASIM_CLI_EXPORT_PACKET_STREAM_H_
#define NUMASIM_CLI_EXPORT_PACKET_STREAM_H_

#include <string>

#include "absl/status/status.h"
#include "files/replaced_file.h"
#include "proto/perfetto.pb.h"

namespace numasim {

class PacketStream {
 public:
  explicit PacketStream(ReplacedFile& file) : file_(file) {}

  PacketStream(const PacketStream&) = delete;
  PacketStream& operator=(const PacketStream&) = delete;

  // The next packet, to be filled in before the one after it is asked for. It is one of a single sequence.
  perfetto::TracePacket& Add();

  // Whether what is added will be written: the file has had no error, and no signal was noted.
  bool writes() const;

  // Writes what waits. Returns the first error of the file, the reason alone; nothing is written after it. So
  // it is where a signal was noted (cli/signals.h): kCancelled with its name.
  absl::Status Flush();

 private:
  ReplacedFile& file_;
  perfetto::Trace waiting_;
  std::string bytes_;  // of waiting_; kept for its memory
  bool any_ = false;
  absl::Status status_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_EXPORT_PACKET_STREAM_H_
