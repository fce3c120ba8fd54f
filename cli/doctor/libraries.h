// The libraries that the loader would bring in for a program, which is not run.
#pragma once

#include <string>
#include <vector>

namespace green::cli {

struct Libraries {
  std::vector<std::string> found;    // Paths; the loader's own is among them.
  std::vector<std::string> missing;  // Names.
  std::string complaint;             // Of the loader itself; empty if it had none.
};

Libraries LibrariesOf(const std::string& program);

// "2.36", from the text in libc itself; empty if it has none.
std::string GlibcVersion(const std::string& libc);

}  // namespace green::cli
