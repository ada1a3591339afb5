// Whole runs, each at a size and at ten times that size: what they cost must grow with the work and no
// faster. check_scaling.py compares the two and judges.
//
// A run is what `numasim run` does, on one thread: the scenario's text is parsed, the machine built,
// everything simulated and the trace written.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/run/traced_run.h"
#include "workloads/scenario.h"

namespace numasim {
namespace {

// A scenario whose only script is `script`, `copies` times at once.
struct Work {
  std::string machine;
  std::string script;
  int64_t copies = 1;
  std::string kernel = {};
};

std::string Nodes(int64_t count, const std::string& memory, int64_t cpus) {
  std::string nodes;
  for (int64_t n = 0; n < count; ++n)
    absl::StrAppend(&nodes, "node { memory: '", memory, "' cpus: ", cpus, " }\n");
  return nodes;
}

// Lines for i = 0 .. n-1, each made of what is given, with i between.
template <typename... Parts>
void Repeat(std::string& script, int64_t n, const Parts&... parts) {
  for (int64_t i = 0; i < n; ++i) {
    const auto part = [i](const auto& p) { return p(i); };
    absl::StrAppend(&script, part(parts)...);
    script += '\n';
  }
}
auto Text(std::string text) {
  return [text](int64_t) { return text; };
}
std::string Number(int64_t i) { return absl::StrCat(i); }
auto Times(int64_t factor) {
  return [factor](int64_t i) { return absl::StrCat(factor * i); };
}

Work Maps(int64_t n) {
  std::string s = "spawn p\n";
  Repeat(s, n, Text("@p map m"), Number, Text(" 4K anon"));
  return {Nodes(2, "64G", 2), s + "@p exit\n"};
}
Work Unmaps(int64_t n) {
  Work work = Maps(n);
  work.script.resize(work.script.size() - std::string("@p exit\n").size());
  Repeat(work.script, n, Text("@p unmap m"), Number);
  return work;
}
Work SharedMaps(int64_t n) {
  std::string s = "spawn p\n";
  Repeat(s, n, Text("@p map m"), Number, Text(" 4K shmem"));
  Repeat(s, n, Text("@p touch m"), Number);
  s += "@p fork q\n@q exit\n";
  return {Nodes(2, "64G", 2), s + "@p exit\n"};
}
// A mapping cut into n parts, which then become one again.
Work Splits(int64_t n) {
  std::string s = absl::StrCat("spawn p\n@p map a ", 8 * n, "K anon\n");
  Repeat(s, n, Text("@p protect a "), Times(8), Text("K 4K r"));
  Repeat(s, n, Text("@p protect a "), Times(8), Text("K 4K rw"));
  return {Nodes(2, "64G", 2), s};
}
Work Pins(int64_t n) {
  std::string s = absl::StrCat("spawn p\n@p map a ", 4 * n, "K anon\n@p touch a\n");
  Repeat(s, n, Text("@p pin a "), Times(4), Text("K 4K"));
  return {Nodes(2, "64G", 2), s + "@p unpin a\n@p exit\n"};
}
Work Processes(int64_t n) {
  std::string s;
  Repeat(s, n, Text("spawn p"), Number);
  Repeat(s, n, Text("@p"), Number, Text(" map a 64K anon"));
  Repeat(s, n, Text("@p"), Number, Text(" touch a"));
  Repeat(s, n, Text("@p"), Number, Text(" exit"));
  return {Nodes(2, "64G", 2), s};
}
// Children that share private memory, shared memory and a file of huge pages with their parent.
Work Forks(int64_t n) {
  std::string s =
      "pool 2M all 4\nspawn p\n@p map a 64K anon\n@p touch a\n@p map s 64K shmem\n@p touch s\n"
      "@p map h 4M hugetlb-2M shared\n@p touch h\n";
  Repeat(s, n, Text("@p fork c"), Number);
  Repeat(s, n, Text("@c"), Number, Text(" touch h"));
  Repeat(s, n, Text("@c"), Number, Text(" exit"));
  return {Nodes(2, "64G", 2), s};
}
// Pages of many processes that move out of the way of a memory block that goes offline.
Work Moves(int64_t n, const std::string& kind) {
  std::string s;
  Repeat(s, n, Text("spawn p"), Number);
  Repeat(s, n, Text("@p"), Number, Text(absl::StrCat(" map a 4K ", kind)));
  Repeat(s, n, Text("@p"), Number, Text(" touch a"));
  s += "offline_block node0 32\n";  // the first of ZONE_MOVABLE, which they fill from its start
  return {Nodes(1, "8G", 1), s, 1, "movablecore: '4G'"};
}
Work AnonMoves(int64_t n) { return Moves(n, "anon"); }
Work SharedMoves(int64_t n) { return Moves(n, "shmem"); }
// Each CPU runs a process of its own for a while.
Work Cpus(int64_t n) {
  std::string s;
  for (int64_t cpu = 0; cpu < n; ++cpu) {
    absl::StrAppend(&s, "spawn p\n@p cpu ", cpu, "\n@p map a 64K anon\n@p touch a\n@p exit\n");
  }
  return {Nodes(16, "8G", n / 16), s};
}
// Each node has a process that uses memory of its own node.
Work NodesAtWork(int64_t n) {
  std::string s;
  Repeat(s, n, Text("spawn p"), Number);
  for (int64_t i = 0; i < n; ++i) absl::StrAppend(&s, "@p", i, " cpu ", i, "\n@p", i, " map a 64M anon\n");
  Repeat(s, n, Text("@p"), Number, Text(" touch a"));
  Repeat(s, n, Text("@p"), Number, Text(" exit"));
  return {Nodes(n, "2G", 1), s};
}
Work Files(int64_t n) {
  std::string s = absl::StrCat("pool 2M all ", n, "\nspawn p\n");
  Repeat(s, n, Text("@p map m"), Number, Text(" 2M hugetlb-2M shared file=f"), Number);
  Repeat(s, n, Text("@p touch m"), Number);
  Repeat(s, n, Text("@p unmap m"), Number);
  Repeat(s, n, Text("unlink_hugetlb f"), Number);
  return {Nodes(2, "1T", 2), s};
}
Work Mounts(int64_t n) {
  std::string s;
  Repeat(s, n, Text("mount_hugetlbfs /d"), Number, Text(" pagesize=2M"));
  Repeat(s, n, Text("umount /d"), Number);
  return {Nodes(2, "64G", 2), s};
}
Work HugePages(int64_t n) {
  return {Nodes(2, "2T", 2), absl::StrCat("pool 2M all ", n, "\nspawn p\n@p map a ", 2 * n,
                                          "M hugetlb-2M file=f shared\n@p touch a\n",
                                          "@p truncate a 2M\n@p unmap a\nunlink_hugetlb f\npool 2M all 0\n")};
}
Work BasePages(int64_t n) {
  return {Nodes(2, "64G", 2), absl::StrCat("spawn p\n@p map a ", 4 * n, "K anon\n@p touch a\n@p exit\n")};
}
Work Streams(int64_t n) {
  return {Nodes(2, "64G", 2), "spawn p\n@p map a 64K anon\n@p touch a\n@p exit\n", n};
}
// Something changes in every sample of the trace.
Work Samples(int64_t n) {
  std::string s = "spawn p\n@p map a 64K anon\n";
  Repeat(s, n, Text("@p touch a\n@p advise a 0 64K dontneed\nsleep 1"));
  return {Nodes(8, "8G", 2), s};
}

void Run(const Work& work) {
  const std::string text = absl::StrCat(
      "machine {\n", work.machine,
      "}\nkernel { thp { enabled: 'never' shmem_enabled: 'deny' } max_map_count: 2147483647 ", work.kernel,
      " }\n", "workload { script { name: 's' file: 's.mm' copies: ", work.copies, " } }\n");
  const workloads::ScenarioReaders readers = {
      [&work](const std::string&) -> absl::StatusOr<std::string> { return work.script; }, nullptr};
  const auto scenario = workloads::ParseScenario("scaling.textproto", text, readers);
  const std::string trace =
      (std::filesystem::temp_directory_path() / absl::StrCat("scaling.", getpid(), ".trace.pb")).string();
  absl::Status status = scenario.status();
  if (status.ok()) {
    auto run = TracedRun::Create(*scenario, {.trace_path = trace, .seed = 1});
    status = run.ok() ? (*run)->Run() : run.status();
    // What failed for want of room would cost less than what the case is about.
    if (status.ok() && !(*run)->simulation().Failures().empty()) {
      status = absl::InternalError((*run)->simulation().Failures().front().what);
    }
  }
  std::filesystem::remove(trace);
  if (status.ok()) return;
  std::cerr << status << "\n";
  abort();
}

struct Case {
  const char* name;
  int64_t size;
  Work (*work)(int64_t n);
};

constexpr Case kCases[] = {
    {"Maps", 150'000, Maps},     {"Unmaps", 150'000, Unmaps},      {"SharedMaps", 6'000, SharedMaps},
    {"Splits", 30'000, Splits},  {"Pins", 30'000, Pins},           {"Processes", 3'200, Processes},
    {"Forks", 3'200, Forks},     {"AnonMoves", 3'000, AnonMoves},  {"SharedMoves", 3'000, SharedMoves},
    {"Cpus", 3'200, Cpus},       {"Nodes", 6, NodesAtWork},        {"Files", 20'000, Files},
    {"Mounts", 20'000, Mounts},  {"HugePages", 50'000, HugePages}, {"BasePages", 1'000'000, BasePages},
    {"Streams", 3'000, Streams}, {"Samples", 10'000, Samples},
};

void RegisterAll() {
  for (const Case& each : kCases) {
    for (const int64_t n : {each.size, 10 * each.size}) {
      const auto run = [each, n](benchmark::State& state) {
        const Work work = each.work(n);
        for (auto _ : state) Run(work);
        state.SetItemsProcessed(state.iterations() * n);
      };
      benchmark::RegisterBenchmark(absl::StrCat(each.name, "/", n).c_str(), run)
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace
}  // namespace numasim

int main(int argc, char** argv) {
  numasim::RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
