#include "cli/sweep/sql_expression.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace numasim {
namespace {

// Reads an expression from left to right: names in brackets, parentheses, quoted parts, and all else as it
// is.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : rest_(text) {}

  absl::Status Scan() {
    while (!rest_.empty()) {
      if (absl::Status status = Next(); !status.ok()) return status;
    }
    if (depth_ == 0) return absl::OkStatus();
    return absl::InvalidArgumentError("leaves a parenthesis open; expected as many ')' as '('");
  }
  SqlExpression Take() { return std::move(read_); }

 private:
  absl::Status Next() {
    for (const absl::string_view end : {";", "--", "/*"}) {
      if (absl::StartsWith(rest_, end))
        return absl::InvalidArgumentError(
            absl::StrCat("has ", end, " in it; expected one expression of SQL"));
    }
    const char c = rest_[0];
    if (c == '[') return Name();
    if (c == '\'' || c == '"' || c == '`') return Quoted(c);
    Take(1);
    depth_ += c == '(' ? 1 : c == ')' ? -1 : 0;
    // What follows would be outside of the parentheses that the statement has round the expression.
    if (depth_ >= 0) return absl::OkStatus();
    return absl::InvalidArgumentError("closes a parenthesis that is not open; expected as many '(' as ')'");
  }

  absl::Status Name() {
    const size_t end = rest_.find(']');
    if (end == absl::string_view::npos || end == 1)
      return absl::InvalidArgumentError("has a '[' without a name and a ']'; expected [METRIC]");
    read_.names.emplace_back(rest_.substr(1, end - 1));
    read_.texts.emplace_back();
    rest_.remove_prefix(end + 1);
    return absl::OkStatus();
  }

  // A quote within is written twice, which is as good as two quoted parts side by side.
  absl::Status Quoted(char quote) {
    const size_t end = rest_.find(quote, 1);
    if (end == absl::string_view::npos)
      return absl::InvalidArgumentError(
          absl::StrCat("leaves a ", std::string(1, quote), " open; expected two"));
    Take(end + 1);
    return absl::OkStatus();
  }

  void Take(size_t size) {
    absl::StrAppend(&read_.texts.back(), rest_.substr(0, size));
    rest_.remove_prefix(size);
  }

  absl::string_view rest_;
  int depth_ = 0;
  SqlExpression read_ = {.names = {}, .texts = {""}};
};

std::string InQuotes(absl::string_view text, absl::string_view quote) {
  return absl::StrCat(quote, absl::StrReplaceAll(text, {{quote, absl::StrCat(quote, quote)}}), quote);
}

}  // namespace

absl::StatusOr<SqlExpression> ParseSqlExpression(absl::string_view text) {
  if (absl::StripAsciiWhitespace(text).empty())
    return absl::InvalidArgumentError("is empty; expected an expression of SQL, such as [node0.numa_miss]");
  Scanner scanner(text);
  if (absl::Status status = scanner.Scan(); !status.ok()) return status;
  return scanner.Take();
}

std::string SqlExpression::With(const std::function<std::string(const std::string& name)>& sql_of) const {
  std::string sql = texts[0];
  for (size_t i = 0; i < names.size(); ++i) absl::StrAppend(&sql, sql_of(names[i]), texts[i + 1]);
  return sql;
}

std::string SqlName(absl::string_view name) { return InQuotes(name, "\""); }
std::string SqlText(absl::string_view text) { return InQuotes(text, "'"); }

}  // namespace numasim
