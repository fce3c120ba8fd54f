#include "cli/syntax.h"

namespace green::cli {
namespace {

std::string Words(const CommandSyntax& command) {
  std::string words;
  for (const OptionSyntax& option : command.options) {
    if (!option.positional) words += (words.empty() ? "" : " ") + option.name;
  }
  return words;
}

std::string Names(const std::vector<CommandSyntax>& commands) {
  std::string names;
  for (size_t i = 1; i < commands.size(); ++i) names += (i > 1 ? " " : "") + commands[i].name;
  return names;
}

// In single quotes, for any of the three shells; `also` is escaped by a backslash.
std::string Quoted(const std::string& text, const std::string& also = "") {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      if (also.find(c) != also.npos) out += '\\';
      out += c;
    }
  }
  return out + "'";
}

// Options that take no value, as alternatives of a case.
std::string Flags(const CommandSyntax& command) {
  std::string flags;
  for (const OptionSyntax& option : command.options) {
    if (!option.positional && option.value.empty())
      flags += (flags.empty() ? "" : "|") + option.name;
  }
  return flags.empty() ? "''" : flags;
}

// Behind the options of a command that takes a program comes any command with its own
// words, which bash-completion's helpers complete.
std::string Bash(const std::vector<CommandSyntax>& commands) {
  std::string out =
      "# bash completion for green: source it, or install it as\n"
      "# /usr/share/bash-completion/completions/green\n"
      "_green() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} i=2 words= flags= program=\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W " +
      Quoted(Names(commands) + " " + Words(commands[0])) +
      " -- \"$cur\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${COMP_WORDS[1]} in\n";
  for (size_t i = 1; i < commands.size(); ++i) {
    std::string words = Words(commands[i]);
    if (commands[i].name == "help") words += " env " + Names(commands);
    if (commands[i].name == "completion") words += " bash zsh fish";
    out += "    " + commands[i].name + ") words=" + Quoted(words) +
           " flags=" + Quoted("|" + Flags(commands[i]) + "|") +
           (commands[i].takes_program ? " program=1" : "") + " ;;\n";
  }
  out +=
      "  esac\n"
      "  if [[ $program ]]; then\n"
      "    while ((i < COMP_CWORD)); do\n"
      "      case ${COMP_WORDS[i]} in\n"
      "        --) ((i++)); break ;;\n"
      "        -*) [[ $flags == *\"|${COMP_WORDS[i]}|\"* ]] && ((i++)) || ((i += 2)) ;;\n"
      "        *) break ;;\n"
      "      esac\n"
      "    done\n"
      "    if ((i < COMP_CWORD)) || [[ ${COMP_WORDS[COMP_CWORD - 1]} == -- ]]; then\n"
      "      if declare -F _command_offset >/dev/null; then _command_offset $i; return; fi\n"
      "      COMPREPLY=($(compgen -f -- \"$cur\"))\n"
      "      return\n"
      "    fi\n"
      "    ((i > COMP_CWORD)) && { COMPREPLY=($(compgen -f -- \"$cur\")); return; }\n"
      "    [[ $cur != -* ]] && { COMPREPLY=($(compgen -c -- \"$cur\")); return; }\n"
      "  fi\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "}\n"
      "complete -o filenames -F _green green\n";
  return out;
}

std::string Zsh(const std::vector<CommandSyntax>& commands) {
  constexpr char kSpecial[] = ":[]\\";
  std::string out =
      "#compdef green\n"
      "# zsh completion for green: install it as _green in a folder of $fpath\n"
      "local -a commands\n"
      "commands=(\n";
  for (size_t i = 1; i < commands.size(); ++i) {
    out += "  " + Quoted(commands[i].name + ":" + commands[i].help) + "\n";
  }
  out +=
      ")\n"
      "if ((CURRENT == 2)); then\n"
      "  _describe command commands\n"
      "  return\n"
      "fi\n"
      "local command=$words[2]\n"
      "shift words\n"
      "((CURRENT--))\n"
      "case $command in\n";
  for (size_t i = 1; i < commands.size(); ++i) {
    out += "  " + commands[i].name + ")\n    _arguments";
    if (commands[i].takes_program) out += " -S";
    for (const OptionSyntax& option : commands[i].options) {
      if (option.positional) continue;
      std::string spec = Quoted(option.name + "[", "").substr(1);
      spec = "'" + spec.substr(0, spec.size() - 1) + Quoted(option.help, kSpecial).substr(1);
      spec = spec.substr(0, spec.size() - 1) + "]";
      if (!option.value.empty())
        spec += ":" + option.value + ":" + (option.value == "FILE" ? "_files" : " ");
      out += " \\\n      " + spec + "'";
    }
    if (commands[i].takes_program) out += " \\\n      '*:::program:_normal'";
    if (commands[i].name == "help") out += " \\\n      ':topic:(env " + Names(commands) + ")'";
    if (commands[i].name == "completion") out += " \\\n      ':shell:(bash zsh fish)'";
    out += "\n    ;;\n";
  }
  return out + "esac\n";
}

std::string Fish(const std::vector<CommandSyntax>& commands) {
  std::string out =
      "# fish completion for green: install it as\n"
      "# /usr/share/fish/vendor_completions.d/green.fish\n";
  for (size_t i = 1; i < commands.size(); ++i) {
    const CommandSyntax& command = commands[i];
    out += "complete -c green -n __fish_use_subcommand -f -a " + command.name + " -d " +
           Quoted(command.help) + "\n";
    const std::string when =
        "complete -c green -n '__fish_seen_subcommand_from " + command.name + "'";
    for (const OptionSyntax& option : command.options) {
      if (option.positional) continue;
      out += when + " -l " + option.name.substr(2);
      if (!option.value.empty()) out += option.value == "FILE" ? " -r" : " -x";
      out += " -d " + Quoted(option.help) + "\n";
    }
    if (command.takes_program) out += when + " -a '(__fish_complete_subcommand)'\n";
    if (command.name == "help") out += when + " -f -a 'env " + Names(commands) + "'\n";
    if (command.name == "completion") out += when + " -f -a 'bash zsh fish'\n";
  }
  return out;
}

}  // namespace

std::string Completion(const std::vector<CommandSyntax>& commands, const std::string& shell) {
  if (shell == "bash") return Bash(commands);
  if (shell == "zsh") return Zsh(commands);
  if (shell == "fish") return Fish(commands);
  return {};
}

}  // namespace green::cli
