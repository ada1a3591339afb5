#include "workloads/batch/csv_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "workloads/batch/log_values.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {

bool CsvRecord::Next(LogLines& lines) {
  fields_.clear();
  whole_ = true;
  std::string_view line;
  if (!lines.Next(line)) return false;
  line_ = lines.number();
  fields_.emplace_back();
  bool quoted = false;
  for (size_t at = 0, length = line.size(); quoted || at < line.size(); ++at) {
    if (at == line.size()) {
      // The quoted field goes on below.
      fields_.back() += '\n';
      whole_ = length < LogLines::kLongest && lines.NextOfRecord(line);
      if (!whole_) break;
      length += line.size();
      at = static_cast<size_t>(-1);
      continue;
    }
    const char c = line[at];
    const bool doubled = c == '"' && quoted && at + 1 < line.size() && line[at + 1] == '"';
    if (doubled) ++at;
    // A quote inside of a field that does not begin with one is a character like others.
    if (c == '"' && !doubled && (quoted || fields_.back().empty())) {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields_.emplace_back();
    } else {
      fields_.back() += c;
    }
  }
  return true;
}

namespace {

constexpr size_t kNoColumn = static_cast<size_t>(-1);

// Makes jobs of records, with the places of the mapped columns among their fields.
class TableReader {
 public:
  TableReader(const ColumnMapping& mapping, JobLogBuilder& log) : mapping_(mapping), log_(log) {
    for (size_t f = 0; f < kJobFields; ++f)
      places_[f] =
          mapping.columns[f].number > 0 ? static_cast<size_t>(mapping.columns[f].number) - 1 : kNoColumn;
  }

  absl::Status ReadHeader(const LogLines& lines, const CsvRecord& header);
  // Where all columns are known by number: whether the first record is a header all the same.
  bool IsHeader(const CsvRecord& record) const;
  void Read(const CsvRecord& record);

 private:
  // Empty where the column is not mapped; none where the record is too short.
  std::optional<std::string_view> Field(const CsvRecord& record, JobField field) const;
  // As Number; none as well where it is empty or not mapped.
  std::optional<int64_t> Time(const CsvRecord& record, JobField field, const char*& problem) const;
  int64_t Amount(const CsvRecord& record, JobField field, int64_t otherwise, const char*& problem) const;
  const char* ReadTimes(const CsvRecord& record, Job& job) const;

  const ColumnMapping& mapping_;
  JobLogBuilder& log_;
  std::array<size_t, kJobFields> places_ = {};
};

absl::Status TableReader::ReadHeader(const LogLines& lines, const CsvRecord& header) {
  for (size_t f = 0; f < kJobFields; ++f) {
    const std::string& name = mapping_.columns[f].name;
    if (name.empty()) continue;
    const auto found = std::find_if(header.fields().begin(), header.fields().end(),
                                    [&](const std::string& field) { return Trim(field) == name; });
    if (found == header.fields().end())
      return lines.Mistake(Cat("the header has no column ", Quoted(name), "; expected it for ",
                               kJobFieldNames[f], ", or another mapping of columns"));
    places_[f] = static_cast<size_t>(found - header.fields().begin());
  }
  return absl::OkStatus();
}

std::optional<std::string_view> TableReader::Field(const CsvRecord& record, JobField field) const {
  const size_t place = places_[static_cast<size_t>(field)];
  if (place == kNoColumn) return std::string_view();
  if (place >= record.fields().size()) return std::nullopt;
  return Trim(record.fields()[place]);
}

bool TableReader::IsHeader(const CsvRecord& record) const {
  const char* problem = nullptr;
  for (const JobField field : {JobField::kSubmit, JobField::kStart}) {
    if (mapping_.of(field).mapped()) Time(record, field, problem);
  }
  return problem != nullptr;
}

std::optional<int64_t> TableReader::Time(const CsvRecord& record, JobField field,
                                         const char*& problem) const {
  const std::optional<std::string_view> text = Field(record, field);
  if (!text.has_value()) problem = "has fewer fields than the mapping of columns needs";
  if (!text.has_value() || text->empty()) return std::nullopt;
  std::optional<int64_t> time = ParseScaled(*text, mapping_.of(field).scale);
  if (!time.has_value()) {
    const std::optional<int64_t> date = ParseDate(*text);
    if (date.has_value()) time = Times(*date, kNsPerSecond);
  }
  if (!time.has_value()) problem = "has a time that is no number, or too large";
  if (time.has_value() && *time < 0) problem = "has a negative time";
  return time;
}

int64_t TableReader::Amount(const CsvRecord& record, JobField field, int64_t otherwise,
                            const char*& problem) const {
  const std::optional<std::string_view> text = Field(record, field);
  if (!text.has_value()) problem = "has fewer fields than the mapping of columns needs";
  if (!text.has_value() || text->empty()) return otherwise;
  std::string_view number = *text;
  if (ConsumePrefix(number, ">")) log_.NoteLowerBound();
  const int64_t scale = mapping_.of(field).scale;
  const std::optional<int64_t> amount =
      field == JobField::kCpus ? ParseScaled(number, scale) : ParseLogSize(number, scale);
  if (!amount.has_value() || *amount < 0) {
    problem = field == JobField::kCpus ? "has a number of CPUs that is none, or negative"
                                       : "has a size of memory that is none, or negative";
    return 0;
  }
  return *amount;
}

// What is wrong with its times; null: nothing.
const char* TableReader::ReadTimes(const CsvRecord& record, Job& job) const {
  const char* problem = nullptr;
  const std::optional<int64_t> submit = Time(record, JobField::kSubmit, problem);
  job.start_ns = Time(record, JobField::kStart, problem);
  const std::optional<int64_t> end = Time(record, JobField::kEnd, problem);
  const std::optional<int64_t> run = Time(record, JobField::kRun, problem);
  job.limit_ns = Time(record, JobField::kLimit, problem);
  if (problem != nullptr) return problem;
  if (!submit.has_value() && !job.start_ns.has_value()) return "has neither a submit nor a start time";
  job.submit_ns = submit.has_value() ? *submit : *job.start_ns;
  if (job.start_ns.has_value() && *job.start_ns < job.submit_ns) return "starts before it is submitted";
  if (!run.has_value() && !end.has_value()) return "has no end";
  job.run_ns = run.has_value() ? *run : *end - job.start_ns.value_or(job.submit_ns);
  if (job.run_ns < 0) return "ends before it starts";
  return job.run_ns == 0 ? "did not run" : nullptr;
}

void TableReader::Read(const CsvRecord& record) {
  Job job = {.line = record.line()};
  const char* problem = record.whole() ? ReadTimes(record, job) : "has a quote that is not closed";
  if (problem == nullptr) {
    job.millicpus = Amount(record, JobField::kCpus, 1000, problem);
    job.used_bytes = Amount(record, JobField::kMemory, 0, problem);
    job.requested_bytes = Amount(record, JobField::kRequest, 0, problem);
  }
  if (problem == nullptr && job.millicpus == 0) problem = "has no CPU";
  if (problem != nullptr) return log_.Skip(record.line(), problem);
  job.program = log_.ProgramNumber(Field(record, JobField::kProgram).value_or(""));
  job.user = log_.UserNumber(Field(record, JobField::kUser).value_or(""));
  job.id = std::string(Field(record, JobField::kId).value_or(""));
  log_.Add(std::move(job));
}

}  // namespace

absl::Status ReadCsv(LogLines& lines, const ColumnMapping& mapping, JobLogBuilder& log) {
  CsvRecord record;
  TableReader reader(mapping, log);
  if (!record.Next(lines)) return absl::OkStatus();
  if (mapping.needs_header()) {
    if (absl::Status status = reader.ReadHeader(lines, record); !status.ok()) return status;
  } else if (!reader.IsHeader(record)) {
    reader.Read(record);
  }
  while (record.Next(lines)) reader.Read(record);
  return absl::OkStatus();
}

}  // namespace numasim::workloads
