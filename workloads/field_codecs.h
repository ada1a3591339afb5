// How each kind of field of a script line is read, written and described: the vocabulary of the operation
// table.
//
// A codec is a small value without state of its own. Read returns what is wrong with `text` as a phrase that
// goes on after the value ("is negative; expected ..."), or an empty string. Write appends a text that Read
// takes back. Form says how the field looks in an operation's form, given the name of the field; Meaning what
// may stand there, as a phrase, or an empty string where the form says it.
#ifndef NUMASIM_WORKLOADS_FIELD_CODECS_H_
#define NUMASIM_WORKLOADS_FIELD_CODECS_H_

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workloads/operations.h"
#include "workloads/text.h"
#include "workloads/units.h"

namespace numasim::workloads {

inline std::string NamedOr(std::string_view name, std::string_view noun) {
  return std::string(name.empty() ? noun : name);
}

struct SizeCodec {
  int64_t least = 0;

  std::string Read(std::string_view text, int64_t& value) const;
  void Write(int64_t value, std::string& out) const;
  std::string Form(std::string_view name) const { return NamedOr(name, "SIZE"); }
  std::string Meaning() const {
    return least > 0 ? "a size above 0, such as 64M" : "a size of 0 or more, such as 64M";
  }
};

template <class T = int64_t>
struct CountCodec {
  int64_t least = 0;
  int64_t most = std::numeric_limits<T>::max();

  std::string Read(std::string_view text, T& value) const {
    const absl::StatusOr<int64_t> count = ParseCount(text, least, most);
    if (!count.ok()) return std::string(count.status().message());
    value = static_cast<T>(*count);
    return {};
  }
  void Write(T value, std::string& out) const { Append(out, value); }
  std::string Form(std::string_view name) const { return NamedOr(name, "NUMBER"); }
  std::string Meaning() const {
    const std::string from =
        Cat("a whole number ", most == std::numeric_limits<T>::max() ? "of " : "from ", least);
    return most == std::numeric_limits<T>::max() ? Cat(from, " or more") : Cat(from, " to ", most);
  }
};

// Of either sign: for what the kernel judges.
struct IntegerCodec {
  std::string Read(std::string_view text, int& value) const;
  void Write(int value, std::string& out) const { Append(out, value); }
  std::string Form(std::string_view name) const { return NamedOr(name, "NUMBER"); }
  std::string Meaning() const { return "a whole number, which may be negative"; }
};

// A node by its number, below `nodes`; with `prefix` as "node3".
struct NodeCodec {
  int nodes = kMaxNodes;
  std::string_view prefix;

  std::string Read(std::string_view text, int& node) const;
  void Write(int node, std::string& out) const { Append(out, prefix, node); }
  std::string Form(std::string_view name) const { return NamedOr(name, "NODE"); }
  std::string Meaning() const {
    return prefix.empty() ? "the number of a node" : Cat("a node, such as ", prefix, "0");
  }
};

// A CPU by its number, below `cpus`.
struct CpuCodec {
  int cpus;

  std::string Read(std::string_view text, int& cpu) const;
  void Write(int cpu, std::string& out) const { Append(out, cpu); }
  std::string Form(std::string_view name) const { return NamedOr(name, "CPU"); }
  std::string Meaning() const { return "the number of a CPU"; }
};

// "1.5s", or a number of milliseconds.
struct SleepCodec {
  std::string Read(std::string_view text, int64_t& nanoseconds) const;
  void Write(int64_t nanoseconds, std::string& out) const;
  std::string Form(std::string_view name) const { return NamedOr(name, "TIME"); }
  std::string Meaning() const { return "a time, such as 1.5s; a number alone is in milliseconds"; }
};

// "3", or "3-5" with both ends.
struct BlockRangeCodec {
  std::string Read(std::string_view text, BlockRange& range) const;
  void Write(const BlockRange& range, std::string& out) const;
  std::string Form(std::string_view) const { return "FIRST[-LAST]"; }
  std::string Meaning() const { return "whole numbers of 0 or more"; }
};

// "nodeN" or "all".
struct PoolTargetCodec {
  int nodes;

  std::string Read(std::string_view text, PoolTarget& target) const;
  void Write(const PoolTarget& target, std::string& out) const;
  std::string Form(std::string_view) const { return "nodeN|all"; }
  std::string Meaning() const { return "a node, such as node0, or the whole machine"; }
};

// "MODE" or "MODE:NODES". Which of them make a policy is for the kernel to judge.
struct PolicyCodec {
  std::string Read(std::string_view text, Policy& policy) const;
  void Write(const Policy& policy, std::string& out) const;
  std::string Form(std::string_view) const { return "MODE[:NODES]"; }
  std::string Meaning() const;
};

// One of a few words, each of which stands for a value.
template <class T>
struct ChoiceCodec {
  std::span<const std::pair<std::string_view, T>> choices;

  std::string Read(std::string_view text, T& value) const {
    for (const auto& [word, choice] : choices) {
      if (word != text) continue;
      value = choice;
      return {};
    }
    return Unknown(text);
  }
  void Write(const T& value, std::string& out) const {
    for (const auto& [word, choice] : choices) {
      if (choice == value) Append(out, word);
    }
  }
  std::string Form(std::string_view) const;
  std::string Meaning() const { return {}; }

 private:
  std::vector<std::string_view> Words() const {
    std::vector<std::string_view> words;
    for (const auto& [word, choice] : choices) words.push_back(word);
    return words;
  }
  std::string Unknown(std::string_view text) const;
};

// What is wrong with a word that is none of `words`.
std::string NotOneOf(std::string_view text, std::span<const std::string_view> words);
std::string JoinForm(std::span<const std::string_view> words);

template <class T>
std::string ChoiceCodec<T>::Form(std::string_view) const {
  return JoinForm(Words());
}

template <class T>
std::string ChoiceCodec<T>::Unknown(std::string_view text) const {
  return NotOneOf(text, Words());
}

// What a text of free form may be.
enum class TextKind {
  kName,       // of a process or a mapping: letters, digits, '_', '.', '-'
  kFileName,   // a file on a default mount, no '/'
  kFile,       // kFileName, or /DIR/NAME
  kPath,       // /DIR/NAME
  kDirectory,  // /DIR
  kSysctl,     // vm.NAME
  kAnything,   // the value of a sysctl
};

struct TextCodec {
  TextKind kind;

  std::string Read(std::string_view text, std::string& value) const;
  void Write(std::string_view value, std::string& out) const { out.append(value); }
  std::string Form(std::string_view name) const { return NamedOr(name, "NAME"); }
  std::string Meaning() const;
};

// A value of a transparent_hugepage file; which ones there are is said in the scenario's Thp message.
struct ThpValueCodec {
  ThpOp::Knob knob;

  std::string Read(std::string_view text, std::string& value) const;
  void Write(std::string_view value, std::string& out) const { out.append(value); }
  std::string Form(std::string_view name) const { return NamedOr(name, "VALUE"); }
  std::string Meaning() const;
};

// ---- Fields of the machine line ----

// "SIZE" for every node or "SIZE,SIZE,..." with one for each.
struct NodeMemoryCodec {
  int nodes;

  std::string Read(std::string_view text, std::vector<int64_t>& sizes) const;
  void Write(const std::vector<int64_t>& sizes, std::string& out) const;
  std::string Form(std::string_view) const { return "SIZE[,SIZE...]"; }
  std::string Meaning() const { return "a size for every node, or one for each"; }
};

// "NODE:MAX:PLUGGED".
struct VirtioMemCodec {
  int nodes;

  std::string Read(std::string_view text, VirtioMemDevice& device) const;
  void Write(const VirtioMemDevice& device, std::string& out) const;
  std::string Form(std::string_view) const { return "NODE:MAX:PLUGGED"; }
  std::string Meaning() const { return "the number of a node, and two multiples of 128M"; }
};

// A text in double quotes, which may be left out where it has no blanks.
struct QuotedCodec {
  std::string Read(std::string_view text, std::string& value) const;
  void Write(std::string_view value, std::string& out) const { Append(out, "\"", value, "\""); }
  std::string Form(std::string_view) const { return "\"...\""; }
  std::string Meaning() const { return "a text, in quotes where it has blanks"; }
};

// The words of policy modes, in the order of Policy::Mode.
extern const std::span<const std::pair<std::string_view, Policy::Mode>> kPolicyModes;

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_FIELD_CODECS_H_
