// Who may map a page of an anon_vma (anon_vma_fork, anon_vma_clone of Linux 6.1).
#include "models/address_space/anon_vmas.h"

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kProcesses = 1000;

TEST(AnonVmasTest, ProcessesThatWereNotForkedHaveNothingInCommon) {
  AnonVmas anon_vmas(kProcesses);
  const AnonVmaId a = anon_vmas.Add(3);
  const AnonVmaId b = anon_vmas.Add(4);
  EXPECT_THAT(anon_vmas.ProcessesOf(a), ElementsAre(3));
  EXPECT_THAT(anon_vmas.ProcessesOf(b), ElementsAre(4));
}

TEST(AnonVmasTest, AChildMayMapWhatItsParentHadAndNotTheOtherWayRound) {
  AnonVmas anon_vmas(kProcesses);
  const AnonVmaId p = anon_vmas.Add(1);
  const AnonVmaId c = anon_vmas.Fork(1, 2);
  const AnonVmaId d = anon_vmas.Fork(1, 3);
  const AnonVmaId e = anon_vmas.Fork(2, 4);
  EXPECT_THAT(anon_vmas.ProcessesOf(p), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(anon_vmas.ProcessesOf(c), ElementsAre(2, 4));
  EXPECT_THAT(anon_vmas.ProcessesOf(d), ElementsAre(3));
  EXPECT_THAT(anon_vmas.ProcessesOf(e), ElementsAre(4));
}

TEST(AnonVmasTest, AParentThatEndsLeavesItsPagesToItsChildren) {
  AnonVmas anon_vmas(kProcesses);
  const AnonVmaId p = anon_vmas.Add(1);
  anon_vmas.Fork(1, 2);
  anon_vmas.Fork(1, 3);
  anon_vmas.Remove(1);
  EXPECT_THAT(anon_vmas.ProcessesOf(p), ElementsAre(2, 3));
  anon_vmas.Remove(2);
  anon_vmas.Remove(3);
  EXPECT_THAT(anon_vmas.ProcessesOf(p), IsEmpty());
  EXPECT_EQ(anon_vmas.count(), 0);
}

TEST(AnonVmasTest, GenerationsThatForkAndEndDoNotHeapUpAnonVmas) {
  AnonVmas anon_vmas(kProcesses);
  anon_vmas.Add(0);
  for (int i = 0; i < 500; ++i) {
    anon_vmas.Fork(static_cast<uint16_t>(i % 2), static_cast<uint16_t>((i + 1) % 2));
    anon_vmas.Remove(static_cast<uint16_t>(i % 2));
    EXPECT_LE(anon_vmas.count(), 2);
  }
}

TEST(AnonVmasTest, AServersChildrenShareOnlyWhatItHad) {
  AnonVmas anon_vmas(kProcesses);
  const AnonVmaId server = anon_vmas.Add(0);
  std::vector<AnonVmaId> children;
  for (uint16_t i = 1; i < 500; ++i) children.push_back(anon_vmas.Fork(0, i));
  EXPECT_EQ(anon_vmas.ProcessesOf(server).size(), 500u);
  for (uint16_t i = 1; i < 500; ++i) EXPECT_THAT(anon_vmas.ProcessesOf(children[i - 1u]), ElementsAre(i));
}

// Ids may end before processes do: what is found then are more processes, never fewer.
TEST(AnonVmasTest, WithoutIdsAChildSharesItsParents) {
  AnonVmas anon_vmas(UINT16_MAX - 2);
  const AnonVmaId p = anon_vmas.Add(1);
  anon_vmas.Fork(1, 2);
  anon_vmas.Fork(1, 3);
  EXPECT_EQ(anon_vmas.Fork(1, 4), p);
  EXPECT_THAT(anon_vmas.ProcessesOf(p), ElementsAre(1, 2, 3, 4));
}

// Against a plain model that keeps, for each page, who maps it.
TEST(AnonVmasTest, EveryProcessThatMapsAPageIsFoundFromIt) {
  AnonVmas anon_vmas(kProcesses);
  std::mt19937 random(7);
  struct Page {
    AnonVmaId anon_vma;
    std::set<uint16_t> mappers;
  };
  std::vector<Page> pages;
  std::map<uint16_t, AnonVmaId> processes;
  const auto any = [&] {
    auto it = processes.begin();
    std::advance(it, static_cast<int>(random() % processes.size()));
    return it->first;
  };
  for (int step = 0; step < 20'000; ++step) {
    const uint32_t what = random() % 10;
    const auto fresh = static_cast<uint16_t>(random() % 60);
    if (processes.empty() || (what == 0 && !processes.contains(fresh))) {
      if (!processes.contains(fresh)) processes[fresh] = anon_vmas.Add(fresh);
    } else if (what <= 3 && !processes.contains(fresh)) {
      const uint16_t parent = any();
      processes[fresh] = anon_vmas.Fork(parent, fresh);
      for (Page& page : pages) {
        if (page.mappers.contains(parent)) page.mappers.insert(fresh);
      }
    } else if (what <= 6) {
      const uint16_t ends = any();
      anon_vmas.Remove(ends);
      processes.erase(ends);
      for (Page& page : pages) page.mappers.erase(ends);
      std::erase_if(pages, [](const Page& page) { return page.mappers.empty(); });
    } else {
      const uint16_t writer = any();
      pages.push_back({processes[writer], {writer}});
    }
    if (step % 50 != 0) continue;
    for (const Page& page : pages) {
      for (const uint16_t mapper : page.mappers) ASSERT_TRUE(anon_vmas.Has(page.anon_vma, mapper)) << step;
    }
    ASSERT_LE(anon_vmas.count(), static_cast<int64_t>(3 * processes.size() + 1));
  }
}

}  // namespace
}  // namespace numasim
