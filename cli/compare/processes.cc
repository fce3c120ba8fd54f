#include "cli/compare/processes.h"

#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace green::cli {
namespace {

namespace fs = std::filesystem;

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The fields of /proc/PID/stat from the state on, which is field 3 (proc(5)); the name
// before it may hold anything.
std::vector<std::string> StatFields(pid_t pid) {
  const std::string text = ReadAll("/proc/" + std::to_string(pid) + "/stat");
  const size_t end = text.rfind(')');
  std::vector<std::string> fields;
  if (end == text.npos) return fields;
  std::istringstream words(text.substr(end + 1));
  for (std::string word; words >> word;) fields.push_back(word);
  return fields;
}

constexpr size_t kParent = 4 - 3, kChildrenUser = 16 - 3, kChildrenSystem = 17 - 3;

// A figure of a status file, such as "Threads:\t4".
long StatusFigure(const std::string& status, const char* name) {
  const size_t at = status.find(std::string("\n") + name + ":");
  if (at == status.npos) return 0;
  return std::strtol(status.c_str() + status.find(':', at) + 1, nullptr, 10);
}

template <typename Visit>
void ForEachNumber(const fs::path& folder, Visit visit) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    if (name.find_first_not_of("0123456789") == name.npos) visit(std::stol(name));
  }
}

// Inodes of the sockets that a process holds.
void AddSockets(pid_t pid, std::set<std::string>* inodes) {
  const fs::path folder = "/proc/" + std::to_string(pid) + "/fd";
  ForEachNumber(folder, [&](long fd) {
    std::error_code error;
    const std::string target = fs::read_symlink(folder / std::to_string(fd), error);
    if (target.starts_with("socket:[")) inodes->insert(target.substr(8, target.size() - 9));
  });
}

void AddTcpListeners(const fs::path& table, const std::set<std::string>& inodes, Listeners* out) {
  std::istringstream lines(ReadAll(table));
  std::string line;
  std::getline(lines, line);  // The heads.
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
        timeout >> inode;
    constexpr char kListen[] = "0A";  // TCP_LISTEN, net/tcp_states.h
    if (state != kListen || !inodes.contains(inode)) continue;
    out->ports.insert(std::stoi(local.substr(local.rfind(':') + 1), nullptr, 16));
  }
}

bool HasUnixListener(const fs::path& table, const std::set<std::string>& inodes) {
  std::istringstream lines(ReadAll(table));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string address, references, protocol, flags, type, state, inode;
    words >> address >> references >> protocol >> flags >> type >> state >> inode;
    constexpr char kAccepts[] = "00010000";  // __SO_ACCEPTCON
    if (flags == kAccepts && inodes.contains(inode)) return true;
  }
  return false;
}

}  // namespace

std::vector<pid_t> Descendants(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  ForEachNumber("/proc", [&](long pid) {
    const std::vector<std::string> fields = StatFields(static_cast<pid_t>(pid));
    if (fields.size() > kParent) {
      children.emplace(std::stoi(fields[kParent]), static_cast<pid_t>(pid));
    }
  });
  std::vector<pid_t> found{root};
  for (size_t i = 0; i < found.size(); ++i) {
    auto [at, end] = children.equal_range(found[i]);
    for (; at != end; ++at) found.push_back(at->second);
  }
  found.erase(found.begin());
  return found;
}

Footprint FootprintOf(const std::vector<pid_t>& pids) {
  Footprint sum;
  for (pid_t pid : pids) {
    const std::string status = ReadAll("/proc/" + std::to_string(pid) + "/status");
    sum.os_threads += StatusFigure(status, "Threads");
    sum.rss_kib += StatusFigure(status, "VmRSS");
  }
  return sum;
}

double CpuSeconds(const std::vector<pid_t>& pids) {
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  double sum = 0;
  for (pid_t pid : pids) {
    clockid_t clock;
    timespec time;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) continue;
    sum += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
    const std::vector<std::string> fields = StatFields(pid);
    if (fields.size() <= kChildrenSystem) continue;
    sum += (std::stod(fields[kChildrenUser]) + std::stod(fields[kChildrenSystem])) * tick;
  }
  return sum;
}

double ContextSwitches(const std::vector<pid_t>& pids) {
  double sum = 0;
  for (pid_t pid : pids) {
    const fs::path tasks = "/proc/" + std::to_string(pid) + "/task";
    ForEachNumber(tasks, [&](long tid) {
      const std::string status = ReadAll(tasks / std::to_string(tid) / "status");
      sum += static_cast<double>(StatusFigure(status, "voluntary_ctxt_switches") +
                                 StatusFigure(status, "nonvoluntary_ctxt_switches"));
    });
  }
  return sum;
}

Listeners ListenersOf(const std::vector<pid_t>& pids) {
  Listeners found;
  for (pid_t pid : pids) {
    // The tables are those of the process's network namespace, so one process at a time.
    std::set<std::string> inodes;
    AddSockets(pid, &inodes);
    if (inodes.empty()) continue;
    const fs::path net = "/proc/" + std::to_string(pid) + "/net";
    AddTcpListeners(net / "tcp", inodes, &found);
    AddTcpListeners(net / "tcp6", inodes, &found);
    found.unix_socket |= HasUnixListener(net / "unix", inodes);
  }
  return found;
}

}  // namespace green::cli
