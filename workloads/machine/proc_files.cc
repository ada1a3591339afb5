#include "workloads/machine/proc_files.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace numasim::workloads {
namespace {

// One line of a file under parsing: its words and where it is, for errors.
struct Line {
  absl::string_view file;
  int number = 0;
  absl::string_view text;
  std::vector<absl::string_view> words;

  absl::Status Error(absl::string_view field, absl::string_view problem) const {
    return absl::InvalidArgumentError(absl::StrCat(file, ":", number, ": ", field, ": ", problem));
  }

  // Parses a word of this line as a number that fits T.
  template <typename T>
  absl::Status Number(absl::string_view word, absl::string_view field, T& value) const {
    if (absl::SimpleAtoi(word, &value)) return absl::OkStatus();
    return Error(field, absl::StrCat("\"", word, "\" is not a whole number in range"));
  }
};

std::vector<Line> SplitLines(absl::string_view text, absl::string_view file) {
  std::vector<Line> lines;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    lines.push_back({.file = file,
                     .number = ++number,
                     .text = line,
                     .words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty())});
  }
  return lines;
}

// The zone that a line "Node 0, zone    DMA32..." is about and the words that follow its name; nothing if the
// line does not begin so.
struct ZoneLine {
  ZoneKey key;
  std::vector<absl::string_view> rest;
};

absl::StatusOr<std::optional<ZoneLine>> ParseZoneLine(const Line& line) {
  if (line.words.empty() || line.words[0] != "Node") return std::optional<ZoneLine>();
  if (line.words.size() < 4 || line.words[2] != "zone") {
    return line.Error("zone", absl::StrCat("\"", line.text, "\" does not begin \"Node N, zone NAME\""));
  }
  ZoneLine result;
  absl::Status status = line.Number(absl::StripSuffix(line.words[1], ","), "Node", result.key.first);
  if (!status.ok()) return status;
  result.key.second = std::string(absl::StripSuffix(line.words[3], ","));
  result.rest.assign(line.words.begin() + 4, line.words.end());
  return std::optional<ZoneLine>(std::move(result));
}

absl::StatusOr<std::vector<uint64_t>> ParseCounts(const Line& line, absl::string_view field,
                                                  const std::vector<absl::string_view>& words) {
  std::vector<uint64_t> counts(words.size());
  for (size_t i = 0; i < words.size(); ++i) {
    absl::Status status = line.Number(words[i], absl::StrCat(field, " ", i), counts[i]);
    if (!status.ok()) return status;
  }
  return counts;
}

struct ZoneField {
  absl::string_view name;
  void (RecordedZone::*set)(uint64_t);
  bool (RecordedZone::*has)() const;
  bool boosted = false;
};

constexpr ZoneField kZoneFields[] = {
    {"free", &RecordedZone::set_free, &RecordedZone::has_free},
    {"min", &RecordedZone::set_min, &RecordedZone::has_min, true},
    {"low", &RecordedZone::set_low, &RecordedZone::has_low, true},
    {"high", &RecordedZone::set_high, &RecordedZone::has_high, true},
    {"spanned", &RecordedZone::set_spanned, &RecordedZone::has_spanned},
    {"present", &RecordedZone::set_present, &RecordedZone::has_present},
    {"managed", &RecordedZone::set_managed, &RecordedZone::has_managed},
    {"start_pfn:", &RecordedZone::set_start_pfn, &RecordedZone::has_start_pfn},
};

struct PcpField {
  absl::string_view name;
  void (PcpList::*set)(int32_t);
};

constexpr PcpField kPcpFields[] = {
    {"count:", &PcpList::set_count},
    {"high:", &PcpList::set_high},
    {"batch:", &PcpList::set_batch},
};

// Reads "protection: (0, 3019, 5323)".
absl::Status ParseProtection(const Line& line, RecordedZone& zone) {
  for (size_t i = 1; i < line.words.size(); ++i) {
    absl::string_view word = line.words[i];
    absl::ConsumePrefix(&word, "(");
    absl::ConsumeSuffix(&word, ",");
    absl::ConsumeSuffix(&word, ")");
    uint64_t pages = 0;
    absl::Status status = line.Number(word, "protection", pages);
    if (!status.ok()) return status;
    zone.add_protection(pages);
  }
  return absl::OkStatus();
}

// Takes what one line below a zone's "Node" line says. The watermarks there are raised by the zone's `boost`,
// which comes before them and does not last.
absl::Status ParseZoneDetail(const Line& line, RecordedZone& zone, uint64_t& boost) {
  std::vector<absl::string_view> words = line.words;
  if (!words.empty() && words[0] == "pages") words.erase(words.begin());  // "pages free 3840"
  if (words.size() < 2) return absl::OkStatus();
  if (words[0] == "boost") return line.Number(words[1], words[0], boost);
  if (words[0] == "protection:") return ParseProtection(line, zone);
  if (words[0] == "cpu:") {
    int32_t cpu = 0;
    absl::Status status = line.Number(words[1], words[0], cpu);
    if (status.ok()) zone.add_pcp()->set_cpu(cpu);
    return status;
  }
  for (const ZoneField& field : kZoneFields) {
    if (field.name != words[0]) continue;
    uint64_t value = 0;
    absl::Status status = line.Number(words[1], words[0], value);
    if (field.boosted) value -= std::min(value, boost);
    if (status.ok()) (zone.*field.set)(value);
    return status;
  }
  for (const PcpField& field : kPcpFields) {
    if (field.name != words[0] || zone.pcp().empty()) continue;
    int32_t value = 0;
    absl::Status status = line.Number(words[1], words[0], value);
    if (status.ok()) (zone.mutable_pcp(zone.pcp_size() - 1)->*field.set)(value);
    return status;
  }
  return absl::OkStatus();
}

// `line` is the zone's "Node" line.
absl::Status CheckComplete(const RecordedZone& zone, const Line& line) {
  for (const ZoneField& field : kZoneFields) {
    if (!(zone.*field.has)()) {
      return line.Error(absl::StrCat("zone ", zone.name(), " of node ", zone.node()),
                        absl::StrCat("has no field \"", field.name, "\""));
    }
  }
  for (const PcpList& pcp : zone.pcp()) {
    if (!pcp.has_count() || !pcp.has_high() || !pcp.has_batch()) {
      return line.Error(absl::StrCat("zone ", zone.name(), " of node ", zone.node()),
                        absl::StrCat("cpu ", pcp.cpu(), " has not all of count, high and batch"));
    }
  }
  return absl::OkStatus();
}

// Reads the words after "type": the type's name and its free blocks by order.
absl::StatusOr<PagetypeRow> ParsePagetypeRow(const Line& line, const std::vector<absl::string_view>& rest) {
  if (rest.size() < 3) return line.Error("type", "expected a migratetype and its free blocks by order");
  PagetypeRow row;
  row.type = std::string(rest[1]);
  for (size_t i = 2; i < rest.size(); ++i) {
    absl::string_view word = rest[i];
    row.capped.push_back(absl::ConsumePrefix(&word, ">"));
    absl::Status status = line.Number(word, absl::StrCat("order ", i - 2), row.free_blocks.emplace_back());
    if (!status.ok()) return status;
  }
  return row;
}

// Reads a row of the second table: pageblocks by type, in the order of its heading `types`.
absl::Status ParsePageblockRow(const Line& line, const ZoneLine& zone, const std::vector<std::string>& types,
                               Pagetypeinfo& info) {
  absl::StatusOr<std::vector<uint64_t>> counts = ParseCounts(line, "blocks of type", zone.rest);
  if (!counts.ok()) return counts.status();
  if (counts->size() != types.size()) {
    return line.Error(
        "blocks", absl::StrCat(counts->size(), " counts, but the heading names ", types.size(), " types"));
  }
  auto rows = info.zones.find(zone.key);
  if (rows == info.zones.end()) return line.Error("zone", "is not in the table of free pages above");
  for (size_t i = 0; i < types.size(); ++i) {
    auto row = std::find_if(rows->second.begin(), rows->second.end(),
                            [&](const PagetypeRow& candidate) { return candidate.type == types[i]; });
    if (row == rows->second.end()) {
      return line.Error(types[i], "is a type that the table of free pages above does not have");
    }
    row->pageblocks = (*counts)[i];
  }
  return absl::OkStatus();
}

// Where in the file the parser is.
struct PagetypeProgress {
  std::vector<std::string> block_types;  // the heading of the table of pageblocks, once seen
  bool in_mixed_blocks = false;          // in the third table, which only kernels with page_owner have
};

// Takes a line that is about no zone: the pageblock order, or a table's heading.
absl::Status ParsePagetypeHeading(const Line& line, PagetypeProgress& progress, Pagetypeinfo& info) {
  constexpr absl::string_view kOrder = "Page block order:";
  constexpr absl::string_view kBlocks = "Number of blocks type";
  constexpr absl::string_view kMixedBlocks = "Number of mixed blocks";
  if (absl::StartsWith(line.text, kOrder)) {
    return line.Number(absl::StripAsciiWhitespace(line.text.substr(kOrder.size())), "Page block order",
                       info.pageblock_order);
  }
  if (absl::StartsWith(line.text, kBlocks)) {
    progress.block_types = absl::StrSplit(line.text.substr(kBlocks.size()), ' ', absl::SkipWhitespace());
  }
  progress.in_mixed_blocks |= absl::StartsWith(line.text, kMixedBlocks);
  return absl::OkStatus();
}

absl::Status ParsePagetypeLine(const Line& line, PagetypeProgress& progress, Pagetypeinfo& info) {
  absl::StatusOr<std::optional<ZoneLine>> zone = ParseZoneLine(line);
  if (!zone.ok()) return zone.status();
  if (!zone->has_value()) return ParsePagetypeHeading(line, progress, info);
  if (progress.in_mixed_blocks) return absl::OkStatus();
  const ZoneLine& found = **zone;
  if (found.rest.empty() || found.rest[0] != "type") {
    return ParsePageblockRow(line, found, progress.block_types, info);
  }
  absl::StatusOr<PagetypeRow> row = ParsePagetypeRow(line, found.rest);
  if (!row.ok()) return row.status();
  info.zones[found.key].push_back(*std::move(row));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<RecordedZone>> ParseZoneinfo(absl::string_view text, absl::string_view file) {
  std::vector<std::pair<RecordedZone, Line>> zones;  // each with its first line
  uint64_t boost = 0;                                // of the last one
  for (const Line& line : SplitLines(text, file)) {
    absl::StatusOr<std::optional<ZoneLine>> start = ParseZoneLine(line);
    if (!start.ok()) return start.status();
    if (start->has_value()) {
      zones.emplace_back(RecordedZone(), line);
      zones.back().first.set_node((*start)->key.first);
      zones.back().first.set_name((*start)->key.second);
      boost = 0;
    } else if (!zones.empty()) {
      absl::Status status = ParseZoneDetail(line, zones.back().first, boost);
      if (!status.ok()) return status;
    }
  }
  std::vector<RecordedZone> populated;
  for (auto& [zone, line] : zones) {
    // Of a zone without memory the kernel shows little, and not where it would start.
    if (zone.has_present() && zone.present() == 0) continue;
    absl::Status status = CheckComplete(zone, line);
    if (!status.ok()) return status;
    populated.push_back(std::move(zone));
  }
  if (populated.empty()) return absl::InvalidArgumentError(absl::StrCat(file, ": has no zone with memory"));
  return populated;
}

absl::StatusOr<FreeBlocksByZone> ParseBuddyinfo(absl::string_view text, absl::string_view file) {
  FreeBlocksByZone result;
  for (const Line& line : SplitLines(text, file)) {
    absl::StatusOr<std::optional<ZoneLine>> zone = ParseZoneLine(line);
    if (!zone.ok()) return zone.status();
    if (!zone->has_value()) continue;
    absl::StatusOr<std::vector<uint64_t>> counts = ParseCounts(line, "order", (*zone)->rest);
    if (!counts.ok()) return counts.status();
    result[(*zone)->key] = *std::move(counts);
  }
  return result;
}

absl::StatusOr<Pagetypeinfo> ParsePagetypeinfo(absl::string_view text, absl::string_view file) {
  Pagetypeinfo info;
  PagetypeProgress progress;
  for (const Line& line : SplitLines(text, file)) {
    absl::Status status = ParsePagetypeLine(line, progress, info);
    if (!status.ok()) return status;
  }
  if (info.pageblock_order == 0) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": has no line \"Page block order: N\""));
  }
  return info;
}

absl::StatusOr<std::string> ParseChoice(absl::string_view text, absl::string_view file) {
  const size_t open = text.find('[');
  const size_t close = text.find(']');
  if (open == absl::string_view::npos || close == absl::string_view::npos || close <= open + 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ":1: \"", absl::StripAsciiWhitespace(text),
                     "\" has no choice in brackets, as in \"always [madvise] never\""));
  }
  return std::string(text.substr(open + 1, close - open - 1));
}

absl::StatusOr<int64_t> ParseNumber(absl::string_view text, absl::string_view file) {
  int64_t value = 0;
  if (absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &value)) return value;
  return absl::InvalidArgumentError(
      absl::StrCat(file, ":1: \"", absl::StripAsciiWhitespace(text), "\" is not a whole number"));
}

}  // namespace numasim::workloads
