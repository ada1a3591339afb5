// What is written to a trace is what is read from it, whole, cut, damaged or in part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/trace.pb.h"
#include "proto/trace_block.h"
#include "proto/trace_frame.h"
#include "proto/trace_reader.h"
#include "proto/trace_writer.h"
#include "tests/proto/trace_test_util.h"

namespace numasim {
namespace {

using ::testing::HasSubstr;

constexpr TimeRange kAll;

std::unique_ptr<TraceWriter> Create(const std::string& path, const trace::Header& header) {
  auto writer = TraceWriter::Create(path, header);
  EXPECT_TRUE(writer.ok()) << writer.status();
  return writer.ok() ? *std::move(writer) : nullptr;
}

struct WrittenTrace {
  std::string bytes;
  Content content;
};

WrittenTrace RandomTrace(uint64_t seed, int columns, int steps) {
  TempPath path(absl::StrCat("random", seed, ".pb"));
  auto writer = Create(path.get(), HeaderWithColumns(columns));
  Content content = ReportRandomRun(seed, columns, steps, writer.get());
  EXPECT_TRUE(writer->Finish().ok());
  return {ReadFile(path.get()), std::move(content)};
}

Content ReadAll(TraceReader& reader, const TimeRange& range = kAll) {
  Content content;
  const absl::Status status = reader.Read(range, &content);
  EXPECT_EQ(status, reader.end_status()) << status;
  return content;
}

TEST(TraceFile, ReadsBackWhatWasReported) {
  const int steps[] = {0, 1, 10, 3000, 12000};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    const int columns = static_cast<int>(seed % 7) * 5;
    const WrittenTrace written = RandomTrace(seed, columns, steps[seed % 5]);
    auto reader = OpenBytes(written.bytes);
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_TRUE((*reader)->complete()) << (*reader)->end_status();
    const Content read = ReadAll(**reader);
    EXPECT_EQ(read.samples, written.content.samples);
    EXPECT_EQ(read.events, written.content.events);
    EXPECT_EQ(read.locks, written.content.locks);
  }
}

TEST(TraceFile, FooterTotalsEqualWhatWasReported) {
  const WrittenTrace written = RandomTrace(3, 9, 12000);
  auto reader = OpenBytes(written.bytes);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const trace::Footer& index = (*reader)->index();
  EXPECT_GT(index.block_size(), 2);
  EXPECT_EQ(index.samples(), written.content.samples.size());
  EXPECT_EQ(index.events(), written.content.events.size());
  EXPECT_EQ(index.locks(), 1u);
  ASSERT_EQ(index.event_kind_size(), 1);
  EXPECT_EQ(index.event_kind(0).kind(), "draw");
  EXPECT_EQ(index.event_kind(0).count(), written.content.events.size());
}

TEST(TraceFile, SameReportsGiveTheSameBytes) {
  EXPECT_EQ(RandomTrace(5, 30, 9000).bytes, RandomTrace(5, 30, 9000).bytes);
}

TEST(TraceFile, HeaderHoldsEverythingToRunAgain) {
  TempPath path("header.pb");
  trace::Header header = HeaderWithColumns(2);
  header.set_scenario(std::string("seed: 7 # \xFF not UTF-8 \0", 24));
  header.set_scenario_name("examples/a.textproto");
  header.add_script()->set_name("a.mm");
  header.mutable_script(0)->set_text("mmap 1\n");
  header.set_program_version("0.1");
  header.set_seed(7);
  ASSERT_TRUE(Create(path.get(), header)->Finish().ok());
  auto reader = TraceReader::Open(path.get());
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->header().SerializeAsString(), header.SerializeAsString());
}

TEST(TraceFile, SeekingByTheIndexEqualsReadingAll) {
  const WrittenTrace written = RandomTrace(8, 12, 12000);
  auto reader = OpenBytes(written.bytes);
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_GT((*reader)->index().block_size(), 2);
  const int64_t last_ns = (*reader)->index().last_ns();
  std::vector<TimeRange> ranges = {{0, 0}, {last_ns, last_ns}, {last_ns + 1, last_ns + 9}, {500, 400}};
  for (int64_t i = 0; i < 40; ++i) {
    const int64_t from_ns = last_ns * i / 40 + i;
    ranges.push_back({from_ns, from_ns + last_ns * (i % 5) / 10 + (i % 3) * 1500});
  }
  for (const TimeRange& range : ranges) {
    SCOPED_TRACE(absl::StrCat(range.from_ns, " to ", range.to_ns));
    std::vector<Sample> samples;
    for (const Sample& s : written.content.samples) {
      if (range.Contains(s.time_ns)) samples.push_back(s);
    }
    std::vector<std::string> events;
    for (const std::string& e : written.content.events) {
      trace::Event event;
      ASSERT_TRUE(event.ParseFromString(e));
      if (range.Contains(event.time_ns())) events.push_back(e);
    }
    const Content read = ReadAll(**reader, range);
    EXPECT_EQ(read.samples, samples);
    EXPECT_EQ(read.events, events);
    EXPECT_EQ(read.locks, written.content.locks);
  }
}

// Notes the kind and time of what it is shown.
class OrderNoted : public TraceVisitor {
 public:
  void OnSamples(const SampleSpan& span) override {
    for (int64_t i = 0; i < span.count; ++i)
      seen.push_back(absl::StrCat("s", span.first_ns + i * span.interval_ns));
  }
  void OnEvent(const trace::Event& event) override { seen.push_back(absl::StrCat("e", event.time_ns())); }
  std::vector<std::string> seen;
};

TEST(TraceFile, EventsComeBetweenTheSamplesAroundThem) {
  TempPath path("order.pb");
  auto writer = Create(path.get(), HeaderWithColumns(1));
  writer->AddSample(10, {1});
  writer->AddRepeat(20, 10, 4);
  for (int64_t time_ns : {0, 20, 25, 30, 60}) writer->AddEvent(EventAt(time_ns, "x"));
  ASSERT_TRUE(writer->Finish().ok());
  auto reader = TraceReader::Open(path.get());
  ASSERT_TRUE(reader.ok()) << reader.status();
  OrderNoted order;
  ASSERT_TRUE((*reader)->Read(kAll, &order).ok());
  EXPECT_THAT(order.seen,
              testing::ElementsAre("e0", "s10", "e20", "s20", "e25", "e30", "s30", "s40", "s50", "e60"));
}

// Bytes of a zigzag varint.
size_t VarintSize(int64_t value) {
  uint64_t zigzag = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  size_t size = 1;
  while (zigzag >>= 7) ++size;
  return size;
}

TEST(TraceFile, ConstantColumnsCostTheirValueOncePerBlock) {
  constexpr int kColumns = 500;
  constexpr int64_t kValue = 1 << 20;
  constexpr size_t kSamples = 50 * kMaxRowsPerBlock;
  TempPath path("constant.pb");
  auto writer = Create(path.get(), HeaderWithColumns(kColumns));
  const uint64_t header_size = writer->bytes_written();
  const std::vector<int64_t> values(kColumns, kValue);
  for (size_t i = 0; i < kSamples; ++i) writer->AddSample(static_cast<int64_t>(i) * 1000000, values);
  ASSERT_TRUE(writer->Finish().ok());
  // A block: the base values, and a frame's head, one run (3 varints of at most 10 bytes) and at most 10
  // bytes of tag and length around each of run, base, block and index entry; the index entry: 6 varints. Tags
  // are 1 byte.
  const size_t block = kColumns * VarintSize(kValue) + kFrameHeadSize + 3 * 11 + 6 * 11 + 4 * 10;
  // The first block tells, instead of base values, of one change per column: number, value, tags and lengths.
  const size_t first = kColumns * (VarintSize(kValue) + 2 + 6);
  // The footer: its head and the end, totals of 5 varints.
  const size_t footer = kFrameHeadSize + kEndSize + 5 * 11 + 20;
  EXPECT_LE(ReadFile(path.get()).size(), header_size + first + 50 * block + footer);
}

TEST(TraceFile, AnIdleStretchCostsTheSameForAnyLength) {
  const auto size = [](int64_t count) {
    TempPath path("idle.pb");
    auto writer = Create(path.get(), HeaderWithColumns(50));
    writer->AddSample(0, std::vector<int64_t>(50, 3));
    writer->AddRepeat(1000, 1000, count);
    EXPECT_TRUE(writer->Finish().ok());
    return ReadFile(path.get()).size();
  };
  // The count is in the run and in two totals, the last time in two places: varints of 1 to 10 bytes.
  EXPECT_LE(size(int64_t{1} << 50), size(1) + 5 * 9);
}

TEST(TraceFile, RegularSamplesBecomeOneRun) {
  trace::Header header = HeaderWithColumns(1);
  const auto size = [&](int64_t step_ns) {
    TempPath path("regular.pb");
    auto writer = Create(path.get(), header);
    for (int64_t i = 0; i < 2000; ++i) writer->AddSample(i * 1000 + (i % 3 == 0 ? step_ns : 0), {i});
    EXPECT_TRUE(writer->Finish().ok());
    return ReadFile(path.get()).size();
  };
  // 2000 deltas of one byte, and little else.
  EXPECT_LT(size(0), 2000 + 300u);
  EXPECT_GT(size(1), 2000 + 1300u);
}

TEST(TraceFile, CutAnywhereIsReadableUpToItsLastBlock) {
  TempPath path("cut.pb");
  auto writer = Create(path.get(), HeaderWithColumns(3));
  const uint64_t start = writer->bytes_written();
  // Three blocks of one row and many bytes of events each, so that each offset can be tried.
  Content whole;
  std::vector<uint64_t> block_ends;
  for (int64_t i = 0; i < 3; ++i) {
    const std::vector<int64_t> values = {i, 5, -i};
    writer->AddSample(i * 1000, values);
    whole.OnSamples({i * 1000, 0, 1, values});
    trace::Event big = EventAt(i * 1000, "big");
    big.set_detail(std::string(1 << 17, 'x'));
    writer->AddEvent(big);
    block_ends.push_back(writer->bytes_written());
  }
  ASSERT_TRUE(writer->Finish().ok());
  const std::string bytes = ReadFile(path.get());
  ASSERT_EQ(std::adjacent_find(block_ends.begin(), block_ends.end()), block_ends.end())
      << "blocks did not end";
  for (size_t size = 0; size < bytes.size(); ++size) {
    // Inside the long events one offset is like the next.
    const bool near_edge = size < start + 200 || bytes.size() - size < 400 ||
                           std::any_of(
                               block_ends.begin(), block_ends.end(),
                               [&](uint64_t end) { return size + 100 > end && size < end + 200; });
    if (!near_edge && size % 997 != 0) continue;
    SCOPED_TRACE(size);
    auto reader = OpenBytes(bytes.substr(0, size));
    if (size < start) {
      EXPECT_FALSE(reader.ok());
      continue;
    }
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_FALSE((*reader)->complete());
    EXPECT_THAT(std::string((*reader)->end_status().message()), HasSubstr("is cut"));
    const size_t blocks =
        std::count_if(block_ends.begin(), block_ends.end(), [&](uint64_t e) { return e <= size; });
    const Content read = ReadAll(**reader);
    EXPECT_EQ(read.samples, std::vector<Sample>(whole.samples.begin(), whole.samples.begin() + blocks));
    EXPECT_EQ((*reader)->index().samples(), blocks);
  }
}

TEST(TraceFile, SmallTraceCutAtEachByteSaysSo) {
  const WrittenTrace written = RandomTrace(11, 6, 200);
  for (size_t size = 0; size < written.bytes.size(); ++size) {
    auto reader = OpenBytes(written.bytes.substr(0, size));
    if (!reader.ok()) continue;  // inside the header
    EXPECT_THAT(std::string((*reader)->end_status().message()), HasSubstr("is cut")) << size;
    Content content;
    EXPECT_EQ((*reader)->Read(kAll, &content).code(), absl::StatusCode::kDataLoss) << size;
  }
}

TEST(TraceFile, CutMessageNamesFileTimeAndPlace) {
  TempPath path("killed.pb");
  auto writer = Create(path.get(), HeaderWithColumns(1));
  for (int64_t i = 0; i < kMaxRowsPerBlock; ++i) writer->AddSample(i * 1000000, {i});
  const uint64_t block_end = writer->bytes_written();
  writer->AddSample(5000000000, {1});
  // The writer lives on, as if killed now.
  auto reader = TraceReader::Open(path.partial());
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->end_status().message(),
            absl::StrCat("trace ", path.partial(), " is cut after 4.095s (byte ", block_end,
                         "): the run that wrote it was killed or has not ended"));
}

TEST(TraceFile, EachFlippedBitIsFound) {
  const WrittenTrace written = RandomTrace(12, 4, 120);
  for (size_t bit = 0; bit < written.bytes.size() * 8; ++bit) {
    std::string bytes = written.bytes;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    auto reader = OpenBytes(bytes);
    absl::Status status = reader.status();
    if (reader.ok()) {
      Content content;
      status = (*reader)->Read(kAll, &content);
    }
    ASSERT_FALSE(status.ok()) << "bit " << bit;
    // Damage is not mistaken for a killed run.
    ASSERT_THAT(std::string(status.message()), testing::Not(HasSubstr("cut"))) << "bit " << bit;
  }
}

TEST(TraceFile, DamageNamesFileAndPlace) {
  WrittenTrace written = RandomTrace(13, 4, 9000);
  auto whole = OpenBytes(written.bytes);
  ASSERT_TRUE(whole.ok());
  const trace::BlockIndex& block = (*whole)->index().block(1);
  written.bytes[block.offset() + kFrameHeadSize + 50] ^= 4;
  auto reader = OpenBytes(written.bytes);
  ASSERT_TRUE(reader.ok()) << reader.status();
  Content content;
  EXPECT_EQ(
      (*reader)->Read(kAll, &content).message(),
      absl::StrCat("trace bytes is damaged at byte ", block.offset(), ": the checksum of a record is wrong"));
  // What comes before the damage has been shown.
  EXPECT_EQ(content.samples.size(), (*whole)->index().block(0).samples());
}

TEST(TraceFile, BytesAfterTheEndAreDamage) {
  const WrittenTrace written = RandomTrace(14, 2, 20);
  auto reader = OpenBytes(written.bytes + "x");
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_THAT(std::string((*reader)->end_status().message()), HasSubstr("damaged at byte"));
}

TEST(TraceFile, OtherFilesAreRefused) {
  EXPECT_EQ(std::string(OpenBytes("").status().message()),
            "bytes is not a trace of numasim; expected one that numasim run wrote");
  EXPECT_THAT(std::string(OpenBytes("machine { node { memory: \"4G\" } }").status().message()),
              HasSubstr("bytes is not a trace"));
  EXPECT_THAT(std::string(TraceReader::Open("/nonexistent/t.pb").status().message()),
              HasSubstr("cannot open trace /nonexistent/t.pb: No such file or directory"));
  EXPECT_THAT(std::string(TraceReader::Open("/tmp").status().message()),
              HasSubstr("/tmp is not a regular file"));
  EXPECT_EQ(std::string(OpenBytes(RandomTrace(1, 1, 1).bytes.substr(0, kMarkSize + 3)).status().message()),
            "trace bytes is cut inside its header; expected a trace whose beginning is there");
  std::string newer = RandomTrace(1, 1, 1).bytes;
  newer[kMarkSize - 4] = 9;
  EXPECT_THAT(std::string(OpenBytes(newer).status().message()),
              HasSubstr("has version 9, this program reads version 1"));
}

}  // namespace
}  // namespace numasim
