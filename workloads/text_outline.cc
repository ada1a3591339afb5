#include "workloads/text_outline.h"

#include <string_view>
#include <utility>

#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace numasim::workloads {
namespace {

using google::protobuf::io::Tokenizer;

// The text was accepted before: there are no errors.
class NoErrors : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {}
};

class OutlineReader {
 public:
  explicit OutlineReader(const std::string& text)
      : text_(text), stream_(text.data(), static_cast<int>(text.size())), tokens_(&stream_, &no_errors_) {
    // As TextFormat's own parser sets it.
    tokens_.set_allow_f_after_float(true);
    tokens_.set_comment_style(Tokenizer::SH_COMMENT_STYLE);
    lines_.push_back(0);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') lines_.push_back(i + 1);
    }
    tokens_.Next();
  }

  void ReadFields(OutlinedMessage& message) {
    while (!AtEnd() && !At("}") && !At(">")) message.fields.push_back(ReadField());
  }

 private:
  OutlinedField ReadField() {
    OutlinedField field;
    field.name = tokens_.current().text;
    field.range.begin = Begin();
    tokens_.Next();
    Consume(":");
    field.values.begin = Begin();
    if (Consume("[")) {
      while (!AtEnd() && !At("]")) {
        field.value.push_back(ReadValue());
        Consume(",");
      }
      tokens_.Next();
    } else {
      field.value.push_back(ReadValue());
    }
    field.values.end = PreviousEnd();
    if (!Consume(";")) Consume(",");
    field.range.end = PreviousEnd();
    return field;
  }

  OutlinedValue ReadValue() {
    OutlinedValue value;
    value.range.begin = Begin();
    if (At("{") || At("<")) {
      value.message = std::make_unique<OutlinedMessage>();
      tokens_.Next();
      value.message->inside = PreviousEnd();
      ReadFields(*value.message);
      tokens_.Next();
    } else if (tokens_.current().type == Tokenizer::TYPE_STRING) {
      // Texts that follow each other are one.
      while (tokens_.current().type == Tokenizer::TYPE_STRING) tokens_.Next();
    } else {
      Consume("-");
      tokens_.Next();
    }
    value.range.end = PreviousEnd();
    return value;
  }

  bool AtEnd() { return tokens_.current().type == Tokenizer::TYPE_END; }
  bool At(std::string_view symbol) { return tokens_.current().text == symbol; }
  bool Consume(std::string_view symbol) {
    if (!At(symbol)) return false;
    tokens_.Next();
    return true;
  }

  size_t Begin() { return Offset(tokens_.current().line, tokens_.current().column); }
  size_t PreviousEnd() { return Offset(tokens_.previous().line, tokens_.previous().end_column); }

  // The tokenizer's columns are bytes, but a tab goes on to the next multiple of eight.
  size_t Offset(int line, int column) const {
    constexpr int kTab = 8;
    size_t at = lines_[static_cast<size_t>(line)];
    for (int passed = 0; passed < column && at < text_.size(); ++at)
      passed += text_[at] == '\t' ? kTab - passed % kTab : 1;
    return at;
  }

  const std::string& text_;
  std::vector<size_t> lines_;  // where each begins
  NoErrors no_errors_;
  google::protobuf::io::ArrayInputStream stream_;
  Tokenizer tokens_;
};

}  // namespace

OutlinedMessage OutlineText(const std::string& text) {
  OutlinedMessage root;
  OutlineReader(text).ReadFields(root);
  return root;
}

}  // namespace numasim::workloads
