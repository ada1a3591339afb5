// Records the memory of a running Linux machine as a scenario's Machine, so that a study can start from one's
// own server: nodes, distances and CPUs from hwloc; zones, watermarks, PCP lists, free blocks, huge page
// pools and knobs from /proc and /sys. The machine is only read. On a busy machine the files are of slightly
// different moments; where two of them must agree, the free lists win (see TakeSnapshot).
#ifndef NUMASIM_WORKLOADS_MACHINE_SNAPSHOT_H_
#define NUMASIM_WORKLOADS_MACHINE_SNAPSHOT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/scenario.pb.h"

namespace numasim::workloads {

// Where to look. By default, the machine this program runs on.
struct SnapshotSource {
  std::string root;          // directory that has the machine's proc/ and sys/; empty: /
  std::string topology_xml;  // hwloc XML of the same machine; empty: ask hwloc for the machine this runs on
};

struct Snapshot {
  std::string kernel_release;      // "6.1.0-28-amd64"
  Machine machine;                 // zones, not nodes: it starts as found, not empty
  std::vector<std::string> notes;  // what is missing or was renumbered, a sentence each
  // Settings found that a Machine has no field for, as "khugepaged/pages_to_scan: 4096".
  std::vector<std::string> other_settings;
  std::vector<std::string> files;  // that were read
};

// Fails, naming file, line and field, if a file that every Linux has cannot be read, if any file is
// malformed, if files contradict each other (a zone on a node that hwloc does not know), or if the machine is
// one that numasim does not model (base pages other than 4 KiB, pageblocks other than 2 MiB).
// /proc/pagetypeinfo, which needs root, the huge page pools and the THP settings may be absent: then a note
// says so.
//
// Each zone's free_total and free count what its free_blocks hold. If the machine keeps allocating while it
// is read, so that /proc/pagetypeinfo and /proc/buddyinfo differ even after a few tries, the former is taken.
absl::StatusOr<Snapshot> TakeSnapshot(const SnapshotSource& source);

// The machine as text, which a scenario's `snapshot_file` reads, with the notes and other settings as
// comments.
std::string SnapshotText(const Snapshot& snapshot);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_MACHINE_SNAPSHOT_H_
