// RecordedGuest: what the programs inside a recorded machine take beside what their script maps. A simulated
// process has nothing but its mappings; where a script is compared with a recording that shows: pages that
// move and that a program writes to by itself shift those of its mappings by one frame or not, and whether
// holes are at even frames or at odd ones decides what compaction finds (docs/compaction.md).
//
// The numbers are those of the recorder, the same in every recording: a process that exits gives back
// 21 or 22 pages (AnonPages of its nodes), of which it got the last three by its first operation, whatever
// that is, and its first `map`; its first `read` adds the buffer of 128 KiB, and each `pipes` a page.
//
// Such a page is anonymous, can move, and nothing simulated refers to it; it is known by its program's
// number.
#ifndef NUMASIM_WORKLOADS_RECORDED_GUEST_H_
#define NUMASIM_WORKLOADS_RECORDED_GUEST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "models/base/folio.h"
#include "models/kernel.h"
#include "models/physical/zone.h"
#include "sim/path.h"
#include "sim/task.h"
#include "workloads/operations.h"
#include "workloads/script_runner.h"

namespace numasim::workloads {

class RecordedGuest {
 public:
  explicit RecordedGuest(Kernel& kernel) : kernel_(kernel), recorder_("recorder") { recorder_.id = kNoTask; }

  // `runner` has just performed `op`. Begins and ends on any LP.
  sim::Task<void> Follow(sim::Path& path, const Op& op, const ScriptRunner& runner);

 private:
  static constexpr int64_t kBySpawn = 19, kByFork = 14, kByFirst = 1, kByMap = 2, kByRead = 32, kByPipes = 1;
  static constexpr int64_t kBySetting = 1;  // the recorder itself, by the first setting that it writes

  struct Program {
    uint64_t number = 0;
    CpuId cpu;          // where it was seen last
    int64_t pages = 0;  // that it has
    bool has_begun = false;
    bool has_mapped = false;
    bool has_read = false;
  };

  sim::Task<void> AfterSystemOp(sim::Path& path, const Op& op, const ScriptRunner& runner);
  sim::Task<void> AfterProcessOp(sim::Path& path, const Op& op, const ScriptRunner& runner);
  static int64_t NewPages(Program& program, const OpKind& kind);
  sim::Task<void> Add(sim::Path& path, const std::string& name, int64_t pages, const ScriptRunner& runner);
  sim::Task<int64_t> Give(sim::Path& path, const Process& process, const MemPolicy& policy, uint64_t number,
                          int64_t pages);
  sim::Task<void> ReadSmaps(sim::Path& path, const Process& process);
  sim::Task<void> TakeBack(sim::Path& path, Program& program);
  static bool HasPage(const Zone& zone, uint64_t number, const FrameStore::Head& head);
  static std::vector<Folio> PagesOn(const Zone& zone, uint64_t number);

  Kernel& kernel_;
  Process recorder_;
  bool has_written_ = false;
  absl::btree_map<std::string, Program> programs_;
  uint64_t programs_so_far_ = 0;
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_RECORDED_GUEST_H_
