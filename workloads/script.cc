#include "workloads/script.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "sim/check.h"
#include "workloads/input_text.h"
#include "workloads/line_io.h"
#include "workloads/nearest_name.h"
#include "workloads/operation_table.h"
#include "workloads/script_checker.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {
namespace {

constexpr std::string_view kRepeat = "repeat";
constexpr std::string_view kEnd = "end";
constexpr int64_t kMostRepeated = 1'000'000;  // operations that a script may have by repeating them

// The part of a line before its comment: before the first '#' that is not between quotes.
std::string_view WithoutComment(std::string_view line) {
  const size_t hash = line.find('#');
  if (hash == std::string_view::npos || line.substr(0, hash).find('"') == std::string_view::npos) {
    return line.substr(0, hash);
  }
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == '#' && !quoted) return line.substr(0, i);
  }
  return line;
}

// How many lines of a script say something, comments aside: its operations, and the machine.
size_t CountLinesWithText(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    const size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) break;
    if (text[first] != '#') ++count;
    const size_t end = text.find('\n', first);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return count;
}

// The names an operation of a system or of a process can have.
std::vector<std::string_view> Names(bool of_process) {
  std::vector<std::string_view> names;
  for (const Operation& operation : Operations()) {
    if (operation.of_process == of_process) names.push_back(operation.name);
  }
  if (!of_process) names.insert(names.end(), {"machine", kRepeat, kEnd});
  return names;
}

// What is wrong with a name that is no operation of a system (or of a process).
std::string UnknownOperation(std::string_view name, bool of_process) {
  if (const Operation* other = FindOperation(name, !of_process); other != nullptr) {
    return Cat(of_process ? "is an operation of the system" : "is an operation of a process", "; expected '",
               other->form(), "'");
  }
  return Cat("is not an operation of ", of_process ? "a process" : "the system", "; expected one of ",
             Join(Names(of_process), ", "), DidYouMean(name, Names(of_process)));
}

class ScriptParser {
 public:
  explicit ScriptParser(const std::optional<MachineLimits>& limits)
      : has_outer_limits_(limits.has_value()), reader_(limits.value_or(MachineLimits())) {}

  // Parses a line; returns what is wrong with it, or an empty string.
  std::string ParseLine(int number, std::string_view line);
  // After the last line: the line of a repeat that has no end, or 0.
  int OpenRepeat() const { return repeats_.empty() ? 0 : repeats_.back().line; }

  // So many more operations are to come, at most.
  void ReserveFor(size_t more) { script_.ops.reserve(script_.ops.size() + more); }

  Script& script() { return script_; }

 private:
  std::string ParseComment(std::string_view comment);
  std::string ParseMachine(int number);
  std::string ParseOp(int number, std::string_view text);
  std::string ParseRepeat(int number);
  std::string ParseEnd();
  std::string AddCopies(size_t first, int64_t copies);

  // Operations from `first_op` on are to be there `times` times.
  struct Repeat {
    size_t first_op = 0;
    int64_t times = 1;
    int line = 0;
  };

  const bool has_outer_limits_;
  LineReader reader_;
  ScriptChecker checker_;
  Script script_;
  std::vector<Repeat> repeats_;  // those that are open, the outermost first
};

std::string ScriptParser::ParseLine(int number, std::string_view line) {
  const std::string_view text = Trim(WithoutComment(line));
  if (text.empty()) return ParseComment(Trim(line));
  reader_.Start(text);
  if (!reader_.ok()) return reader_.problem();
  if (reader_.Peek() == "machine") return ParseMachine(number);
  if (reader_.Peek() == kRepeat) return ParseRepeat(number);
  return reader_.Peek() == kEnd ? ParseEnd() : ParseOp(number, text);
}

std::string ScriptParser::ParseRepeat(int number) {
  reader_.set_form([] { return std::string("repeat N"); });
  reader_.Skip();
  const std::string_view text = reader_.Peek();
  if (text.empty()) return "repeat: how often is missing; expected 'repeat N'";
  const absl::StatusOr<int64_t> times = ParseCount(text, 1, kMostRepeated);
  if (!times.ok()) return Cat("repeat: ", Quoted(text), " ", FromAbsl(times.status().message()));
  reader_.Skip();
  reader_.Finish();
  repeats_.push_back({.first_op = script_.ops.size(), .times = *times, .line = number});
  return reader_.problem();
}

std::string ScriptParser::ParseEnd() {
  if (repeats_.empty()) return "end: 'end' ends nothing; expected a 'repeat N' before it";
  reader_.set_form([] { return std::string("end"); });
  reader_.Skip();
  reader_.Finish();
  if (!reader_.ok()) return reader_.problem();
  const Repeat repeat = repeats_.back();
  repeats_.pop_back();
  if (repeat.first_op == script_.ops.size())
    return Cat("end: the repeat of line ", repeat.line, " has nothing in it; expected operations to repeat");
  return AddCopies(repeat.first_op, repeat.times - 1);
}

// Each copy is checked as if it were written: a process that exits in it must have been spawned in it.
std::string ScriptParser::AddCopies(size_t first, int64_t copies) {
  const size_t last = script_.ops.size();
  if (copies == 0 || first == last) return {};
  const int64_t room = kMostRepeated - static_cast<int64_t>(last);
  if (static_cast<int64_t>(last - first) > room / copies)
    return Cat("end: makes more than ", kMostRepeated, " operations; expected fewer, or loops of the script");
  script_.ops.reserve(last + (last - first) * static_cast<size_t>(copies));
  for (int64_t copy = 0; copy < copies; ++copy) {
    for (size_t i = first; i < last; ++i) {
      if (std::string problem = checker_.Add(script_.ops[i]); !problem.empty())
        return Cat("repeated, line ", script_.ops[i].line, ": ", problem);
      script_.ops.push_back(script_.ops[i]);
    }
  }
  return {};
}

// `# tolerance P%`, with or without more text after it.
std::string ScriptParser::ParseComment(std::string_view comment) {
  if (!ConsumePrefix(comment, "#")) return {};
  comment = Trim(comment);
  if (!ConsumePrefix(comment, "tolerance ")) return {};
  comment = Trim(comment);
  const size_t percent_sign = comment.find('%');
  const std::string_view number = comment.substr(0, percent_sign);
  if (percent_sign == std::string_view::npos) return {};
  double percent = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), percent);
  const bool is_share = percent >= 0 && percent <= 100;  // Not so for NaN.
  if (error != std::errc() || end != number.data() + number.size() || !is_share) {
    return Cat("tolerance: ", Quoted(number), " is not a share; expected 0% to 100%");
  }
  script_.tolerance = percent / 100;
  return {};
}

std::string ScriptParser::ParseMachine(int number) {
  if (script_.machine) {
    return Cat("machine: 'machine' is there twice; expected the one in line ", script_.machine->line,
               " only");
  }
  if (!script_.ops.empty()) {
    return "machine: 'machine' is after the first operation; expected it before all operations";
  }
  MachineLine machine;
  machine.line = number;
  reader_.Skip();
  ReadMachine(reader_, machine);
  reader_.Finish();
  if (!reader_.ok()) return reader_.problem();
  if (!has_outer_limits_) reader_ = LineReader({machine.nodes, machine.nodes * machine.cpus_per_node});
  script_.machine = std::move(machine);
  return {};
}

std::string ScriptParser::ParseOp(int number, std::string_view text) {
  Op& op = script_.ops.emplace_back();
  op.line = number;
  op.text = text;
  std::string_view name = reader_.Peek();
  const bool of_process = ConsumePrefix(name, "@");
  if (of_process) {
    const std::string problem = TextCodec{TextKind::kName}.Read(name, op.process);
    if (!problem.empty()) return Cat("process: ", Quoted(name), " ", problem);
    reader_.Skip();
    name = reader_.Peek();
    if (name.empty()) return "operation: is missing; expected '@P OPERATION ...'";
  }
  const Operation* const operation = FindOperation(name, of_process);
  if (operation == nullptr) {
    return Cat("operation: ", Quoted(name), " ", UnknownOperation(name, of_process));
  }
  reader_.Skip();
  operation->read(reader_, op.kind);
  reader_.Finish();
  return reader_.ok() ? checker_.Add(op) : reader_.problem();
}

}  // namespace

absl::StatusOr<Script> ParseScript(std::string_view text, const std::string& file_name,
                                   const std::optional<MachineLimits>& limits) {
  return ParseScript(text, [&file_name](int line) { return Cat(file_name, ":", line); }, limits);
}

absl::StatusOr<Script> ParseScript(std::string_view text, const LineName& name_of_line,
                                   const std::optional<MachineLimits>& limits) {
  const auto mistake = [&name_of_line](int line, std::string_view problem) {
    return absl::InvalidArgumentError(Cat(name_of_line(line), ": ", problem));
  };
  const std::string_view all = text;
  if (const auto fault = FindTextFault(text)) return mistake(fault->line, fault->what);
  ScriptParser parser(limits);
  // A list of operations that grows as it is read would move each of them once or twice, and be there twice
  // meanwhile. What is no script is told by its first lines, before room is made for all of them.
  constexpr int kJudgedFirst = 1000;
  int number = 0;
  while (!text.empty()) {
    if (number == kJudgedFirst) parser.ReserveFor(CountLinesWithText(text));
    const size_t end = text.find('\n');
    const std::string problem = parser.ParseLine(++number, text.substr(0, end));
    if (!problem.empty()) {
      const auto other_kind = FindOtherKind(all, InputKind::kScript);
      return other_kind ? mistake(other_kind->line, other_kind->what) : mistake(number, problem);
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (const int line = parser.OpenRepeat(); line != 0)
    return mistake(line, "repeat: has no end; expected a line 'end' after what is repeated");
  return std::move(parser.script());
}

std::string ToString(const Op& op) {
  const Operation& operation = Operations()[op.kind.index()];
  NUMASIM_CHECK_EQ(operation.of_process, !op.process.empty());
  std::string line;
  if (operation.of_process) Append(line, "@", op.process, " ");
  line.append(operation.name);
  operation.write(op.kind, line);
  return line;
}

std::string ToString(const MachineLine& machine) {
  std::string line = "machine";
  WriteMachine(machine, line);
  return line;
}

std::string PlaceAndText(const Op& op, const LineName& name_of_line) {
  return Cat(name_of_line(op.line), ": '", op.text.empty() ? ToString(op) : op.text, "'");
}

std::string_view OperationName(const OpKind& kind) { return Operations()[kind.index()].name; }

}  // namespace numasim::workloads
