// Where the fields of a message stand in its text, to the byte, so that a value can be changed in its place
// and the rest of the text, with its comments and lines, stays.
#ifndef NUMASIM_WORKLOADS_TEXT_OUTLINE_H_
#define NUMASIM_WORKLOADS_TEXT_OUTLINE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace numasim::workloads {

// The bytes of a text from `begin` up to, and without, `end`.
struct TextRange {
  size_t begin = 0;
  size_t end = 0;
};

struct OutlinedMessage;

// A text, a number, a word, or a message in braces.
struct OutlinedValue {
  TextRange range;                           // of a message with its braces
  std::unique_ptr<OutlinedMessage> message;  // null of everything else
};

// "name: value", "name { .. }" or "name: [value, value]".
struct OutlinedField {
  std::string name;
  TextRange range;   // all of it, and a ',' or ';' behind it
  TextRange values;  // what stands behind the name: the value, or the list with its brackets
  std::vector<OutlinedValue> value;
};

struct OutlinedMessage {
  size_t inside = 0;                  // just behind its opening brace; 0 of the whole text
  std::vector<OutlinedField> fields;  // in the order of the text, each as often as it is written
};

// `text` is one that TextFormat accepts for a message without extensions and Any; of other texts the outline
// is without meaning.
OutlinedMessage OutlineText(const std::string& text);

}  // namespace numasim::workloads

#endif  // NUMASIM_WORKLOADS_TEXT_OUTLINE_H_
