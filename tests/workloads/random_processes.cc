#include "tests/workloads/random_processes.h"

#include <iterator>
#include <utility>

#include "workloads/script.h"
#include "workloads/text.h"

namespace numasim::workloads {

Op RandomProcesses::Numbered(Op op) {
  op.line = ++line_;
  op.text = ToString(op);
  return op;
}

Op RandomProcesses::Next() {
  for (;;) {
    if (std::optional<Op> op = TryMake()) return Numbered(*std::move(op));
  }
}

std::vector<Op> RandomProcesses::Finish() {
  std::vector<Op> ops;
  for (const Process& process : processes_) ops.push_back({.process = process.name, .kind = ExitOp()});
  processes_.clear();
  for (Op& op : FinishMore()) ops.push_back(std::move(op));
  for (Op& op : ops) op = Numbered(std::move(op));
  return ops;
}

std::vector<Op> RandomProcesses::Ops(int count) {
  std::vector<Op> ops;
  for (int i = 0; i < count; ++i) ops.push_back(Next());
  for (Op& op : Finish()) ops.push_back(std::move(op));
  return ops;
}

RandomProcesses::Process* RandomProcesses::AnyProcess() {
  return processes_.empty() ? nullptr : &processes_[static_cast<size_t>(Draw(std::ssize(processes_)))];
}

std::optional<Op> RandomProcesses::MakeProcess(int most, int spawn_one_in) {
  const bool room = std::cmp_less(processes_.size(), most);
  Process* const process = AnyProcess();
  if (process == nullptr || (room && OneIn(spawn_one_in))) {
    processes_.push_back({Cat("p", spawned_++), {}});
    return Op{.kind = SpawnOp{processes_.back().name}};
  }
  if (room && !OneIn(3)) {
    Process child = {Cat("p", spawned_++), process->mappings};
    Op op = {.process = process->name, .kind = ForkOp{child.name}};
    processes_.push_back(std::move(child));
    return op;
  }
  Op op = {.process = process->name, .kind = ExitOp()};
  processes_.erase(processes_.begin() + (process - processes_.data()));
  return op;
}

std::optional<Op> RandomProcesses::MakeOfProcess(int cpus) {
  Process* const process = AnyProcess();
  if (process == nullptr) return std::nullopt;
  if (OneIn(2)) return Op{.process = process->name, .kind = CpuOp{static_cast<int>(Draw(cpus))}};
  return Op{.process = process->name, .kind = PolicyOp{AnyPolicy()}};
}

}  // namespace numasim::workloads
