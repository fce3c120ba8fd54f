// The command line of green, described: from it the man page and the completions are
// made, so that they follow the options.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace green::cli {

struct OptionSyntax {
  std::string name;   // "--runs", or a positional's: "topic"
  std::string value;  // "N"; empty for a flag
  std::string help;
  std::string group;
  bool positional = false;
};

struct CommandSyntax {
  std::string name;  // Empty for green itself.
  std::string help;
  std::string footer;
  bool takes_program = false;  // "[--] PROGRAM [ARGUMENTS]" follows.
  std::vector<OptionSyntax> options;
};

// green itself, then its commands in order, without the hidden ones.
std::vector<CommandSyntax> DescribeSyntax(const CLI::App& green);

// The man page green(1), as man(7) has it.
std::string ManPage(const std::vector<CommandSyntax>& commands);

// A completion script for "bash", "zsh" or "fish"; empty for another shell.
std::string Completion(const std::vector<CommandSyntax>& commands, const std::string& shell);

}  // namespace green::cli
