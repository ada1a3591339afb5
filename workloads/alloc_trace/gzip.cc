#include "workloads/alloc_trace/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "workloads/text.h"

namespace numasim::workloads {
namespace {

constexpr size_t kStep = size_t{1} << 20;
constexpr int kGzipWindow = 15 + 16;  // the largest, and gzip's header

absl::Status Damaged(const std::string& name, const char* why) {
  return absl::InvalidArgumentError(Cat(name,
                                        ": cannot be unpacked: ", why == nullptr ? "it is cut off" : why,
                                        "; expected a whole file of gzip"));
}

}  // namespace

bool IsGzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

absl::StatusOr<std::string> Gunzip(const std::string& name, std::string_view bytes, int64_t most) {
  z_stream stream = {};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return absl::ResourceExhaustedError("zlib has no memory");
  const absl::Cleanup end = [&stream] { inflateEnd(&stream); };
  std::string out;
  for (;;) {
    // zlib counts in 32 bits.
    const size_t in = std::min(bytes.size(), kStep);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(in);
    const size_t before = out.size();
    out.resize(before + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(kStep);
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    bytes.remove_prefix(in - stream.avail_in);
    if (static_cast<int64_t>(out.size()) > most)
      return absl::InvalidArgumentError(
          Cat(name, ": holds more than ", most >> 20, " MiB when it is unpacked, the most that is read"));
    if (result == Z_STREAM_END) {
      if (!IsGzip(bytes)) return out;
      inflateReset(&stream);
    } else if (result != Z_OK) {
      return Damaged(name, result == Z_BUF_ERROR ? nullptr : stream.msg);
    }
  }
}

}  // namespace numasim::workloads
