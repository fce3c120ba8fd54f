#include "cli/syscalls.h"

#include <cstdio>
#include <memory>

#include "cli/syscall_table.h"

namespace green::cli {
namespace {

struct Options {
  std::string call;
  bool json = false;
  bool markdown = false;
};

int Syscalls(const Options& options) {
  const Format format = options.json       ? Format::kJson
                        : options.markdown ? Format::kMarkdown
                                           : Format::kText;
  const std::string text = PrintSyscalls(options.call, format);
  if (text.empty()) return UsageError("no system call " + options.call);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

Command AddSyscalls(CLI::App& green) {
  auto options = std::make_shared<Options>();
  CLI::App* line =
      green.add_subcommand("syscalls", "What libgreen does with each system call, or with one.");
  line->add_option("call", options->call, "a call's name or number");
  CLI::Option* json = line->add_flag("--json", options->json, "as JSON");
  line->add_flag("--markdown", options->markdown, "as docs/coverage.md")->excludes(json);
  return {line, [options] { return Syscalls(*options); }};
}

}  // namespace green::cli
