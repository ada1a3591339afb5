#include "workloads/alloc_trace/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace numasim::workloads {
namespace {

std::string Packed(const std::string& text) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Longer than one step of reading.
std::string LongText() {
  std::string text;
  for (int i = 0; i < 250'000; ++i) text += std::to_string(i) + "\n";
  return text;
}

TEST(GzipTest, UnpacksWhatWasPacked) {
  const std::string text = LongText();
  EXPECT_TRUE(IsGzip(Packed(text)));
  EXPECT_EQ(*Gunzip("a.gz", Packed(text), int64_t{1} << 30), text);
  EXPECT_EQ(*Gunzip("a.gz", Packed(""), 0), "");
  EXPECT_EQ(*Gunzip("a.gz", Packed("one") + Packed("two"), 10), "onetwo");
  EXPECT_FALSE(IsGzip("\x1f"));
}

TEST(GzipTest, WhatIsDamagedOrTooLargeIsRefused) {
  const std::string packed = Packed(LongText());
  EXPECT_EQ(Gunzip("a.gz", packed.substr(0, packed.size() / 2), int64_t{1} << 30).status().message(),
            "a.gz: cannot be unpacked: it is cut off; expected a whole file of gzip");
  std::string damaged = packed;
  damaged[damaged.size() - 5] ^= 1;  // of the checksum
  EXPECT_EQ(Gunzip("a.gz", damaged, int64_t{1} << 30).status().message(),
            "a.gz: cannot be unpacked: incorrect data check; expected a whole file of gzip");
  EXPECT_EQ(Gunzip("a.gz", packed, int64_t{1} << 20).status().message(),
            "a.gz: holds more than 1 MiB when it is unpacked, the most that is read");
}

}  // namespace
}  // namespace numasim::workloads
