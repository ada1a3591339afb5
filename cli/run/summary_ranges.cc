#include "cli/run/summary_ranges.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/text/size_text.h"
#include "cli/text/text_table.h"
#include "cli/text/time_text.h"
#include "models/hotplug/obstacles.h"

namespace numasim {
namespace {

// Obstacles that are shown of a kind of memory.
constexpr size_t kShownObstacles = 3;

// Operations that want a range of memory: what stood in the way of one is among what failed.
bool WantsRange(std::string_view operation) {
  constexpr std::string_view kNames[] = {"offline_block", "virtio_mem", "cma_alloc"};
  return std::find(std::begin(kNames), std::end(kNames), operation) != std::end(kNames);
}

// "anon,pinned 64.0 MiB; kernel 2.0 MiB", the one that kept the most first.
std::string InTheWay(const Obstacles& obstacles, const std::function<std::string(int64_t)>& amount) {
  if (obstacles.empty()) return "nothing";
  std::vector<std::pair<Obstacle, int64_t>> all(obstacles.begin(), obstacles.end());
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (size_t i = 0; i < std::min(all.size(), kShownObstacles); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : "; ", all[i].first.Text(), " ", amount(all[i].second));
  }
  if (all.size() > kShownObstacles)
    absl::StrAppend(&text, "; and ", all.size() - kShownObstacles, " more kinds");
  return text;
}

std::string PagesForPeople(int64_t pages) { return SizeForPeople(pages * kPageSize); }

// What all requests asked for, what came of it, and what stood in the way of what did not.
void PrintRequests(const VirtioMemDriver& device, std::ostream& out) {
  const int64_t more = device.counter(VIRTIO_MEM_ASKED_MORE);
  const int64_t back = device.counter(VIRTIO_MEM_ASKED_BACK);
  if (more == 0 && back == 0) return;
  const int64_t unplug_ns = device.counter(VIRTIO_MEM_UNPLUG_NS);
  Table table;
  table.AddRow({"virtio-mem in all", "asked for", "moved", "tried in vain", "time", "in the way"});
  if (more > 0)
    table.AddRow({"given", PagesForPeople(more), PagesForPeople(device.counter(VIRTIO_MEM_GIVEN)),
                  PagesForPeople(0), TimeText(device.counter(VIRTIO_MEM_NS) - unplug_ns), "nothing"});
  if (back > 0)
    table.AddRow({"taken back", PagesForPeople(back), PagesForPeople(device.counter(VIRTIO_MEM_RETURNED)),
                  PagesForPeople(device.counter(VIRTIO_MEM_STAYED)), TimeText(unplug_ns),
                  InTheWay(device.stayed(), PagesForPeople)});
  table.Print(/*width=*/0, out);
}

}  // namespace

void PrintRanges(const std::vector<workloads::Simulation::Operations>& all, std::ostream& out) {
  workloads::OperationTable ranges;
  for (const workloads::Simulation::Operations& operations : all) {
    for (const auto& [name, stats] : operations.table) {
      if (WantsRange(name)) ranges[name].Merge(stats);
    }
  }
  if (ranges.empty()) return;
  Table table;
  table.AddRow({"ranges", "tried", "failed", "mean", "99%", "max"});
  for (const auto& [name, stats] : ranges) {
    const sim::Histogram& took = stats.latency();
    table.AddRow({std::string(name), absl::StrCat(stats.tried()), absl::StrCat(stats.all_failed()),
                  TimeText(std::llround(took.mean())), TimeText(took.Quantile(0.99)), TimeText(took.max())});
  }
  table.Print(/*width=*/0, out);
}

void PrintOfflining(const Kernel& kernel, std::ostream& out) {
  Table table;
  table.AddRow({"offlining", "blocks tried", "went", "stayed", "came online", "time", "in the way"});
  bool any = false;
  for (int n = 0; n < kernel.memory().node_count(); ++n) {
    const MemoryHotplug::Outcomes& node = kernel.hotplug().outcomes(NodeId{n});
    const auto count = [&node](HotplugCounter c) { return absl::StrCat(node.counters[c]); };
    if (node.counters[OFFLINE_TRIED] == 0 && node.counters[BLOCKS_ONLINED] == 0) continue;
    table.AddRow({absl::StrCat("node ", n), count(OFFLINE_TRIED), count(BLOCKS_OFFLINED),
                  count(OFFLINE_FAILED), count(BLOCKS_ONLINED), TimeText(node.counters[OFFLINE_NS]),
                  InTheWay(node.stayed, [](int64_t blocks) { return absl::StrCat(blocks); })});
    any = true;
  }
  if (any) table.Print(/*width=*/0, out);
}

void PrintVirtioMem(const VirtioMemDriver* device, std::ostream& out) {
  if (device == nullptr) return;
  const auto size = [device](VirtioMemCounter c) { return PagesForPeople(device->counter(c)); };
  Table table;
  table.AddRow({"virtio-mem", "can have", "asked for", "plugged", "requests not met", "time on requests"});
  table.AddRow({absl::StrCat("node ", device->zone().node().value), PagesForPeople(device->max_pages()),
                size(VIRTIO_MEM_REQUESTED), size(VIRTIO_MEM_PLUGGED),
                absl::StrCat(device->counter(VIRTIO_MEM_FAILED)), TimeText(device->counter(VIRTIO_MEM_NS))});
  table.Print(/*width=*/0, out);
  PrintRequests(*device, out);
}

}  // namespace numasim
