#include "cli/profile.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "cli/observe.h"
#include "cli/profile_formats.h"
#include "cli/run.h"
#include "inspect/guarded.h"

namespace green::cli {
namespace {

using inspect::ProfileKind;

constexpr int kStartPatienceMs = 10'000;

struct Options {
  int pid = 0;
  double seconds = 0;  // 0: 10 for a process, all of it for a program that is started
  double hz = 99;
  bool on = false, off = false, wall = false;
  std::string output, format;
  std::vector<std::string> program;
};

volatile bool g_stop = false;
void Stop(int) { g_stop = true; }

// By the name's end, unless the format is given.
std::string FormatOf(const Options& o) {
  if (!o.format.empty()) return o.format;
  if (o.output.ends_with(".html")) return "html";
  if (o.output.ends_with(".pb") || o.output.ends_with(".pprof")) return "pprof";
  return "folded";
}

int WriteOut(const Options& o, const inspect::Profile& profile, const std::string& name) {
  const std::string format = FormatOf(o);
  const std::string title = name + ", process " + std::to_string(o.pid) + ", " +
                            NameOf(profile.kind) + ", " + std::to_string(profile.samples) +
                            " looks";
  const std::string text = format == "html"    ? FlamegraphHtml(profile, title)
                           : format == "pprof" ? Pprof(profile, name)
                                               : FoldedText(profile);
  std::fprintf(stderr, "green: %lu looks in %.1f s, %zu different stacks, %lu missed\n",
               profile.samples, static_cast<double>(profile.duration_ns) / 1e9,
               profile.stacks.size(), profile.missed);
  if (o.output.empty() || o.output == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
  }
  const int fd = open(o.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  std::FILE* file = fd < 0 ? nullptr : fdopen(fd, "w");
  const bool written = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (!file || std::fclose(file) != 0 || !written) {
    std::fprintf(stderr, "green: can't write %s: %s\n", o.output.c_str(), std::strerror(errno));
    return 1;
  }
  return 0;
}

int Attach(const Options& o) {
  auto target = OpenTarget(o.pid);
  if (!target) return 1;
  return inspect::Guarded(0, [&] {
    struct sigaction stop = {};
    stop.sa_handler = Stop;
    sigaction(SIGINT, &stop, nullptr);
    sigaction(SIGTERM, &stop, nullptr);
    const ProfileKind kind = o.off    ? ProfileKind::kOffCpu
                             : o.wall ? ProfileKind::kWall
                                      : ProfileKind::kOnCpu;
    const std::string name = target->Name();
    const inspect::Profile profile =
        TakeProfile(*target, kind, o.hz, o.seconds ? o.seconds : 10, &g_stop);
    return WriteOut(o, profile, name);
  });
}

int StatusOf(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return ShellStatus(status);
}

// Starts the program, waits until it has threads, and looks until it ends or time is up.
int StartAndAttach(Options o) {
  o.pid = fork();
  if (o.pid == 0) _exit(Run(o.program));
  if (o.pid < 0) return 1;
  bool ended = false;
  for (int ms = 0; ms < kStartPatienceMs && !ended; ++ms) {
    std::string error;
    if (inspect::Target::Open(o.pid, &error)) break;
    siginfo_t child = {};
    ended = waitid(P_PID, static_cast<id_t>(o.pid), &child, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            child.si_pid == o.pid;
    usleep(1000);
  }
  if (!o.seconds) o.seconds = 1e9;
  const int result = ended ? 1 : Attach(o);
  const int status = StatusOf(o.pid);
  if (!ended) return result ? result : status;
  if (!CannotRun(status))
    std::fprintf(stderr, "green: the program ended before it created a thread under libgreen\n");
  return status ? status : result;
}

}  // namespace

Command AddProfile(CLI::App& green) {
  auto o = std::make_shared<Options>();
  CLI::App* line = green.add_subcommand("profile", "Where the tasks of a process run, or wait.");
  line->footer("Then: PID, or -- PROGRAM [ARGUMENTS]");
  line->add_option("--seconds", o->seconds, "how long (a process: 10; a program: to its end)")
      ->check(CLI::Range(0.001, 1e6));
  line->add_option("--hz", o->hz, "looks a second")->check(CLI::Range(1.0, 1000.0));
  CLI::Option* on =
      line->add_flag("--on-cpu", o->on, "where tasks use CPU (without these: this one)");
  CLI::Option* off = line->add_flag("--off-cpu", o->off, "where they wait, and on what");
  line->add_flag("--wall", o->wall, "both")->excludes(on)->excludes(off);
  off->excludes(on);
  line->add_option("--output,-o", o->output, "a file instead of standard output");
  line->add_option("--format", o->format, "folded, html (a flamegraph) or pprof; else by the name")
      ->check(CLI::IsMember({"folded", "html", "pprof"}));
  return {line,
          [o] {
            if (o->program.empty()) return UsageError("profile needs a process or a program");
            const std::optional<int> pid = AsPid(o->program);
            if (!pid) return StartAndAttach(*o);
            o->pid = *pid;
            return Attach(*o);
          },
          &o->program, true};
}

}  // namespace green::cli
