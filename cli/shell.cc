#include "cli/shell.h"

#include <cstdio>
#include <memory>

#include "cli/syntax.h"

namespace green::cli {

Command AddCompletion(CLI::App& green) {
  auto shell = std::make_shared<std::string>();
  CLI::App* line =
      green.add_subcommand("completion", "Prints a completion script for bash, zsh or fish.");
  line->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  line->footer(
      "  green completion bash > /usr/share/bash-completion/completions/green\n"
      "  green completion zsh > /usr/share/zsh/vendor-completions/_green\n"
      "  green completion fish > /usr/share/fish/vendor_completions.d/green.fish");
  return {line, [&green, shell] {
            std::fputs(Completion(DescribeSyntax(green), *shell).c_str(), stdout);
            return 0;
          }};
}

Command AddMan(CLI::App& green) {
  CLI::App* line = green.add_subcommand("man", "Prints the man page, for `man -l -`.");
  line->footer("  green man | man -l -\n  green man > /usr/local/share/man/man1/green.1");
  return {line, [&green] {
            std::fputs(ManPage(DescribeSyntax(green)).c_str(), stdout);
            return 0;
          }};
}

}  // namespace green::cli
