#include "cli/sweep/sweep_store.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/sweep/sweep_results.h"
#include "cli/sweep/sweep_schema.h"
#include "google/protobuf/text_format.h"

namespace numasim {
namespace {

constexpr char kEmptyTables[] =
    "DELETE FROM metrics; DELETE FROM metric_names; DELETE FROM failures; DELETE FROM unmet; "
    "DELETE FROM runs; DELETE FROM parameters; DELETE FROM study;";

// Runs `work` as one transaction: all of it, or nothing.
template <class Work>
absl::Status InTransaction(Sqlite& database, Work work) {
  absl::Status status = database.Execute("BEGIN IMMEDIATE");
  if (!status.ok()) return status;
  status = work();
  if (status.ok()) status = database.Execute("COMMIT");
  // A transaction that failed may have been rolled back already.
  if (!status.ok()) (void)database.Execute("ROLLBACK");
  return status;
}

// The one connection of this process has the file for itself, which also keeps a second sweep away, and needs
// no memory that is shared between processes. It is asked for first.
constexpr char kExclusive[] = "PRAGMA locking_mode = EXCLUSIVE";
// What is written ahead is in the kernel's hands when a transaction ends, so
// that killing the process loses none of it. The disk is not waited for: where the host goes down the last
// runs may be missing, and are run again.
constexpr char kJournal[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";

absl::Status NoSweep(const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": is no database of a sweep; expected another name (--out)"));
}

// Whether the database has nothing in it yet. An error if it has, and is of something else.
absl::StatusOr<bool> IsNew(Sqlite& database, const std::string& path) {
  const absl::StatusOr<int64_t> tables = database.Number("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok())
    return absl::StrContains(tables.status().message(), "not a database") ? NoSweep(path) : tables.status();
  const absl::StatusOr<int64_t> application = database.Number("PRAGMA application_id");
  if (!application.ok()) return application.status();
  if (*tables == 0 && *application == 0) return true;
  if (*application != kSweepApplication) return NoSweep(path);
  const absl::StatusOr<int64_t> format = database.Number("PRAGMA user_version");
  if (!format.ok()) return format.status();
  if (*format == kSweepFormat) return false;
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": is of a version of numasim with other tables (format ", *format,
                   "); expected format ", kSweepFormat, ", or another name (--out)"));
}

std::map<std::string, std::string> AsTable(const SweepIdentity& identity) {
  std::map<std::string, std::string> table = identity.texts;
  table["study"] = identity.study;
  table["version"] = identity.program;
  return table;
}

}  // namespace

SweepIdentity IdentityOf(const LoadedStudy& study, const std::map<std::string, std::string>& files,
                         const std::string& program) {
  SweepIdentity identity = {.study = {}, .shown = {}, .program = program, .texts = {}};
  Study proto = study.proto;
  // What is shown of results changes none, and a search asks for runs that are the same for any other.
  Study shown;
  shown.mutable_show()->Swap(proto.mutable_show());
  shown.mutable_column()->Swap(proto.mutable_column());
  shown.mutable_find()->Swap(proto.mutable_find());
  google::protobuf::TextFormat::PrintToString(proto, &identity.study);
  google::protobuf::TextFormat::PrintToString(shown, &identity.shown);
  // Runs are numbered by it.
  identity.texts["the number of seeds"] = absl::StrCat(study.seeds.size());
  identity.texts["the scenario " + proto.scenario()] = study.scenario_text;
  for (const auto& [name, text] : files) identity.texts["the file " + name] = text;
  return identity;
}

absl::StatusOr<std::unique_ptr<SweepStore>> SweepStore::Open(const std::string& path,
                                                             const LoadedStudy& study,
                                                             const SweepIdentity& identity, Start start) {
  std::error_code error;
  const bool was_there = std::filesystem::exists(path, error);
  absl::StatusOr<std::unique_ptr<Sqlite>> database = Sqlite::Open(path, Sqlite::Mode::kReadAndWrite);
  if (!database.ok()) return database.status();
  auto store = absl::WrapUnique(new SweepStore(path, study.points.size(), *std::move(database)));
  absl::Status status = store->SetUp(study, identity, start);
  if (status.ok()) status = store->ReadFinished();
  if (status.ok()) status = store->PrepareStatements();
  if (status.ok()) return store;
  store.reset();
  if (!was_there) std::filesystem::remove(path, error);
  return status;
}

absl::Status SweepStore::SetUp(const LoadedStudy& study, const SweepIdentity& identity, Start start) {
  if (absl::Status status = database_->Execute(kExclusive); !status.ok()) return status;
  // Before anything is written: it may be something else.
  const absl::StatusOr<bool> is_new = IsNew(*database_, path_);
  if (!is_new.ok()) return is_new.status();
  const bool goes_on = !*is_new && start == Start::kGoOn;
  absl::Status status = goes_on ? Check(identity) : absl::OkStatus();
  if (status.ok()) status = database_->Execute(kJournal);
  if (!status.ok()) return status;
  if (goes_on) return SetShown(identity.shown);
  const std::string made = absl::StrCat("PRAGMA application_id = ", kSweepApplication,
                                        "; PRAGMA user_version = ", kSweepFormat, ";", kSweepTables);
  return InTransaction(*database_, [&] {
    absl::Status done = database_->Execute(*is_new ? made : kEmptyTables);
    if (done.ok()) done = AddStudy(study, identity);
    return done.ok() ? SetShown(identity.shown) : done;
  });
}

absl::Status SweepStore::AddStudy(const LoadedStudy& study, const SweepIdentity& identity) {
  absl::StatusOr<SqliteStatement> add = database_->Prepare("INSERT INTO study VALUES (?, ?)");
  if (!add.ok()) return add.status();
  std::map<std::string, std::string> table = AsTable(identity);
  table.emplace("complete", "0");
  for (const auto& [name, value] : table) {
    add->Bind(1, name);
    add->Bind(2, value);
    if (absl::Status status = add->Run(); !status.ok()) return status;
  }
  absl::StatusOr<SqliteStatement> parameter =
      database_->Prepare("INSERT INTO parameters VALUES (?, ?, ?, ?)");
  if (!parameter.ok()) return parameter.status();
  for (size_t point = 0; point < study.points.size(); ++point) {
    for (size_t p = 0; p < study.parameters.size(); ++p) {
      parameter->Bind(1, static_cast<int64_t>(point));
      parameter->Bind(2, static_cast<int64_t>(p));
      parameter->Bind(3, study.parameters[p].name);
      parameter->Bind(4, study.ValueAt(point, p));
      if (absl::Status status = parameter->Run(); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status SweepStore::SetShown(const std::string& shown) {
  const absl::StatusOr<std::map<std::string, std::string>> before = StoredStudy(*database_);
  if (!before.ok()) return before.status();
  const auto old = before->find("show");
  if (old != before->end() && old->second == shown) return absl::OkStatus();
  absl::StatusOr<SqliteStatement> set = database_->Prepare("INSERT OR REPLACE INTO study VALUES ('show', ?)");
  if (!set.ok()) return set.status();
  set->Bind(1, shown);
  const absl::Status status = set->Run();
  // Another search may need more runs.
  return status.ok() ? MarkIncomplete() : status;
}

// Says all that has changed.
absl::Status SweepStore::Check(const SweepIdentity& identity) {
  const absl::StatusOr<std::map<std::string, std::string>> before = StoredStudy(*database_);
  if (!before.ok()) return before.status();
  const std::map<std::string, std::string> now = AsTable(identity);
  std::vector<std::string> changed;
  for (const auto& [name, value] : now) {
    const auto old = before->find(name);
    if (old != before->end() && old->second == value) continue;
    if (name == "study") {
      changed.push_back("the study");
    } else if (name == "version") {
      changed.push_back(
          absl::StrCat("the program (", old == before->end() ? "none" : old->second, " to ", value, ")"));
    } else {
      changed.push_back(name);
    }
  }
  if (changed.empty()) return absl::OkStatus();
  const absl::StatusOr<int64_t> runs = database_->Number("SELECT count(*) FROM runs");
  if (!runs.ok()) return runs.status();
  return absl::FailedPreconditionError(
      absl::StrCat(path_, ": holds ", *runs, " runs from before a change of ", absl::StrJoin(changed, ", "),
                   "; expected --restart, which forgets them, or another name (--out)"));
}

absl::Status SweepStore::ReadFinished() {
  absl::StatusOr<SqliteStatement> runs = database_->Prepare("SELECT run, point FROM runs");
  if (!runs.ok()) return runs.status();
  finished_.clear();
  while (true) {
    const absl::StatusOr<bool> row = runs->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    finished_.insert(runs->Number(0));
    const int64_t point = runs->Number(1);
    if (point < 0 || point >= points_) {
      return absl::DataLossError(absl::StrCat(path_, ": is damaged: run ", runs->Number(0), " is of point ",
                                              point, ", but the study has ", points_,
                                              "; expected --restart"));
    }
  }
  const absl::StatusOr<int64_t> failed = database_->Number("SELECT count(*) FROM failures");
  if (!failed.ok()) return failed.status();
  failed_ = static_cast<size_t>(*failed);
  absl::StatusOr<SqliteStatement> names = database_->Prepare("SELECT name, metric FROM metric_names");
  if (!names.ok()) return names.status();
  while (true) {
    const absl::StatusOr<bool> row = names->Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    metric_ids_[names->Text(0)] = names->Number(1);
  }
}

absl::Status SweepStore::PrepareStatements() {
  const std::pair<std::unique_ptr<SqliteStatement>*, const char*> kStatements[] = {
      {&add_run_, "INSERT INTO runs VALUES (?, ?, ?, ?, ?)"},
      {&add_metric_, "INSERT INTO metrics VALUES (?, ?, ?)"},
      {&add_name_, "INSERT INTO metric_names VALUES (?, ?, ?, ?, ?, ?)"},
      {&add_failure_, "INSERT INTO failures VALUES (?, ?)"},
      {&add_unmet_, "INSERT INTO unmet VALUES (?, ?, ?)"}};
  for (const auto& [statement, text] : kStatements) {
    absl::StatusOr<SqliteStatement> prepared = database_->Prepare(text);
    if (!prepared.ok()) return prepared.status();
    *statement = std::make_unique<SqliteStatement>(*std::move(prepared));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SweepStore::MetricId(const std::string& name, const MetricInfo& info) {
  const auto known = metric_ids_.find(name);
  if (known != metric_ids_.end()) return known->second;
  const auto id = static_cast<int64_t>(metric_ids_.size());
  add_name_->Bind(1, id);
  add_name_->Bind(2, name);
  add_name_->Bind(3, info.unit);
  add_name_->Bind(4, static_cast<int64_t>(info.kind));
  add_name_->Bind(5, static_cast<int64_t>(info.direction));
  add_name_->Bind(6, static_cast<int64_t>(info.absent_is_zero));
  if (absl::Status status = add_name_->Run(); !status.ok()) return status;
  metric_ids_[name] = id;
  return id;
}

absl::Status SweepStore::AddRows(const SweepRun& run, const RunMetrics& metrics) {
  add_run_->Bind(1, run.number);
  add_run_->Bind(2, static_cast<int64_t>(run.point));
  add_run_->Bind(3, static_cast<int64_t>(run.seed));
  add_run_->Bind(4, metrics.scenario_name);
  add_run_->Bind(5, static_cast<int64_t>(metrics.scenario_hash));
  if (absl::Status status = add_run_->Run(); !status.ok()) return status;
  for (const auto& [name, metric] : metrics.metrics) {
    const absl::StatusOr<int64_t> id = MetricId(name, metric.info);
    if (!id.ok()) return id.status();
    add_metric_->Bind(1, run.number);
    add_metric_->Bind(2, *id);
    add_metric_->Bind(3, metric.value);
    if (absl::Status status = add_metric_->Run(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SweepStore::AddUnmet(const SweepRun& run, const std::vector<std::string>& unmet) {
  for (size_t i = 0; i < unmet.size(); ++i) {
    add_unmet_->Bind(1, run.number);
    add_unmet_->Bind(2, static_cast<int64_t>(i));
    add_unmet_->Bind(3, unmet[i]);
    if (absl::Status status = add_unmet_->Run(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// The names that a transaction brought go with it.
void SweepStore::ForgetMetricsFrom(size_t count) {
  std::erase_if(metric_ids_,
                [count](const auto& metric) { return metric.second >= static_cast<int64_t>(count); });
}

absl::Status SweepStore::Add(const SweepRun& run, const SweepResult& result) {
  const size_t metrics_before = metric_ids_.size();
  absl::Status status = InTransaction(*database_, [&] {
    const absl::Status added = AddRows(run, result.metrics);
    return added.ok() ? AddUnmet(run, result.unmet) : added;
  });
  if (status.ok()) {
    finished_.insert(run.number);
  } else {
    ForgetMetricsFrom(metrics_before);
  }
  return status;
}

absl::Status SweepStore::AddFailure(const SweepRun& run, const std::string& message) {
  absl::Status status = InTransaction(*database_, [&] {
    if (absl::Status added = AddRows(run, RunMetrics()); !added.ok()) return added;
    add_failure_->Bind(1, run.number);
    add_failure_->Bind(2, message);
    return add_failure_->Run();
  });
  if (!status.ok()) return status;
  finished_.insert(run.number);
  ++failed_;
  return status;
}

absl::StatusOr<int64_t> SweepStore::Unmet() {
  return database_->Number("SELECT count(DISTINCT run) FROM unmet");
}

absl::Status SweepStore::ForgetFailures() {
  absl::Status status = InTransaction(*database_, [&] {
    const absl::Status done =
        database_->Execute("DELETE FROM runs WHERE run IN (SELECT run FROM failures); DELETE FROM failures;");
    return done.ok() ? MarkIncomplete() : done;
  });
  if (status.ok()) status = ReadFinished();
  return status;
}

absl::Status SweepStore::MarkIncomplete() {
  return database_->Execute("UPDATE study SET value = '0' WHERE name = 'complete'");
}

absl::Status SweepStore::MarkComplete() {
  return database_->Execute("UPDATE study SET value = '1' WHERE name = 'complete' AND value = '0'");
}

absl::Status SweepStore::Close() {
  // A statement that is open keeps the journal as it is.
  for (std::unique_ptr<SqliteStatement>* statement :
       {&add_run_, &add_metric_, &add_name_, &add_failure_, &add_unmet_})
    statement->reset();
  return database_->Execute("PRAGMA journal_mode = DELETE");
}

}  // namespace numasim
