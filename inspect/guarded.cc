#include "inspect/guarded.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace green::inspect {
namespace {

pid_t g_child = 0;
void PassOn(int sig) {
  if (g_child > 0) kill(g_child, sig);
}

constexpr rlim_t kMaxMemory = rlim_t{8} << 30;

}  // namespace

int Written(int status) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return status;
  std::fprintf(stderr, "green: can't write to standard output: %s\n", std::strerror(errno));
  return status ? status : 1;
}

int Guarded(int seconds, const std::function<int()>& fn) {
  std::fflush(nullptr);
  g_child = fork();
  if (g_child < 0) return fn();
  if (g_child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit memory = {kMaxMemory, kMaxMemory}, core = {0, 0};
    setrlimit(RLIMIT_AS, &memory);
    setrlimit(RLIMIT_CORE, &core);
    if (seconds) alarm(static_cast<unsigned>(seconds));
    const int status = Written(fn());
    std::fflush(nullptr);
    _exit(status);
  }
  struct sigaction pass = {};
  pass.sa_handler = PassOn;
  sigaction(SIGINT, &pass, nullptr);
  sigaction(SIGTERM, &pass, nullptr);
  int status;
  while (waitpid(g_child, &status, 0) < 0 && errno == EINTR) continue;
  g_child = 0;
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  // Who read its output has gone: as of any other command, silently.
  if (WTERMSIG(status) == SIGPIPE) {
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
  }
  if (WTERMSIG(status) == SIGALRM)
    std::fprintf(stderr, "green: the process's stacks could not be read in %d s\n", seconds);
  else if (WTERMSIG(status) != SIGINT && WTERMSIG(status) != SIGTERM)
    std::fprintf(stderr, "green: the process's stacks make no sense (signal %d)\n",
                 WTERMSIG(status));
  return 1;
}

std::string GuardedText(int seconds, const std::function<std::string()>& fn) {
  std::FILE* file = std::tmpfile();
  if (!file) return {};
  const int status = Guarded(seconds, [&] {
    const std::string text = fn();
    return std::fwrite(text.data(), 1, text.size(), file) == text.size() ? 0 : 1;
  });
  std::string text;
  if (status == 0) {
    char part[4096];
    std::rewind(file);
    while (const size_t n = std::fread(part, 1, sizeof part, file)) text.append(part, n);
  }
  std::fclose(file);
  return text;
}

}  // namespace green::inspect
