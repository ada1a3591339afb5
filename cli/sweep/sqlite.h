// SQLite with statuses: a database file and the statements that are made for it. Not shared between threads.
#ifndef NUMASIM_CLI_SWEEP_SQLITE_H_
#define NUMASIM_CLI_SWEEP_SQLITE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace numasim {

// Whether the file's content is a database of SQLite.
bool IsDatabase(const std::string& path);

class SqliteStatement;

// An open database. Every status begins with the file's name and says what SQLite says. Statements must not
// outlive it.
class Sqlite {
 public:
  enum class Mode { kRead, kReadAndWrite };

  // `kReadAndWrite` makes the file if it is not there.
  static absl::StatusOr<std::unique_ptr<Sqlite>> Open(const std::string& path, Mode mode);
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;
  ~Sqlite();

  const std::string& path() const { return path_; }  // as given

  // One or more statements without values.
  absl::Status Execute(const std::string& statements);
  absl::StatusOr<SqliteStatement> Prepare(const std::string& statement);
  // The first column of the first row, as text or number; an error if there is no row.
  absl::StatusOr<std::string> Text(const std::string& query);
  absl::StatusOr<int64_t> Number(const std::string& query);

 private:
  friend class SqliteStatement;

  Sqlite(std::string path, sqlite3* database) : path_(std::move(path)), database_(database) {}
  absl::Status Failed(int code) const;

  const std::string path_;
  sqlite3* const database_;
};

// Parameters are numbered from 1, columns from 0.
class SqliteStatement {
 public:
  SqliteStatement(SqliteStatement&& other) noexcept
      : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  ~SqliteStatement();

  void Bind(int parameter, int64_t value);
  void Bind(int parameter, double value);
  void Bind(int parameter, absl::string_view text);

  // True: there is a row, until the next step. False: there is none any more, and the statement can be used
  // again.
  absl::StatusOr<bool> Step();
  // For a statement without rows.
  absl::Status Run();

  int64_t Number(int column) const;
  double Real(int column) const;
  std::string Text(int column) const;

 private:
  friend class Sqlite;
  SqliteStatement(Sqlite* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}

  Sqlite* const database_;
  sqlite3_stmt* statement_;
};

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SQLITE_H_
