#include "workloads/alloc_trace/event_line.h"

#include <cstring>

#include "workloads/log_lines.h"

namespace numasim::workloads {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kMostSeconds = INT64_MAX / kNsPerSecond - 1;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
// Of a hexadecimal number; 16 for what is no digit.
uint64_t DigitOf(char c) {
  if (IsDigit(c)) return static_cast<uint64_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint64_t>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<uint64_t>(c - 'A') + 10;
  return 16;
}
bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// Goes through a line from left to right.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool done() const { return at_ == end_; }
  bool AtDigit() const { return at_ < end_ && IsDigit(*at_); }
  std::string_view rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }
  void SkipBlanks() {
    while (at_ < end_ && IsBlank(*at_)) ++at_;
  }
  bool Take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  // Up to the next blank or the end.
  std::string_view Word() {
    const char* const begin = at_;
    while (at_ < end_ && !IsBlank(*at_)) ++at_;
    return {begin, static_cast<size_t>(at_ - begin)};
  }
  bool AtWord() const { return at_ < end_ && !IsBlank(*at_); }
  // Up to `mark`, the next blank or the end.
  std::string_view WordUpTo(char mark) {
    const char* const begin = at_;
    while (at_ < end_ && *at_ != mark && !IsBlank(*at_)) ++at_;
    return {begin, static_cast<size_t>(at_ - begin)};
  }
  // Digits, at least one, that make no more than `most`.
  bool Number(int64_t most, int64_t& out) {
    if (!AtDigit()) return false;
    for (out = 0; AtDigit(); ++at_) {
      out = out * 10 + (*at_ - '0');
      if (out > most) return false;
    }
    return true;
  }
  // The digits behind a decimal point, up to nine, in billionths.
  bool Billionths(int64_t& out) {
    if (!AtDigit()) return false;
    int64_t unit = kNsPerSecond;
    for (out = 0; AtDigit(); ++at_) {
      unit /= 10;
      out += unit * (*at_ - '0');
    }
    return true;
  }

 private:
  const char* at_;
  const char* end_;
};

// "1234.567890:"; with `ns` written where it is one.
bool ReadTime(Scanner& scan, int64_t& ns) {
  int64_t seconds = 0;
  int64_t billionths = 0;
  if (!scan.Number(kMostSeconds, seconds) || !scan.Take('.') || !scan.Billionths(billionths) ||
      !scan.Take(':'))
    return false;
  ns = seconds * kNsPerSecond + billionths;
  return true;
}

// "kmem:mm_page_alloc:" or "mm_page_alloc:".
bool ReadName(Scanner& scan, EventLine& out) {
  out.system = {};
  out.name = scan.WordUpTo(':');
  if (!scan.Take(':')) return false;
  if (scan.AtWord()) {
    out.system = out.name;
    out.name = scan.WordUpTo(':');
    if (!scan.Take(':') || scan.AtWord()) return false;
  }
  return !out.name.empty();
}

// What follows the bracket before the CPU.
bool ReadFromCpu(std::string_view text, EventLine& out) {
  constexpr int64_t kMostCpus = UINT16_MAX;
  Scanner scan(text);
  int64_t cpu = 0;
  if (!scan.Number(kMostCpus, cpu) || !scan.Take(']')) return false;
  out.cpu = static_cast<uint32_t>(cpu);
  scan.SkipBlanks();
  // ftrace's flags, "d..1.": a kernel has four or five of them, and none begins with a digit.
  if (!scan.AtDigit()) {
    scan.Word();
    scan.SkipBlanks();
  }
  if (!ReadTime(scan, out.time_ns)) return false;
  scan.SkipBlanks();
  if (scan.AtDigit()) {  // perf's period
    scan.Word();
    scan.SkipBlanks();
  }
  if (!ReadName(scan, out)) return false;
  scan.SkipBlanks();
  out.fields = scan.rest();
  return true;
}

// The first number in a text, 1 where there is none.
int64_t FirstNumber(std::string_view text) {
  const size_t at = text.find_first_of("0123456789");
  int64_t number = 0;
  if (at == std::string_view::npos || !Scanner(text.substr(at)).Number(INT64_MAX / 16, number)) return 1;
  return number;
}

// The end of a word that begins at `at`: the next blank. Most words of fields are long, and a tab is in none.
const char* EndOfWord(const char* at, const char* end) {
  const void* const blank = std::memchr(at, ' ', static_cast<size_t>(end - at));
  return blank == nullptr ? end : static_cast<const char*>(blank);
}

// Where a field of this key has its value; null where no such field is of interest.
std::string_view* FieldNamed(std::string_view key, EventFields& fields) {
  switch (key.size()) {
    case 3:
      return key == "pfn" ? &fields.pfn : nullptr;
    case 4:
      return key == "page" ? &fields.page : nullptr;
    case 5:
      return key == "order" ? &fields.order : nullptr;
    case 9:
      return key == "gfp_flags" ? &fields.gfp_flags : nullptr;
    case 11:
      return key == "migratetype" ? &fields.migratetype : key == "alloc_order" ? &fields.order : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

// A task's name may have brackets too: the first one from which on all is as it should be is the CPU's.
bool ReadEventLine(std::string_view line, EventLine& out) {
  for (size_t at = line.find('['); at != std::string_view::npos; at = line.find('[', at + 1)) {
    if (ReadFromCpu(line.substr(at + 1), out)) return true;
  }
  return false;
}

std::optional<int64_t> LostEvents(std::string_view line) {
  line.remove_prefix(SkipBlanks(line));
  if (line.starts_with("CPU:")) {
    const size_t bracket = line.find('[');
    if (bracket == std::string_view::npos) return std::nullopt;
    const std::string_view what = line.substr(bracket);
    const bool says_so =
        what.find("EVENTS") != std::string_view::npos &&
        (what.find("LOST") != std::string_view::npos || what.find("DROPPED") != std::string_view::npos);
    return says_so ? std::optional(FirstNumber(what)) : std::nullopt;
  }
  const size_t perf = line.find("PERF_RECORD_LOST");
  if (perf == std::string_view::npos) return std::nullopt;
  const size_t lost = line.find("lost", perf);
  return lost == std::string_view::npos ? 1 : FirstNumber(line.substr(lost));
}

void ReadEventFields(std::string_view fields, EventFields& out) {
  const char* const end = fields.data() + fields.size();
  for (const char* at = fields.data(); at < end;) {
    const char* const key = at;
    // Keys are short.
    while (at < end && *at != '=' && *at != ' ') ++at;
    if (at == end) return;
    const bool is_field = *at++ == '=';
    if (!is_field) continue;  // a word that is none, or another blank
    const char* const value = at;
    at = EndOfWord(value, end);
    std::string_view* const wanted = FieldNamed({key, static_cast<size_t>(value - 1 - key)}, out);
    if (wanted != nullptr) *wanted = {value, static_cast<size_t>(at - value)};
  }
}

std::optional<uint64_t> ParseUnsigned(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  if (text.empty()) return std::nullopt;
  const uint64_t base = hex ? 16 : 10;
  uint64_t number = 0;
  for (const char c : text) {
    const uint64_t digit = DigitOf(c);
    if (digit >= base || __builtin_mul_overflow(number, base, &number) ||
        __builtin_add_overflow(number, digit, &number))
      return std::nullopt;
  }
  return number;
}

}  // namespace numasim::workloads
