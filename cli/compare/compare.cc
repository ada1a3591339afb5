#include "cli/compare/compare.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "cli/compare/compare_format.h"
#include "cli/compare/comparison.h"
#include "cli/metrics/metrics.h"
#include "cli/standard_output.h"
#include "cli/statistics/significance.h"
#include "cli/sweep/sqlite.h"
#include "cli/sweep/sweep_side.h"
#include "cli/text/glob_match.h"
#include "cli/warnings.h"
#include "proto/trace_reader.h"
#include "workloads/units.h"

namespace numasim {
namespace {

namespace fs = std::filesystem;
using workloads::Quoted;

using FormatFunction = void (*)(const CompareReport&, std::ostream&);

absl::StatusOr<FormatFunction> FindFormat(const std::string& name) {
  if (name == "text") return &CompareText;
  if (name == "json") return &CompareJson;
  if (name == "markdown") return &CompareMarkdown;
  return absl::InvalidArgumentError(absl::StrCat("--format ", name, ": must be text, json or markdown"));
}

absl::StatusOr<CompareRules> ParseRules(const CompareOptions& options) {
  CompareRules rules;
  if (!absl::SimpleAtod(options.level, &rules.level) || !(rules.level > 0 && rules.level < 1)) {
    return absl::InvalidArgumentError(absl::StrCat("--level: ", Quoted(options.level),
                                                   " is no level; expected a number above 0 and below 1, "
                                                   "such as 0.05"));
  }
  double percent = 0;
  absl::string_view number = options.min_effect;
  if (!absl::ConsumeSuffix(&number, "%") || !absl::SimpleAtod(number, &percent) || !std::isfinite(percent) ||
      percent < 0) {
    return absl::InvalidArgumentError(absl::StrCat("--min-effect: ", Quoted(options.min_effect),
                                                   " is no share; expected 0% or more, such as 1%"));
  }
  rules.min_effect = percent / 100;
  return rules;
}

absl::Status CannotRead(const std::string& path, const std::error_code& error) {
  return absl::UnavailableError(absl::StrCat(path, ": ", error.message()));
}

// The traces in a folder, by name. Other files in it may be what belongs to the runs, but not the traces of
// runs that did not come to their end: without them the rest would look like all.
absl::StatusOr<std::vector<std::string>> TracesIn(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) return CannotRead(folder, error);
  for (; entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string path = entries->path().string();
    if (absl::EndsWith(path, ".pb.partial")) {
      return absl::FailedPreconditionError(
          absl::StrCat(path,
                       ": is of a run that was ended, killed, or has not ended yet; expected traces of "
                       "whole runs only"));
    }
    if (absl::EndsWith(path, ".pb")) paths.push_back(path);
  }
  if (error) return CannotRead(folder, error);
  if (paths.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, ": holds no trace; expected one or more files *.pb"));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// What a side can be beside a trace.
constexpr char kOtherSides[] = ", a folder of such, or the database of a sweep (.sqlite)";

// Of the points `where` chooses, if it is a sweep's database.
absl::StatusOr<Side> ReadSide(const std::string& path, const std::vector<PointChoice>& where) {
  if (IsDatabase(path)) return ReadSweepSide(path, where);
  std::vector<std::string> paths = {path};
  std::error_code error;
  if (fs::is_directory(path, error)) {
    absl::StatusOr<std::vector<std::string>> traces = TracesIn(path);
    if (!traces.ok()) return traces.status();
    paths = *std::move(traces);
  }
  Side side;
  for (const std::string& trace : paths) {
    const absl::StatusOr<RunMetrics> run = ReadMetrics(trace);
    if (!run.ok()) return trace == path ? AlsoExpecting(kOtherSides, run.status()) : run.status();
    side.Add(*run);
  }
  return side;
}

// Those of --where, then those of the option for this side alone.
std::vector<PointChoice> ChoicesOf(const CompareOptions& options, const char* option,
                                   const std::vector<std::string>& of_side) {
  std::vector<PointChoice> choices;
  for (const std::string& choice : options.where) choices.push_back({"--where", choice});
  for (const std::string& choice : of_side) choices.push_back({option, choice});
  return choices;
}

std::vector<PointChoice> ChoicesOfBase(const CompareOptions& options) {
  return ChoicesOf(options, "--where-base", options.where_base);
}

std::vector<PointChoice> ChoicesOfNew(const CompareOptions& options) {
  return ChoicesOf(options, "--where-new", options.where_new);
}

// That no choice among points is without effect.
absl::Status CheckChoices(const CompareOptions& options) {
  const bool base = IsDatabase(options.base);
  const bool changed = IsDatabase(options.changed);
  const auto mistake = [](const char* option, const std::string& choice, const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat(option, " ", choice,
                                                   ": chooses among the points of a sweep, but ", what,
                                                   "; expected the database that numasim sweep wrote"));
  };
  if (!options.where.empty() && !base && !changed)
    return mistake("--where", options.where.front(), "neither BASE nor NEW is one");
  if (!options.where_base.empty() && !base)
    return mistake("--where-base", options.where_base.front(), options.base + " is none");
  if (!options.where_new.empty() && !changed)
    return mistake("--where-new", options.where_new.front(), options.changed + " is none");
  return absl::OkStatus();
}

// The names of the metrics to compare.
absl::StatusOr<std::set<std::string>> MatchMetrics(const std::vector<std::string>& globs, const Side& base,
                                                   const Side& changed) {
  std::set<std::string> all;
  for (const Side* side : {&base, &changed}) {
    for (const auto& [name, series] : side->series()) all.insert(name);
  }
  const std::vector<std::string> names(all.begin(), all.end());
  const absl::StatusOr<std::vector<size_t>> chosen = MatchGlobs("--metrics", globs, names, "metrics");
  if (!chosen.ok()) return chosen.status();
  std::set<std::string> wanted;
  for (const size_t i : *chosen) wanted.insert(names[i]);
  return wanted;
}

// What the reader of a comparison must know of what was compared.
std::vector<std::string> NotesOn(const CompareOptions& options, const Side& base, const Side& changed,
                                 bool exact, size_t runs_for_interval) {
  std::vector<std::string> notes;
  for (const Side* side : {&base, &changed}) {
    const char* const name = side == &base ? "base" : "new";
    const bool chosen = IsDatabase(side == &base ? options.base : options.changed);
    const std::vector<PointChoice> where = side == &base ? ChoicesOfBase(options) : ChoicesOfNew(options);
    if (chosen && !where.empty()) {
      const auto text = [](std::string* out, const PointChoice& choice) { *out += choice.text; };
      notes.push_back(absl::StrCat(name, " is of the points where ", absl::StrJoin(where, ", ", text)));
    }
    for (const std::string& same : side->same_runs())
      notes.push_back(absl::StrCat(same, " (scenario, seed and version); it counts once"));
    if (side->scenario_hashes().size() > 1)
      notes.push_back(absl::StrCat(name, " holds runs of different scenarios"));
    if (exact && side->runs() > 1)
      notes.push_back(absl::StrCat("the runs of ", name, " do not differ: nothing in them is random"));
    // The test needs no interval: many runs on the other side can make up for few on this one.
    if (!exact && side->runs() < runs_for_interval) {
      notes.push_back(absl::StrCat(name, " has ", side->runs(), side->runs() == 1 ? " run" : " runs",
                                   ", too few to tell how sure its medians are (+/- inf); expected at least ",
                                   runs_for_interval));
    }
  }
  if (base.scenario_hashes() != changed.scenario_hashes())
    notes.push_back("base and new are of different scenarios");
  return notes;
}

std::vector<std::string> WarningsOn(const CompareOptions& options, const Comparison& comparison) {
  std::vector<std::string> warnings;
  if (comparison.exact && options.level != CompareOptions().level) {
    warnings.push_back(
        absl::StrCat("--level: ", options.level, " has no effect: no run of a side differs from another"));
  }
  if (const size_t count = comparison.Count(Verdict::kTooFewRuns); count > 0) {
    warnings.push_back(absl::StrCat(count, " of ", comparison.metrics.size(),
                                    " metrics differ in too few runs to judge by; expected at least ",
                                    comparison.runs_needed, " runs a side"));
  }
  return warnings;
}

int RunCompare(const CompareOptions& options) {
  const absl::StatusOr<CompareOutcome> outcome = CompareTraces(options, std::cout);
  if (!outcome.ok()) {
    std::cerr << "numasim compare: " << outcome.status().message() << "\n";
    return 1;
  }
  PrintWarnings(outcome->warnings, std::cerr);
  constexpr int kWorse = 2;
  return outcome->worse ? kWorse : 0;
}

}  // namespace

absl::StatusOr<CompareOutcome> CompareTraces(const CompareOptions& options, std::ostream& out) {
  const absl::StatusOr<FormatFunction> format = FindFormat(options.format);
  if (!format.ok()) return format.status();
  const absl::StatusOr<CompareRules> rules = ParseRules(options);
  if (!rules.ok()) return rules.status();
  if (absl::Status status = CheckChoices(options); !status.ok()) return status;
  const absl::StatusOr<Side> base = ReadSide(options.base, ChoicesOfBase(options));
  if (!base.ok()) return base.status();
  const absl::StatusOr<Side> changed = ReadSide(options.changed, ChoicesOfNew(options));
  if (!changed.ok()) return changed.status();
  const absl::StatusOr<std::set<std::string>> wanted = MatchMetrics(options.metrics, *base, *changed);
  if (!wanted.ok()) return wanted.status();
  const Comparison comparison = Compare(*base, *changed, *rules, *wanted);
  (*format)(
      {.base_path = options.base,
       .changed_path = options.changed,
       .base = *base,
       .changed = *changed,
       .rules = *rules,
       .comparison = comparison,
       .notes = NotesOn(options, *base, *changed, comparison.exact, ValuesForInterval(1 - rules->level)),
       .width = options.width},
      out);
  if (!out.flush()) return absl::UnavailableError("cannot write the output (is the disk full?)");
  return CompareOutcome{.worse = comparison.Count(Verdict::kWorse) > 0,
                        .warnings = WarningsOn(options, comparison)};
}

void AddCompareCommand(CLI::App& app, int* exit_status) {
  CLI::App* compare = app.add_subcommand("compare", "Say in what runs before and after a change differ");
  compare->footer(
      "Each side is a trace, a folder whose files *.pb are traces of one run each, one for each seed, or a\n"
      "database that numasim sweep wrote.\n"
      "Runs that are alike on each side are compared exactly. Else medians are, by the Mann-Whitney test.\n"
      "Exit status: 0: nothing is worse; 2: something is; 1: wrong input.");
  auto options = std::make_shared<CompareOptions>();
  constexpr char kSide[] = "TRACE.pb|DIR|SWEEP.sqlite";
  compare->add_option("BASE", options->base, "the runs before")->required()->type_name(kSide);
  compare->add_option("NEW", options->changed, "the runs after")->required()->type_name(kSide);
  compare
      ->add_option("--metrics", options->metrics,
                   "what to compare, such as 'lock.*.wait_max_ns'; several by commas or by giving it again\n"
                   "(default: everything)")
      ->type_name("GLOB")
      ->delimiter(',')
      ->allow_extra_args(false);
  const std::pair<std::vector<std::string>*, std::pair<const char*, const char*>> kChoices[] = {
      {&options->where,
       {"--where",
        "of sweeps, only the points where a parameter has this value; several by giving it again"}},
      {&options->where_base, {"--where-base", "the same for BASE alone"}},
      {&options->where_new, {"--where-new", "the same for NEW alone"}}};
  for (const auto& [choices, option] : kChoices) {
    compare->add_option(option.first, *choices, option.second)
        ->type_name("PARAMETER=VALUE")
        ->allow_extra_args(false);
  }
  compare
      ->add_option("--level", options->level,
                   "the chance that runs that differ by chance alone are told apart in even one metric")
      ->type_name("LEVEL")
      ->capture_default_str();
  compare
      ->add_option("--min-effect", options->min_effect,
                   "the least change of a median that counts (not of counts compared exactly)")
      ->type_name("PERCENT")
      ->capture_default_str();
  compare
      ->add_option("--format", options->format,
                   "text, markdown: what differs, and counts of the rest; json: one object with every metric")
      ->type_name("text|json|markdown")
      ->capture_default_str();
  options->width = OutputWidth();
  compare->callback([options, exit_status] { *exit_status = RunCompare(*options); });
}

}  // namespace numasim
