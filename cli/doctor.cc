#include "cli/doctor.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <sstream>
#include <thread>

#include "cli/compare/failure.h"
#include "cli/doctor/machine.h"
#include "cli/doctor/subject.h"
#include "cli/preload.h"
#include "cli/program.h"
#include "cli/terminal.h"

namespace green::cli {
namespace {

constexpr char kFooter[] = R"(Then: [--] PROGRAM, or the PID of a process

Without either, only the machine is examined. The program is not run.

  green doctor
  green doctor -- ./server
  green doctor 1234

Status: 0 libgreen can serve it; 1 it cannot; 2 bad options; 125 no libgreen.so;
127 no such program or process.)";

constexpr int kOwnFailure = 125, kNotFound = 127;

void Print(const std::string& title, const Findings& findings) {
  struct Look {
    const char* word;
    const char* colour;
  };
  constexpr Look kLooks[] = {{"ok  ", "\033[32m"}, {"note", "\033[33m"}, {"BAD ", "\033[31m"}};
  const bool colour = ColourOn(STDOUT_FILENO);
  std::printf("%s\n", title.c_str());
  for (const Finding& finding : findings) {
    const Look& look = kLooks[finding.level];
    std::printf("  %s%s%s  %s\n", colour ? look.colour : "", look.word, colour ? "\033[0m" : "",
                finding.text.c_str());
    std::istringstream lines(finding.advice);
    for (std::string line; std::getline(lines, line);) std::printf("        %s\n", line.c_str());
  }
}

bool IsBad(const Findings& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.level == Finding::kBad; });
}

bool IsNumber(const std::string& word) {
  return word.find_first_not_of("0123456789") == word.npos && word.size() < 10;
}

int Verdict(bool bad, const std::string& good_text, const std::string& bad_text) {
  std::printf("%s\n", (bad ? bad_text : good_text).c_str());
  return bad ? 1 : 0;
}

int ExamineAll(const std::string& subject) {
  Findings about;
  bool runs = false;
  std::string title;
  const bool process = !subject.empty() && IsNumber(subject);
  // What is asked for first: a name that is wrong needs no more.
  if (process) {
    about = ExamineProcess(static_cast<pid_t>(std::stol(subject)), &runs);
    title = "Process " + subject;
  } else if (!subject.empty()) {
    const auto file = FindProgram(subject);
    if (!file || access(file->c_str(), F_OK) != 0) {
      throw Failure("can't examine " + subject + ": not found", kNotFound);
    }
    about = ExamineProgram(*file);
    title = *file;
  }
  const LibraryPath library = UsableLibrary();
  if (!library.complaint.empty()) throw Failure(library.complaint, kOwnFailure);
  const Findings machine = ExamineMachine(library.path);
  Print("This machine, with " + library.path, machine);
  if (subject.empty()) {
    return Verdict(IsBad(machine), "libgreen works here.", "libgreen does not work here.");
  }
  Print(title, about);
  if (process) {
    return Verdict(IsBad(about), runs ? "libgreen serves it." : "libgreen has not started in it.",
                   "libgreen does not serve it.");
  }
  return Verdict(IsBad(machine) || IsBad(about), "libgreen can serve it: green run -- " + subject,
                 "libgreen cannot serve it.");
}

int Doctor(const std::vector<std::string>& words) {
  try {
    return ExamineAll(words.empty() ? "" : words[0]);
  } catch (const Failure& failure) {
    std::fprintf(stderr, "libgreen: %s\n", failure.what());
    return failure.status;
  }
}

}  // namespace

Command AddDoctor(CLI::App& green) {
  auto words = std::make_shared<std::vector<std::string>>();
  CLI::App* line =
      green.add_subcommand("doctor", "Says whether libgreen can serve a program, and what to do.");
  line->footer(kFooter);
  return {line, [words] { return Doctor(*words); }, words.get()};
}

Command AddThreadProbe(CLI::App& green) {
  CLI::App* line = green.add_subcommand(kThreadProbe, "Makes a thread, for green doctor.");
  line->group("");  // Not in the help.
  return {line, [] {
            std::thread([] {}).join();
            return 0;
          }};
}

}  // namespace green::cli
