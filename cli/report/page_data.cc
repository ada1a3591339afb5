#include "cli/report/page_data.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/dump/pageblock_stretches.h"
#include "cli/report/page_json.h"
#include "cli/statistics/percentile.h"

namespace numasim {
namespace {

// What a page has room for; of what is left out it gets the number. `numasim dump` shows all.
constexpr size_t kMostLanes = 100;      // in the table
constexpr size_t kMostDrawnLanes = 30;  // on the time line
constexpr size_t kMostLocks = 100;
constexpr size_t kMostOperations = 200;
constexpr size_t kMostMaps = 64;         // of pageblocks, one for each zone
constexpr uint64_t kMostCells = 16'384;  // of one of these

// JSON numbers of an array, each the difference to the one before.
class Deltas {
 public:
  void Add(int64_t value) { AddNumber(value, std::exchange(previous_, value)); }
  // `value` less `base`, which may be further apart than 64 bits tell.
  void AddNumber(int64_t value, int64_t base) {
    int64_t difference = 0;
    if (!text_.empty()) text_ += ',';
    if (__builtin_sub_overflow(value, base, &difference)) {
      absl::StrAppend(&text_, static_cast<double>(value) - static_cast<double>(base));
    } else {
      absl::StrAppend(&text_, difference);
    }
    all_zero_ = all_zero_ && difference == 0;
    all_one_ = all_one_ && difference == 1;
  }
  bool all_zero() const { return all_zero_; }
  bool all_one() const { return all_one_; }
  std::string Array() const { return absl::StrCat("[", text_, "]"); }

 private:
  std::string text_;
  int64_t previous_ = 0;
  bool all_zero_ = true;
  bool all_one_ = true;
};

// A column's rows in which it changes: "r" how many rows on from the last such (absent: 1 each), "a" the
// earlier extreme less the value before, "b" the later less the earlier, "c" the last value less the later
// (absent: 0).
std::string ColumnChangesJson(const ThinnedSamples& samples, size_t column) {
  Deltas gaps, earlier, later, last;
  int64_t value = 0;
  int64_t row_before = -1;
  for (size_t i = 0; i < samples.rows(); ++i) {
    const ThinnedCell& cell = samples.row(i)[column];
    if (cell == ThinnedCell::Of(value)) continue;
    gaps.AddNumber(static_cast<int64_t>(i), row_before);
    row_before = static_cast<int64_t>(i);
    earlier.AddNumber(cell.earlier, value);
    later.AddNumber(cell.later, cell.earlier);
    last.AddNumber(cell.last, cell.later);
    value = cell.last;
  }
  std::string json = absl::StrCat(",\"a\":", earlier.Array());
  if (!gaps.all_one()) absl::StrAppend(&json, ",\"r\":", gaps.Array());
  if (!later.all_zero()) absl::StrAppend(&json, ",\"b\":", later.Array());
  if (!last.all_zero()) absl::StrAppend(&json, ",\"c\":", last.Array());
  return json;
}

bool Changes(const ThinnedSamples& samples, size_t column) {
  const ThinnedCell first =
      samples.rows() == 0 ? ThinnedCell() : ThinnedCell::Of(samples.row(0)[column].last);
  for (size_t i = 0; i < samples.rows(); ++i) {
    if (samples.row(i)[column] != first) return true;
  }
  return false;
}

std::string ColumnJson(const trace::Column& column, const ThinnedSamples& samples, size_t index) {
  Json json = {{"name", column.name()}, {"unit", column.unit()}};
  if (column.gauge()) json["gauge"] = true;
  if (column.has_more_is_worse()) json["worse"] = column.more_is_worse();
  const bool changes = Changes(samples, index);
  if (!changes) json["value"] = samples.rows() == 0 ? 0 : samples.row(0)[index].last;
  std::string text = PrintJson(json);
  if (!changes) return text;
  text.pop_back();
  return absl::StrCat(text, ColumnChangesJson(samples, index), "}");
}

// "times": of the rows; "stretch": 0 where each is a sample.
std::string CountersJson(const ReportTrace& trace) {
  Deltas times;
  for (const int64_t time_ns : trace.counters.times()) times.Add(time_ns);
  std::string json = absl::StrCat("\"stretch\":", trace.counters.stretch_ns(), ",\"times\":", times.Array(),
                                  ",\"columns\":[");
  for (int i = 0; i < trace.header.column_size(); ++i) {
    absl::StrAppend(&json, i == 0 ? "" : ",",
                    ColumnJson(trace.header.column(i), trace.counters, static_cast<size_t>(i)));
  }
  return json + "]";
}

// Four buckets to a power of two: [least value, count, least value, count, ...].
Json BucketsJson(const trace::Histogram& histogram) {
  std::vector<std::pair<int64_t, uint64_t>> merged;
  int64_t key_before = -1;
  for (const trace::Histogram::Bucket& bucket : histogram.bucket()) {
    const auto low = static_cast<uint64_t>(std::max<int64_t>(bucket.low(), 0));
    const int shift = std::max(static_cast<int>(std::bit_width(low)) - 3, 0);
    const auto key = static_cast<int64_t>((static_cast<uint64_t>(shift) << 3) + (low >> shift));
    if (key != key_before) merged.emplace_back(static_cast<int64_t>((low >> shift) << shift), 0);
    key_before = key;
    merged.back().second += bucket.count();
  }
  Json json = Json::array();
  for (const auto& [low, count] : merged) {
    json.push_back(low);
    json.push_back(count);
  }
  return json;
}

Json TimesJson(const trace::Histogram& histogram, uint64_t count) {
  if (count == 0) return nullptr;
  return {{"mean", static_cast<double>(histogram.sum()) / static_cast<double>(count)},
          {"p99", Percentile(histogram, 99)},
          {"max", histogram.max()},
          {"buckets", BucketsJson(histogram)}};
}

Json LaneJson(const EventLane& lane, bool drawn) {
  Json json = {{"kind", Clipped(lane.kind(), kMostReason)},
               {"reason", Clipped(lane.reason(), kMostReason)},
               {"example", Clipped(lane.example(), kMostReason)},
               {"failure", lane.failure()},
               {"count", lane.count()},
               {"first", lane.first_ns()},
               {"last", lane.last_ns()},
               {"stretch", lane.stretch_ns()}};
  if (!drawn) return json;
  Json& marks = json["marks"] = Json::array();
  int64_t before_ns = 0;
  for (const EventLane::Mark& mark : lane.marks()) {
    marks.push_back(mark.time_ns - std::exchange(before_ns, mark.time_ns));
    marks.push_back(mark.count);
  }
  return json;
}

Json LanesJson(const EventLanes& all) {
  const std::vector<const EventLane*> lanes = all.ByCount();
  Json json = Json::array();
  for (size_t i = 0; i < std::min(lanes.size(), kMostLanes); ++i)
    json.push_back(LaneJson(*lanes[i], i < kMostDrawnLanes));
  return {{"shown", std::move(json)}, {"of", lanes.size()}};
}

Json LocksJson(std::vector<trace::LockStats> locks) {
  // Those first that cost most: by the time that was waited for them, then held.
  std::stable_sort(locks.begin(), locks.end(), [](const trace::LockStats& a, const trace::LockStats& b) {
    return std::pair(a.wait_ns().sum(), a.hold_ns().sum()) > std::pair(b.wait_ns().sum(), b.hold_ns().sum());
  });
  Json json = Json::array();
  for (size_t i = 0; i < std::min(locks.size(), kMostLocks); ++i) {
    const trace::LockStats& lock = locks[i];
    json.push_back({{"name", lock.name()},
                    {"place", lock.lp()},
                    {"kind", lock.kind()},
                    {"acquired", lock.acquired()},
                    {"contended", lock.contended()},
                    {"wait", TimesJson(lock.wait_ns(), lock.contended())},
                    {"hold", TimesJson(lock.hold_ns(), lock.acquired())}});
  }
  return {{"shown", std::move(json)}, {"of", locks.size()}};
}

// As the trace has them: by script, then of the whole machine, which comes first here.
Json OperationsJson(std::vector<trace::OperationStats> operations) {
  std::stable_partition(operations.begin(), operations.end(),
                        [](const trace::OperationStats& of) { return !of.has_script(); });
  Json json = Json::array();
  for (size_t i = 0; i < std::min(operations.size(), kMostOperations); ++i) {
    const trace::OperationStats& operation = operations[i];
    uint64_t failed = 0;
    std::string reasons;
    for (const trace::FailureCount& reason : operation.failed()) {
      failed += reason.count();
      absl::StrAppend(&reasons, reasons.empty() ? "" : ", ", reason.count(), " ", reason.reason());
    }
    json.push_back({{"script", operation.script()},
                    {"operation", operation.operation()},
                    {"tried", operation.tried()},
                    {"failed", failed},
                    {"reasons", Clipped(reasons, kMostReason)},
                    {"took", TimesJson(operation.latency_ns(), operation.tried())}});
  }
  return {{"shown", std::move(json)}, {"of", operations.size()}};
}

Json ScriptsJson(const trace::Header& header) {
  Json scripts = Json::array();
  size_t room = kMostTextOfScenario;
  for (const trace::Script& script : header.script()) {
    scripts.push_back({{"name", script.name()}, {"text", Clipped(script.text(), room)}});
    room -= std::min(room, script.text().size());
  }
  return scripts;
}

// Makes one cell of `per` pageblocks, of the use that most of them have, and joins neighbours of one use:
// [use, cells, use, cells, ...].
class PageblockCells {
 public:
  explicit PageblockCells(uint64_t per) : per_(per) {}

  void Add(trace::PageblockMap::Use use, uint64_t count) {
    while (count > 0) {
      // Whole cells of a long run at once.
      const uint64_t whole = filled_ == 0 ? count / per_ : 0;
      if (whole > 0) Join(use, whole);
      count -= whole * per_;
      const uint64_t part = std::min(count, per_ - filled_);
      in_cell_[use] += part;
      filled_ += part;
      count -= part;
      if (filled_ == per_) EndCell();
    }
  }

  Json Runs() {
    if (filled_ > 0) EndCell();
    Json json = Json::array();
    for (const auto& [use, cells] : runs_) {
      json.push_back(use);
      json.push_back(cells);
    }
    return json;
  }

 private:
  void EndCell() {
    const auto most = std::max_element(in_cell_.begin(), in_cell_.end());
    Join(static_cast<int>(most - in_cell_.begin()), 1);
    in_cell_ = {};
    filled_ = 0;
  }
  void Join(int use, uint64_t cells) {
    if (!runs_.empty() && runs_.back().first == use) {
      runs_.back().second += cells;
    } else {
      runs_.emplace_back(use, cells);
    }
  }

  const uint64_t per_;
  std::array<uint64_t, trace::PageblockMap::Use_ARRAYSIZE> in_cell_ = {};
  uint64_t filled_ = 0;
  std::vector<std::pair<int, uint64_t>> runs_;
};

// Null of a map that no run wrote: with more pageblocks than a zone can have.
Json PageblockMapJson(const trace::PageblockMap& map) {
  constexpr uint64_t kMostPageblocks = uint64_t{1} << 32;
  std::array<uint64_t, trace::PageblockMap::Use_ARRAYSIZE> totals = {};
  uint64_t all = 0;
  const std::vector<PageblockStretch> runs = PageblockStretches(map);
  for (const PageblockStretch& run : runs) {
    if (run.count > kMostPageblocks - all) return nullptr;
    totals[run.use] += run.count;
    all += run.count;
  }
  const uint64_t per = std::bit_ceil(std::max<uint64_t>((all + kMostCells - 1) / kMostCells, 1));
  PageblockCells cells(per);
  for (const PageblockStretch& run : runs) cells.Add(run.use, run.count);
  return {{"zone", Clipped(map.zone(), kMostReason)},
          {"first", map.first_pfn()},
          {"per", per},
          {"totals", totals},
          {"runs", cells.Runs()}};
}

Json PageblocksJson(const std::vector<trace::PageblockMap>& maps) {
  Json json = Json::array();
  for (size_t i = 0; i < maps.size() && i < kMostMaps; ++i) {
    Json map = PageblockMapJson(maps[i]);
    if (!map.is_null()) json.push_back(std::move(map));
  }
  return json;
}

// All of a trace but its counters.
Json FactsJson(const ReportTrace& trace) {
  const trace::Header& header = trace.header;
  return {{"label", trace.label},
          {"path", trace.path},
          {"scenario", header.scenario_name()},
          {"text", Clipped(header.scenario(), kMostTextOfScenario)},
          {"scripts", ScriptsJson(header)},
          {"version", header.program_version()},
          {"seed", absl::StrCat(header.seed())},  // more than a number of JavaScript holds
          {"interval", header.sampling_interval_ns()},
          {"end", trace.end_ns},
          {"samples", trace.samples},
          {"events", trace.events},
          {"endedBy", trace.ended_by},
          {"cut", trace.cut},
          {"lanes", LanesJson(trace.lanes)},
          {"operations", OperationsJson(trace.operations)},
          {"locks", LocksJson(trace.locks)},
          {"pageblocks", PageblocksJson(trace.pageblocks)}};
}

// The trace's JSON, of at most `most_bytes` if thinning can do that.
std::string TraceJson(ReportTrace& trace, size_t most_bytes) {
  std::string facts = PrintJson(FactsJson(trace));
  facts.pop_back();
  while (true) {
    std::string json = absl::StrCat(facts, ",", CountersJson(trace), "}");
    if (json.size() <= most_bytes || trace.counters.rows() < 2) return json;
    trace.counters.Thin();
  }
}

}  // namespace

std::string PageData(const std::vector<std::unique_ptr<ReportTrace>>& traces, size_t most_bytes) {
  std::string json = "{\"traces\":[";
  for (size_t i = 0; i < traces.size(); ++i) {
    // What a trace does not need is for those that follow.
    const size_t room = (most_bytes - std::min(json.size(), most_bytes)) / (traces.size() - i);
    absl::StrAppend(&json, i == 0 ? "" : ",", TraceJson(*traces[i], room));
  }
  return json + "]}";
}

}  // namespace numasim
