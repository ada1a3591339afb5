// Several random scripts at the same time on one machine, in phases between which nothing runs; khugepaged
// too, where there are transparent huge pages. For tests.
#ifndef NUMASIM_TESTS_MODELS_CONTIG_CONTIG_STREAMS_H_
#define NUMASIM_TESTS_MODELS_CONTIG_CONTIG_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/models/contig/contig_layouts.h"
#include "tests/models/test_machine.h"
#include "workloads/operations.h"
#include "workloads/script_runner.h"

namespace numasim {

// Behaviours that a scenario can set to what they were before Linux 5.13; and whether memory may have
// transparent huge pages.
struct Knobs {
  bool workqueue = false, locked = false, racing = false, fails = false, mutex = false;
  bool thp = false;
  ZeroPageRefs zero_page_refs = ZeroPageRefs::kMm;

  static Knobs Of(int bits) {
    return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0};
  }
  int bits() const { return workqueue + 2 * locked + 4 * racing + 8 * fails + 16 * mutex; }
  KernelConfig kernel() const;
  std::string Name() const;
};
void PrintTo(const Knobs& knobs, std::ostream* out);

// Whose CPU the operations of the system are performed on: in a script they all share CPU 0, so that none
// begins while another goes on.
enum class SystemCpu : uint8_t { kCpu0, kOfTheStream };

class Streams {
 public:
  using Script = std::vector<workloads::Op>;
  static constexpr size_t kPhase = 25;  // operations of each

  // With kOfTheStream each stream has a CPU of its own, as far as there are so many, for its processes too.
  Streams(const ContigLayout& layout, const Knobs& knobs, std::vector<Script> scripts, int threads = 1,
          SystemCpu system_cpu = SystemCpu::kCpu0);

  TestMachine& machine() { return machine_; }
  size_t operations() const { return longest_; }  // of the longest stream
  int64_t total_operations() const;

  // Runs the phase that begins with that operation, to its end. Fails where something is left running, or the
  // state is not as it must be.
  void RunPhase(size_t from);
  std::vector<std::string> Problems() const;
  // What other streams left to the pools goes, and then nothing is in use.
  void Finish();
  // The operations up to the end of the phase, to be found again.
  std::string Text(size_t from) const;

 private:
  struct CmaRange {
    CmaArea* area;
    Pfn start;
    int64_t pages;
  };

  Khugepaged& khugepaged() { return machine_.kernel().thp().khugepaged(); }
  CpuId CpuOf(size_t stream) { return CpuId{static_cast<int32_t>(stream) % machine_.memory().cpu_count()}; }
  sim::Task<void> Perform(sim::Path& path, size_t stream, const workloads::Op& op);
  // Takes and gives back ranges and resizes pools, on the stream's CPU. False: it is no such operation.
  sim::Task<bool> PerformSystem(sim::Path& path, size_t stream, const workloads::Op& op);
  sim::Task<void> AllocCma(sim::Path& path, size_t stream, const workloads::CmaAllocOp& op);
  sim::Task<void> ReleaseCma(sim::Path& path, size_t stream, const workloads::CmaReleaseOp& op);
  sim::Task<void> Offline(sim::Path& path, CpuId cpu, const workloads::OfflineBlockOp& op);

  TestMachine machine_;
  SystemCpu system_cpu_;
  int64_t used_at_boot_;
  std::map<std::pair<size_t, std::string>, CmaRange> cma_ranges_;  // by stream and name
  std::vector<Script> scripts_;
  std::vector<std::unique_ptr<workloads::ScriptRunner>> runners_;
  size_t longest_ = 0;
};

}  // namespace numasim

#endif  // NUMASIM_TESTS_MODELS_CONTIG_CONTIG_STREAMS_H_
