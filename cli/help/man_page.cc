#include "cli/help/man_page.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace numasim {
namespace {

// Text as troff reads it: no escape, no hyphen that a copied command would have in place of a '-', and no
// line that is a request.
std::string Escaped(absl::string_view text) {
  const std::string plain = absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}, {"'", "\\(aq"}});
  return plain.starts_with('.') ? absl::StrCat("\\&", plain) : plain;
}

std::string Bold(absl::string_view text) { return absl::StrCat("\\fB", Escaped(text), "\\fR"); }
std::string Italic(absl::string_view text) { return absl::StrCat("\\fI", Escaped(text), "\\fR"); }

// "SCENARIO", "[METRIC...]".
std::string PositionalUse(const ArgumentOutline& argument) {
  const std::string use = absl::StrCat(Italic(argument.names.front()), argument.repeats ? "..." : "");
  return argument.required ? use : absl::StrCat("[", use, "]");
}

// The line that begins the section of a command.
std::string Use(const CommandOutline& command, const std::string& before) {
  std::string use = Bold(absl::StrCat(before, command.name));
  for (const ArgumentOutline& option : command.options) {
    if (option.required) absl::StrAppend(&use, " ", Bold(option.names.front()), " ", Italic(option.type));
  }
  if (!command.options.empty()) absl::StrAppend(&use, " [options]");
  for (const ArgumentOutline& argument : command.positionals)
    absl::StrAppend(&use, " ", PositionalUse(argument));
  return use;
}

// "-h, --help", "--format text|json".
std::string Names(const ArgumentOutline& argument) {
  std::vector<std::string> names;
  names.reserve(argument.names.size());
  for (const std::string& name : argument.names) names.push_back(Bold(name));
  const bool shows_type = argument.takes_value() && argument.type != argument.names.front();
  return absl::StrCat(absl::StrJoin(names, ", "), shows_type ? " " : "",
                      shows_type ? Italic(argument.type) : "");
}

// Sentences of help begin in lower case behind a name.
std::string Sentence(const std::string& text) {
  std::string sentence = text;
  if (sentence.empty()) return sentence;
  sentence.front() = absl::ascii_toupper(static_cast<unsigned char>(sentence.front()));
  if (!sentence.ends_with('.')) sentence += '.';
  return Escaped(sentence);
}

void PrintArgument(const ArgumentOutline& argument, std::ostream& out) {
  out << ".TP\n" << Names(argument) << "\n" << Sentence(argument.description) << "\n";
}

// Of a command and those below it. `before` are the names of those above, with a blank behind each.
void PrintCommand(const CommandOutline& command, const std::string& before, std::ostream& out) {
  out << ".SS " << Use(command, before) << "\n" << Sentence(command.description) << "\n";
  if (!command.footer.empty()) out << ".PP\n" << Sentence(command.footer) << "\n";
  for (const ArgumentOutline& argument : command.positionals) PrintArgument(argument, out);
  for (const ArgumentOutline& option : command.options) PrintArgument(option, out);
  for (const CommandOutline& below : command.subcommands)
    PrintCommand(below, absl::StrCat(before, command.name, " "), out);
}

}  // namespace

void PrintManPage(const CommandOutline& program, const std::string& version, std::ostream& out) {
  const std::string& name = program.name;
  out << ".TH " << absl::AsciiStrToUpper(name) << " 1 \"\" \"" << name << " " << version << "\"\n";
  absl::string_view description = program.description;
  absl::ConsumePrefix(&description, name + ": ");
  out << ".SH NAME\n" << name << " \\- " << Escaped(description) << "\n";
  out << ".SH SYNOPSIS\n" << Bold(name) << " " << Italic("COMMAND") << " [options] ...\n";
  out << ".SH OPTIONS\n";
  for (const ArgumentOutline& option : program.options) PrintArgument(option, out);
  out << ".SH COMMANDS\n";
  for (const CommandOutline& command : program.subcommands) PrintCommand(command, name + " ", out);
  out << ".SH EXIT STATUS\n0 where all is well, 1 after wrong input; other statuses are said of their "
         "command.\n";
}

}  // namespace numasim
