// What an input text is before anything reads its lines: plain text or not, a script or a scenario.
#ifndef NUMASIM_WORKLOADS_INPUT_TEXT_H_
#define NUMASIM_WORKLOADS_INPUT_TEXT_H_

#include <optional>
#include <string>
#include <string_view>

namespace numasim::workloads {

struct TextFault {
  int line = 1;
  std::string what;  // "holds ...; expected ..."
};

// The first thing that no text of ours has: a byte order mark, or a NUL byte.
std::optional<TextFault> FindTextFault(std::string_view text);

enum class InputKind { kScript, kScenario };

// What is said where one kind of input is read as the other. Looks at the first line with more than a
// comment, which it names; nothing if that could be of the `expected` kind.
std::optional<TextFault> FindOtherKind(std::string_view text, InputKind expected);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_INPUT_TEXT_H_
