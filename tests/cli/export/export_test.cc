#include "cli/export/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/signals.h"
#include "proto/perfetto.pb.h"
#include "proto/trace.pb.h"
#include "proto/trace_writer.h"
#include "tests/proto/trace_test_util.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr int64_t kMs = 1000000;

struct Value {
  uint64_t time_ns;
  int64_t value;
  bool operator==(const Value&) const = default;
};

// node0.free goes below zero at 2 ms and back at 5 ms; node0.hit never changes. Samples from 0 to 9 ms.
class ExportTest : public testing::Test {
 protected:
  ExportTest() : path_("export.trace.pb"), out_("export.out") {
    trace::Header header = HeaderWithColumns(2);
    header.set_scenario_name("s.textproto");
    header.mutable_column(0)->set_name("node0.free");
    header.mutable_column(1)->set_name("node0.hit");
    auto writer = TraceWriter::Create(path_.get(), header);
    EXPECT_TRUE(writer.ok()) << writer.status();
    (*writer)->AddSample(0, {3, 7});
    (*writer)->AddRepeat(kMs, kMs, 1);
    (*writer)->AddSample(2 * kMs, {-1, 7});
    (*writer)->AddRepeat(3 * kMs, kMs, 2);
    (*writer)->AddSample(5 * kMs, {3, 7});
    (*writer)->AddRepeat(6 * kMs, kMs, 4);
    for (const int64_t time_ns : {2 * kMs, 7 * kMs}) (*writer)->AddEvent(EventAt(time_ns, "told"));
    (*writer)->AddLockStats(LockNamed("zone0.lock"));
    EXPECT_TRUE((*writer)->Finish().ok());
  }

  ExportOptions Options() const {
    ExportOptions options;
    options.trace = path_.get();
    options.perfetto = true;
    options.out = out_.get();
    return options;
  }

  perfetto::Trace Exported(const ExportOptions& options) const {
    const absl::StatusOr<ExportOutcome> outcome = ExportTrace(options);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    const std::string bytes = ReadFile(out_.get());
    EXPECT_EQ(outcome->bytes, bytes.size());
    perfetto::Trace trace;
    EXPECT_TRUE(trace.ParseFromString(bytes));
    return trace;
  }

  static std::string Error(const ExportOptions& options) {
    return std::string(ExportTrace(options).status().message());
  }

  static std::vector<Value> ValuesOf(const perfetto::Trace& trace, const std::string& counter) {
    uint64_t track = 0;
    std::vector<Value> values;
    for (const perfetto::TracePacket& packet : trace.packet()) {
      if (packet.track_descriptor().name() == counter) track = packet.track_descriptor().uuid();
      if (packet.track_event().type() == perfetto::TrackEvent::TYPE_COUNTER &&
          packet.track_event().track_uuid() == track)
        values.push_back({packet.timestamp(), packet.track_event().counter_value()});
    }
    return values;
  }

  static std::vector<uint64_t> TimesOfInstants(const perfetto::Trace& trace) {
    std::vector<uint64_t> times;
    for (const perfetto::TracePacket& packet : trace.packet()) {
      if (packet.track_event().type() == perfetto::TrackEvent::TYPE_INSTANT)
        times.push_back(packet.timestamp());
    }
    return times;
  }

  const TempPath path_;
  const TempPath out_;
};

TEST_F(ExportTest, CounterHasASignedValueWhereItChanges) {
  const perfetto::Trace trace = Exported(Options());
  EXPECT_THAT(ValuesOf(trace, "node0.free"), ElementsAre(Value{0, 3}, Value{2 * kMs, -1}, Value{5 * kMs, 3}));
  EXPECT_THAT(ValuesOf(trace, "node0.hit"), ElementsAre(Value{0, 7}));
}

TEST_F(ExportTest, RunIsToldOfAtItsBeginAndLocksAtItsEnd) {
  EXPECT_THAT(TimesOfInstants(Exported(Options())), ElementsAre(0, 2 * kMs, 7 * kMs, 9 * kMs));
}

TEST_F(ExportTest, OptionsChooseTimeAndCounters) {
  ExportOptions options = Options();
  options.from = "3ms";
  options.to = "7ms";
  options.counters = {"*.free"};
  const perfetto::Trace trace = Exported(options);
  EXPECT_THAT(ValuesOf(trace, "node0.free"), ElementsAre(Value{3 * kMs, -1}, Value{5 * kMs, 3}));
  EXPECT_THAT(ValuesOf(trace, "node0.hit"), ElementsAre());
  EXPECT_THAT(TimesOfInstants(trace), ElementsAre(3 * kMs, 7 * kMs, 7 * kMs));
  options.from = "";
  options.every = "4ms";
  EXPECT_THAT(ValuesOf(Exported(options), "node0.free"), ElementsAre(Value{0, 3}, Value{4 * kMs, -1}));
  // Nothing is in this time but what is of the whole run.
  options.every = "";
  options.from = "8.5ms";
  options.to = "8.9ms";
  EXPECT_THAT(TimesOfInstants(Exported(options)), ElementsAre(8'500'000, 8'900'000));
  options.from = "1h";
  options.to = "";
  EXPECT_EQ(Error(options), absl::StrCat("--from 1h: is after the end of ", path_.get(), ", 9ms"));
}

TEST_F(ExportTest, NameIsThereOnceAndBeforeItIsReferredTo) {
  const perfetto::Trace trace = Exported(Options());
  std::vector<std::string> names;
  for (const perfetto::TracePacket& packet : trace.packet()) {
    for (const perfetto::InternedName& name : packet.interned_data().event_names()) {
      names.push_back(name.name());
      EXPECT_EQ(name.iid(), names.size());
    }
    if (packet.track_event().has_name_iid()) {
      EXPECT_LE(packet.track_event().name_iid(), names.size());
    }
  }
  EXPECT_THAT(names, ElementsAre("run", "told", "lock.zone0.lock"));
}

TEST_F(ExportTest, FailureTellsTheLineOfTheScript) {
  {
    auto writer = TraceWriter::Create(path_.get(), HeaderWithColumns(1));
    ASSERT_TRUE(writer.ok()) << writer.status();
    trace::Event event = EventAt(kMs, "contig_failed");
    event.clear_detail();
    event.mutable_failure()->mutable_at()->set_script("web");
    event.mutable_failure()->mutable_at()->set_line(12);
    (*writer)->AddEvent(event);
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  std::map<uint64_t, std::string> names;
  std::map<std::string, std::string> at;
  const perfetto::Trace trace = Exported(Options());
  for (const perfetto::TracePacket& packet : trace.packet()) {
    for (const perfetto::InternedName& name : packet.interned_data().debug_annotation_names())
      names[name.iid()] = name.name();
    for (const perfetto::DebugAnnotation& argument : packet.track_event().debug_annotations()) {
      if (names[argument.name_iid()] != "at") continue;
      for (const perfetto::DebugAnnotation& part : argument.dict_entries())
        at[names[part.name_iid()]] =
            part.has_int_value() ? absl::StrCat(part.int_value()) : part.string_value();
    }
  }
  EXPECT_THAT(at, ElementsAre(Pair("line", "12"), Pair("script", "web")));
}

// More packets than wait in memory.
TEST_F(ExportTest, LongTraceIsOneFileOfManyPieces) {
  constexpr int64_t kSamples = 20'000;
  {
    auto writer = TraceWriter::Create(path_.get(), HeaderWithColumns(1));
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (int64_t i = 0; i < kSamples; ++i) (*writer)->AddSample(i, {i * i});
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  const std::vector<Value> values = ValuesOf(Exported(Options()), "c0");
  ASSERT_EQ(values.size(), static_cast<size_t>(kSamples));
  for (int64_t i = 0; i < kSamples; ++i) EXPECT_EQ(values[i], (Value{static_cast<uint64_t>(i), i * i}));
}

TEST_F(ExportTest, SameTraceGivesTheSameBytes) {
  Exported(Options());
  const std::string once = ReadFile(out_.get());
  Exported(Options());
  EXPECT_EQ(ReadFile(out_.get()), once);
}

TEST_F(ExportTest, CutTraceIsWrittenUpToItsCutAndSaysSo) {
  std::string bytes = ReadFile(path_.get());
  bytes.resize(bytes.size() - 1);
  WriteFile(path_.get(), bytes);
  EXPECT_EQ(ValuesOf(Exported(Options()), "node0.free").size(), 3u);
  EXPECT_THAT(ExportTrace(Options())->cut,
              HasSubstr(absl::StrCat("trace ", path_.get(), " is cut after 9ms")));
}

TEST_F(ExportTest, WithoutOutItIsCalledAsTheTraceIsAndLiesInThisFolder) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(testing::TempDir());
  ExportOptions options = Options();
  options.out = "";
  const absl::StatusOr<ExportOutcome> outcome = ExportTrace(options);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_THAT(outcome->path, EndsWith("-export.perfetto-trace"));
  EXPECT_TRUE(std::filesystem::remove(outcome->path));
  std::filesystem::current_path(before);
}

TEST_F(ExportTest, WrongInputIsAMessageAndLeavesWhatWasThere) {
  WriteFile(out_.get(), "precious");
  ExportOptions options = Options();
  options.perfetto = false;
  EXPECT_EQ(Error(options), "the form is missing; expected --perfetto");

  options = Options();
  options.counters = {"node9.*"};
  EXPECT_THAT(Error(options), HasSubstr("--counters node9.*: matches none of the 2 columns of "));

  options = Options();
  options.from = "soon";
  EXPECT_THAT(Error(options), HasSubstr("--from: 'soon' is not a time"));

  options = Options();
  options.out = options.trace;
  EXPECT_THAT(Error(options), HasSubstr("is an input of this run"));

  options = Options();
  options.out = "/nonexistent/o";
  EXPECT_EQ(Error(options), "/nonexistent/o: cannot be written: No such file or directory");
  options.out = "/dev/full";
  EXPECT_EQ(Error(options), "/dev/full: cannot be written: No space left on device");

  options = Options();
  options.trace = out_.get();
  options.out = out_.get() + "2";
  EXPECT_EQ(Error(options),
            absl::StrCat(out_.get(), " is not a trace of numasim; expected one that numasim run wrote"));
  EXPECT_FALSE(Exists(options.out));
  EXPECT_EQ(ReadFile(out_.get()), "precious");
  EXPECT_FALSE(Exists(out_.partial()));
}

TEST_F(ExportTest, SignalEndsItAndLeavesWhatWasThere) {
  WriteFile(out_.get(), "precious");
  const EndSignals signals;
  std::raise(SIGINT);
  const absl::Status status = ExportTrace(Options()).status();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(status.message(), "SIGINT");
  EXPECT_EQ(ReadFile(out_.get()), "precious");
  EXPECT_FALSE(Exists(out_.partial()));
}

}  // namespace
}  // namespace numasim
