// What the table of operations says for readers: references and messages are made of it.
#include "workloads/operation_table.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/script.h"

namespace numasim::workloads {
namespace {

// A machine, a process and what the examples name of it.
constexpr char kBefore[] = R"(machine nodes=2 node_mem=16G cpus_per_node=2
spawn db
@db map heap 4G anon
@db map shm 128M shmem
@db map data 1G file file=data
@db pipes log 64M
cma_alloc camera frames 16M
)";

// The words of a text that are written in capitals, as what a user replaces is.
std::vector<std::string> Placeholders(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      words.back().push_back(c);
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  std::erase_if(words, [](const std::string& word) {
    return word.size() < 2 || word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos;
  });
  return words;
}

// "ENOENT", "SIGBUS", "CPU", the PID of a path below /proc: nothing to replace.
bool IsATerm(const std::string& word) {
  return word.starts_with("SIG") || word.starts_with("E") || word == "RDMA" || word == "CPU" ||
         word == "CMA" || word == "PID";
}

TEST(OperationTableTest, SummariesAreSentences) {
  for (const Operation& operation : Operations()) {
    EXPECT_TRUE(operation.help.summary.ends_with('.')) << operation.name;
    EXPECT_TRUE(operation.help.details.empty() || operation.help.details.ends_with('.')) << operation.name;
    EXPECT_EQ(operation.form().find("  "), std::string::npos) << operation.form();
  }
}

TEST(OperationTableTest, HelpSpeaksOfTheFieldsInTheForm) {
  for (const Operation& operation : Operations()) {
    const std::string form = operation.form();
    for (const std::string_view text : {operation.help.summary, operation.help.details}) {
      for (const std::string& word : Placeholders(text)) {
        EXPECT_TRUE(IsATerm(word) || form.find(word) != std::string::npos) << word << " in " << form;
      }
    }
  }
}

TEST(OperationTableTest, MeaningsAreOfPartsOfTheForm) {
  for (const Operation& operation : Operations()) {
    const std::string form = operation.form();
    for (const FieldMeaning& field : operation.meanings()) {
      EXPECT_NE(form.find(field.form), std::string::npos) << field.form << " in " << form;
      EXPECT_FALSE(field.meaning.empty());
    }
  }
}

TEST(OperationTableTest, ExamplesAreReadAsTheOperationTheyAreOf) {
  for (const Operation& operation : Operations()) {
    const std::string example(operation.help.example);
    const absl::StatusOr<Script> script = ParseScript(kBefore + example, "example.mm");
    ASSERT_TRUE(script.ok()) << script.status();
    EXPECT_EQ(script->ops.back().kind.index(), operation.kind) << example;
  }
}

TEST(OperationTableTest, TheMachineLineHasAnExample) {
  const std::string example(MachineHelp().help.example);
  const absl::StatusOr<Script> script = ParseScript(example, "example.mm");
  ASSERT_TRUE(script.ok()) << script.status();
  EXPECT_TRUE(script->machine.has_value());
  EXPECT_EQ(MachineHelp().form(),
            "machine nodes=NUMBER node_mem=SIZE[,SIZE...] [cpus_per_node=NUMBER] "
            "[virtio_mem=NODE:MAX:PLUGGED] [disk=SIZE] [kernel_args=\"...\"]");
}

TEST(OperationTableTest, MessagesQuoteTheForm) {
  const auto script = ParseScript("spawn", "s.mm");
  EXPECT_EQ(std::string(script.status().message()), "s.mm:1: P: is missing; expected 'spawn P'");
}

}  // namespace
}  // namespace numasim::workloads
