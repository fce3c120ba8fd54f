// A command as it would be typed to a shell.
#pragma once

#include <string>
#include <vector>

namespace green::cli {

// Words joined by spaces; in single quotes where sh(1) would take a word apart, change or lose it.
std::string CommandLine(const std::vector<std::string>& words);

}  // namespace green::cli
