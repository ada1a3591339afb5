// An expression of SQL from a study: what the user may write where a column of the table is computed. It is
// checked for what could reach beyond its own place in a statement; whether it is SQL otherwise, SQLite says.
#ifndef NUMASIM_CLI_SWEEP_SQL_EXPRESSION_H_
#define NUMASIM_CLI_SWEEP_SQL_EXPRESSION_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace numasim {

struct SqlExpression {
  std::vector<std::string> names;  // in brackets, in the order in which they stand there
  std::vector<std::string> texts;  // before, between and behind the names: one more than these

  // With SQL in the names' places.
  std::string With(const std::function<std::string(const std::string& name)>& sql_of) const;
};

// InvalidArgument goes on after the value: "closes a parenthesis ..; expected ..".
absl::StatusOr<SqlExpression> ParseSqlExpression(absl::string_view text);

// As a name in a statement, whatever is in it: "a ""b""".
std::string SqlName(absl::string_view name);
// As a text in a statement.
std::string SqlText(absl::string_view text);

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SQL_EXPRESSION_H_
