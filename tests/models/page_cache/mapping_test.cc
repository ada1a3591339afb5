// A file's pages and mappers by themselves.
#include "models/page_cache/mapping.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/random.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;

TEST(MappingTest, FindsWhatWasPutInAndNothingElse) {
  Mapping mapping;
  mapping.Insert(5, Pfn{100});
  mapping.Insert(uint64_t{1} << 29, Pfn{200});
  EXPECT_EQ(mapping.Lookup(5), Pfn{100});
  EXPECT_EQ(mapping.Lookup(uint64_t{1} << 29), Pfn{200});
  EXPECT_EQ(mapping.Lookup(4), kNoPfn);
  EXPECT_EQ(mapping.Lookup(5 + 64), kNoPfn);
  EXPECT_EQ(mapping.pages(), 2);
}

TEST(MappingTest, ReplacesOnlyThePageThatIsMeant) {
  Mapping mapping;
  mapping.Insert(5, Pfn{100});
  EXPECT_FALSE(mapping.Replace(5, Pfn{101}, Pfn{7}));
  EXPECT_FALSE(mapping.Replace(6, Pfn{100}, Pfn{7}));
  EXPECT_EQ(mapping.Lookup(5), Pfn{100});
  EXPECT_TRUE(mapping.Replace(5, Pfn{100}, Pfn{7}));
  EXPECT_EQ(mapping.Lookup(5), Pfn{7});
}

TEST(MappingTest, ARangeReachesOverLeavesAndGaps) {
  Mapping mapping;
  for (const uint64_t index : {61u, 63u, 64u, 127u, 256u}) mapping.Insert(index, Pfn{1000 + index});
  for (uint64_t first = 0; first < 260; ++first) {
    std::array<Pfn, 200> found;
    mapping.LookupRange(first, found);
    for (size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], mapping.Lookup(first + i)) << first + i;
  }
}

TEST(MappingTest, TakesAllPagesByOffset) {
  Mapping mapping;
  for (const uint64_t index : {70u, 3u, 64u}) mapping.Insert(index, Pfn{1000 + index});
  EXPECT_THAT(mapping.TakeAll(), ElementsAre(Folio(Pfn{1003}), Folio(Pfn{1064}), Folio(Pfn{1070})));
  EXPECT_EQ(mapping.pages(), 0);
  EXPECT_EQ(mapping.Lookup(3), kNoPfn);
}

TEST(MappingTest, AgreesWithAMapOfPages) {
  Mapping mapping;
  std::map<uint64_t, Pfn> pages;
  sim::RandomStream random(7, "mapping_test");
  for (int i = 0; i < 20000; ++i) {
    const uint64_t index = random.Uniform(300);
    const auto it = pages.lower_bound(index);
    const bool there = it != pages.end() && it->first == index;
    if (!there) {
      ASSERT_EQ(mapping.Lookup(index), kNoPfn);
      mapping.Insert(index, Pfn{random.Uniform(1000)});
      pages[index] = mapping.Lookup(index);
    } else if (random.Uniform(3) > 0) {
      mapping.Erase(index);
      pages.erase(it);
    } else {
      ASSERT_TRUE(mapping.Replace(index, it->second, Pfn{random.Uniform(1000)}));
      it->second = mapping.Lookup(index);
    }
    const uint64_t from = random.Uniform(310);
    const auto expected = pages.lower_bound(from);
    const std::optional<Mapping::Page> first = mapping.FirstFrom(from);
    ASSERT_EQ(first.has_value(), expected != pages.end());
    if (first.has_value()) {
      ASSERT_EQ(first->index, expected->first);
      ASSERT_EQ(first->pfn, expected->second);
    }
    ASSERT_EQ(mapping.pages(), static_cast<int64_t>(pages.size()));
  }
  std::map<uint64_t, Pfn> walked;
  mapping.ForEachPage([&](uint64_t index, Pfn pfn) { walked.emplace_hint(walked.end(), index, pfn); });
  EXPECT_EQ(walked, pages);
}

TEST(MappingTest, ARangeIsTakenWithinAndAcrossLeaves) {
  std::vector<uint64_t> all;
  for (uint64_t index = 0; index < 300; index += 3) all.push_back(index);
  for (const auto& [from, to] : {std::pair<uint64_t, uint64_t>{0, ~uint64_t{0}},
                                 {0, 1},
                                 {5, 6},
                                 {64, 128},
                                 {63, 65},
                                 {10, 250},
                                 {128, 129},
                                 {299, 1000}}) {
    Mapping mapping;
    for (const uint64_t index : all) mapping.Insert(index, Pfn{1000 + index});
    std::vector<Folio> expected;
    std::vector<uint64_t> left;
    for (const uint64_t index : all) {
      if (index >= from && index < to) {
        expected.emplace_back(Pfn{1000 + index});
      } else {
        left.push_back(index);
      }
    }
    EXPECT_EQ(mapping.TakeRange(from, to), expected) << from << " to " << to;
    std::vector<uint64_t> stays;
    mapping.ForEachPage([&](uint64_t index, Pfn) { stays.push_back(index); });
    EXPECT_EQ(stays, left) << from << " to " << to;
    EXPECT_EQ(mapping.pages(), static_cast<int64_t>(left.size())) << from << " to " << to;
  }
}

TEST(MappingTest, AHugePageIsAtEachOfItsOffsets) {
  Mapping mapping;
  mapping.Insert(511, Pfn{7});
  mapping.InsertHuge(512, Pfn{4096});
  mapping.Insert(1024, Pfn{9});
  EXPECT_EQ(mapping.pages(), 514);
  EXPECT_EQ(mapping.Lookup(511), Pfn{7});
  EXPECT_EQ(mapping.LookupHuge(511), kNoPfn);
  for (const uint64_t index : {512, 700, 1023}) {
    EXPECT_EQ(mapping.Lookup(index), Pfn{4096 + index - 512});
    EXPECT_EQ(mapping.LookupHuge(index), Pfn{4096});
  }
  std::vector<Pfn> found(4);
  mapping.LookupRange(510, found);
  EXPECT_THAT(found, ElementsAre(kNoPfn, Pfn{7}, Pfn{4096}, Pfn{4097}));
  EXPECT_TRUE(mapping.AnyIn(600, 601));
  EXPECT_FALSE(mapping.AnyIn(0, 511));
  EXPECT_TRUE(mapping.Lock(512, Pfn{4096}));
  EXPECT_TRUE(mapping.IsLocked(700));
  EXPECT_FALSE(mapping.IsLocked(1024));
  mapping.Unlock(512, Pfn{4096});
  EXPECT_FALSE(mapping.IsLocked(700));
}

TEST(MappingTest, APageIsLockedByOneAtATime) {
  Mapping mapping;
  mapping.Insert(3, Pfn{7});
  EXPECT_FALSE(mapping.Lock(3, Pfn{8})) << "another page";
  EXPECT_TRUE(mapping.Lock(3, Pfn{7}));
  EXPECT_FALSE(mapping.Lock(3, Pfn{7}));
  // A migration replaces the page that it has locked: both are, until it is over.
  EXPECT_TRUE(mapping.Replace(3, Pfn{7}, Pfn{9}));
  EXPECT_FALSE(mapping.Lock(3, Pfn{9}));
  mapping.Unlock(3, Pfn{9});
  EXPECT_TRUE(mapping.IsLocked(3)) << "not by who has it";
  mapping.Unlock(3, Pfn{7});
  EXPECT_TRUE(mapping.Lock(3, Pfn{9}));
}

TEST(MappingTest, OnlyAWholeHugePageIsTakenWithARange) {
  const auto filled = [](Mapping& mapping) {
    mapping.Insert(511, Pfn{7});
    mapping.InsertHuge(512, Pfn{4096});
    mapping.Insert(1024, Pfn{9});
  };
  Mapping part, whole, all;
  for (Mapping* const mapping : {&part, &whole, &all}) filled(*mapping);
  EXPECT_THAT(part.TakeRange(0, 1023), ElementsAre(Folio(Pfn{7})));
  EXPECT_EQ(part.pages(), 513);
  EXPECT_THAT(whole.TakeRange(512, 1025), ElementsAre(Folio(Pfn{4096}, kPageblockOrder), Folio(Pfn{9})));
  EXPECT_THAT(all.TakeAll(), ElementsAre(Folio(Pfn{7}), Folio(Pfn{4096}, kPageblockOrder), Folio(Pfn{9})));
  EXPECT_EQ(all.pages(), 0);
}

TEST(MappingTest, ASplitHugePageIsBasePagesInTheSamePlaces) {
  Mapping mapping;
  mapping.InsertHuge(512, Pfn{4096});
  mapping.SplitHuge(512);
  EXPECT_EQ(mapping.huge_pages(), 0);
  EXPECT_EQ(mapping.pages(), 512);
  EXPECT_EQ(mapping.Lookup(700), Pfn{4096 + 188});
  EXPECT_EQ(mapping.LookupHuge(700), kNoPfn);
  EXPECT_EQ(mapping.TakeRange(513, 1023).size(), 510u);
}

TEST(MappingTest, AnEvictedPageLeavesItsShadowUntilOneComesAgain) {
  Mapping mapping;
  for (uint64_t index = 0; index < 130; ++index) mapping.Insert(index, Pfn{1000 + index});
  mapping.Evict(64, {NodeId{3}, 77, false});
  mapping.Evict(66, {NodeId{kMaxNodes - 1}, 78, true});
  EXPECT_EQ(mapping.pages(), 128);
  EXPECT_EQ(mapping.Lookup(64), kNoPfn);
  EXPECT_EQ(mapping.FirstFrom(64)->index, 65u);
  ASSERT_TRUE(mapping.ShadowAt(64).has_value());
  EXPECT_EQ(mapping.ShadowAt(64)->node, NodeId{3});
  EXPECT_EQ(mapping.ShadowAt(64)->age, 77u);
  EXPECT_FALSE(mapping.ShadowAt(64)->in_workingset);
  ASSERT_TRUE(mapping.ShadowAt(66).has_value());
  EXPECT_EQ(mapping.ShadowAt(66)->node, NodeId{kMaxNodes - 1});
  EXPECT_EQ(mapping.ShadowAt(66)->age, 78u);
  EXPECT_TRUE(mapping.ShadowAt(66)->in_workingset);
  EXPECT_FALSE(mapping.ShadowAt(65).has_value());
  mapping.Insert(66, Pfn{6});
  mapping.Insert(64, Pfn{5});
  EXPECT_EQ(mapping.shadows(), 0);
  EXPECT_EQ(mapping.Lookup(64), Pfn{5});
}

// Nodes are of 64 offsets.
TEST(MappingTest, NodesThatHaveOnlyShadowsAreCounted) {
  int64_t nodes = 0;
  Mapping mapping;
  mapping.CountShadowNodes(nodes);
  for (uint64_t index = 0; index < 3 * 64; ++index) mapping.Insert(index, Pfn{1000 + index});
  const auto evict = [&mapping](uint64_t from, uint64_t to) {
    for (uint64_t index = from; index < to; ++index) mapping.Evict(index, {NodeId{0}, index, false});
  };
  evict(0, 63);
  EXPECT_EQ(nodes, 0);
  evict(63, 64);
  EXPECT_EQ(nodes, 1);
  mapping.Insert(7, Pfn{1});
  EXPECT_EQ(nodes, 0);
  mapping.Erase(7);
  EXPECT_EQ(nodes, 1);
  evict(64, 3 * 64);
  EXPECT_EQ(nodes, 3);
  mapping.TakeRange(0, 10);  // not the whole node
  EXPECT_EQ(nodes, 3);
  mapping.TakeRange(10, 64);
  EXPECT_EQ(nodes, 2);
  mapping.Insert(64, Pfn{2});
  mapping.Insert(65, Pfn{3});
  EXPECT_EQ(nodes, 1);
  mapping.TakeRange(65, 66);
  EXPECT_EQ(nodes, 1);
  mapping.TakeRange(64, 65);  // what it leaves are shadows
  EXPECT_EQ(nodes, 2);
  mapping.ForgetShadows();
  EXPECT_EQ(nodes, 0);
}

TEST(MappingTest, ShadowsGoWithTheRangeOrAllAtOnce) {
  Mapping mapping;
  for (uint64_t index = 0; index < 200; ++index) {
    mapping.Insert(index, Pfn{1000 + index});
    mapping.Evict(index, {NodeId{0}, index, false});
  }
  EXPECT_TRUE(mapping.TakeRange(10, 100).empty());
  EXPECT_EQ(mapping.shadows(), 110);
  EXPECT_TRUE(mapping.ShadowAt(9).has_value());
  EXPECT_FALSE(mapping.ShadowAt(10).has_value());
  mapping.ForgetShadows();
  EXPECT_EQ(mapping.shadows(), 0);
  EXPECT_FALSE(mapping.FirstFrom(0).has_value());
}

TEST(MappingTest, OnlyPagesThatAreThereAndMayBeMappedAreKnownAsSuch) {
  Mapping mapping;
  for (const uint64_t index : {60, 61, 63, 64, 70}) mapping.Insert(index, Pfn{index});
  mapping.NoteMapped(60, 8);
  EXPECT_FALSE(mapping.MaybeMapped(60));  // nobody maps the file
  mapping.AddMapper(1);
  for (const uint64_t index : {60, 61, 63, 64}) EXPECT_TRUE(mapping.MaybeMapped(index)) << index;
  EXPECT_FALSE(mapping.MaybeMapped(62));
  EXPECT_FALSE(mapping.MaybeMapped(70));
  mapping.NoteUnmapped(61);
  EXPECT_FALSE(mapping.MaybeMapped(61));
  mapping.Erase(63);
  mapping.Insert(63, Pfn{9});
  EXPECT_FALSE(mapping.MaybeMapped(63));
}

TEST(MappingTest, AProcessThatMapsItTwiceIsOneMapper) {
  Mapping mapping;
  for (const uint16_t process : {9, 4, 9}) mapping.AddMapper(process);
  EXPECT_EQ(mapping.mappers(), 2);
  mapping.DropMapper(9);
  mapping.DropMapper(4);
  EXPECT_FALSE(mapping.mapped());
}

// A fork while a walk is away: the child's id may be below the one that was visited last.
TEST(MappingTest, AWalkOverMappersMeetsWhoComesMeanwhileAndNobodyTwice) {
  Mapping mapping;
  for (const uint16_t process : {9, 4}) mapping.AddMapper(process);
  std::vector<uint16_t> visited;
  uint64_t next = 0;
  while (const std::optional<Mapping::Mapper> mapper = mapping.MapperFrom(next)) {
    visited.push_back(mapper->process);
    next = mapper->number + 1;
    if (mapper->process != 9) continue;
    mapping.AddMapper(2);
    mapping.DropMapper(9);
  }
  EXPECT_THAT(visited, ElementsAre(9, 4, 2));
}

}  // namespace
}  // namespace numasim
