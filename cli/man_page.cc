#include <sstream>

#include "cli/settings.h"
#include "cli/syntax.h"

namespace green::cli {
namespace {

// Text for roff: a backslash is written \e, and a hyphen that may be typed is \-.
std::string Roff(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  // A dot or a quote at a line's begin would be a request.
  if (!out.empty() && (out[0] == '.' || out[0] == '\'')) out.insert(0, "\\&");
  return out;
}

std::string OptionHead(const OptionSyntax& option) {
  std::string head =
      option.positional ? "\\fI" + Roff(option.name) + "\\fR" : "\\fB" + Roff(option.name) + "\\fR";
  if (!option.positional && !option.value.empty()) head += " \\fI" + Roff(option.value) + "\\fR";
  return head;
}

void AddOptions(const CommandSyntax& command, std::string* out) {
  for (const OptionSyntax& option : command.options) {
    *out += ".TP\n" + OptionHead(option) + "\n" + Roff(option.help) + "\n";
  }
}

// Lines that are set in are examples.
void AddFooter(const std::string& footer, std::string* out) {
  std::istringstream lines(footer);
  bool example = false;
  *out += ".PP\n";
  for (std::string line; std::getline(lines, line);) {
    const bool set_in = line.starts_with(" ");
    if (set_in != example) *out += set_in ? ".PP\n.nf\n" : ".fi\n";
    example = set_in;
    *out += line.empty() ? ".PP\n" : Roff(line) + "\n";
  }
  if (example) *out += ".fi\n";
}

void AddCommand(const CommandSyntax& command, std::string* out) {
  *out += ".SS green " + Roff(command.name);
  for (const OptionSyntax& option : command.options) {
    if (option.positional) *out += " [" + Roff(option.name) + "]";
  }
  if (command.takes_program) *out += " [options] [\\-\\-] program [arguments]";
  *out += "\n" + Roff(command.help) + "\n";
  AddOptions(command, out);
  if (!command.footer.empty()) AddFooter(command.footer, out);
}

}  // namespace

std::string ManPage(const std::vector<CommandSyntax>& commands) {
  std::string out =
      ".\\\" Printed by \"green man\"; a test keeps it current.\n"
      ".TH GREEN 1 \"\" \"libgreen\" \"User commands\"\n"
      ".SH NAME\ngreen \\- run programs' threads as green threads\n"
      ".SH SYNOPSIS\n.B green\n.I command\n[options] [[\\-\\-] program [arguments]]\n"
      ".SH DESCRIPTION\n";
  out += Roff(commands.front().help) +
         "\nThe programs are used as they are: no recompiling, no linking.\n";
  AddOptions(commands.front(), &out);
  out += ".SH COMMANDS\n";
  for (size_t i = 1; i < commands.size(); ++i) AddCommand(commands[i], &out);
  out += ".SH ENVIRONMENT\nlibgreen reads these in every program that it is preloaded into.\n";
  for (const Setting& setting : Settings()) {
    out += ".TP\n\\fB" + Roff(setting.variable) + "\\fR (" + Roff(setting.fallback) + ")\n" +
           Roff(setting.meaning) + "\n";
  }
  out +=
      ".TP\n\\fBGREEN_LIBRARY\\fR\nfor green only: the path of libgreen.so, if it is neither "
      "beside "
      "green nor in ../lib\n"
      ".TP\n\\fBNO_COLOR\\fR\nif set and not empty, output is not coloured\n"
      ".SH SEE ALSO\n.BR ld.so (8),\n.BR pthreads (7)\n";
  return out;
}

}  // namespace green::cli
