#include "cli/compare/children.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "cli/compare/failure.h"
#include "cli/compare/processes.h"

namespace green::cli {
namespace {

constexpr int kCannotStart = 126;
constexpr int kNotFound = 127;
constexpr int kInterrupts[] = {SIGINT, SIGTERM, SIGHUP};

volatile sig_atomic_t g_interrupt;

void OnInterrupt(int signal) { g_interrupt = signal; }
void OnChild(int) {}

// Nothing is blocked but by the process that waits for its children.
sigset_t NoSignals() {
  sigset_t none;
  sigemptyset(&none);
  return none;
}

// With SIGCHLD let in during the wait only, no end of a child can be missed.
void Wait(double seconds) {
  const auto whole = static_cast<time_t>(seconds);
  const timespec time{whole, static_cast<long>((seconds - static_cast<double>(whole)) * 1e9)};
  const sigset_t none = NoSignals();
  ppoll(nullptr, 0, &time, &none);
}

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// In the child: what execve fails with goes to the parent by the pipe.
[[noreturn]] void Become(const std::string& file, char* const* argv, const Environment& environment,
                         int output, int report, pid_t parent) {
  for (const auto& [name, value] : environment) {
    value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
  }
  for (int signal : kInterrupts) ::signal(signal, SIG_DFL);
  ::signal(SIGCHLD, SIG_DFL);
  const sigset_t none = NoSignals();
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setpgid(0, 0);
  // green itself may be killed: then its children end too.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kCannotStart);
  const int empty = open("/dev/null", O_RDONLY);
  dup2(empty, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close(empty);
  execv(file.c_str(), argv);
  if (errno == ENOEXEC) execvp(file.c_str(), argv);  // A script without #! is the shell's.
  const int error = errno;
  // If even that fails the parent sees the status.
  if (write(report, &error, sizeof error) < 0) _exit(kCannotStart);
  _exit(kCannotStart);
}

}  // namespace

Output::Output() : fd_(memfd_create("output", MFD_CLOEXEC)) {
  if (fd_ < 0) throw Failure(std::string("no memory for a program's output: ") + strerror(errno));
  fcntl(fd_, F_SETFL, O_APPEND);
}

Output::~Output() { close(fd_); }

std::string Output::Text() const {
  std::string text(static_cast<size_t>(std::max<off_t>(0, lseek(fd_, 0, SEEK_END))), '\0');
  const ssize_t got = pread(fd_, text.data(), text.size(), 0);
  text.resize(static_cast<size_t>(std::max<ssize_t>(0, got)));
  return text;
}

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  sigset_t blocked;
  sigemptyset(&blocked);
  for (int signal : kInterrupts) {
    sigaction(signal, &action, nullptr);
    sigaddset(&blocked, signal);
  }
  action.sa_handler = OnChild;
  sigaction(SIGCHLD, &action, nullptr);
  sigaddset(&blocked, SIGCHLD);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void Sleep(double seconds) {
  if (!g_interrupt) Wait(seconds);
  if (const int signal = g_interrupt) {
    g_interrupt = 0;
    throw Interrupted(signal);
  }
}

Children::Children() {
  // Daemons, and what a killed child leaves behind, come back to us.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

Children::~Children() { KillAll(); }

pid_t Children::Start(const std::string& file, const std::vector<std::string>& argv,
                      const Environment& environment, const Output& output) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) throw Failure(std::string("pipe: ") + strerror(errno));
  const std::vector<char*> words = Pointers(argv);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Become(file, words.data(), environment, output.fd(), report[1], parent);
  close(report[1]);
  int error = pid < 0 ? errno : 0;
  if (pid > 0) {
    setpgid(pid, pid);  // Whoever comes first.
    if (read(report[0], &error, sizeof error) == 0) error = 0;
  }
  close(report[0]);
  if (error != 0) {
    throw Failure("can't run " + file + ": " + strerror(error),
                  error == ENOENT ? kNotFound : kCannotStart);
  }
  return pid;
}

pid_t Children::StartShell(const std::string& line, const Environment& environment,
                           const Output& output) {
  return Start("/bin/sh", {"sh", "-c", line}, environment, output);
}

void Children::Reap() {
  int status;
  rusage usage;
  for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;) {
    ended_[pid] = {status, usage};
  }
}

std::optional<int> Children::Status(pid_t pid) {
  Reap();
  const auto found = ended_.find(pid);
  if (found == ended_.end()) return {};
  return found->second.status;
}

bool Children::End(pid_t pid, int signal, double seconds) {
  if (!Status(pid)) kill(-pid, signal);
  for (const double until = Now() + seconds; !Status(pid);) {
    if (Now() > until) return false;
    Wait(0.02);
  }
  return true;
}

std::vector<pid_t> Children::Alive(pid_t except) {
  Reap();
  std::vector<pid_t> all = Descendants(getpid());
  if (except == 0) return all;
  const std::vector<pid_t> theirs = Descendants(except);
  std::erase_if(all, [&](pid_t pid) {
    return pid == except || std::find(theirs.begin(), theirs.end(), pid) != theirs.end();
  });
  return all;
}

void Children::KillAll() {
  // Each round may find what was forked during the one before.
  for (std::vector<pid_t> left = Alive(); !left.empty(); left = Alive()) {
    for (pid_t pid : left) kill(pid, SIGKILL);
    Wait(0.002);
  }
}

double Children::EndedSwitches(const std::set<pid_t>& except) const {
  double sum = 0;
  for (const auto& [pid, ended] : ended_) {
    if (except.contains(pid)) continue;
    sum += static_cast<double>(ended.usage.ru_nvcsw + ended.usage.ru_nivcsw);
  }
  return sum;
}

std::string StatusText(int status) {
  if (WIFEXITED(status)) return "status " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return "signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
}

}  // namespace green::cli
