// How a trace's records lie in its file; used by TraceWriter and TraceReader alone, but for frames, in which
// cli/slurm/reports.h writes its records too.
//
//   mark (12 bytes)                        kTraceMark, version (uint32)
//   frame, frame, ...                      each: payload length (uint32), CRC32 of the payload (uint32),
//                                          CRC32 of those 8 bytes (uint32), payload
//   end (20 bytes)                         offset of the last frame, the footer (uint64), CRC32 of those
//                                          8 bytes (uint32), kTraceEnd
//
// Integers are little-endian. A frame's head has a checksum of its own so that a damaged length is not
// mistaken for a file that was cut.
#ifndef NUMASIM_PROTO_TRACE_FRAME_H_
#define NUMASIM_PROTO_TRACE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace numasim {

// As PNG's mark: not text, and a transfer that changes line ends breaks it.
inline constexpr absl::string_view kTraceMark = "\x8Fnst\r\n\x1A\n";
inline constexpr uint32_t kTraceVersion = 1;
inline constexpr absl::string_view kTraceEnd = "nst-end\n";

inline constexpr size_t kMarkSize = 12;
inline constexpr size_t kFrameHeadSize = 12;
inline constexpr size_t kEndSize = 20;

// No writer makes frames near this; a head that passes its checksum and says more comes from no writer.
inline constexpr uint32_t kMaxPayload = uint32_t{1} << 30;

struct FrameHead {
  uint32_t length = 0;
  uint32_t payload_crc = 0;
};

std::string EncodeMark();
std::string EncodeFrame(absl::string_view payload);
std::string EncodeEnd(uint64_t footer_offset);

// False if `bytes` (of the size above) fail their checksum or mark.
bool DecodeFrameHead(absl::string_view bytes, FrameHead* head);
bool DecodeEnd(absl::string_view bytes, uint64_t* footer_offset);

bool HasTraceMark(absl::string_view bytes);
uint32_t MarkVersion(absl::string_view bytes);
uint32_t Crc32(absl::string_view bytes);

}  // namespace numasim

#endif  // NUMASIM_PROTO_TRACE_FRAME_H_
