#include "inspect/stop.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>
#include <tuple>

namespace green::inspect {
namespace {

// A thread stops when it next has a CPU: at once, or late on a loaded machine.
constexpr int64_t kPatienceNs = 1'200'000'000;
constexpr int64_t kAwakeNs = 20'000;

int64_t NowNs() {
  timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return ts.tv_sec * 1'000'000'000 + ts.tv_nsec;
}

// A stop is told by SIGCHLD: blocked, it is kept until it is asked for.
class ChildSignal {
 public:
  ChildSignal() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set_, &before_);
  }
  ~ChildSignal() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  ChildSignal(const ChildSignal&) = delete;
  ChildSignal& operator=(const ChildSignal&) = delete;
  void Await(int64_t ns) const {
    const timespec most = {ns / 1'000'000'000, ns % 1'000'000'000};
    sigtimedwait(&set_, nullptr, &most);
  }

 private:
  sigset_t set_, before_;
};

// What has become of a thread that was asked to stop: 1 stopped, 0 not yet, -1 it ended.
int Stopped(pid_t tid, int* status) {
  const pid_t done = waitpid(tid, status, __WALL | WNOHANG);
  if (done == 0) return 0;
  return done == tid && WIFSTOPPED(*status) ? 1 : -1;
}

// The numbers of a thread in each PID namespace, ours first.
std::vector<uint32_t> Numbers(const std::string& task) {
  std::istringstream status(ReadProcFile(task + "/status", 1 << 16));
  std::vector<uint32_t> numbers;
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("NSpid:")) continue;
    std::istringstream words(line.substr(6));
    for (uint32_t n; words >> n;) numbers.push_back(n);
  }
  return numbers;
}

// A signal that stopped a thread before our request did is to be passed on.
long SignalOf(int status) {
  const bool event = status >> 16;
  return event || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
}

// What a file of a thread in /proc says. It is kept open: a profile asks a hundred times a second.
std::string ThreadFile(pid_t pid, pid_t tid, const char* name) {
  static const size_t kMostKept = std::clamp<long>(sysconf(_SC_OPEN_MAX) / 2, 1, 512);
  static std::map<std::tuple<pid_t, pid_t, std::string>, int> kept;
  const auto key = std::tuple(pid, tid, std::string(name));
  auto at = kept.find(key);
  if (at == kept.end()) {
    if (kept.size() >= kMostKept) {
      for (const auto& [_, fd] : kept) close(fd);
      kept.clear();
    }
    const std::string path =
        "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/" + name;
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return {};
    at = kept.emplace(key, fd).first;
  }
  char text[512];
  const ssize_t size = pread(at->second, text, sizeof text, 0);
  if (size > 0) return {text, static_cast<size_t>(size)};
  close(at->second);  // that thread has ended
  kept.erase(at);
  return {};
}

// In its line of /proc/PID/task/TID/stat (proc(5)): the letter, and the CPU where it runs or ran.
struct Place {
  char state = 0;
  int cpu = -1;
};

Place PlaceNow(pid_t pid, pid_t tid) {
  const std::string stat = ThreadFile(pid, tid, "stat");
  const size_t name = stat.rfind(')');
  if (name == stat.npos || name + 2 >= stat.size()) return {};
  std::istringstream words(stat.substr(name + 2));
  std::string word;
  Place place;
  for (int field = 3; field <= 39 && words >> word; ++field) {
    if (field == 3) place.state = word[0];
    if (field == 39) place.cpu = std::atoi(word.c_str());
  }
  return place;
}

// Threads that did not stop in time. They may stop yet, and must then be let go on.
std::vector<pid_t> g_late;

}  // namespace

void LetLateOnesGo() {
  std::erase_if(g_late, [](pid_t tid) {
    int status;
    const int stopped = Stopped(tid, &status);
    if (stopped == 0) return false;
    if (stopped > 0) ptrace(PTRACE_DETACH, tid, nullptr, SignalOf(status));
    return true;
  });
}

bool WithStopped(pid_t tid, int cpu, const std::function<void(const Registers&)>& fn) {
  LetLateOnesGo();
  if (ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) return false;
  const ChildSignal signal;
  ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
  int status = 0, stopped;
  const int64_t end = NowNs() + kPatienceNs;
  // One that runs on another CPU stops at once: to sleep till then would take longer, and both
  // would wait for a CPU again. One that waits for this CPU gets it by that.
  const int64_t awake = NowNs() + (cpu == sched_getcpu() ? 0 : kAwakeNs);
  while ((stopped = Stopped(tid, &status)) == 0) {
    const int64_t now = NowNs(), left = end - now;
    if (now < awake) continue;
    if (left <= 0) break;
    signal.Await(left);
  }
  if (stopped < 0) return false;
  if (!stopped) {
    g_late.push_back(tid);
    return false;
  }
  user_regs_struct regs;
  iovec io = {&regs, sizeof regs};
  const bool known = ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &io) == 0;
  if (known) fn({regs.rip, regs.rsp, regs.rbp, regs.rbx, regs.r12, regs.r13, regs.r14, regs.r15});
  ptrace(PTRACE_DETACH, tid, nullptr, SignalOf(status));
  return known;
}

int64_t CpuNsOf(pid_t pid, pid_t tid) {
  const int64_t ns = std::atoll(ThreadFile(pid, tid, "schedstat").c_str());
  return ns > 0 ? ns : -1;
}

bool RunsNow(pid_t pid, pid_t tid) { return PlaceNow(pid, tid).state == 'R'; }

bool CanBeStopped(pid_t pid, pid_t tid, int* cpu) {
  const Place place = PlaceNow(pid, tid);
  *cpu = place.cpu;
  return place.state == 'R' || place.state == 'T';
}

bool HasOwnNumbers(pid_t pid) { return Numbers("/proc/" + std::to_string(pid)).size() > 1; }

pid_t OuterTid(pid_t pid, uint32_t tid) {
  const std::string process = "/proc/" + std::to_string(pid);
  pid_t found = 0;
  if (DIR* tasks = opendir((process + "/task").c_str())) {
    while (const dirent* entry = readdir(tasks)) {
      const std::vector<uint32_t> numbers = Numbers(process + "/task/" + entry->d_name);
      if (!numbers.empty() && numbers.back() == tid) found = std::atoi(entry->d_name);
    }
    closedir(tasks);
  }
  return found;
}

}  // namespace green::inspect
