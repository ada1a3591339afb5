#include "workloads/field_codecs.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "proto/annotations.pb.h"
#include "proto/scenario.pb.h"
#include "sim/time.h"
#include "workloads/nearest_name.h"

namespace numasim::workloads {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::pair<std::string_view, Policy::Mode> kModes[] = {
    {"default", Policy::Mode::kDefault},       {"bind", Policy::Mode::kBind},
    {"preferred", Policy::Mode::kPreferred},   {"preferred_many", Policy::Mode::kPreferredMany},
    {"interleave", Policy::Mode::kInterleave}, {"local", Policy::Mode::kLocal},
};

std::string NoSuchNumber(std::string_view what, int64_t number, int64_t how_many) {
  if (how_many == 1) return Cat("is a ", what, " that does not exist; expected ", what, " 0, the only one");
  return Cat("is a ", what, " that does not exist; expected 0 to ", how_many - 1);
}

// Reads a number of a node or CPU that must be below `how_many`.
std::string ReadIndex(std::string_view text, std::string_view what, int how_many, int& value) {
  const absl::StatusOr<int64_t> number = ParseCount(text);
  if (!number.ok()) {
    const std::string_view problem = FromAbsl(number.status().message());
    return Cat(problem.substr(0, problem.find(';')), "; expected the number of a ", what, " from 0 to ",
               how_many - 1);
  }
  if (*number >= how_many) return NoSuchNumber(what, *number, how_many);
  value = static_cast<int>(*number);
  return {};
}

// A component of a path: what a line of a script can hold in one field.
bool IsFileName(std::string_view text) {
  return !text.empty() && text != "." && text != ".." &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isspace(c) || absl::ascii_iscntrl(c) || c == '/' || c == '#' || c == '"';
         });
}

// Whether `text` is an absolute path of at least `components` file names.
bool IsPath(std::string_view text, size_t components) {
  if (!ConsumePrefix(text, "/")) return false;
  const std::vector<std::string_view> parts = Split(text, '/');
  return parts.size() >= components && std::all_of(parts.begin(), parts.end(), IsFileName);
}

bool Fits(std::string_view text, TextKind kind) {
  switch (kind) {
    case TextKind::kName:
      return IsName(text);
    case TextKind::kFileName:
      return IsFileName(text);
    case TextKind::kFile:
      return IsFileName(text) || IsPath(text, 2);
    case TextKind::kPath:
      return IsPath(text, 2);
    case TextKind::kDirectory:
      return IsPath(text, 1);
    case TextKind::kSysctl:
      return ConsumePrefix(text, "vm.") && IsName(text);
    case TextKind::kAnything:
      return true;
  }
  return false;
}

// What a text of each kind is, and what may stand there.
struct TextKindWords {
  std::string_view noun;
  std::string_view expected;
};

TextKindWords WordsOf(TextKind kind) {
  switch (kind) {
    case TextKind::kName:
      return {"a name", "letters, digits, '_', '.' or '-'"};
    case TextKind::kFileName:
      return {"a file on the default mount", "a NAME without '/'"};
    case TextKind::kFile:
      return {"a file", "NAME on the default mount, or /DIR/NAME"};
    case TextKind::kPath:
      return {"a file of a mount", "/DIR/NAME"};
    case TextKind::kDirectory:
      return {"a mount point", "/DIR"};
    case TextKind::kSysctl:
      return {"a sysctl of memory", "vm.NAME"};
    case TextKind::kAnything:
      return {"a text", "anything"};
  }
  return {};
}

// The field of the scenario that the knob is set with.
const google::protobuf::FieldDescriptor* ThpField(ThpOp::Knob knob) {
  switch (knob) {
    case ThpOp::Knob::kEnabled:
      return Thp::descriptor()->FindFieldByNumber(Thp::kEnabledFieldNumber);
    case ThpOp::Knob::kShmemEnabled:
      return Thp::descriptor()->FindFieldByNumber(Thp::kShmemEnabledFieldNumber);
    case ThpOp::Knob::kDefrag:
      return Thp::descriptor()->FindFieldByNumber(Thp::kDefragFieldNumber);
    case ThpOp::Knob::kUseZeroPage:
      return Thp::descriptor()->FindFieldByNumber(Thp::kUseZeroPageFieldNumber);
  }
  return nullptr;
}

// What may be written to the knob's file.
std::vector<std::string_view> ThpWords(ThpOp::Knob knob) {
  const auto* const field = ThpField(knob);
  // /sys shows a switch as 0 and 1.
  if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_BOOL) return {"0"sv, "1"sv};
  const auto& allowed = field->options().GetExtension(numasim::knob).allowed();
  return {allowed.begin(), allowed.end()};
}

}  // namespace

const std::span<const std::pair<std::string_view, Policy::Mode>> kPolicyModes = kModes;

std::string NotOneOf(std::string_view text, std::span<const std::string_view> words) {
  return Cat("is not known; expected ", words.size() == 1 ? "" : "one of ", Join(words, ", "),
             DidYouMean(text, words));
}

std::string JoinForm(std::span<const std::string_view> words) { return Join(words, "|"); }

std::string SizeCodec::Read(std::string_view text, int64_t& value) const {
  const absl::StatusOr<int64_t> size = ParseSize(text);
  if (!size.ok()) return std::string(size.status().message());
  if (*size < least) return "is too small; expected a size above 0, such as 64M";
  value = *size;
  return {};
}

void SizeCodec::Write(int64_t value, std::string& out) const { out.append(SizeText(value)); }

std::string SleepCodec::Read(std::string_view text, int64_t& nanoseconds) const {
  const bool bare = !text.empty() && std::all_of(text.begin(), text.end(),
                                                 [](unsigned char c) { return absl::ascii_isdigit(c); });
  const absl::StatusOr<int64_t> time = ParseDuration(bare ? Cat(text, "ms") : std::string(text));
  if (!time.ok()) return std::string(time.status().message());
  nanoseconds = *time;
  return {};
}

void SleepCodec::Write(int64_t nanoseconds, std::string& out) const {
  constexpr int64_t kPerMillisecond = 1'000'000;
  if (nanoseconds % kPerMillisecond == 0) return Append(out, nanoseconds / kPerMillisecond);
  out.append(sim::ToString(sim::Nanoseconds(nanoseconds)));
}

std::string BlockRangeCodec::Read(std::string_view text, BlockRange& range) const {
  const size_t dash = text.empty() ? std::string_view::npos : text.find('-', 1);
  const absl::StatusOr<int64_t> first = ParseCount(text.substr(0, dash));
  const absl::StatusOr<int64_t> last =
      dash == std::string_view::npos ? first : ParseCount(text.substr(dash + 1));
  for (const absl::StatusOr<int64_t>& end : {first, last}) {
    if (end.ok()) continue;
    const std::string_view problem = FromAbsl(end.status().message());
    const std::string_view what = problem.substr(0, problem.find(';'));
    const std::string_view half = what == "is empty" ? "is half a range" : what;
    return Cat(text.empty() ? what : half,
               "; expected the place of a block among the node's online ones, from 0, "
               "or a range such as 0-3");
  }
  if (*last < *first) return "ends before it begins; expected the smaller number first";
  range = {*first, *last};
  return {};
}

void BlockRangeCodec::Write(const BlockRange& range, std::string& out) const {
  Append(out, range.first);
  if (range.last != range.first) Append(out, "-", range.last);
}

std::string IntegerCodec::Read(std::string_view text, int& value) const {
  return absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &value)
             ? ""
             : "is not a whole number; expected such as 500 or -500";
}

std::string NodeCodec::Read(std::string_view text, int& node) const {
  if (!ConsumePrefix(text, prefix)) {
    return Cat("is not a node; expected ", prefix, "0", nodes > 1 ? Cat(" to ", prefix, nodes - 1) : "");
  }
  return ReadIndex(text, "node", nodes, node);
}

std::string CpuCodec::Read(std::string_view text, int& cpu) const {
  return ReadIndex(text, "CPU", cpus, cpu);
}

std::string PoolTargetCodec::Read(std::string_view text, PoolTarget& target) const {
  if (text == "all") {
    target.node = PoolTarget::kAllNodes;
    return {};
  }
  if (text == "mempolicy")
    return "needs a process whose policy it is; expected nodeN or all, or '@P pool' before it";
  if (!text.starts_with("node")) return "is not a pool; expected nodeN or all";
  return NodeCodec{nodes, "node"}.Read(text, target.node);
}

void PoolTargetCodec::Write(const PoolTarget& target, std::string& out) const {
  if (target.node == PoolTarget::kAllNodes) {
    out.append("all");
  } else {
    Append(out, "node", target.node);
  }
}

std::string PolicyCodec::Read(std::string_view text, Policy& policy) const {
  const std::string_view::size_type colon = text.find(':');
  Policy read;
  const std::string_view mode = text.substr(0, colon);
  if (std::string problem = ChoiceCodec<Policy::Mode>{kModes}.Read(mode, read.mode); !problem.empty()) {
    return Cat("has a mode that ", problem);
  }
  if (colon != std::string_view::npos) {
    const absl::StatusOr<NodeMask> mask = ParseNodeList(text.substr(colon + 1));
    if (!mask.ok()) return std::string(mask.status().message());
    read.nodes = *mask;
  }
  policy = read;
  return {};
}

void PolicyCodec::Write(const Policy& policy, std::string& out) const {
  ChoiceCodec<Policy::Mode>{kModes}.Write(policy.mode, out);
  if (!policy.nodes.empty()) Append(out, ":", NodeListText(policy.nodes));
}

std::string PolicyCodec::Meaning() const {
  std::string modes;
  for (const auto& [word, mode] : kModes) Append(modes, modes.empty() ? "" : "|", word);
  return Cat(modes, ", with nodes such as bind:0-1,3");
}

std::string TextCodec::Read(std::string_view text, std::string& value) const {
  if (!Fits(text, kind)) return Cat("is not ", WordsOf(kind).noun, "; expected ", WordsOf(kind).expected);
  value = text;
  return {};
}

std::string TextCodec::Meaning() const { return Cat(WordsOf(kind).noun, ": ", WordsOf(kind).expected); }

std::string ThpValueCodec::Read(std::string_view text, std::string& value) const {
  const std::vector<std::string_view> words = ThpWords(knob);
  if (std::find(words.begin(), words.end(), text) == words.end()) return NotOneOf(text, words);
  value = text;
  return {};
}

std::string ThpValueCodec::Meaning() const {
  using enum ThpOp::Knob;
  std::string text;
  for (const ThpOp::Knob each : {kEnabled, kShmemEnabled, kUseZeroPage, kDefrag}) {
    Append(text, text.empty() ? "" : "; ", ThpField(each)->name(), ": ", Join(ThpWords(each), "|"));
  }
  return text;
}

std::string NodeMemoryCodec::Read(std::string_view text, std::vector<int64_t>& sizes) const {
  constexpr int64_t kPageSize = 4096;
  std::vector<int64_t> read;
  for (std::string_view part : Split(text, ',')) {
    const absl::StatusOr<int64_t> size = ParseSize(part);
    if (!size.ok()) return Cat("holds ", Quoted(part), ", which ", size.status().message());
    if (*size % kPageSize != 0)
      return Cat("holds ", Quoted(part),
                 ", which is no whole number of 4K pages; expected a size such as 64M");
    read.push_back(*size);
  }
  if (std::all_of(read.begin(), read.end(), [](int64_t size) { return size == 0; })) {
    return "leaves the machine without memory; expected a size such as 1G for at least one node";
  }
  if (read.size() == 1) read.assign(nodes, read.front());
  if (read.size() != static_cast<size_t>(nodes)) {
    return Cat("is for ", read.size(), " nodes; expected one size for each of the ", nodes,
               " nodes, or one for all");
  }
  sizes = std::move(read);
  return {};
}

void NodeMemoryCodec::Write(const std::vector<int64_t>& sizes, std::string& out) const {
  std::string_view separator;
  for (int64_t size : sizes) {
    Append(out, separator, SizeText(size));
    separator = ",";
  }
}

std::string VirtioMemCodec::Read(std::string_view text, VirtioMemDevice& device) const {
  const std::vector<std::string_view> parts = Split(text, ':');
  if (parts.size() != 3) return "has not three parts; expected NODE:MAX:PLUGGED, such as 1:1G:512M";
  VirtioMemDevice read;
  if (std::string problem = NodeCodec{nodes, ""}.Read(parts[0], read.node); !problem.empty()) {
    return Cat("has a NODE that ", problem);
  }
  if (std::string problem = SizeCodec{1}.Read(parts[1], read.max); !problem.empty()) {
    return Cat("has a MAX that ", problem);
  }
  if (std::string problem = SizeCodec{}.Read(parts[2], read.plugged); !problem.empty()) {
    return Cat("has a PLUGGED that ", problem);
  }
  constexpr int64_t kMemoryBlock = int64_t{1} << (kPageShift + kMemoryBlockShift);
  if (read.max % kMemoryBlock != 0 || read.plugged % kMemoryBlock != 0) {
    return "has a size that is no multiple of 128M, the size of a memory block; expected such as 1:1G:512M";
  }
  if (read.plugged > read.max) {
    return Cat("has more plugged than MAX; expected PLUGGED of at most ", SizeText(read.max));
  }
  device = read;
  return {};
}

void VirtioMemCodec::Write(const VirtioMemDevice& device, std::string& out) const {
  Append(out, device.node, ":", SizeText(device.max), ":", SizeText(device.plugged));
}

std::string QuotedCodec::Read(std::string_view text, std::string& value) const {
  if (ConsumePrefix(text, "\"")) {
    if (!text.ends_with('"')) return "is not closed; expected a '\"' at its end";
    text.remove_suffix(1);
  }
  if (text.find('"') != std::string_view::npos)
    return "has a '\"' inside; expected none between the outer two";
  value = text;
  return {};
}

}  // namespace numasim::workloads
