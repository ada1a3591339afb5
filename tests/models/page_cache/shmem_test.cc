// Files of shared memory by themselves.
#include "models/page_cache/shmem.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace numasim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr NodeId kNode0{0}, kNode1{1};

TEST(ShmemFilesTest, AFileIsFoundAtItsHomeOnly) {
  ShmemFiles files(2);
  const FileId id = files.TakeId(kNode1);
  ShmemFile& file = files.Make(id);
  EXPECT_EQ(files.FindFile(id), &file);
  EXPECT_EQ(files.Find(id), &file.mapping);
  EXPECT_EQ(files.Find(FileId{id.value, kNode0}), nullptr);
  EXPECT_EQ(files.IdOf(static_cast<uint64_t>(id.value)), id);
  EXPECT_EQ(files.IdOf(static_cast<uint64_t>(id.value) + 1), kNoFile);
}

TEST(ShmemFilesTest, TheLastMapperTakesThePagesAway) {
  ShmemFiles files(2);
  const FileId id = files.TakeId(kNode0);
  Mapping& file = files.Make(id).mapping;
  for (const uint16_t process : {7, 3}) file.AddMapper(process);
  file.Insert(1, Pfn{11});
  file.Insert(0, Pfn{10});
  const ShmemFiles::Dropped first = files.DropMapper(id, 7);
  EXPECT_FALSE(first.gone);
  EXPECT_THAT(first.pages, IsEmpty());
  const ShmemFiles::Dropped last = files.DropMapper(id, 3);
  EXPECT_TRUE(last.gone);
  EXPECT_THAT(last.pages, ElementsAre(Folio(Pfn{10}), Folio(Pfn{11})));
  EXPECT_EQ(files.Find(id), nullptr);
}

TEST(ShmemFilesTest, AFileStaysAsLongAsANameAnOpenOrAMappingRefersToIt) {
  for (int last = 0; last < 3; ++last) {
    ShmemFiles files(1);
    const FileId id = files.TakeId(kNode0);
    ShmemFile& file = files.Make(id);
    file.linked = true;
    file.opens = 1;
    file.mapping.AddMapper(1);
    for (int i = 1; i <= 3; ++i) {
      EXPECT_FALSE(files.DropIfUnused(id).gone);
      const int what = (last + i) % 3;
      if (what == 0) file.linked = false;
      if (what == 1) file.opens = 0;
      if (what == 2) file.mapping.DropMapper(1);
    }
    EXPECT_TRUE(files.DropIfUnused(id).gone);
  }
}

TEST(ShmemFilesTest, ANumberIsGivenAgainOnlyWhenItWasReturned) {
  ShmemFiles files(2);
  const FileId first = files.TakeId(kNode0);
  files.Make(first).mapping.AddMapper(1);
  files.DropMapper(first, 1);
  EXPECT_NE(files.TakeId(kNode1).value, first.value);
  files.ReturnId(first);
  EXPECT_EQ(files.IdOf(static_cast<uint64_t>(first.value)), kNoFile);
  EXPECT_EQ(files.TakeId(kNode1), (FileId{first.value, kNode1}));
}

TEST(ShmemFilesTest, ThereAreAsManyNumbersAsFramesCanTellApart) {
  ShmemFiles files(1);
  for (int i = 0; i < ShmemFiles::kMaxFiles; ++i) ASSERT_NE(files.TakeId(kNode0), kNoFile);
  EXPECT_EQ(files.TakeId(kNode0), kNoFile);
  EXPECT_EQ(files.files(), ShmemFiles::kMaxFiles);
  files.ReturnId(FileId{77, kNode0});
  EXPECT_EQ(files.TakeId(kNode0).value, 77);
}

// Whatever the order in which they were made.
TEST(ShmemFilesTest, FilesAreWalkedByHomeAndNumber) {
  ShmemFiles files(2);
  std::vector<FileId> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(files.TakeId(i % 3 == 0 ? kNode1 : kNode0));
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) files.Make(*id);
  std::vector<std::pair<NodeId, int32_t>> walked;
  files.ForEachFile([&](FileId id, const ShmemFile&) { walked.emplace_back(id.home, id.value); });
  EXPECT_EQ(walked.size(), ids.size());
  EXPECT_TRUE(std::is_sorted(walked.begin(), walked.end()));
}

}  // namespace
}  // namespace numasim
