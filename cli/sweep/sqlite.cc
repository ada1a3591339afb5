#include "cli/sweep/sqlite.h"

#include <sqlite3.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "files/read_file.h"

namespace numasim {

bool IsDatabase(const std::string& path) {
  constexpr std::string_view kMark("SQLite format 3\0", 16);
  return BeginningOf(path, kMark.size()) == kMark;
}

absl::StatusOr<std::unique_ptr<Sqlite>> Sqlite::Open(const std::string& path, Mode mode) {
  sqlite3* database = nullptr;
  const int flags = mode == Mode::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  // Each connection is one thread's at a time: the callers see to that.
  const int code = sqlite3_open_v2(path.c_str(), &database, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  // Even what could not be opened is to be closed.
  auto opened = absl::WrapUnique(new Sqlite(path, database));
  if (code != SQLITE_OK) return opened->Failed(code);
  sqlite3_extended_result_codes(database, 0);
  // A name in double quotes that nothing has is a mistake, and no text.
  sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  return opened;
}

Sqlite::~Sqlite() { sqlite3_close_v2(database_); }

absl::Status Sqlite::Failed(int code) const {
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return absl::UnavailableError(
        absl::StrCat(path_, ": is in use by another program; expected a database of its own for each sweep"));
  }
  const int reason = code == SQLITE_CANTOPEN && database_ != nullptr ? sqlite3_system_errno(database_) : 0;
  if (reason != 0)
    return absl::UnavailableError(absl::StrCat(path_, ": cannot be opened: ", std::strerror(reason)));
  const char* const said = database_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database_);
  return absl::UnavailableError(absl::StrCat(path_, ": ", said));
}

absl::Status Sqlite::Execute(const std::string& statements) {
  const int code = sqlite3_exec(database_, statements.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Failed(code);
}

absl::StatusOr<SqliteStatement> Sqlite::Prepare(const std::string& statement) {
  sqlite3_stmt* prepared = nullptr;
  const int code =
      sqlite3_prepare_v2(database_, statement.data(), static_cast<int>(statement.size()), &prepared, nullptr);
  if (code != SQLITE_OK) return Failed(code);
  return SqliteStatement(this, prepared);
}

absl::StatusOr<std::string> Sqlite::Text(const std::string& query) {
  absl::StatusOr<SqliteStatement> statement = Prepare(query);
  if (!statement.ok()) return statement.status();
  const absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) return row.status();
  if (!*row) return absl::NotFoundError(absl::StrCat(path_, ": holds no answer to ", query));
  return statement->Text(0);
}

absl::StatusOr<int64_t> Sqlite::Number(const std::string& query) {
  absl::StatusOr<SqliteStatement> statement = Prepare(query);
  if (!statement.ok()) return statement.status();
  const absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) return row.status();
  if (!*row) return absl::NotFoundError(absl::StrCat(path_, ": holds no answer to ", query));
  return statement->Number(0);
}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

void SqliteStatement::Bind(int parameter, int64_t value) { sqlite3_bind_int64(statement_, parameter, value); }

void SqliteStatement::Bind(int parameter, double value) { sqlite3_bind_double(statement_, parameter, value); }

void SqliteStatement::Bind(int parameter, absl::string_view text) {
  sqlite3_bind_text64(statement_, parameter, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  const absl::Status failed = database_->Failed(code);
  sqlite3_reset(statement_);
  return failed;
}

absl::Status SqliteStatement::Run() { return Step().status(); }

int64_t SqliteStatement::Number(int column) const { return sqlite3_column_int64(statement_, column); }

double SqliteStatement::Real(int column) const { return sqlite3_column_double(statement_, column); }

std::string SqliteStatement::Text(int column) const {
  const void* const bytes = sqlite3_column_text(statement_, column);
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return bytes == nullptr ? "" : std::string(static_cast<const char*>(bytes), size);
}

}  // namespace numasim
