// Where libgreen.so is, and how it gets into LD_PRELOAD.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace green::cli {

// GREEN_LIBRARY if set, else libgreen.so next to this program, else in ../lib.
std::optional<std::string> FindLibrary();

struct LibraryPath {
  std::string path;
  std::string complaint;  // Why there is none that can be preloaded; empty if there is.
};

LibraryPath UsableLibrary();

// The value of LD_PRELOAD, empty if it is not set.
std::string Preloads();

// Preloads without any libgreen.so among them.
std::string WithoutLibrary(std::string_view preloads);

// libgreen comes last: a user's preload that wraps pthread_create then wraps ours,
// and AddressSanitizer's run time insists on being the first.
std::string WithLibrary(std::string_view preloads, std::string_view library);

}  // namespace green::cli
