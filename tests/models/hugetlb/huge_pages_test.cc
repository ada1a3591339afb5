// The table of huge pages, and its free lists beside a plain list.
#include "models/hugetlb/huge_pages.h"

#include <algorithm>
#include <list>
#include <vector>

#include "gtest/gtest.h"
#include "sim/random.h"

namespace numasim {
namespace {

constexpr Pfn kGigantic{uint64_t{3} << 18};

TEST(HugePageStoreTest, EveryFrameOfAPageLeadsToItsHead) {
  HugePageStore pages(Pfn{uint64_t{8} << 18});
  pages.Add(Pfn{1024}, HugeSize::k2M);
  pages.Add(kGigantic, HugeSize::k1G);
  EXPECT_EQ(pages.HeadOf(Pfn{1023}), kNoPfn);
  EXPECT_EQ(pages.HeadOf(Pfn{1024 + 511}), Pfn{1024});
  EXPECT_EQ(pages.HeadOf(Pfn{1536}), kNoPfn);
  EXPECT_EQ(pages.HeadOf(kGigantic + 1), kGigantic);
  EXPECT_EQ(pages.HeadOf(kGigantic + (1 << 18) + -1), kGigantic);
  EXPECT_EQ(pages.HeadOf(kGigantic + (1 << 18)), kNoPfn);
  EXPECT_EQ(pages.HeadOf(pages.end()), kNoPfn);
  EXPECT_EQ(pages.Find(kGigantic + kPageblockPages), nullptr);
  EXPECT_NE(pages.Find(kGigantic), nullptr);
}

TEST(HugePageStoreTest, ARemovedGiganticPageLeavesNothingInside) {
  HugePageStore pages(Pfn{uint64_t{8} << 18});
  pages.Add(kGigantic, HugeSize::k1G);
  pages.Remove(kGigantic);
  EXPECT_EQ(pages.HeadOf(kGigantic + kPageblockPages), kNoPfn);
  pages.Add(kGigantic + kPageblockPages, HugeSize::k2M);
  EXPECT_EQ(pages.HeadOf(kGigantic + kPageblockPages + 5), kGigantic + kPageblockPages);
}

TEST(HugePageStoreTest, AFreshUseKnowsNothingOfTheLastOne) {
  HugePageStore pages(Pfn{4096});
  pages.Add(Pfn{512}, HugeSize::k2M);
  HugePage& page = pages.Use(Pfn{512});
  page.anon = page.temporary = page.restore_reserve = true;
  page.index = 7;
  EXPECT_EQ(pages.used(), 1);
  pages.Unuse(Pfn{512});
  EXPECT_EQ(pages.used(), 0);
  EXPECT_EQ(pages.freeing(), 1);
  const HugePage& again = pages.Use(Pfn{512});
  EXPECT_FALSE(again.anon || again.temporary || again.restore_reserve);
  EXPECT_EQ(again.index, 0u);
}

TEST(HugePageStoreDeathTest, APageThatIsHeldCannotBeFreed) {
  HugePageStore pages(Pfn{4096});
  pages.Add(Pfn{512}, HugeSize::k2M);
  ++pages.Use(Pfn{512}).refs;
  EXPECT_DEATH(pages.Unuse(Pfn{512}), "Held");
}

TEST(HugePageStoreTest, FreeListsKeepTheOrderOfAPlainList) {
  constexpr int kPages = 64;
  HugePageStore pages(Pfn{kPages * kPageblockPages});
  HugePageStore::List list;
  std::list<Pfn> reference;
  std::vector<Pfn> out;
  for (int i = 0; i < kPages; ++i) {
    out.push_back(Pfn{static_cast<uint64_t>(i * kPageblockPages)});
    pages.Add(out.back(), HugeSize::k2M);
  }
  sim::RandomStream random(1, "huge_pages_test");
  for (int step = 0; step < 20000; ++step) {
    const auto place = static_cast<std::ptrdiff_t>(random.Uniform(kPages));
    if (random.Uniform(2) == 0 && !out.empty()) {
      const auto it = out.begin() + place % std::ssize(out);
      pages.Push(list, *it);
      reference.push_front(*it);
      out.erase(it);
    } else if (!reference.empty()) {
      auto it = reference.begin();
      if (random.Uniform(2) == 0) std::advance(it, place % std::ssize(reference));
      pages.TakeOut(list, *it);
      out.push_back(*it);
      reference.erase(it);
    }
    ASSERT_EQ(list.size, std::ssize(reference));
    ASSERT_EQ(pages.freeing(), std::ssize(out));
    Pfn at = HugePageStore::First(list);
    for (const Pfn expected : reference) {
      ASSERT_EQ(at, expected) << "step " << step;
      at = pages.Next(at);
    }
    ASSERT_EQ(at, kNoPfn);
  }
}

}  // namespace
}  // namespace numasim
