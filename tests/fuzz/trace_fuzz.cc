// Any bytes as a trace: it is refused, or read without harm; and what is read can be written and reads the
// same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "proto/trace.pb.h"
#include "proto/trace_block.h"
#include "proto/trace_frame.h"
#include "proto/trace_reader.h"

namespace numasim {
namespace {

class Bytes : public TraceSource {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  absl::Status Read(uint64_t offset, size_t size, std::string* out) override {
    if (offset > bytes_.size() || size > bytes_.size() - offset) std::abort();
    out->assign(bytes_, offset, size);
    return absl::OkStatus();
  }

 private:
  const std::string bytes_;
};

// Checks what TraceVisitor and TraceReader promise.
class Promises : public TraceVisitor {
 public:
  Promises(size_t columns, TimeRange range) : columns_(columns), range_(range) {}

  void OnSamples(const SampleSpan& span) override {
    if (span.values.size() != columns_ || span.count < 1) std::abort();
    if (!range_.Contains(span.first_ns) || !range_.Contains(span.last_ns())) std::abort();
    if (span.count == 1 ? span.interval_ns != 0 : span.interval_ns < 1) std::abort();
  }
  void OnEvent(const trace::Event& event) override {
    if (!range_.Contains(event.time_ns())) std::abort();
  }

 private:
  const size_t columns_;
  const TimeRange range_;
};

void ReadTrace(std::string bytes) {
  auto reader = TraceReader::Open(std::make_unique<Bytes>(std::move(bytes)), "fuzz");
  if (!reader.ok()) return;
  for (const TimeRange range : {TimeRange(), TimeRange{1000, 5000}, TimeRange{0, -1}}) {
    Promises promises((*reader)->header().column_size(), range);
    (*reader)->Read(range, &promises).IgnoreError();
  }
}

// Checksums stop nearly every mutation at the door. So the rest of the input is also taken as one block
// behind a header of as many columns as the first byte says, with checksums made right.
void ReadBlock(absl::string_view input) {
  if (input.empty()) return;
  trace::Record header;
  for (int i = 0; i < static_cast<uint8_t>(input[0]) % 8; ++i) header.mutable_header()->add_column();
  header.mutable_header();
  trace::Record record;
  if (!record.mutable_block()->ParseFromArray(input.data() + 1, static_cast<int>(input.size()) - 1)) return;
  const std::string start = EncodeMark() + EncodeFrame(header.SerializeAsString());
  const std::string block = start + EncodeFrame(record.SerializeAsString());
  ReadTrace(block);
  TraceIndexBuilder index;
  index.AddBlock(record.block(), start.size());
  trace::Record footer;
  *footer.mutable_footer() = index.Build();
  ReadTrace(block + EncodeFrame(footer.SerializeAsString()) + EncodeEnd(block.size()));
}

}  // namespace
}  // namespace numasim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  numasim::ReadTrace(std::string(input));
  numasim::ReadBlock(input);
  return 0;
}
