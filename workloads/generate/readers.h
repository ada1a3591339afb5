// Readers: programs that read files of the disk through the page cache, one whole file after another: what
// fills a machine's memory where nobody asks for it. Owned by the Simulation. Each reader is a process and a
// path, on the LP of its CPU's node, where it counts too.
#ifndef NUMASIM_WORKLOADS_GENERATE_READERS_H_
#define NUMASIM_WORKLOADS_GENERATE_READERS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "models/kernel.h"
#include "proto/counters.h"
#include "sim/path.h"
#include "sim/random.h"
#include "sim/task.h"
#include "workloads/generate/distribution.h"
#include "workloads/generate/readers_plan.h"
#include "workloads/generate/workload_part.h"

namespace numasim::workloads {

class Readers final : public WorkloadPart {
 public:
  // A mistake, with its place, where the machine is not one that the plan is for.
  static absl::StatusOr<std::unique_ptr<Readers>> Create(Kernel& kernel, const ReadersPlan& plan,
                                                         uint64_t seed);

  void Begin(OnEnd on_end) override;

  bool ended() const override { return ended_ == readers_.size(); }
  const ReadersPlan& plan() const { return plan_; }
  // "readers.web.node0.pages" and so on.
  std::vector<MemorySystem::CounterColumn> Columns() const override;
  // Over all nodes.
  int64_t counter(ReadersCounter c) const;
  double ShareDone(sim::SimTime now) const override;
  std::vector<const Process*> LiveProcesses() const override;

 private:
  // Its path has it.
  struct Reader {
    Reader(std::string name, CpuId cpu, Node& its_node, sim::RandomStream stream)
        : process(std::move(name)), node(its_node), random(stream) {
      process.cpu = cpu;
    }

    Process process;
    Node& node;
    sim::RandomStream random;
  };
  using Counters = std::array<int64_t, ReadersCounter_ARRAYSIZE>;

  Readers(Kernel& kernel, const ReadersPlan& plan, uint64_t seed);

  sim::Task<void> Run(sim::Path& path, Reader& reader);
  sim::Task<bool> Spawn(sim::Path& path, Reader& reader);
  sim::Task<void> ReadUntilEnd(sim::Path& path, Reader& reader);
  sim::Task<void> ReadOne(sim::Path& path, Reader& reader);
  sim::Task<void> Exit(sim::Path& path, Reader& reader);
  sim::Task<void> TakeCpu(sim::Path& path, Reader& reader);
  void LeaveCpu(sim::Path& path, Reader& reader);

  Counters& CountersOf(const Reader& reader) { return counters_[static_cast<size_t>(reader.node.id.value)]; }

  Kernel& kernel_;
  const ReadersPlan plan_;
  const Zipf popularity_;       // of the files, from 1
  std::vector<int64_t> sizes_;  // of the files, in bytes
  OnEnd on_end_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<Counters> counters_;  // by node, each on its LP
  size_t ended_ = 0;                // of the paths; on the global LP
};

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_GENERATE_READERS_H_
