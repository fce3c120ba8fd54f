#include "cli/trace.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>
#include <sstream>

#include "cli/observe.h"
#include "cli/run.h"
#include "cli/trace_json.h"
#include "inspect/waits.h"

namespace green::cli {
namespace {

using inspect::Target;
using inspect::TraceReader;

// Between two looks: each takes CPU time that a busy server needs, and a full ring holds 262,144
// events of a worker, which makes a few million a second at most.
constexpr int64_t kLeastNapNs = 5'000'000, kMostNapNs = 40'000'000;
constexpr int64_t kSearchNs = 10'000'000;  // for processes that came
constexpr int64_t kRenewalNs = inspect::TraceReader::kLeaseNs / 10;

// Halved as soon as a ring was getting full, and longer again when all were next to empty.
class Nap {
 public:
  void Take(double fullest, int64_t most) {
    if (fullest > 1.0 / 8) ns_ /= 2;
    if (fullest < 1.0 / 32) ns_ *= 2;
    ns_ = std::clamp(ns_, kLeastNapNs, most);
    const timespec pause = {0, ns_};
    nanosleep(&pause, nullptr);
  }

 private:
  int64_t ns_ = kLeastNapNs;
};

constexpr int kWriterNice = 19;

int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

struct Options {
  int pid = 0;
  double seconds = 0;  // 0: 5 for a process, all of it for a program that is started
  size_t events = 1'000'000;
  std::string output = "trace.json";
  std::vector<std::string> program;
};

volatile sig_atomic_t g_stop = 0;
void Stop(int) { g_stop = 1; }

// One process under libgreen, from its first thread on, until it ends or execs.
class Session {
 public:
  // Null when the process refuses to be written to.
  static std::unique_ptr<Session> Begin(std::unique_ptr<Target> target) {
    std::unique_ptr<Session> s(new Session(std::move(target)));
    return s->reader_.Renew() ? std::move(s) : nullptr;
  }

  bool Renew() { return reader_.Renew(); }

  // False when it is over.
  bool Look(size_t most) {
    const bool leaving = reader_.Leaving();
    if (leaving) TakeNames();
    if (!reader_.Read(&process_.events, most)) return false;
    if (leaving) {
      left_ = true;
      reader_.SayGoodbye();
    }
    return !left_ || SameRuntime();
  }

  void End(size_t most) {
    if (!left_) reader_.Stop();
    if (!left_ && target_->Alive()) {
      TakeNames();
      reader_.Read(&process_.events, most);
    }
    process_.lost = reader_.lost();
  }

  bool left() const { return left_; }
  double fullest() const { return reader_.fullest(); }
  int pid() const { return target_->pid(); }
  TracedProcess& process() { return process_; }

 private:
  explicit Session(std::unique_ptr<Target> target)
      : target_(std::move(target)), reader_(target_->memory(), target_->runtime().tables.trace) {
    process_.pid = target_->pid();
    process_.name = target_->Name();
    process_.begin = inspect::TickClock::Now().ticks;
    const inspect::Snapshot s = TakeNames();
    process_.workers = static_cast<int>(s.workers.size());
    inspect::Waits waits(target_->memory(), s, nullptr);
    for (const inspect::TaskView& t : s.tasks)
      if (t.state == inspect::TaskState::kWaiting)
        process_.waits[t.tid] = std::string(NameOf(t.reason)) + ": " + waits.Of(t).call;
  }

  inspect::Snapshot TakeNames() {
    inspect::Snapshot s = target_->Look();
    for (const inspect::TaskView& t : s.tasks) process_.names[t.tid] = t.name;
    return s;
  }

  // Not so after exec, or in the child of one that forked and ended.
  bool SameRuntime() const {
    const inspect::Runtime now = FindRuntime(target_->memory(), inspect::ReadMaps(pid()));
    return now.state == inspect::RuntimeState::kRunning &&
           now.tables.started_ns == target_->runtime().tables.started_ns;
  }

  std::unique_ptr<Target> target_;
  TraceReader reader_;
  TracedProcess process_;
  bool left_ = false;
};

// The children of all its threads, theirs, and so on (proc(5), /proc/pid/task/tid/children).
void AddDescendants(pid_t pid, std::set<pid_t>* out) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  DIR* folder = opendir(tasks.c_str());
  if (!folder) return;
  std::vector<pid_t> children;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    std::istringstream list(inspect::ReadProcFile(tasks + "/" + entry->d_name + "/children"));
    for (pid_t child; list >> child;) children.push_back(child);
  }
  closedir(folder);
  for (pid_t child : children)
    if (out->insert(child).second) AddDescendants(child, out);
}

class Tracer {
 public:
  explicit Tracer(const Options& options) : o_(options) {}

  // Of a process that is there.
  bool Attach(std::unique_ptr<Target> target) {
    const int pid = target->pid();
    auto session = Session::Begin(std::move(target));
    if (!session)
      std::fprintf(stderr, "green: not allowed to write to process %d\n", pid);
    else
      live_.push_back(std::move(session));
    return !live_.empty();
  }

  // Until the process, or the program and all that it has started, has ended, or time is up.
  void Follow(pid_t program) {
    const int64_t begin = NowNs();
    int64_t search = begin, renewal = begin;  // when they are due
    Nap nap;
    for (int64_t now = begin; !g_stop; now = NowNs()) {
      if (program && now >= search) {
        if (!Search(program)) break;
        search = now + kSearchNs;
      }
      if (!program && live_.empty()) break;
      LookAtAll(now >= renewal);
      if (now >= renewal) renewal = now + kRenewalNs;
      if (Events() >= o_.events) {
        std::fprintf(stderr, "green: %zu events are enough (--events); the trace ends here\n",
                     Events());
        break;
      }
      if (o_.seconds > 0 && static_cast<double>(now - begin) / 1e9 >= o_.seconds) break;
      nap.Take(Fullest(), program ? kSearchNs : kMostNapNs);
    }
    while (!live_.empty()) EndFirst();
  }

  // The status of the program, once it has ended.
  int status() const { return status_; }
  bool ended() const { return ended_; }
  bool seen() const { return !over_.empty(); }  // once Follow is over: any process
  void Reap(pid_t program) {
    int status;
    for (pid_t p; (p = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (p != program) continue;
      ended_ = true;
      status_ = ShellStatus(status);
    }
  }

  int Write() {
    clock_.Calibrate();
    setpriority(PRIO_PROCESS, 0, kWriterNice);  // nothing gets lost any more: others first
    std::vector<TracedProcess> processes;
    uint64_t lost = 0;
    size_t events = 0;
    for (auto& s : over_) {
      lost += s->process().lost;
      events += s->process().events.size();
      processes.push_back(std::move(s->process()));
    }
    const int fd = open(o_.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    std::FILE* file = fd < 0 ? nullptr : fdopen(fd, "w");
    const bool written = file && WriteTrace(processes, clock_, file);
    if (!file || std::fclose(file) != 0 || !written) {
      std::fprintf(stderr, "green: can't write %s: %s\n", o_.output.c_str(), std::strerror(errno));
      return 1;
    }
    std::fprintf(stderr, "green: %zu events of %zu process%s, %lu lost, in %s\n", events,
                 over_.size(), over_.size() == 1 ? "" : "es", lost, o_.output.c_str());
    if (!events) std::fprintf(stderr, "green: none of its threads ran or was woken meanwhile\n");
    return 0;
  }

 private:
  size_t Events() const {
    size_t n = 0;
    for (const auto& list : {&live_, &over_})
      for (const auto& s : *list) n += s->process().events.size();
    return n;
  }

  double Fullest() const {
    double fullest = 0;
    for (const auto& s : live_) fullest = std::max(fullest, s->fullest());
    return fullest;
  }

  // Processes that have started libgreen meanwhile. False when none is left.
  bool Search(pid_t program) {
    Reap(program);
    std::set<pid_t> all;
    AddDescendants(getpid(), &all);
    for (pid_t pid : all) {
      const bool known =
          std::any_of(live_.begin(), live_.end(), [&](const auto& s) { return s->pid() == pid; });
      std::string error;
      if (known) continue;
      if (auto target = Target::Open(pid, &error))
        if (auto session = Session::Begin(std::move(target))) live_.push_back(std::move(session));
    }
    return !all.empty();
  }

  void LookAtAll(bool renew) {
    for (size_t i = 0; i < live_.size();) {
      const size_t others = Events() - live_[i]->process().events.size();
      const size_t room = o_.events > others ? o_.events - others : 0;
      if ((renew && !live_[i]->left() && !live_[i]->Renew()) || !live_[i]->Look(room)) {
        std::swap(live_[i], live_.front());
        EndFirst();
      } else {
        ++i;
      }
    }
  }

  void EndFirst() {
    live_.front()->End(o_.events);
    over_.push_back(std::move(live_.front()));
    live_.erase(live_.begin());
  }

  const Options& o_;
  inspect::TickClock clock_;
  std::vector<std::unique_ptr<Session>> live_, over_;
  bool ended_ = false;
  int status_ = 0;
};

void OnSignals(void (*handler)(int)) {
  struct sigaction stop = {};
  stop.sa_handler = handler;
  for (int sig : {SIGINT, SIGTERM, SIGHUP}) sigaction(sig, &stop, nullptr);
}

int TraceProcess(Options o) {
  auto target = OpenTarget(o.pid);
  if (!target) return 1;
  if (o.seconds <= 0) o.seconds = 5;
  OnSignals(Stop);
  Tracer tracer(o);
  if (!tracer.Attach(std::move(target))) return 1;
  tracer.Follow(0);
  return tracer.Write();
}

int TraceProgram(const Options& o) {
  // What the program leaves behind becomes ours, so that it is found.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t program = fork();
  if (program == 0) _exit(Run(o.program));
  if (program < 0) return 1;
  OnSignals(Stop);
  Tracer tracer(o);
  tracer.Follow(program);
  OnSignals(SIG_DFL);
  const int result = tracer.seen() ? tracer.Write() : 0;
  // Time is up, and the program goes on; its status is ours.
  for (const timespec pause = {0, 10'000'000}; !tracer.ended(); nanosleep(&pause, nullptr))
    tracer.Reap(program);
  const int status = result ? result : tracer.status();
  if (!tracer.seen() && !CannotRun(status)) {
    std::fprintf(stderr,
                 "green: no thread was created under libgreen, or the program ended within 10 ms "
                 "of that, so there is no trace\n");
    return status ? status : 1;
  }
  return status;
}

}  // namespace

Command AddTrace(CLI::App& green) {
  auto o = std::make_shared<Options>();
  CLI::App* line = green.add_subcommand(
      "trace", "What the scheduler of a process does, as a timeline for ui.perfetto.dev.");
  line->footer("Then: PID, or -- PROGRAM [ARGUMENTS]");
  line->add_option("--seconds", o->seconds, "how long (a process: 5; a program: to its end)")
      ->check(CLI::Range(0.001, 1e6));
  line->add_option("--events", o->events, "no more than so many (1000000)")
      ->check(CLI::Range(size_t{1}, size_t{100'000'000}));
  line->add_option("--output,-o", o->output, "the file (trace.json)");
  return {line,
          [o] {
            if (o->program.empty()) return UsageError("trace needs a process or a program");
            const std::optional<int> pid = AsPid(o->program);
            if (!pid) return TraceProgram(*o);
            o->pid = *pid;
            return TraceProcess(*o);
          },
          &o->program, true};
}

}  // namespace green::cli
