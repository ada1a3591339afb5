#include "cli/help/completion.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "cli/help/bash_completion.h"
#include "cli/help/command_outline.h"
#include "cli/help/zsh_completion.h"

namespace numasim {

void AddCompletionCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("completion", "Print a script by which a shell completes numasim's command lines");
  command->footer(
      "bash: source <(numasim completion bash); zsh, after compinit: source <(numasim completion zsh). In "
      "the\n"
      "shell's startup file this is for all shells to come.");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "which: bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([&app, shell] {
    (*shell == "bash" ? PrintBashCompletion : PrintZshCompletion)(OutlineOf(app), std::cout);
  });
}

}  // namespace numasim
