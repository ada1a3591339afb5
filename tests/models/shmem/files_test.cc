// Files of the tmpfs: how long they live, and what meets a truncation, a hole or an unlink under way.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/base/errno.h"
#include "models/page_cache/shmem.h"
#include "models/shmem/shmem.h"
#include "tests/models/shmem/tmpfs_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

class TmpfsTest : public TmpfsMachine, public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }
};

TEST_F(TmpfsTest, AFileIsFoundByItsNameAndOutlivesWhoMadeIt) {
  machine_.Run(
      "spawn p\nspawn q\n@p cpu 1\n@p map s 64K shmem file=x\n@p touch s\n@p exit\n"
      "@q cpu 2\n@q map t 64K shmem file=/shm/x\n@q touch t r");
  EXPECT_EQ(Sum(NR_SHMEM), 16);
  EXPECT_EQ(FileOf("q").home, NodeId{1});
  machine_.Run("unlink /shm/x");
  EXPECT_EQ(Sum(NR_SHMEM), 16) << "mapped and open still";
  machine_.Run("@q unmap t");
  EXPECT_EQ(Sum(NR_SHMEM), 0);
  EXPECT_EQ(files().files(), 0);
}

// Who opens a file that somebody makes just now waits for no lock of it.
TEST_F(TmpfsTest, WhoFindsAFileFindsItsSize) {
  constexpr int kTries = 60;
  constexpr int64_t kBytes = 64 * 1024;
  Shmem& shmem = machine_.kernel().shmem();
  const sim::LpId node = machine_.memory().node(NodeId{0}).lp;
  int found = 0;
  for (int i = 0; i < kTries; ++i) {
    const std::string name = absl::StrCat("n", i);
    machine_.engine().Start(node, machine_.engine().now() + sim::Microseconds(1), "make",
                            [&](sim::Path& path) -> sim::Task<void> {
                              const ShmemOpened made = co_await shmem.Open(path, name, kBytes, CpuId{0});
                              co_await shmem.CloseFile(path, made.file, CpuId{0});
                            });
    machine_.engine().Start(node, machine_.engine().now() + sim::Nanoseconds(50 * i), "find",
                            [&](sim::Path& path) -> sim::Task<void> {
                              const ShmemOpened opened =
                                  co_await shmem.OpenExisting(path, name, ShmemFile::Mount::kTmpfs);
                              if (opened.error != Errno::kOk) co_return;
                              ++found;
                              EXPECT_EQ(files().FileAt(opened.file).bytes, kBytes) << i;
                              co_await shmem.CloseFile(path, opened.file, CpuId{0});
                            });
    ASSERT_TRUE(machine_.engine().Run().ok());
    machine_.Run(absl::StrCat("unlink /shm/", name));
  }
  EXPECT_GT(found, 0);
  EXPECT_LT(found, kTries) << "no one came before the file";
}

TEST_F(TmpfsTest, AMapGrowsAFileAndNeverShrinksIt) {
  machine_.Run("spawn p\n@p map a 64K shmem file=x\n@p map b 128K shmem file=x\n@p map c 32K shmem file=x");
  EXPECT_EQ(files().FileAt(FileOf("p")).bytes, 128 * 1024);
  EXPECT_EQ(machine_.Run("@p touch b").touch->sigbus, 0);
}

TEST_F(TmpfsTest, APinBehindTheEndFails) {
  machine_.Run("spawn p\n@p map s 64K shmem file=x\n@p truncate s 32K");
  EXPECT_EQ(machine_.Run("@p pin s 16K 32K").error, Errno::kFault);
  EXPECT_EQ(machine_.Run("@p pin s 0 32K").error, Errno::kOk);
}

TEST_F(TmpfsTest, AFileWithoutANameIsFoundByNobody) {
  machine_.Run("spawn p\nspawn q\n@p map s 64K shmem\n@q map s 64K shmem\n@p touch s\n@q touch s");
  EXPECT_EQ(Sum(NR_SHMEM), 32);
  EXPECT_EQ(machine_.Run("unlink /shm/s").error, Errno::kNoEnt);
}

TEST_F(TmpfsTest, AMapThatFailsLeavesTheFileButNoOpen) {
  machine_.Run("spawn p");
  EXPECT_EQ(machine_.Run("@p map s 64K shmem file=x policy=bind").error, Errno::kInval);
  EXPECT_EQ(files().names().size(), 1u);
  machine_.Run("@p unmap s\nunlink /shm/x");
  EXPECT_EQ(files().files(), 0);
}

TEST_F(TmpfsTest, ThereIsNoOtherDirectory) {
  machine_.Run("spawn p");
  EXPECT_EQ(machine_.Run("@p map s 64K shmem file=/shn/x").error, Errno::kNoEnt);
  EXPECT_EQ(machine_.Run("@p map s 64K shmem file=/shm/d/x").error, Errno::kNoEnt);
  EXPECT_EQ(machine_.Run("unlink /shm/d/x").error, Errno::kNoEnt);
}

TEST_F(TmpfsTest, FallocateWithoutMemoryGivesBackWhatItAdded) {
  machine_.Run("spawn p\n@p map s 100M shmem file=x\n@p touch s 0 64K\n@p policy bind:0");
  EXPECT_EQ(machine_.Run("@p fallocate s 0 90M").error, Errno::kKilled);
  EXPECT_EQ(Sum(NR_SHMEM), 16);
  machine_.Run("spawn q\n@q map s 100M shmem file=x");
  EXPECT_EQ(machine_.Run("@q touch s 0 64K r").touch->ok, 16);
}

TEST_F(TmpfsTest, WhoUnmapsDuringAMadviseRemoveDoesNotTakeTheFileAway) {
  machine_.Run("spawn p\nspawn q\n@q cpu 1\n@p map s 1M shmem file=x\n@q map t 1M shmem file=x\n@q touch t");
  machine_.Run("@p unmap s\nunlink /shm/x");
  // q is the last that has it; a thread of q unmaps while another makes a hole.
  const FileId file = FileOf("q");
  StartOn("q", sim::Duration{0}, [&](sim::Path& path, Process& q) -> sim::Task<void> {
    co_await machine_.ops().Advise(path, q, kFirst, kFirst + 64, Advice::kRemove);
  });
  RunAll();
  EXPECT_EQ(Sum(NR_SHMEM), 256 - 64);
  EXPECT_EQ(files().FileAt(file).opens, 1);
}

// ---- a fault that meets a truncation ----

// A file of node 0; the process on node 1 faults its pages in and lets go of them while that on node 2
// truncates it, beginning at different moments.
class TruncatedFile : public TmpfsMachine {
 public:
  TruncatedFile() {
    machine_.Run(
        "spawn p\nspawn q\nspawn r\n@q cpu 1\n@r cpu 2\n@p map s 256K shmem file=x\n@q map s 256K shmem "
        "file=x\n"
        "@r map s 256K shmem file=x\n@p touch s");
  }

  void Race(sim::Duration at, bool write) {
    const FileId file = FileOf("p");
    StartOn("q", sim::Duration{0}, [&](sim::Path& path, Process& q) -> sim::Task<void> {
      while (!done_) {
        co_await machine_.ops().Advise(path, q, kFirst, kFirst + 64, Advice::kDontneed);
        for (int64_t page = 16; page < 64 && !done_; page += 16) {
          const uint64_t begin = (kFirst + page).value << kPageShift;
          const bool before = !truncated_;
          const TouchCounts counts =
              co_await machine_.ops().Touch(path, q, {begin, begin + kPageSize, kPageSize, write});
          sigbus_ += counts.sigbus;
          if (before && truncated_) ++met_;
        }
      }
    });
    StartOn("r", at, [&, file](sim::Path& path, Process& r) -> sim::Task<void> {
      truncated_ = true;
      co_await machine_.kernel().shmem().Truncate(path, file, 64 * 1024, r.cpu);
      done_ = true;
    });
    RunAll();
  }

  int64_t met() const { return met_; }
  int64_t sigbus() const { return sigbus_; }
  // What is left of the file, and of entries for it behind its end.
  int64_t LeftBehindTheEnd() {
    int64_t left = 0;
    files().At(FileOf("p")).ForEachPage([&](uint64_t index, Pfn) { left += index >= 16; });
    for (const char* name : {"p", "q", "r"}) {
      machine_.process(name).space.page_table().Walk(kFirst + 16, kFirst + 64,
                                                     [&](Vpn, const Entry&, int) { ++left; });
    }
    return left;
  }
  std::vector<std::string> Problems() { return machine_.Problems(); }

 private:
  bool truncated_ = false, done_ = false;
  int64_t met_ = 0, sigbus_ = 0;
};

class TruncationRaceTest : public ::testing::TestWithParam<bool> {};

TEST_P(TruncationRaceTest, AFaultOnItsWayHomeLeavesNoEntryBehindTheEnd) {
  int64_t met = 0, sigbus = 0;
  for (int64_t at = 0; at < 6000; at += 100) {
    TruncatedFile file;
    file.Race(sim::Nanoseconds(at), GetParam());
    EXPECT_EQ(file.LeftBehindTheEnd(), 0) << at;
    EXPECT_THAT(file.Problems(), IsEmpty()) << at;
    met += file.met();
    sigbus += file.sigbus();
  }
  EXPECT_GT(met, 0) << "no fault met the truncation";
  EXPECT_GT(sigbus, 0) << "no fault came too late";
}

INSTANTIATE_TEST_SUITE_P(Accesses, TruncationRaceTest, ::testing::Bool());

}  // namespace
}  // namespace numasim
