// Huge pages of files of shared memory: what recordings of single operations cannot show. What operations one
// after another do is compared with recordings (tests/kernel_truth).
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/page_cache/shmem.h"
#include "models/shmem/shmem.h"
#include "tests/models/shmem/tmpfs_machine.h"

namespace numasim {
namespace {

using ::testing::IsEmpty;

KernelConfig WithHugeShmem() {
  KernelConfig config = TestKernel();
  config.thp.SetShmemEnabled("never");  // of the kernel's own mount; the tmpfs has huge=always
  return config;
}

class HugeShmemMachine : public TmpfsMachine {
 public:
  HugeShmemMachine() : TmpfsMachine(WithHugeShmem()) {}

 protected:
  Mapping& MappingOf(std::string_view process) { return files().At(FileOf(process)); }
};

class HugeShmemTest : public HugeShmemMachine, public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(machine_.Problems(), IsEmpty()); }
};

TEST_F(HugeShmemTest, APageIsCountedAsMappedByPmdsOnceHoweverManyThereAre) {
  machine_.Run(
      "spawn p\nspawn q\n@q cpu 1\n@p map s 4M shmem file=x\n@q map s 4M shmem file=x\n@p touch s 0 4K\n"
      "@q touch s 0 4K r");
  EXPECT_EQ(Sum(THP_FILE_ALLOC), 1);
  EXPECT_EQ(Sum(THP_FILE_MAPPED), 2);
  EXPECT_EQ(Sum(NR_SHMEM_PMDMAPPED), 1);
  machine_.Run("@p unmap s");
  EXPECT_EQ(Sum(NR_SHMEM_PMDMAPPED), 1);
  machine_.Run("@q unmap s 1M 64K");
  EXPECT_EQ(Sum(NR_SHMEM_PMDMAPPED), 0);
  EXPECT_EQ(Sum(THP_SPLIT_PMD), 1);
  EXPECT_EQ(Sum(NR_SHMEM_THPS), 1);
}

TEST_F(HugeShmemTest, AHeldPageIsNotSplitAndStaysWhole) {
  machine_.Run(
      "spawn p\n@p map s 4M shmem file=x\n@p touch s\n@p pin s 0 4K\n@p punch s 64K 64K\n@p truncate s 3M");
  EXPECT_EQ(Sum(THP_SPLIT_PAGE_FAILED), 1);
  EXPECT_EQ(Sum(THP_SPLIT_PAGE), 1) << "that at 2M, which nobody holds";
  EXPECT_EQ(Sum(NR_SHMEM), 512 + 256);
  EXPECT_EQ(machine_.Run("@p touch s 64K 64K r").touch->ok, 16);
  machine_.Run("@p unpin s\n@p punch s 64K 64K");
  EXPECT_EQ(Sum(NR_SHMEM), 512 + 256 - 16);
}

TEST_F(HugeShmemTest, BasePagesDoWhereNoHugePageIsToBeHad) {
  const std::vector<Folio> kept = machine_.Fragment(NodeId{0});
  machine_.Run("spawn p\n@p policy bind:0\n@p map s 2M shmem file=x");
  EXPECT_EQ(machine_.Run("@p touch s 0 4K").touch->ok, 1);
  EXPECT_EQ(Sum(THP_FILE_FALLBACK), 1);
  EXPECT_EQ(Sum(NR_SHMEM), 1);
  // Now the file has a page there: the kernel does not even ask.
  machine_.Run("@p touch s 4K 4K");
  EXPECT_EQ(Sum(THP_FILE_FALLBACK), 1);
  machine_.Release(CpuId{0}, kept);
}

TEST_F(HugeShmemTest, AFallocateThatFailsGivesHugePagesBackToo) {
  machine_.Run("spawn p\n@p map s 128M shmem file=x\n@p touch s 0 4K\n@p policy bind:0");
  EXPECT_EQ(machine_.Run("@p fallocate s 0 100M").error, Errno::kKilled);
  EXPECT_EQ(Sum(NR_SHMEM), 512);
  EXPECT_EQ(Sum(NR_SHMEM_THPS), 1);
}

// ---- faults that meet a truncation or a hole ----

struct Cut {
  std::string_view name;
  bool truncate;  // else a hole
  int64_t from, to;
};

// The process on node 1 maps a file of node 0 by PMDs and lets go of it, all the time, while that on node 2
// takes a part of it away.
class CutFile : public HugeShmemMachine {
 public:
  CutFile() {
    machine_.Run(
        "spawn p\nspawn q\nspawn r\n@q cpu 1\n@r cpu 2\n@p map s 4M shmem file=x policy=bind:2\n"
        "@q map s 4M shmem file=x\n@r map s 4M shmem file=x\n@p touch s\n@r touch s");
  }

  void Race(sim::Duration at, const Cut& cut) {
    const FileId file = FileOf("p");
    StartOn("q", sim::Duration{0}, [&](sim::Path& path, Process& q) -> sim::Task<void> {
      while (!done_) {
        co_await machine_.ops().Advise(path, q, kFirst, kFirst + 1024, Advice::kDontneed);
        for (int64_t page = 100; page < 1024 && !done_; page += 512) {
          const uint64_t begin = (kFirst + page).value << kPageShift;
          const bool before = !cutting_;
          co_await machine_.ops().Touch(path, q, {begin, begin + kPageSize, kPageSize, true});
          if (before && cutting_) ++met_;
        }
      }
    });
    StartOn("r", at, [&, file, cut](sim::Path& path, Process& r) -> sim::Task<void> {
      cutting_ = true;
      Shmem& shmem = machine_.kernel().shmem();
      if (cut.truncate) {
        co_await shmem.Truncate(path, file, cut.from, r.cpu);
      } else {
        co_await shmem.Punch(path, file, cut.from, cut.to - cut.from, r.cpu);
      }
      done_ = true;
    });
    RunAll();
  }

  int64_t met() const { return met_; }
  std::vector<std::string> Problems() { return machine_.Problems(); }

 private:
  bool cutting_ = false, done_ = false;
  int64_t met_ = 0;
};

class CutRaceTest : public ::testing::TestWithParam<Cut> {};

TEST_P(CutRaceTest, AFaultOnItsWayHomeLeavesNoMappingOfWhatIsGone) {
  int64_t met = 0;
  for (int64_t at = 0; at < 8000; at += 100) {
    CutFile file;
    file.Race(sim::Nanoseconds(at), GetParam());
    EXPECT_THAT(file.Problems(), IsEmpty()) << at;
    met += file.met();
  }
  EXPECT_GT(met, 0) << "no fault met it";
}

INSTANTIATE_TEST_SUITE_P(Cuts, CutRaceTest,
                         ::testing::Values(Cut{"WholeHugePage", true, 2 << 20, 0},
                                           Cut{"Within", true, 3 << 20, 0},
                                           Cut{"WholeHole", false, 0, 2 << 20},
                                           Cut{"HoleWithin", false, 64 << 10, 128 << 10}),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace numasim
