#include "workloads/alloc_trace/alloc_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "files/read_file.h"
#include "workloads/alloc_trace/gzip.h"
#include "workloads/log_lines.h"

namespace numasim::workloads {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

AllocTrace Read(const std::string& text, TraceFormat format = TraceFormat::kFtrace,
                int64_t most = INT64_MAX) {
  absl::StatusOr<AllocTrace> trace = ParseAllocTrace("a.trace", text, format, most);
  EXPECT_TRUE(trace.ok()) << trace.status();
  return trace.ok() ? *std::move(trace) : AllocTrace();
}

std::string Refused(const std::string& text, TraceFormat format = TraceFormat::kFtrace) {
  const absl::StatusOr<AllocTrace> trace = ParseAllocTrace("a.trace", text, format);
  EXPECT_FALSE(trace.ok());
  return std::string(trace.status().message());
}

std::vector<std::string> NotesOf(const std::string& text) { return Read(text).Notes("a.trace"); }

// ---- ftrace ----

constexpr char kAlloc[] =
    "            init-1       [003] d..1.    25.230481: mm_page_alloc: page=0000000090b7be82 pfn=0x5260 "
    "order=3 "
    "migratetype=2 gfp_flags=__GFP_IO|__GFP_FS|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP|__GFP_RECLAIMABLE\n";
constexpr char kFree[] =
    "            init-1       [000] .....    25.231391: mm_page_free: page=00000000909bcc83 pfn=0x5260 "
    "order=3\n";

TEST(FtraceTest, LinesAreEvents) {
  const AllocTrace trace = Read(
      std::string("# tracer: nop\n#\n") + kAlloc + kFree +
      "  a [b] c-7     [001] .....    25.300000: mm_page_free_batched: page=00000000bd pfn=0x77 order=0\n"
      "   task-9       [001] d..3.    25.300001: mm_page_alloc_extfrag: page=0000000058d92901 pfn=0x42800 "
      "alloc_order=2 fallback_order=10 pageblock_order=9 alloc_migratetype=0 fallback_migratetype=1 "
      "fragmenting=0 change_ownership=1\n");
  EXPECT_THAT(
      trace.events,
      ElementsAre(
          PageEvent{.time_ns = 0,
                    .pfn = Pfn{0x5260},
                    .gfp = kGfpNoWarn | kGfpNoRetry | kGfpComp | kGfpReclaimable,
                    .cpu = 3,
                    .order = 3,
                    .kind = PageEventKind::kAlloc,
                    .type = Migratetype::kReclaimable},
          PageEvent{.time_ns = 910'000, .pfn = Pfn{0x5260}, .order = 3, .kind = PageEventKind::kFree},
          PageEvent{.time_ns = 69'519'000, .pfn = Pfn{0x77}, .cpu = 1, .kind = PageEventKind::kFreeBatched},
          PageEvent{.time_ns = 69'520'000,
                    .pfn = Pfn{0x42800},
                    .cpu = 1,
                    .order = 2,
                    .kind = PageEventKind::kFallback}));
  EXPECT_THAT(trace.Notes("a.trace"), IsEmpty());
}

// One line in each of the shapes that kernels and vendors give it: the event is the same.
class OneLineTest : public testing::TestWithParam<const char*> {};

TEST_P(OneLineTest, IsTheSameAllocation) {
  const AllocTrace trace = Read(GetParam());
  EXPECT_THAT(trace.events, ElementsAre(PageEvent{.pfn = Pfn{0x1a0},
                                                  .gfp = kGfpHighuserMovable,
                                                  .cpu = 12,
                                                  .order = 0,
                                                  .kind = PageEventKind::kAlloc,
                                                  .type = Migratetype::kMovable}))
      << GetParam();
  EXPECT_THAT(trace.Notes("a.trace"), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Variants, OneLineTest,
    testing::Values(
        "a-1 [012] ..... 1.5: mm_page_alloc: page=0000000098740018 pfn=0x1a0 order=0 migratetype=1 "
        "gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_ZERO",
        // Before 5.14 the number is decimal; hashed pointers before the first random number was there.
        "a-1 [012] .... 1.5: mm_page_alloc: page=(____ptrval____) pfn=416 order=0 migratetype=1 "
        "gfp_flags=GFP_HIGHUSER_MOVABLE",
        // No flags' column: trace-cmd report. More blanks, a tab, a carriage return.
        "a-1  [012]  1.500000: mm_page_alloc:\t       page=0xffffea0000006800 pfn=0x1a0 order=0 "
        "migratetype=1 "
        "gfp_flags=GFP_HIGHUSER_MOVABLE\r",
        // A wide column, thread groups, nanoseconds.
        "a-1 (   900) [012] d.Zs214 1.500000000: mm_page_alloc: page=p pfn=0x1a0 order=0 migratetype=1 "
        "gfp_flags=GFP_HIGHUSER_MOVABLE",
        // Brackets and numbers in the task's name.
        "x [3] 1.5: [a-1 [012] ..... 1.5: mm_page_alloc: page=p pfn=0x1a0 order=0 migratetype=1 "
        "gfp_flags=GFP_HIGHUSER_MOVABLE",
        // A vendor's fields, before, between and behind; words that are no fields.
        "a-1 [012] ..... 1.5: mm_page_alloc: zone=1 page=p pfn=0x1a0 nid=0 order=0 migratetype=1 (x) "
        "gfp_flags=GFP_HIGHUSER_MOVABLE caller=foo+0x1/0x2 pfn2=0x9",
        // Flags as a number, as single flags, of older kernels.
        "a-1 [012] ..... 1.5: mm_page_alloc: page=p pfn=0x1a0 order=0 migratetype=1 gfp_flags=0xcca",
        "a-1 [012] ..... 1.5: mm_page_alloc: page=p pfn=0x1a0 order=0 migratetype=1 "
        "gfp_flags=__GFP_RECLAIM|__GFP_HIGHMEM|__GFP_MOVABLE|0x100",
        "a-1 [012] ..... 1.5: mm_page_alloc: page=p pfn=0x1a0 order=0 migratetype=1 "
        "gfp_flags=GFP_WAIT|__GFP_HIGHMEM|GFP_MOVABLE|__GFP_COLD",
        // Without a migratetype the flags say it.
        "a-1 [012] ..... 1.5: mm_page_alloc: page=p pfn=0x1a0 order=0 gfp_flags=GFP_HIGHUSER_MOVABLE"));

TEST(FtraceTest, AllocationsWithoutAPageHaveFailed) {
  const std::string head = "a-1 [0] ..... 1.0: mm_page_alloc: ";
  const std::string tail = " order=9 migratetype=1 gfp_flags=GFP_TRANSHUGE\n";
  std::string text;
  for (const char* const page :
       {"page=0000000000000000 pfn=0x0", "page=(null) pfn=0", "page=(nil) pfn=0x0",
        "page=p pfn=0xffffffffffffffff", "page=p pfn=18446744073709551615", "page=(null)", "page=0x0"})
    text += head + page + tail;
  const AllocTrace trace = Read(text);
  EXPECT_EQ(trace.events.size(), 7u);
  for (const PageEvent& event : trace.events) {
    EXPECT_EQ(event.kind, PageEventKind::kAllocFailed);
    EXPECT_EQ(event.pfn, kNoPfn);
    EXPECT_EQ(int{event.order}, 9);
    EXPECT_EQ(event.gfp, kGfpTranshuge);
  }
}

TEST(FtraceTest, AHiddenPointerIsNoFailure) {
  const AllocTrace trace = Read(
      "a-1 [0] ..... 1.0: mm_page_alloc: page=0000000000000000 pfn=0x8 order=0 migratetype=0 "
      "gfp_flags=none\n");
  EXPECT_EQ(trace.events.at(0).kind, PageEventKind::kAlloc);
}

TEST(FtraceTest, LinesThatCannotBeRightAreSkippedAndListed) {
  EXPECT_THAT(
      NotesOf(std::string(kFree) +
              "a-1 [0] ..... 1.0: mm_page_free: page=p pfn=0x8 order=11\n"
              "a-1 [0] ..... 1.0: mm_page_free: page=p pfn=0x8 order=-1\n"
              "a-1 [0] ..... 1.0: mm_page_free: page=p pfn=0x8 order=4\n"
              "a-1 [0] ..... 1.0: mm_page_free: page=p pfn=12z order=0\n"
              "a-1 [0] ..... 1.0: mm_page_free: page=p order=0\n"
              "a-1 [0] ..... 1.0: mm_page_free: page=p pfn=0x0 order=0\n"
              "a-1 [0] ..... 1.0: mm_page_free: page=p pfn=0x800000000 order=0\n"
              "a-1 [0] ..... mm_page_free: page=p pfn=0x8 order=0\n"
              "a-1 ..... 1.0: mm_page_free: page=p pfn=0x8 order=0\n"
              "a-1 [99999] ..... 1.0: mm_page_free: page=p pfn=0x8 order=0\n"
              "a-1 [0] ..... 99999999999999999999.0: mm_page_free: page=p pfn=0x8 order=0\n"
              "cpus=4\n"),
      ElementsAre("a.trace: skipped 2 that has an order that is none from 0 to 10 (lines 2, 3)",
                  "a.trace: skipped 1 that has a page frame number that is no multiple of its size (line 4)",
                  "a.trace: skipped 2 that has no page frame number (lines 5, 6)",
                  "a.trace: skipped 1 that frees no page (line 7)",
                  "a.trace: skipped 1 that has a page frame number that no machine has (line 8)",
                  "a.trace: skipped 5 that is no event (lines 9, 10, 11, ..)"));
}

TEST(FtraceTest, OtherEventsAndFlagsAreCountedByName) {
  EXPECT_THAT(
      NotesOf(
          std::string(kFree) +
          "a-1 [0] ..... 26.0: sched_switch: prev_comm=a\n"
          "a-1 [0] ..... 26.0: mm_page_alloc_zone_locked: page=p pfn=0x8 order=0\n"
          "a-1 [0] ..... 26.0: sched_switch: prev_comm=b\n"
          "a-1 [0] ..... 26.0: mm_page_alloc: page=p pfn=0x8 order=0 migratetype=0 gfp_flags=__GFP_NEW\n"
          "a-1 [0] ..... 26.0: mm_page_alloc: page=p pfn=0x9 order=0 migratetype=0 gfp_flags=__GFP_NEW\n"),
      ElementsAre(
          "a.trace: passed over events of other kinds: sched_switch (2), mm_page_alloc_zone_locked (1)",
          "a.trace: flags that no kernel is known to have count for nothing: __GFP_NEW (2)"));
}

TEST(FtraceTest, LostEventsAreCounted) {
  EXPECT_THAT(
      NotesOf(std::string("CPU:3 [LOST 120 EVENTS]\n") + kFree + "CPU:0 [EVENTS DROPPED]\n" +
              "CPU:1 [30 EVENTS DROPPED]\n"),
      ElementsAre(
          "a.trace: the trace lacks 151 events that its buffers had no room for; what they freed stays "
          "allocated"));
}

TEST(FtraceTest, EventsOutOfOrderAreSortedAndCounted) {
  const AllocTrace trace = Read(
      "a-1 [0] ..... 2.0: mm_page_free: page=p pfn=0x1 order=0\n"
      "a-1 [1] ..... 1.0: mm_page_free: page=p pfn=0x2 order=0\n"
      "a-1 [1] ..... 2.0: mm_page_free: page=p pfn=0x3 order=0\n");
  ASSERT_EQ(trace.events.size(), 3u);
  EXPECT_EQ(trace.events[0].pfn, Pfn{2});
  EXPECT_EQ(trace.events[1].pfn, Pfn{1});
  EXPECT_EQ(trace.events[2].pfn, Pfn{3});
  EXPECT_EQ(trace.events[2].time_ns, 1'000'000'000);
  EXPECT_THAT(trace.Notes("a.trace"), ElementsAre("a.trace: 1 of 3 events stood behind a later one; sorted"));
}

TEST(FtraceTest, OnlySoManyEventsAreRead) {
  EXPECT_EQ(Read(std::string(kAlloc) + kFree + kFree, TraceFormat::kFtrace, 2).events.size(), 2u);
}

// ---- perf script ----

constexpr char kPerf[] =
    "swapper     0 [002]  1234.567890: kmem:mm_page_alloc: page=0xffffea0000006800 pfn=0x1a0 order=0 "
    "migratetype=0 "
    "gfp_flags=GFP_ATOMIC\n"
    "my prog  7/8 [001]  1234.567891:          1      kmem:mm_page_free: page=0xffffea0000006800 pfn=0x1a0 "
    "order=0\n"
    "\tffffffff81 __free_pages+0x1 ([kernel.kallsyms])\n"
    "swapper     0 [002]  1234.567892: sched:sched_switch: prev_comm=a\n";

TEST(PerfTest, LinesAreEvents) {
  const AllocTrace trace = Read(kPerf, TraceFormat::kPerf);
  EXPECT_THAT(
      trace.events,
      ElementsAre(PageEvent{.pfn = Pfn{0x1a0}, .gfp = kGfpHigh | kGfpKswapdReclaim, .cpu = 2},
                  PageEvent{.time_ns = 1000, .pfn = Pfn{0x1a0}, .cpu = 1, .kind = PageEventKind::kFree}));
  EXPECT_THAT(trace.Notes("a.trace"),
              ElementsAre("a.trace: skipped 1 that is no event (line 3)",
                          "a.trace: passed over events of other kinds: sched_switch (1)"));
}

TEST(PerfTest, TheOtherProgramsLinesAreSkipped) {
  EXPECT_THAT(Refused(kPerf),
              HasSubstr("a.trace: holds no event of the page allocator: 3 is an event of perf script, "
                        "not of ftrace (lines 1, 2, 4), 1 is no event (line 3); expected "));
  EXPECT_THAT(Refused(kFree, TraceFormat::kPerf),
              HasSubstr("1 is an event of ftrace, not of perf script (line 1)"));
}

// ---- LLFree ----

struct Entry {
  uint64_t microseconds;
  uint64_t pfn;
  bool alloc;
  uint64_t order;
  uint64_t flags;
};

void AppendEntry(const Entry& entry, std::string& out) {
  const unsigned __int128 bits =
      static_cast<unsigned __int128>(entry.microseconds) | static_cast<unsigned __int128>(entry.pfn) << 38 |
      static_cast<unsigned __int128>(entry.alloc) << 62 | static_cast<unsigned __int128>(entry.order) << 63 |
      static_cast<unsigned __int128>(entry.flags) << 67 | static_cast<unsigned __int128>(4711) << 96;
  out.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
}

std::string Numbers(std::initializer_list<uint32_t> numbers, size_t size) {
  std::string out;
  for (const uint32_t number : numbers) out.append(reinterpret_cast<const char*>(&number), sizeof(number));
  out.resize(size);
  return out;
}

std::string LlfreePage(uint32_t cpu, const std::vector<Entry>& entries) {
  std::string page = Numbers({cpu}, 16);
  for (const Entry& entry : entries) AppendEntry(entry, page);
  page.resize(4096);
  return page;
}

TEST(LlfreeTest, PagesOfCpusAreMergedByTime) {
  const std::string text =
      Numbers({2, 4, 0x2000}, 4096) +
      LlfreePage(1, {{10, 0x100, true, 4, 0x8 | 0xc00 | 0x10000000}, {30, 0x100, false, 4, 0}}) +
      LlfreePage(3, {{5, 0x1fff, false, 0, 0}, {30, 0x200, true, 0, 0x10 | 0x400}});
  EXPECT_EQ(FindTraceFormat(text), TraceFormat::kLlfree);
  const AllocTrace trace = Read(text, TraceFormat::kLlfree);
  EXPECT_THAT(
      trace.events,
      ElementsAre(
          PageEvent{.pfn = Pfn{0x1fff}, .cpu = 3, .kind = PageEventKind::kFree},
          PageEvent{.time_ns = 5000,
                    .pfn = Pfn{0x100},
                    .gfp = kGfpMovable | kGfpReclaim,
                    .cpu = 1,
                    .order = 4,
                    .type = Migratetype::kMovable},
          // Of one microsecond: what is allocated comes first.
          PageEvent{.time_ns = 25000,
                    .pfn = Pfn{0x200},
                    .gfp = kGfpReclaimable | kGfpDirectReclaim,
                    .cpu = 3,
                    .type = Migratetype::kReclaimable},
          PageEvent{
              .time_ns = 25000, .pfn = Pfn{0x100}, .cpu = 1, .order = 4, .kind = PageEventKind::kFree}));
}

TEST(LlfreeTest, WrongEntriesAreSkippedAndWrongFilesRefused) {
  const std::string header = Numbers({1, 2, 0xff}, 4096);
  const std::string page = LlfreePage(
      1, {{1, 0xf0, true, 4, 0}, {2, 0xf0, false, 11, 0}, {3, 0x100, true, 0, 0}, {4, 0xf1, true, 1, 0}});
  EXPECT_THAT(
      Read(header + page, TraceFormat::kLlfree).Notes("a"),
      ElementsAre("a: skipped 1 that has an order that is none from 0 to 10 (line 2)",
                  "a: skipped 1 that has a page frame number above the header's (line 3)",
                  "a: skipped 1 that has a page frame number that is no multiple of its size (line 4)"));
  EXPECT_THAT(Refused(header + LlfreePage(2, {{1, 0xf0, true, 4, 0}}), TraceFormat::kLlfree),
              HasSubstr("1 is of a CPU that the header does not have"));
  EXPECT_THAT(
      Refused(header, TraceFormat::kLlfree),
      HasSubstr("a.trace: its header says that 1 pages follow, and there are 0; expected a whole trace"));
  EXPECT_THAT(Refused("abc", TraceFormat::kLlfree), HasSubstr("a.trace: is no trace of LLFree; expected "));
}

// ---- trace.dat ----

// What `trace-cmd record` wrote on Linux 6.1, without the formats of other events and the kernel's symbols.
std::string RecordedDat() {
  const std::string packed = *ReadInputFile("tests/workloads/alloc_trace/testdata/recorded.dat.gz");
  return *Gunzip("recorded.dat.gz", packed, int64_t{1} << 20);
}

// As `trace-cmd report` shows it.
TEST(TraceDatTest, EventsAreAsTraceCmdReportsThem) {
  EXPECT_EQ(FindTraceFormat(RecordedDat()), TraceFormat::kTraceDat);
  const AllocTrace trace = Read(RecordedDat(), TraceFormat::kTraceDat);
  const auto count = [&](PageEventKind kind) {
    return std::count_if(trace.events.begin(), trace.events.end(),
                         [&](const PageEvent& event) { return event.kind == kind; });
  };
  EXPECT_EQ(count(PageEventKind::kAlloc), 284);
  EXPECT_EQ(count(PageEventKind::kFree), 312);
  EXPECT_EQ(count(PageEventKind::kFreeBatched), 307);
  EXPECT_EQ(trace.events.front(), (PageEvent{.pfn = Pfn{0x4a9c}, .gfp = kGfpKernel, .order = 1}));
  EXPECT_EQ(trace.events.back().pfn, Pfn{0x4a9c});
  EXPECT_EQ(trace.events.back().time_ns / 1000, 27'649'729 - 27'446'239);
  EXPECT_THAT(trace.Notes("a"), IsEmpty());
}

TEST(TraceDatTest, WhatTheLibraryCannotReadIsRefused) {
  for (const size_t size : {size_t{13}, size_t{400}, size_t{6000}})
    EXPECT_THAT(Refused(RecordedDat().substr(0, size), TraceFormat::kTraceDat),
                HasSubstr("a.trace: is no trace that libtracecmd can read: "));
}

// ---- Which format, and wrong files ----

TEST(FindTraceFormatTest, FirstEventShows) {
  EXPECT_EQ(FindTraceFormat(std::string("version = 6\ncpus=4\n\n# x\n") + kFree), TraceFormat::kFtrace);
  EXPECT_EQ(FindTraceFormat(kPerf), TraceFormat::kPerf);
  EXPECT_EQ(FindTraceFormat("1 0 5 60.5 4\n"), std::nullopt);
  EXPECT_EQ(FindTraceFormat(""), std::nullopt);
  for (const TraceFormat format : {TraceFormat::kFtrace, TraceFormat::kPerf, TraceFormat::kLlfree})
    EXPECT_NE(format, TraceFormatNamed("swf"));
  EXPECT_EQ(TraceFormatNamed("perf"), TraceFormat::kPerf);
}

TEST(AllocTraceTest, WrongFilesAreRefusedWithFileAndLine) {
  const std::string expected =
      "; expected mm_page_alloc and mm_page_free (and mm_page_free_batched, mm_page_alloc_extfrag)";
  EXPECT_EQ(Refused(""), "a.trace: holds no event of the page allocator" + expected);
  EXPECT_EQ(Refused("a-1 [0] ..... 26.0: sys_enter: NR 1\n"),
            "a.trace: holds no event of the page allocator; of other kinds: sys_enter (1)" + expected);
  EXPECT_EQ(Refused(kFree + std::string(LogLines::kLongest + 1, 'x')),
            "a.trace:2: is longer than 65536 bytes; expected a trace with a line for each event");
  EXPECT_EQ(Refused(kFree + std::string("a\0b\n", 4)),
            "a.trace:2: holds a NUL byte; expected text, not a binary file");
}

}  // namespace
}  // namespace numasim::workloads
