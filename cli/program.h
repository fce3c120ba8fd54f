// What kind of program a command starts, and whether libgreen can go under it.
#pragma once

#include <optional>
#include <string>

namespace green::cli {

// The file that execvp() would start for a command; nothing if there is none.
std::optional<std::string> FindProgram(const std::string& command);

bool IsElf(const std::string& path);

// The program that a `#!` script is run by at last; nothing for another file.
std::optional<std::string> ScriptInterpreter(const std::string& path);

// Why libgreen can't run the program in this file, as the end of a sentence that
// begins with the file's name; nothing if it can. Scripts are judged by their
// interpreter. A file that is not there is not refused: exec will say why.
std::optional<std::string> Refusal(const std::string& path);

}  // namespace green::cli
