#include "workloads/batch/column_mapping.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>

#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

struct Unit {
  std::string_view name;
  int64_t scale;
};
constexpr int64_t kSecond = 1'000'000'000;
constexpr Unit kTimes[] = {{"s", kSecond},        {"ms", 1'000'000},     {"us", 1000},           {"ns", 1},
                           {"min", 60 * kSecond}, {"h", 3600 * kSecond}, {"d", 86'400 * kSecond}};
constexpr Unit kSizes[] = {{"B", 1},
                           {"K", int64_t{1} << 10},
                           {"M", int64_t{1} << 20},
                           {"G", int64_t{1} << 30},
                           {"T", int64_t{1} << 40}};
constexpr Unit kCpus[] = {{"cpu", 1000}, {"milli", 1}};

// The first is the default.
std::span<const Unit> UnitsOf(JobField field) {
  if (field <= JobField::kLimit) return kTimes;
  if (field == JobField::kCpus) return kCpus;
  if (field <= JobField::kRequest) return kSizes;
  return {};
}

std::string NamesOf(std::span<const Unit> units) {
  std::string names;
  for (const Unit& unit : units) Append(names, names.empty() ? "" : ", ", unit.name);
  return names;
}

// ":UNIT" at the end of a column, if that is a unit of the field.
std::string TakeUnit(JobField field, std::string_view& column, int64_t& scale) {
  const std::span<const Unit> units = UnitsOf(field);
  if (!units.empty()) scale = units.front().scale;
  const size_t colon = column.rfind(':');
  if (colon == std::string_view::npos) return "";
  const std::string_view name = column.substr(colon + 1);
  const auto unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& each) { return each.name == name; });
  if (unit == units.end()) {
    return units.empty() ? Cat("has a unit, and is a name; expected none")
                         : Cat("has the unit ", Quoted(name), "; expected one of ", NamesOf(units));
  }
  scale = unit->scale;
  column = column.substr(0, colon);
  return "";
}

std::string ReadColumn(JobField field, std::string_view text, ColumnMapping::Column& column) {
  if (column.mapped()) return "is given twice; expected each part of a job once";
  if (std::string problem = TakeUnit(field, text, column.scale); !problem.empty()) return problem;
  if (text.empty()) return "names no column; expected such as submit=created or submit=#4";
  if (!ConsumePrefix(text, "#")) {
    column.name = std::string(text);
    return "";
  }
  const absl::StatusOr<int64_t> number = ParseCount(text, 1, 100'000);
  if (!number.ok()) return "is no number of a column; expected such as submit=#4";
  column.number = static_cast<int>(*number);
  return "";
}

std::string ReadPair(std::string_view pair, ColumnMapping& mapping) {
  const size_t equals = pair.find('=');
  const std::string_view name = pair.substr(0, equals);
  const auto found = std::find(std::begin(kJobFieldNames), std::end(kJobFieldNames), name);
  if (equals == std::string_view::npos || found == std::end(kJobFieldNames))
    return Cat("names no part of a job; expected PART=COLUMN with one of ", Join(kJobFieldNames, ", "));
  const auto field = static_cast<JobField>(found - std::begin(kJobFieldNames));
  return ReadColumn(field, pair.substr(equals + 1), mapping.of(field));
}

}  // namespace

bool ColumnMapping::needs_header() const {
  return std::any_of(columns.begin(), columns.end(),
                     [](const Column& column) { return !column.name.empty(); });
}

absl::StatusOr<ColumnMapping> ParseColumnMapping(std::string_view text) {
  ColumnMapping mapping;
  for (const std::string_view pair : Split(text, ',')) {
    const std::string problem = ReadPair(Trim(pair), mapping);
    if (!problem.empty()) return absl::InvalidArgumentError(Cat(Quoted(Trim(pair)), " ", problem));
  }
  const auto has = [&](JobField field) { return mapping.of(field).mapped(); };
  if (!has(JobField::kSubmit) && !has(JobField::kStart))
    return absl::InvalidArgumentError(
        Cat(Quoted(text), " maps neither submit nor start; expected one of them, such as submit=created"));
  if (!has(JobField::kRun) && !has(JobField::kEnd))
    return absl::InvalidArgumentError(
        Cat(Quoted(text), " maps neither run nor end; expected one of them, such as end=deleted"));
  return mapping;
}

}  // namespace numasim::workloads
