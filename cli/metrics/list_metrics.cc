#include "cli/metrics/list_metrics.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/metrics/metric_text.h"
#include "cli/metrics/metrics.h"
#include "cli/text/csv_text.h"
#include "cli/text/glob_match.h"
#include "cli/text/text_table.h"
#include "workloads/units.h"

namespace numasim {
namespace {

using Wanted = std::vector<std::pair<std::string, Metric>>;

void PrintText(const Wanted& wanted, std::ostream& out) {
  size_t name_width = 0;
  size_t value_width = 0;
  for (const auto& [name, metric] : wanted) {
    name_width = std::max(name_width, name.size());
    value_width = std::max(value_width, ValueText(metric.info, metric.value).size());
  }
  for (const auto& [name, metric] : wanted) {
    const std::string unit = UnitText(metric.info);
    out << PadRight(name, name_width) << "  " << PadLeft(ValueText(metric.info, metric.value), value_width)
        << (unit.empty() ? "" : "  " + unit) << "\n";
  }
}

void PrintCsv(const Wanted& wanted, std::ostream& out) {
  out << "metric,value,unit\n";
  for (const auto& [name, metric] : wanted)
    out << CsvField(name) << "," << CsvNumber(metric.value) << "," << metric.info.unit << "\n";
}

void PrintJson(const Wanted& wanted, std::ostream& out) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, metric] : wanted)
    json[name] = {{"value", metric.value}, {"unit", metric.info.unit}};
  out << json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

}  // namespace

absl::Status ListMetrics(const ListMetricsOptions& options, std::ostream& out) {
  void (*print)(const Wanted&, std::ostream&) = options.format == "text"   ? &PrintText
                                                : options.format == "csv"  ? &PrintCsv
                                                : options.format == "json" ? &PrintJson
                                                                           : nullptr;
  if (print == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("--format: ", workloads::Quoted(options.format),
                                                   " is no form of output; expected text, csv or json"));
  }
  const absl::StatusOr<RunMetrics> run = ReadMetrics(options.trace);
  if (!run.ok()) return run.status();
  std::vector<std::string> names;
  for (const auto& [name, metric] : run->metrics) names.push_back(name);
  const absl::StatusOr<std::vector<size_t>> chosen =
      MatchGlobs("METRIC", options.metrics, names, "metrics of the run");
  if (!chosen.ok()) return chosen.status();
  Wanted wanted;
  for (const size_t index : *chosen) wanted.emplace_back(names[index], run->metrics.at(names[index]));
  print(wanted, out);
  if (!out.flush()) return absl::UnavailableError("cannot write the output (is the disk full?)");
  return absl::OkStatus();
}

void AddMetricsCommand(CLI::App& app, int* exit_status) {
  CLI::App* command = app.add_subcommand("metrics", "Show the metrics of a trace's run by name");
  command->footer("These are the names that compare, --fail-on and a scenario's expect take.");
  auto options = std::make_shared<ListMetricsOptions>();
  command->add_option("TRACE", options->trace, "the trace of a run")->required()->type_name("TRACE.pb");
  command
      ->add_option("METRIC", options->metrics,
                   "which, as globs such as 'operation.*.failed'; none: all of them")
      ->type_name("GLOB");
  command->add_option("--format", options->format, "text, csv or json")
      ->type_name("text|csv|json")
      ->capture_default_str();
  command->callback([options, exit_status] {
    const absl::Status status = ListMetrics(*options, std::cout);
    if (status.ok()) return;
    std::cerr << "numasim metrics: " << status.message() << "\n";
    *exit_status = 1;
  });
}

}  // namespace numasim
