#include "cli/preload.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace green::cli {
namespace {

constexpr std::string_view kName = "libgreen.so";
constexpr std::string_view kSeparators = ": ";

}  // namespace

std::optional<std::string> FindLibrary() {
  namespace fs = std::filesystem;
  std::error_code error;
  if (const char* named = std::getenv("GREEN_LIBRARY"); named && *named) {
    fs::path path = fs::absolute(named, error);
    if (!fs::is_regular_file(path, error)) return {};
    return path.string();
  }
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error) return {};
  for (const fs::path& path : {folder / kName, folder.parent_path() / "lib" / kName}) {
    if (fs::is_regular_file(path, error)) return path.string();
  }
  return {};
}

LibraryPath UsableLibrary() {
  const std::optional<std::string> found = FindLibrary();
  if (const char* named = std::getenv("GREEN_LIBRARY"); !found && named && *named) {
    return {"", std::string("GREEN_LIBRARY=") + named + ": no such file"};
  }
  if (!found && access("/proc/self/exe", F_OK) != 0) {
    return {"", "can't look for libgreen.so without /proc; set GREEN_LIBRARY to its path"};
  }
  if (!found) {
    return {"", "libgreen.so is neither beside green nor in ../lib; set GREEN_LIBRARY to its path"};
  }
  if (found->find_first_of(kSeparators) != std::string::npos) {
    return {"", "can't preload " + *found + ": LD_PRELOAD takes no path with a colon or a space"};
  }
  return {*found, ""};
}

std::string Preloads() {
  const char* preloads = std::getenv("LD_PRELOAD");
  return preloads ? preloads : "";
}

std::string WithoutLibrary(std::string_view preloads) {
  std::string kept;
  while (!preloads.empty()) {
    size_t end = preloads.find_first_of(kSeparators);
    std::string_view entry = preloads.substr(0, end);
    preloads.remove_prefix(end == preloads.npos ? preloads.size() : end + 1);
    std::string_view name = entry.substr(entry.rfind('/') + 1);
    if (entry.empty() || name == kName) continue;
    if (!kept.empty()) kept += ':';
    kept += entry;
  }
  return kept;
}

std::string WithLibrary(std::string_view preloads, std::string_view library) {
  std::string all = WithoutLibrary(preloads);
  if (!all.empty()) all += ':';
  all += library;
  return all;
}

}  // namespace green::cli
