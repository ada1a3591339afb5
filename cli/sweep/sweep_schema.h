// The tables of a sweep's database, for who writes them and who reads them.
#ifndef NUMASIM_CLI_SWEEP_SWEEP_SCHEMA_H_
#define NUMASIM_CLI_SWEEP_SWEEP_SCHEMA_H_

#include <cstdint>

namespace numasim {

// What the file's header says it is (PRAGMA application_id): "Nsim".
inline constexpr int64_t kSweepApplication = 0x4e73696d;
// Of the tables below (PRAGMA user_version).
inline constexpr int64_t kSweepFormat = 2;

// study: what the sweep is of, by name: "study", "show" (what the study shows, as one too), "version",
//   "complete" ("0" or "1"), "the number of seeds" of a point, and the texts of the scenario and its files:
//   "the scenario NAME", "the file NAME".
// parameters: the values of each point. runs: those that finished. failures: why some of these have no
// metrics. unmet: what of the scenario's `expect` does not hold for a run, a line for each metric. metrics:
// the numbers of each run. metric_names: what they are; kind and direction as in cli/metrics/metric.h.
// results: all of it in one place, for queries. cli/sweep/sweep_shown.h adds the view of a study's columns.
inline constexpr char kSweepTables[] = R"(
CREATE TABLE study (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE parameters (
  point INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (point, position)) WITHOUT ROWID;
CREATE TABLE runs (
  run INTEGER PRIMARY KEY, point INTEGER NOT NULL, seed INTEGER NOT NULL, scenario TEXT NOT NULL,
  scenario_hash INTEGER NOT NULL, UNIQUE (point, seed));
CREATE TABLE failures (run INTEGER PRIMARY KEY REFERENCES runs, message TEXT NOT NULL);
CREATE TABLE unmet (
  run INTEGER NOT NULL REFERENCES runs, position INTEGER NOT NULL, message TEXT NOT NULL,
  PRIMARY KEY (run, position)) WITHOUT ROWID;
CREATE TABLE metric_names (
  metric INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, unit TEXT NOT NULL, kind INTEGER NOT NULL,
  direction INTEGER NOT NULL, absent_is_zero INTEGER NOT NULL);
CREATE TABLE metrics (
  run INTEGER NOT NULL REFERENCES runs, metric INTEGER NOT NULL REFERENCES metric_names, value REAL NOT NULL,
  PRIMARY KEY (run, metric)) WITHOUT ROWID;
CREATE VIEW results AS
  SELECT run, point, seed, metric_names.name AS metric, value, unit
  FROM runs JOIN metrics USING (run) JOIN metric_names USING (metric);
)";

}  // namespace numasim

#endif  // NUMASIM_CLI_SWEEP_SWEEP_SCHEMA_H_
