#include "tests/workloads/finished_run.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace numasim {

workloads::LoadedScenario LoadScenarioText(const std::string& text,
                                           const workloads::ScenarioReaders& readers) {
  auto loaded = workloads::ParseScenario("test.textproto", text, readers);
  EXPECT_TRUE(loaded.ok()) << loaded.status() << "\nin: " << text;
  return loaded.ok() ? *std::move(loaded) : workloads::LoadedScenario();
}

FinishedRun::FinishedRun(const std::string& text, const workloads::ScenarioReaders& readers, uint64_t seed,
                         int threads, sim::Scheme scheme)
    : scenario_(LoadScenarioText(text, readers)),
      path_(absl::StrCat(testing::TempDir(), "/run.", getpid(), ".pb")) {
  auto run =
      TracedRun::Create(scenario_, {.trace_path = path_, .seed = seed, .threads = threads, .scheme = scheme});
  EXPECT_TRUE(run.ok()) << run.status();
  if (!run.ok()) return;
  run_ = *std::move(run);
  validator_.emplace(run_->simulation().kernel());
  const absl::Status status = run_->Run();
  EXPECT_TRUE(status.ok()) << status;
}

std::string FinishedRun::TraceText() const {
  std::ifstream in(path_, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

int64_t FinishedRun::PageblocksOf(Migratetype type) {
  int64_t pageblocks = 0;
  for (const Zone* const zone : simulation().memory().zones()) {
    const FrameStore& frames = zone->frames();
    for (FrameIndex frame = 0; frame < frames.frames(); frame += kPageblockPages)
      pageblocks += frames.pageblock_type(frame) == type ? 1 : 0;
  }
  return pageblocks;
}

void FinishedRun::CheckState() {
  EXPECT_EQ(absl::StrJoin(validator_->Check(simulation().LiveProcesses()), "\n"), "");
}

}  // namespace numasim
