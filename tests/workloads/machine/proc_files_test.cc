#include "workloads/machine/proc_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace numasim::workloads {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kZoneinfo[] = R"(Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 751
      nr_free 99
  pages free     3776
        boost    0
        min      190
        low      237
        high     284
        promo    331
        spanned  4095
        present  3998
        managed  3840
        cma      0
        protection: (0, 435, 1435)
      nr_free_pages 3776
  pagesets
    cpu: 0
              count: 5
              high:  237
              batch: 1
              high_min: 11
  vm stats threshold: 12
    cpu: 3
              count: 6
              high:  238
              batch: 2
  node_unreclaimable:  0
  start_pfn:           1
Node 0, zone  Movable
  pages free     0
        min      0
        present  0
        protection: (0, 0, 0)
)";

std::string Replaced(const std::string& text, absl::string_view from, absl::string_view to) {
  const std::string result = absl::StrReplaceAll(text, {{from, to}});
  EXPECT_NE(result, text) << "nothing to replace: " << from;
  return result;
}

// The number of the line of `text` that contains `part`.
int LineOf(const std::string& text, absl::string_view part) {
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (absl::StrContains(line, part)) return number;
  }
  return 0;
}

template <typename T>
std::string Message(const absl::StatusOr<T>& result) {
  return std::string(result.status().message());
}

TEST(ZoneinfoTest, ZoneHasItsSizesWatermarksAndPcpLists) {
  const auto zones = ParseZoneinfo(kZoneinfo, "zoneinfo");
  ASSERT_TRUE(zones.ok()) << zones.status();
  ASSERT_EQ(zones->size(), 1u) << "a zone without memory is passed over";
  const RecordedZone& zone = zones->front();
  EXPECT_EQ(zone.node(), 0);
  EXPECT_EQ(zone.name(), "DMA");
  EXPECT_EQ(zone.free(), 3776u);
  EXPECT_EQ(zone.min(), 190u);
  EXPECT_EQ(zone.low(), 237u);
  EXPECT_EQ(zone.high(), 284u);
  EXPECT_EQ(zone.spanned(), 4095u);
  EXPECT_EQ(zone.present(), 3998u);
  EXPECT_EQ(zone.managed(), 3840u);
  EXPECT_EQ(zone.start_pfn(), 1u);
  EXPECT_THAT(zone.protection(), ElementsAre(0, 435, 1435));
  ASSERT_EQ(zone.pcp_size(), 2);
  EXPECT_EQ(zone.pcp(0).cpu(), 0);
  EXPECT_EQ(zone.pcp(0).count(), 5);
  EXPECT_EQ(zone.pcp(1).cpu(), 3);
  EXPECT_EQ(zone.pcp(1).count(), 6);
  EXPECT_EQ(zone.pcp(1).high(), 238);
  EXPECT_EQ(zone.pcp(1).batch(), 2);
}

TEST(ZoneinfoTest, WatermarksAreThoseWithoutTheBoost) {
  const auto zones = ParseZoneinfo(Replaced(kZoneinfo, "boost    0", "boost    100"), "zoneinfo");
  ASSERT_TRUE(zones.ok()) << zones.status();
  EXPECT_EQ(zones->front().min(), 90u);
  EXPECT_EQ(zones->front().low(), 137u);
  EXPECT_EQ(zones->front().high(), 184u);
}

TEST(ZoneinfoTest, MalformedNumberNamesFileLineFieldAndValue) {
  const std::string text = Replaced(kZoneinfo, "managed  3840", "managed  38x0");
  EXPECT_EQ(Message(ParseZoneinfo(text, "/r/proc/zoneinfo")),
            absl::StrCat("/r/proc/zoneinfo:", LineOf(text, "38x0"),
                         ": managed: \"38x0\" is not a whole number in range"));
}

TEST(ZoneinfoTest, EveryNumberIsChecked) {
  for (const char* field : {"free     3776", "min      190", "spanned  4095", "count: 5", "batch: 2",
                            "cpu: 3", "start_pfn:           1", "1435", "Node 0"}) {
    const std::string text = Replaced(kZoneinfo, field, absl::StrCat(field, "?"));
    EXPECT_THAT(Message(ParseZoneinfo(text, "zoneinfo")), HasSubstr("is not a whole number")) << field;
  }
}

TEST(ZoneinfoTest, EveryMissingFieldIsNamed) {
  for (const char* field : {"min", "low", "spanned", "managed", "start_pfn:"}) {
    const std::string text = Replaced(kZoneinfo, absl::StrCat(" ", field, " "), " other ");
    EXPECT_EQ(Message(ParseZoneinfo(text, "zoneinfo")),
              absl::StrCat("zoneinfo:1: zone DMA of node 0: has no field \"", field, "\""));
  }
}

TEST(ZoneinfoTest, IncompletePcpListIsAnError) {
  const std::string text = Replaced(kZoneinfo, "batch: 2", "bunch: 2");
  EXPECT_THAT(Message(ParseZoneinfo(text, "zoneinfo")),
              HasSubstr("cpu 3 has not all of count, high and batch"));
}

TEST(ZoneinfoTest, TextWithoutZonesIsAnError) {
  EXPECT_EQ(Message(ParseZoneinfo("", "zoneinfo")), "zoneinfo: has no zone with memory");
  EXPECT_EQ(Message(ParseZoneinfo("Node 0\n", "zoneinfo")),
            "zoneinfo:1: zone: \"Node 0\" does not begin \"Node N, zone NAME\"");
}

TEST(BuddyinfoTest, FreeBlocksAreByOrder) {
  const auto zones = ParseBuddyinfo(
      "Node 0, zone      DMA      0      1      3 \nNode 1, zone   Normal      7      8      9 \n",
      "buddyinfo");
  ASSERT_TRUE(zones.ok()) << zones.status();
  ASSERT_EQ(zones->size(), 2u);
  EXPECT_THAT(zones->at({0, "DMA"}), ElementsAre(0, 1, 3));
  EXPECT_THAT(zones->at({1, "Normal"}), ElementsAre(7, 8, 9));
}

TEST(BuddyinfoTest, MalformedCountNamesItsOrder) {
  EXPECT_EQ(Message(ParseBuddyinfo("Node 0, zone DMA 0 1\nNode 0, zone DMA32 0 -1\n", "buddyinfo")),
            "buddyinfo:2: order 1: \"-1\" is not a whole number in range");
}

constexpr char kPagetypeinfo[] = R"(Page block order: 9
Pages per block:  512

Free pages count per migrate type at order       0      1      2 
Node    0, zone      DMA, type    Unmovable      1      0      2 
Node    0, zone      DMA, type      Movable >100000    3      4 
Node    1, zone   Normal, type    Unmovable      5      6      7 
Node    1, zone   Normal, type      Movable      8      9     10 

Number of blocks type    Unmovable      Movable 
Node 0, zone      DMA            1            7 
Node 1, zone   Normal           11          231 

Number of mixed blocks    Unmovable      Movable 
Node 0, zone      DMA            0            1 
)";

TEST(PagetypeinfoTest, RowsAreByZoneAndTypeInTheKernelsOrder) {
  const auto info = ParsePagetypeinfo(kPagetypeinfo, "pagetypeinfo");
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->pageblock_order, 9);
  const std::vector<PagetypeRow>& rows = info->zones.at({1, "Normal"});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].type, "Unmovable");
  EXPECT_THAT(rows[0].free_blocks, ElementsAre(5, 6, 7));
  EXPECT_EQ(rows[0].pageblocks, 11u);
  EXPECT_EQ(rows[1].type, "Movable");
  EXPECT_THAT(rows[1].free_blocks, ElementsAre(8, 9, 10));
  EXPECT_EQ(rows[1].pageblocks, 231u);
}

TEST(PagetypeinfoTest, CountTheKernelStoppedAtIsMarked) {
  const auto info = ParsePagetypeinfo(kPagetypeinfo, "pagetypeinfo");
  ASSERT_TRUE(info.ok()) << info.status();
  const PagetypeRow& movable = info->zones.at({0, "DMA"})[1];
  EXPECT_THAT(movable.free_blocks, ElementsAre(100000, 3, 4));
  EXPECT_THAT(movable.capped, ElementsAre(true, false, false));
}

TEST(PagetypeinfoTest, MixedBlocksOfPageOwnerAreNotTakenForPageblocks) {
  const auto info = ParsePagetypeinfo(kPagetypeinfo, "pagetypeinfo");
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->zones.at({0, "DMA"})[0].pageblocks, 1u);
  EXPECT_EQ(info->zones.at({0, "DMA"})[1].pageblocks, 7u);
}

TEST(PagetypeinfoTest, ErrorsNameLineAndField) {
  const struct {
    const char* from;
    const char* to;
    const char* message;
  } kCases[] = {
      {"order: 9", "order: nine",
       "pagetypeinfo:1: Page block order: \"nine\" is not a whole number in range"},
      {"Page block order: 9\n", "\n", "pagetypeinfo: has no line \"Page block order: N\""},
      {"     5      6      7", "     5      x      7",
       "pagetypeinfo:7: order 1: \"x\" is not a whole number in range"},
      {"11          231", "11", "pagetypeinfo:12: blocks: 1 counts, but the heading names 2 types"},
      {"11          231", "11 2e1",
       "pagetypeinfo:12: blocks of type 1: \"2e1\" is not a whole number in range"},
      {"type    Unmovable      Movable \nNode 0", "type  Unmovable  Floating \nNode 0",
       "pagetypeinfo:11: Floating: is a type that the table of free pages above does not have"},
      {"Node 1, zone   Normal           11", "Node 1, zone   Movable           11",
       "pagetypeinfo:12: zone: is not in the table of free pages above"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(Message(ParsePagetypeinfo(Replaced(kPagetypeinfo, test.from, test.to), "pagetypeinfo")),
              test.message);
  }
}

TEST(ChoiceTest, IsTheWordInBrackets) {
  EXPECT_EQ(*ParseChoice("always [madvise] never\n", "enabled"), "madvise");
  EXPECT_EQ(*ParseChoice("always defer [defer+madvise] madvise never\n", "defrag"), "defer+madvise");
}

TEST(ChoiceTest, WithoutBracketsIsAnError) {
  for (const char* text : {"", "always madvise\n", "[]", "always] [never"}) {
    EXPECT_THAT(Message(ParseChoice(text, "/sys/enabled")), HasSubstr("/sys/enabled:1: "));
  }
}

TEST(NumberTest, MayBeNegativeButNothingElse) {
  EXPECT_EQ(*ParseNumber("-5\n", "f"), -5);
  EXPECT_EQ(Message(ParseNumber("12 kB\n", "/proc/sys/vm/x")),
            "/proc/sys/vm/x:1: \"12 kB\" is not a whole number");
  EXPECT_FALSE(ParseNumber("", "f").ok());
  EXPECT_FALSE(ParseNumber("9223372036854775808", "f").ok());
}

}  // namespace
}  // namespace numasim::workloads
