#include "cli/slurm/work_folder.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/atomic_file.h"
#include "cli/build_id.h"
#include "files/read_file.h"

namespace numasim::slurm {
namespace {

namespace fs = std::filesystem;

constexpr char kJobPrefix[] = "job-";

absl::Status Failed(const std::string& path, const std::error_code& error) {
  return {absl::ErrnoToStatusCode(error.value()), absl::StrCat(path, ": ", error.message())};
}

}  // namespace

std::string WorkFolderOf(const std::string& database) { return database + ".slurm"; }

std::string InputPath(const std::string& folder) { return folder + "/input.pb"; }
std::string ScriptPath(const std::string& folder) { return folder + "/task.sh"; }
std::string JobFolder(const std::string& folder, int number) {
  return absl::StrCat(folder, "/", kJobPrefix, number);
}
std::string JobPath(const std::string& job_folder) { return job_folder + "/job.pb"; }
std::string SubmittedPath(const std::string& job_folder) { return job_folder + "/submitted"; }
std::string ReportPath(const std::string& job_folder, size_t task) {
  return absl::StrCat(job_folder, "/", task, ".report");
}
std::string LogPath(const std::string& job_folder, size_t task) {
  return absl::StrCat(job_folder, "/", task, ".log");
}

absl::Status MakeFolders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return error ? Failed(path, error) : absl::OkStatus();
}

absl::Status WriteMessage(const std::string& path, const google::protobuf::MessageLite& message) {
  return WriteFileAtomically(path, message.SerializeAsString());
}

absl::Status ReadMessage(const std::string& path, google::protobuf::MessageLite& message) {
  const absl::StatusOr<std::string> bytes = ReadInputFile(path);
  if (!bytes.ok())
    return absl::Status(bytes.status().code(), absl::StrCat(path, ": ", bytes.status().message()));
  if (message.ParseFromString(*bytes)) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path, ": is damaged; expected it as numasim sweep wrote it (--restart begins anew)"));
}

absl::StatusOr<std::map<int, std::string>> JobFolders(const std::string& folder) {
  std::map<int, std::string> folders;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    int number = 0;
    absl::string_view rest = name;
    if (absl::ConsumePrefix(&rest, kJobPrefix) && absl::SimpleAtoi(rest, &number))
      folders[number] = JobFolder(folder, number);
  }
  if (error) return Failed(folder, error);
  return folders;
}

std::string LastLine(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadInputFile(path);
  if (!text.ok()) return {};
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n', absl::SkipWhitespace());
  return lines.empty() ? "" : lines.back();
}

absl::StatusOr<Input> MakeInput(const LoadedStudy& study, const SweepScenarios& scenarios) {
  const absl::StatusOr<std::string> program = BuildId();
  if (!program.ok()) return program.status();
  Input input;
  input.set_program(*program);
  input.set_study_path(study.path);
  input.set_study(study.text);
  input.set_scenario(study.scenario_text);
  for (const auto& [name, text] : scenarios.files()) {
    File& file = *input.add_file();
    file.set_name(name);
    file.set_text(text);
  }
  return input;
}

absl::StatusOr<LoadedStudy> StudyOf(const Input& input) {
  return ParseStudy(input.study_path(), input.study(),
                    [&](const std::string&) -> absl::StatusOr<std::string> { return input.scenario(); });
}

std::map<std::string, std::string> FilesOf(const Input& input) {
  std::map<std::string, std::string> files;
  for (const File& file : input.file()) files[file.name()] = file.text();
  return files;
}

absl::StatusOr<SweepRun> RunOf(const LoadedStudy& study, int64_t number) {
  const auto index = static_cast<size_t>(number);
  const size_t seeds = study.seeds.size();
  if (number < 0 || index >= study.points.size() * seeds) {
    return absl::DataLossError(absl::StrCat(study.path, ": run ", number,
                                            " is of another study; expected 0 to ",
                                            study.points.size() * seeds - 1));
  }
  return study.RunAt(index / seeds, index % seeds);
}

}  // namespace numasim::slurm
