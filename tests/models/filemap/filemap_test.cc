// What reads and faults of files of the disk bring into memory, and what drop_caches takes out again.
#include "models/filemap/filemap.h"

#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/test_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

// read_ahead_kb, in pages: as much is there beyond what was read.
constexpr int64_t kAhead = 32;

MachineConfig MachineWithDisk(const std::vector<int64_t>& node_pages) {
  MachineConfig config = DescribedMachine(node_pages);
  config.disk_pages = 1024 * kMiB;
  return config;
}

class FilemapTest : public ::testing::Test {
 protected:
  FilemapTest() : machine_(MachineWithDisk({256 * kMiB, 256 * kMiB})) {
    machine_.Run("machine nodes=2 node_mem=256M disk=1G\nspawn p\n@p map f 64M file file=data");
  }
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }

  int64_t cached(int node = 0) const { return machine_.counter(node, NR_FILE_PAGES); }
  int64_t inactive(int node = 0) const { return machine_.counter(node, NR_INACTIVE_FILE); }
  int64_t active(int node = 0) const { return machine_.counter(node, NR_ACTIVE_FILE); }
  int64_t RssKb(std::string_view name) {
    const workloads::OpResult result = machine_.Run(name);
    const auto stats =
        workloads::StatsOf(machine_.memory(), machine_.kernel().pool(), *result.process, *result.region);
    return stats.rss_kb;
  }

  TestMachine machine_;
};

TEST_F(FilemapTest, AReadBringsWhatItReadsAndAWindowAhead) {
  const workloads::OpResult result = machine_.Run("@p read f 0 1M");
  EXPECT_EQ(result.error, Errno::kOk);
  EXPECT_EQ(result.read, kMiB * kPageSize);
  EXPECT_EQ(cached(), kMiB + kAhead);
  EXPECT_EQ(inactive(), kMiB + kAhead);
  EXPECT_EQ(active(), 0);
}

TEST_F(FilemapTest, AReadThatGoesOnKeepsTheWindowAhead) {
  machine_.Run("@p read f 0 1M\n@p read f 1M 1M");
  EXPECT_EQ(cached(), 2 * kMiB + kAhead);
}

TEST_F(FilemapTest, NothingIsReadBeyondTheEndOfTheFile) {
  EXPECT_EQ(machine_.Run("@p read f").read, 64 * kMiB * kPageSize);
  EXPECT_EQ(cached(), 64 * kMiB);
  EXPECT_EQ(machine_.Run("@p read f 63M 8M").read, kMiB * kPageSize);
  EXPECT_EQ(machine_.Run("@p read f 64M 8M").read, 0);
  EXPECT_EQ(cached(), 64 * kMiB);
}

// For pages that come, and for pages that become active.
TEST_F(FilemapTest, TheLruLockIsTakenForEach15Pages) {
  const auto taken = [this] {
    for (const sim::LockStats* lock : machine_.engine().lock_stats()) {
      if (lock->name == "node0.lru_lock") return lock->acquisitions;
    }
    return uint64_t{0};
  };
  machine_.Run("@p read f 0 1M");
  EXPECT_EQ(taken(), cached() / LruLock::kBatch);
  machine_.Run("@p read f 0 1M");
  EXPECT_EQ(taken(), (cached() + kMiB) / LruLock::kBatch);
  machine_.Run("@p read f 0 1M");
  EXPECT_EQ(taken(), (cached() + kMiB) / LruLock::kBatch) << "they are active already";
}

TEST_F(FilemapTest, WhatIsReadTwiceIsActive) {
  machine_.Run("@p read f 0 1M\n@p read f 0 1M");
  EXPECT_EQ(active(), kMiB);
  EXPECT_EQ(machine_.counter(0, PGACTIVATE), kMiB);
  EXPECT_EQ(inactive(), cached() - kMiB);
}

TEST_F(FilemapTest, ThePolicyOfTheProcessSaysWherePagesGo) {
  machine_.Run("@p policy bind:1\n@p read f 0 1M");
  EXPECT_EQ(cached(0), 0);
  EXPECT_EQ(cached(1), kMiB + kAhead);
  machine_.Run("@p read f 0 1M");  // the file is at home on node 0, its pages are marked on theirs
  EXPECT_EQ(active(1), kMiB);
}

TEST_F(FilemapTest, AFileOutlivesWhoReadIt) {
  machine_.Run("@p read f 0 1M\n@p exit");
  EXPECT_EQ(cached(), kMiB + kAhead);
  machine_.Run("spawn q\n@q map g 1M file file=data\n@q read g");
  EXPECT_EQ(cached(), kMiB + kAhead);
  EXPECT_EQ(active(), kMiB);
}

TEST_F(FilemapTest, AnUnlinkedFileGoesWithItsLastUser) {
  machine_.Run("@p read f 0 1M\nunlink /disk/data");
  EXPECT_EQ(cached(), kMiB + kAhead);
  machine_.Run("@p exit");
  EXPECT_EQ(cached(), 0);
  EXPECT_EQ(machine_.Run("unlink /disk/data").error, Errno::kNoEnt);
}

TEST_F(FilemapTest, AReadFaultBringsPagesRoundItAndMapsThoseThatAreThere) {
  EXPECT_EQ(RssKb("@p touch f 1M 4K r"), 64);  // fault_around_bytes
  EXPECT_EQ(cached(), kAhead);
}

TEST_F(FilemapTest, AWriteToAPrivateMappingCopiesThePage) {
  machine_.Run("@p touch f 0 64K");
  EXPECT_EQ(machine_.counter(0, NR_ANON_PAGES), 16);
  EXPECT_EQ(cached(), 16 + kAhead / 2);
  machine_.Run("@p fork c\n@c touch f 0 64K");
  EXPECT_EQ(machine_.counter(0, NR_ANON_PAGES), 32);
  machine_.Run("@c exit\n@p unmap f");
  EXPECT_EQ(machine_.counter(0, NR_ANON_PAGES), 0);
  EXPECT_EQ(cached(), 16 + kAhead / 2);
}

TEST_F(FilemapTest, AWriteToASharedMappingUsesThePage) {
  machine_.Run("@p map s 64K file file=data shared\n@p touch s");
  EXPECT_EQ(machine_.counter(0, NR_ANON_PAGES), 0);
  EXPECT_EQ(cached(), 16 + kAhead / 2);
}

TEST_F(FilemapTest, PagesThatAMappingUsedAreMarkedWhenItGoes) {
  machine_.Run("@p map s 1M file file=data shared\n@p touch s r\n@p unmap s");
  EXPECT_EQ(active(), 0);
  machine_.Run("@p map s 1M file file=data shared\n@p touch s r\n@p unmap s 0 512K");
  EXPECT_EQ(active(), kMiB / 2);
}

TEST_F(FilemapTest, DropCachesLeavesWhatIsMapped) {
  machine_.Run("@p read f 0 8M\n@p touch f 0 1M r\ndrop_caches 2");
  EXPECT_EQ(cached(), 8 * kMiB + kAhead);
  machine_.Run("drop_caches 1");
  EXPECT_EQ(cached(), kMiB);
  machine_.Run("@p unmap f\ndrop_caches 3");
  EXPECT_EQ(cached(), 0);
  EXPECT_EQ(inactive() + active(), 0);
}

TEST_F(FilemapTest, TruncationTakesPagesAndAccessesBeyondAreSigbus) {
  machine_.Run("@p read f 0 8M\n@p touch f 0 8M r\n@p truncate f 1M");
  EXPECT_EQ(cached(), kMiB);
  EXPECT_EQ(machine_.Run("@p touch f 0 2M r").touch->sigbus, kMiB);
}

TEST_F(FilemapTest, FallocateTakesNoMemory) {
  EXPECT_EQ(machine_.Run("@p fallocate f 0 128M").error, Errno::kOk);
  EXPECT_EQ(cached(), 0);
  EXPECT_EQ(machine_.Run("@p read f 100M 1M").read, kMiB * kPageSize);
  EXPECT_EQ(machine_.Run("@p fallocate f 0 2G").error, Errno::kNoSpc);
}

TEST_F(FilemapTest, PagesOfFilesMove) {
  machine_.Run("@p map s 8M file file=data shared\n@p read s\n@p read s 0 1M\n@p touch s 0 8M r");
  const workloads::OpResult result = machine_.Run("@p move s 1");
  EXPECT_EQ(result.moved->moved, 8 * kMiB);
  EXPECT_EQ(cached(1), 8 * kMiB);
  EXPECT_EQ(active(1), kMiB);  // a page takes its past along
  EXPECT_EQ(RssKb("@p touch s r"), 8 * 1024);
}

}  // namespace
}  // namespace numasim
