#include "proto/trace_frame.h"

#include <zlib.h>

namespace numasim {
namespace {

template <typename T>
void PutLittleEndian(T value, std::string* out) {
  for (size_t i = 0; i < sizeof(T); ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

template <typename T>
T GetLittleEndian(absl::string_view bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  return value;
}

}  // namespace

uint32_t Crc32(absl::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string EncodeMark() {
  std::string out(kTraceMark);
  PutLittleEndian<uint32_t>(kTraceVersion, &out);
  return out;
}

bool HasTraceMark(absl::string_view bytes) {
  return bytes.size() >= kMarkSize && bytes.substr(0, kTraceMark.size()) == kTraceMark;
}

uint32_t MarkVersion(absl::string_view bytes) {
  return GetLittleEndian<uint32_t>(bytes.substr(kTraceMark.size()));
}

std::string EncodeFrame(absl::string_view payload) {
  std::string out;
  out.reserve(kFrameHeadSize + payload.size());
  PutLittleEndian(static_cast<uint32_t>(payload.size()), &out);
  PutLittleEndian(Crc32(payload), &out);
  PutLittleEndian(Crc32(out), &out);
  out.append(payload.data(), payload.size());
  return out;
}

bool DecodeFrameHead(absl::string_view bytes, FrameHead* head) {
  if (GetLittleEndian<uint32_t>(bytes.substr(8)) != Crc32(bytes.substr(0, 8))) return false;
  head->length = GetLittleEndian<uint32_t>(bytes);
  head->payload_crc = GetLittleEndian<uint32_t>(bytes.substr(4));
  return head->length <= kMaxPayload;
}

std::string EncodeEnd(uint64_t footer_offset) {
  std::string out;
  PutLittleEndian(footer_offset, &out);
  PutLittleEndian(Crc32(out), &out);
  out.append(kTraceEnd.data(), kTraceEnd.size());
  return out;
}

bool DecodeEnd(absl::string_view bytes, uint64_t* footer_offset) {
  if (bytes.substr(12) != kTraceEnd) return false;
  if (GetLittleEndian<uint32_t>(bytes.substr(8)) != Crc32(bytes.substr(0, 8))) return false;
  *footer_offset = GetLittleEndian<uint64_t>(bytes);
  return true;
}

}  // namespace numasim
