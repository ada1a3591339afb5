// Failure: what the trace tells of something that could not be had or done. The models fill it in and
// MemorySystem::LogFailure() logs it; texts are made of it where the trace is written. proto/trace.proto says
// what each field means.
#ifndef NUMASIM_MODELS_BASE_FAILURE_H_
#define NUMASIM_MODELS_BASE_FAILURE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "models/base/errno.h"
#include "models/base/huge_size.h"
#include "models/base/types.h"

namespace numasim {

// The kinds of events that the models log in the trace.
enum class LogKind : int32_t {
  kAllocationFailed = 1,
  kHugetlbFailed = 2,    // huge pages that could not be had
  kContigFailed = 3,     // a range that could not be allocated
  kDissolveFailed = 4,   // a huge page in a range that was neither replaced nor taken
  kMigrationFailed = 5,  // a page that could not be moved away
  kOfflineFailed = 6,    // a memory block that stayed online
  kCmaFailed = 7,        // an allocation from a CMA area
  kGuestFailed = 8,      // a guest of the workload that did not get its memory
  kJobFailed = 9,        // a job of a batch log that did not get its memory, or that cannot run at all
  kOomKill = 10,         // a process that was killed for want of memory
  kLast = kOomKill
};

// As traces name it: "alloc_failed".
constexpr const char* LogKindName(LogKind kind) {
  switch (kind) {
    case LogKind::kAllocationFailed:
      return "alloc_failed";
    case LogKind::kHugetlbFailed:
      return "hugetlb_failed";
    case LogKind::kContigFailed:
      return "contig_failed";
    case LogKind::kDissolveFailed:
      return "dissolve_failed";
    case LogKind::kMigrationFailed:
      return "migration_failed";
    case LogKind::kOfflineFailed:
      return "offline_failed";
    case LogKind::kCmaFailed:
      return "cma_failed";
    case LogKind::kGuestFailed:
      return "guest_failed";
    case LogKind::kJobFailed:
      return "job_failed";
    case LogKind::kOomKill:
      return "oom_kill";
  }
  return "unknown";
}

// Who has a frame, and who keeps it in its place.
struct FrameUser {
  enum class Kind : uint8_t {
    kUnknown,
    kFree,
    kPcpList,
    kReserved,
    kKernel,
    kAnon,
    kShmem,
    kPageTable,
    kHugetlb2M,
    kHugetlb1G,
    kContig,
    kOffline,
    kFile
  };
  enum class Held : uint8_t { kNo, kPinned, kMigrating };
  Kind kind = Kind::kUnknown;
  Held held = Held::kNo;

  constexpr const char* kind_name() const {
    constexpr const char* kNames[] = {"unknown", "free",    "PCP list",   "reserved",   "kernel",
                                      "anon",    "shmem",   "page table", "hugetlb-2M", "hugetlb-1G",
                                      "contig",  "offline", "file"};
    return kNames[static_cast<size_t>(kind)];
  }
  constexpr const char* held_name() const {
    constexpr const char* kNames[] = {"", "pinned", "migrating"};
    return kNames[static_cast<size_t>(held)];
  }
  // "anon,pinned"
  std::string Text() const {
    return held == Held::kNo ? kind_name() : std::string(kind_name()) + "," + held_name();
  }
  friend constexpr auto operator<=>(const FrameUser&, const FrameUser&) = default;
};

struct Failure {
  LogKind kind = LogKind::kAllocationFailed;
  Errno error = Errno::kOk;
  // Texts of the program, which live for ever.
  const char* function = "";
  const char* reason = "";  // empty: the function has no other
  // The nodes that were asked and had nothing; those that the machine lacks do not count.
  NodeMask nodes = {};
  NodeId preferred = kNoNode;
  std::optional<int> order = {};
  std::optional<HugeSize> size = {};
  FrameUser user = {};
  std::string area = {};
  std::string victim = {};  // the process that was killed
  // What is of this one failure.
  Pfn start = kNoPfn;
  int64_t range_pages = 0;
  Pfn pfn = kNoPfn;
  std::optional<int64_t> pages = {};
  std::optional<int64_t> got = {};
  std::string tasks = {};  // who could have been killed, and what each has
};

}  // namespace numasim

#endif  // NUMASIM_MODELS_BASE_FAILURE_H_
