#include "workloads/script_checker.h"

#include <algorithm>

#include "workloads/nearest_name.h"
#include "workloads/operation_groups.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {

std::string ScriptChecker::Add(const Op& op) {
  ++position_;
  if (const auto* spawn = std::get_if<SpawnOp>(&op.kind)) return AddProcess(spawn->name, "P", op.line, kNone);
  if (const auto* alloc = std::get_if<CmaAllocOp>(&op.kind)) cma_ranges_.insert(alloc->name);
  if (const auto* release = std::get_if<CmaReleaseOp>(&op.kind)) return CheckRelease(release->name);
  if (op.process.empty()) return {};
  std::string problem;
  const int process = FindLive(op.process, problem);
  if (process == kNone) return problem;
  if (const auto* fork = std::get_if<ForkOp>(&op.kind)) return AddProcess(fork->child, "Q", op.line, process);
  if (std::holds_alternative<ExitOp>(op.kind)) processes_[process].exit_line = op.line;
  if (const auto* map = std::get_if<MapOp>(&op.kind)) {
    processes_[process].mapped_at.try_emplace(map->id, position_);
    return {};
  }
  if (const auto* pipes = std::get_if<PipesOp>(&op.kind)) {
    processes_[process].mapped_at.try_emplace(KeyOfPipes(pipes->pipes), position_);
    return {};
  }
  if (const auto* drain = std::get_if<DrainPipesOp>(&op.kind))
    return CheckPipes(drain->pipes, process, op.process);
  const std::string* const id = NamedMapping(op.kind);
  return id == nullptr ? std::string() : CheckMapping(*id, process, op.process);
}

// Pipes are known like mappings, by a name that no mapping can have.
std::string ScriptChecker::KeyOfPipes(const std::string& name) { return Cat("pipes ", name); }

std::string ScriptChecker::CheckPipes(const std::string& name, int process, const std::string& process_name) {
  if (KnowsMapping(process, KeyOfPipes(name))) return {};
  return Cat("PIPES: ", Quoted(name), " are no pipes that '", process_name,
             "' or a parent of it made; expected '@", process_name, " pipes ", name, " SIZE' before");
}

std::string ScriptChecker::AddProcess(const std::string& name, std::string_view field, int line, int parent) {
  const auto found = by_name_.find(name);
  if (found != by_name_.end() && processes_[found->second.process].exit_line == 0) {
    return Cat(field, ": ", Quoted(name), " is a process since line ", found->second.born_line,
               "; expected a name that no live process has");
  }
  by_name_.insert_or_assign(name, Current{static_cast<int>(processes_.size()), line});
  processes_.push_back({parent, position_, 0, {}});
  return {};
}

std::string ScriptChecker::CheckRelease(const std::string& name) const {
  if (cma_ranges_.contains(name)) return {};
  return Cat("NAME: ", Quoted(name), " is not a range that a driver took; expected 'cma_alloc AREA ", name,
             " SIZE' before");
}

int ScriptChecker::FindLive(const std::string& name, std::string& problem) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    problem = Cat("process: ", Quoted(name), " is not a process yet; expected 'spawn ", name,
                  "' or '@P fork ", name, "' before");
    return kNone;
  }
  if (const int exit_line = processes_[found->second.process].exit_line; exit_line != 0) {
    problem = Cat("process: ", Quoted(name), " is gone since its exit in line ", exit_line,
                  "; expected a live process");
    return kNone;
  }
  return found->second.process;
}

std::string ScriptChecker::CheckMapping(const std::string& id, int process, const std::string& name) {
  if (KnowsMapping(process, id)) return {};
  return Cat("ID: ", Quoted(id), " is not a mapping that '", name, "' or a parent of it made; expected '@",
             name, " map ", id, " ...' before", NearMapping(process, id));
}

// Inheritance is looked up rather than copied at each fork, so that a script of many forks parses in linear
// time. What is found is noted in every process on the way: a child of theirs finds it in one step.
bool ScriptChecker::KnowsMapping(int process, const std::string& id) {
  constexpr int kInherited = -1;
  int before = position_;
  int owner = process;
  while (owner != kNone) {
    const auto mapped = processes_[owner].mapped_at.find(id);
    if (mapped != processes_[owner].mapped_at.end() && mapped->second < before) break;
    before = processes_[owner].forked_at;
    owner = processes_[owner].parent;
  }
  if (owner == kNone) return false;
  for (int heir = process; heir != owner; heir = processes_[heir].parent)
    processes_[heir].mapped_at[id] = kInherited;
  return true;
}

std::string ScriptChecker::NearMapping(int process, const std::string& id) const {
  std::vector<std::string_view> ids;
  for (const auto& [known, position] : processes_[process].mapped_at) {
    if (known.find(' ') == std::string::npos) ids.push_back(known);
  }
  std::sort(ids.begin(), ids.end());
  return DidYouMean(id, ids);
}

}  // namespace numasim::workloads
