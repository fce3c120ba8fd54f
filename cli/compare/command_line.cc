#include "cli/compare/command_line.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace green::cli {
namespace {

bool Plain(unsigned char c) {
  constexpr std::string_view kAlso = "_@%+=:,./-";
  return std::isalnum(c) || c > 127 || kAlso.find(static_cast<char>(c)) != kAlso.npos;
}

std::string Word(const std::string& word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), Plain)) return word;
  std::string quoted = "'";
  for (char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string CommandLine(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + Word(word);
  return line;
}

}  // namespace green::cli
