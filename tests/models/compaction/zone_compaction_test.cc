// When a zone is left alone after compactions in vain (defer_compaction and its like, Linux 6.1).
#include "models/compaction/zone_compaction.h"

#include "gtest/gtest.h"

namespace numasim {
namespace {

// How many are left out before the next one.
int LeftOut(ZoneCompaction& zone, int order) {
  int count = 0;
  while (zone.Deferred(order)) ++count;
  return count;
}

TEST(ZoneCompactionTest, NothingIsDeferredAtFirst) {
  ZoneCompaction zone;
  EXPECT_EQ(LeftOut(zone, 9), 0);
  EXPECT_FALSE(zone.Restarting(9));
}

TEST(ZoneCompactionTest, EachFailureDoublesTheWaitUpTo64) {
  ZoneCompaction zone;
  for (const int more : {1, 3, 7, 15, 31, 63, 63}) {
    zone.Defer(9);
    EXPECT_EQ(LeftOut(zone, 9), more);
  }
  EXPECT_TRUE(zone.Restarting(9));
}

TEST(ZoneCompactionTest, ABlockThatWasServedEndsTheWait) {
  ZoneCompaction zone;
  zone.Defer(9);
  zone.Defer(9);
  zone.Helped(9, /*served=*/true);
  EXPECT_FALSE(zone.Deferred(9));
}

TEST(ZoneCompactionTest, SmallerOrdersThanTheOneThatIsKnownToWorkAreNotDeferred) {
  ZoneCompaction zone;
  zone.Defer(9);
  zone.Helped(4, /*served=*/false);
  EXPECT_FALSE(zone.Deferred(4));
  EXPECT_TRUE(zone.Deferred(9));
}

TEST(ZoneCompactionTest, TheEndOfAPageblockIsTheStartOfTheNext) {
  EXPECT_EQ(BlockStart(511), 0);
  EXPECT_EQ(BlockEnd(511), 512);
  EXPECT_EQ(BlockEnd(512), 1024);
  EXPECT_EQ(EndOfOrder(4, 2), 8);
}

}  // namespace
}  // namespace numasim
