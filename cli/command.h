// A command of green. Each has a file of its own with one function that adds it;
// main.cc lists those functions.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace green::cli {

constexpr int kUsageError = 2;

struct Command {
  CLI::App* line;            // Its name, options and help.
  std::function<int()> run;  // Called when the command line is parsed: the exit status.
  // For a command that starts a program: takes the program's words, which are all
  // from the first that is no option of the command (or from "--") on. Whatever
  // they look like, they are kept from the parser.
  std::vector<std::string>* program = nullptr;
  bool or_pid = false;  // a number instead is a process, and options may follow it
};

// The process that a program's words name, if they are one number.
std::optional<int> AsPid(const std::vector<std::string>& words);

// Adds a command to the command line of green. What its options are read into must
// live as long as `run`, which holds it.
using AddCommand = Command (*)(CLI::App& green);

// Says on stderr, in one line, what is wrong with the command line; returns kUsageError.
int UsageError(const std::string& text);

}  // namespace green::cli
