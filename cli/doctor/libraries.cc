#include "cli/doctor/libraries.h"

#include <signal.h>

#include <fstream>
#include <sstream>

#include "cli/compare/children.h"

namespace green::cli {
namespace {

constexpr char kLoader[] = "/lib64/ld-linux-x86-64.so.2";
constexpr double kPatience = 60;

}  // namespace

Libraries LibrariesOf(const std::string& program) {
  Children children;
  const Output output;
  // As ldd(1): unlike --list, this goes on behind a library that is missing.
  const Environment trace = {{"LD_PRELOAD", {}}, {"LD_TRACE_LOADED_OBJECTS", "1"}};
  const pid_t pid = children.Start(kLoader, {kLoader, program}, trace, output);
  for (const double until = Now() + kPatience; !children.Status(pid) && Now() < until;) Sleep(0.1);
  Libraries libraries;
  std::istringstream lines(output.Text());
  for (std::string line; std::getline(lines, line);) {
    // "name => path (address)", "path (address)", "name => not found"
    std::istringstream words(line);
    std::string name, arrow, path;
    words >> name >> arrow >> path;
    if (arrow == "=>" && path == "not") {
      libraries.missing.push_back(name);
    } else if (arrow == "=>") {
      libraries.found.push_back(path);
    } else if (name.starts_with("/") && arrow.starts_with("(")) {
      libraries.found.push_back(name);
    }
  }
  if (libraries.found.empty()) {
    std::string line = output.Text();
    libraries.complaint = line.substr(0, line.find('\n'));
    if (libraries.complaint.empty()) libraries.complaint = "the loader lists no library";
  }
  return libraries;
}

std::string GlibcVersion(const std::string& libc) {
  std::ifstream file(libc, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  const std::string text = bytes.str();
  constexpr std::string_view kMark = "stable release version ";
  const size_t at = text.find(kMark);
  if (at == text.npos) return {};
  const size_t begin = at + kMark.size();
  return text.substr(begin, text.find_first_not_of("0123456789.", begin) - begin - 1);
}

}  // namespace green::cli
