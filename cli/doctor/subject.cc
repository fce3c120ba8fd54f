#include "cli/doctor/subject.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "cli/compare/failure.h"
#include "cli/doctor/call_sites.h"
#include "cli/doctor/libraries.h"
#include "cli/program.h"
#include "inspect/runtime.h"

namespace green::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kTestedGlibc[] = "2.36";
constexpr int kMaxSlots = 1024;  // GREEN_SLOT_COUNT
constexpr size_t kMaxListed = 20;

bool IsLibc(const std::string& path) {
  return path.substr(path.rfind('/') + 1).starts_with("libc.so.6");
}

void AddRefusal(const std::string& refusal, const std::string& path, Findings* findings) {
  std::string advice = "it runs natively, with or without green run";
  if (refusal.find("setuid") != refusal.npos || refusal.find("capabilities") != refusal.npos) {
    advice =
        "the loader drops preloads where rights are gained: run a copy without them, as root "
        "if need be";
  } else if (refusal.find("statically") != refusal.npos) {
    advice = "link it dynamically (without -static)";
  } else if (refusal.find("musl") != refusal.npos) {
    advice = "use a build for glibc";
  }
  findings->push_back({Finding::kBad, path + " " + refusal, advice});
}

void AddGlibc(const std::vector<std::string>& libraries, Findings* findings) {
  const auto libc = std::find_if(libraries.begin(), libraries.end(), IsLibc);
  if (libc == libraries.end()) {
    findings->push_back({Finding::kBad, "it does not use glibc", "libgreen needs libc.so.6"});
    return;
  }
  const std::string version = GlibcVersion(*libc);
  if (version == kTestedGlibc) {
    findings->push_back({Finding::kGood, "glibc " + version, ""});
  } else {
    findings->push_back({Finding::kNote,
                         "glibc " + (version.empty() ? "of an unknown version" : version) +
                             "; libgreen is tested with " + kTestedGlibc,
                         "try your tests under it first"});
  }
}

void AddSites(const CallSites& sites, Findings* findings) {
  const std::string text = std::to_string(sites.found) + " system calls in " +
                           std::to_string(sites.objects) +
                           " objects: " + std::to_string(sites.patched) + " seen by libgreen, " +
                           std::to_string(sites.not_treated) + " are the kernel's alone";
  findings->push_back({Finding::kGood, text, ""});
  if (sites.patched > kMaxSlots) {
    findings->push_back({Finding::kNote,
                         "more than the " + std::to_string(kMaxSlots) + " that can be patched",
                         "the last ones block their OS thread, as those below"});
  }
  if (sites.missed.empty()) return;
  std::map<std::string, int> lines;
  for (const CallSites::Missed& missed : sites.missed) {
    ++lines[missed.file + ": " + missed.call + " (" + missed.reason + ")"];
  }
  std::string list;
  size_t listed = 0;
  for (const auto& [line, count] : lines) {
    if (listed++ == kMaxListed) {
      list += "\n... and " + std::to_string(lines.size() - kMaxListed) + " more";
      break;
    }
    list += (list.empty() ? "" : "\n") + line;
    if (count > 1) list += " x" + std::to_string(count);
  }
  findings->push_back({Finding::kNote,
                       std::to_string(sites.missed.size()) +
                           " system calls are not seen: where they block they hold an OS thread, "
                           "and the other threads go on; GREEN_DOOR=sud sees them",
                       list});
}

void AddLibraries(const std::string& path, Findings* findings) {
  const Libraries libraries = LibrariesOf(path);
  for (const std::string& name : libraries.missing) {
    findings->push_back({Finding::kBad, "its library " + name + " is not found",
                         "install it, or set LD_LIBRARY_PATH: it cannot start without"});
  }
  if (!libraries.complaint.empty()) {
    findings->push_back({Finding::kBad, "the loader refuses it: " + libraries.complaint, ""});
    return;
  }
  AddGlibc(libraries.found, findings);
  CallSites sites;
  AddCallSites(path, &sites);
  for (const std::string& library : libraries.found) AddCallSites(library, &sites);
  AddSites(sites, findings);
}

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string OwnerOf(const fs::path& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return "another user";
  const passwd* user = getpwuid(info.st_uid);
  return user ? std::string("user ") + user->pw_name : "user " + std::to_string(info.st_uid);
}

struct Mapping {
  uintptr_t lowest = UINTPTR_MAX;
  bool code = false;
};

// Files that the process has mapped, by path.
std::map<std::string, Mapping> MappedFiles(const std::string& maps) {
  std::map<std::string, Mapping> files;
  std::istringstream lines(maps);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string range, rights, offset, device, inode, path;
    words >> range >> rights >> offset >> device >> inode >> std::ws;
    std::getline(words, path);
    if (!path.starts_with("/")) continue;
    Mapping& mapping = files[path];
    mapping.lowest = std::min(mapping.lowest, std::stoul(range, nullptr, 16));
    mapping.code |= rights[2] == 'x';
  }
  return files;
}

void AddEnvironment(const fs::path& process, Findings* findings) {
  std::string settings;
  std::istringstream entries(ReadAll(process / "environ"));
  for (std::string entry; std::getline(entries, entry, '\0');) {
    if (entry.starts_with("GREEN_")) settings += (settings.empty() ? "" : " ") + entry;
  }
  if (!settings.empty()) findings->push_back({Finding::kGood, "started with " + settings, ""});
}

// libgreen.so among what a process has mapped; empty: it is not. It may have been given another
// name, or been replaced since; without the right to read the memory, the name is all there is.
std::string Library(pid_t pid, const std::map<std::string, Mapping>& files) {
  const std::string path =
      inspect::FindRuntime(inspect::ProcessMemory(pid), inspect::ReadMaps(pid)).path;
  if (!path.empty()) return path;
  for (const auto& [file, _] : files)
    if (file.ends_with("/libgreen.so") || file.ends_with("/libgreen.so (deleted)")) return file;
  return "";
}

// `library` is mapped: is it at work?
// False: nothing is patched.
bool AddPatches(const fs::path& process, const std::map<std::string, Mapping>& files,
                const std::string& library, Findings* findings) {
  const int memory = open((process / "mem").c_str(), O_RDONLY | O_CLOEXEC);
  if (memory < 0) {
    findings->push_back({Finding::kNote, "its memory cannot be read (ptrace is not allowed)",
                         "as root, green doctor also tells which calls are patched"});
    return true;
  }
  CallSites sites;
  for (const auto& [path, mapping] : files) {
    if (!mapping.code || path == library) continue;
    if (!AddCallSitesOf(path, mapping.lowest, memory, &sites)) {
      findings->push_back(
          {Finding::kNote, path + " cannot be read, so its calls are not judged", ""});
    }
  }
  close(memory);
  if (sites.patched == 0) {
    findings->push_back({Finding::kNote,
                         "libgreen is loaded and has not started: the program has made no thread "
                         "yet, or libgreen refused",
                         "look for a line with \"libgreen:\" in its log"});
    return false;
  }
  AddSites(sites, findings);
  return true;
}

}  // namespace

Findings ExamineProgram(const std::string& path) {
  Findings findings;
  std::string judged = path;
  if (const auto script = ScriptInterpreter(path)) {
    judged = *script;
    findings.push_back({Finding::kGood, "a script: " + judged + " is what runs", ""});
  }
  if (const auto refusal = Refusal(path)) {
    AddRefusal(*refusal, judged, &findings);
  } else {
    findings.push_back({Finding::kGood, "dynamically linked, for x86-64 and glibc", ""});
    AddLibraries(judged, &findings);
  }
  return findings;
}

Findings ExamineProcess(pid_t pid, bool* runs) {
  const fs::path process = "/proc/" + std::to_string(pid);
  std::error_code error;
  if (!fs::exists(process, error)) {
    throw Failure("there is no process " + std::to_string(pid), 127);
  }
  const std::string exe = fs::read_symlink(process / "exe", error);
  const std::string maps = ReadAll(process / "maps");
  if (exe.empty() && ReadAll(process / "cmdline").empty()) {
    throw Failure("process " + std::to_string(pid) + " is a kernel thread or has ended");
  }
  if (exe.empty() || maps.empty()) {
    throw Failure("process " + std::to_string(pid) + " belongs to " + OwnerOf(process) +
                  ", and the kernel does not let green look at it (ptrace(2))");
  }
  Findings findings{{Finding::kGood, "runs " + exe, ""}};
  const std::map<std::string, Mapping> files = MappedFiles(maps);
  *runs = false;
  const std::string library = Library(pid, files);
  if (library.empty()) {
    if (const auto refusal = Refusal(exe)) AddRefusal(*refusal, exe, &findings);
    findings.push_back({Finding::kBad, "it was started without libgreen",
                        "libgreen cannot be added to a running process: start it by green run"});
    return findings;
  }
  findings.push_back({Finding::kGood, "libgreen.so is loaded", ""});
  AddEnvironment(process, &findings);
  *runs = AddPatches(process, files, library, &findings);
  const auto threads = std::distance(fs::directory_iterator(process / "task", error), {});
  findings.push_back({Finding::kGood, std::to_string(threads) + " OS threads", ""});
  return findings;
}

}  // namespace green::cli
