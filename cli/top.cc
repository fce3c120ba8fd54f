#include "cli/top.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <unordered_map>

#include "cli/blocked.h"
#include "cli/observe.h"
#include "cli/stats_text.h"
#include "cli/terminal.h"
#include "inspect/guarded.h"
#include "inspect/stacks.h"
#include "inspect/waits.h"

namespace green::cli {
namespace {

using inspect::Reason;
using inspect::Snapshot;
using inspect::TaskState;
using inspect::TaskView;
using inspect::WorkerView;

constexpr size_t kSampledStacks = 200;  // parked tasks whose stack is walked for each picture
constexpr size_t kSites = 5;

struct Options {
  int pid = 0;
  double seconds = 1;
  int pictures = 0;  // 0: until q or the process's end
  bool batch = false;
};

// Keys arrive one by one and unseen, while it lives.
class RawTerminal {
 public:
  explicit RawTerminal(bool wanted) : active_(wanted && tcgetattr(0, &before_) == 0) {
    if (!active_) return;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(0, TCSANOW, &raw);
    std::fputs("\x1b[?1049h\x1b[?25l", stdout);
  }
  ~RawTerminal() {
    if (!active_) return;
    tcsetattr(0, TCSANOW, &before_);
    std::fputs("\x1b[?25h\x1b[?1049l", stdout);
    std::fflush(stdout);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  bool active() const { return active_; }

 private:
  termios before_ = {};
  bool active_;
};

class View {
 public:
  View(inspect::Target& target, const Options& o)
      : target_(target), o_(o), reader_(new inspect::StackReader(target)), last_(target.Look()) {
    Blocked(last_);
  }

  // What happened since the last picture; empty when the process has ended.
  std::string Picture(size_t rows, size_t columns) {
    if (target_.RefreshMaps()) reader_ = std::make_unique<inspect::StackReader>(target_);
    Snapshot now = target_.Look();
    if (now.workers.empty() || !target_.Alive()) return {};
    std::string out = Head(now) + Workers(now) + Sites(now) + Blocked(now);
    const auto used = static_cast<size_t>(std::count(out.begin(), out.end(), '\n'));
    out += Tasks(now, rows > used + 4 ? rows - used - 3 : 3);
    last_ = std::move(now);
    return Cut(out, columns);
  }

 private:
  double Seconds(const Snapshot& now) const {
    return std::max(1e-3, static_cast<double>(now.now_ns - last_.now_ns) / 1e9);
  }
  double Rate(const Snapshot& now, uint64_t WorkerView::*counter) const {
    return static_cast<double>(now.Sum(counter) - last_.Sum(counter)) / Seconds(now);
  }

  std::string Head(const Snapshot& s) const {
    char text[600];
    const int64_t p99 = DelayQuantile(s, 0.99);
    char delay[60] = "";
    if (p99 >= 0) std::snprintf(delay, sizeof delay, "; 99%% of wake-ups run within %ld us", p99);
    std::snprintf(
        text, sizeof text,
        "%s, process %u: %zu tasks; %zu running, %zu in the kernel, %zu ready, %zu waiting "
        "(%zu fd, %zu futex, %zu sleep, %zu signal)\n"
        "per second: %.0f switches, %.0f spawned, %.0f steals, %.1f preemptions, %.1f handoffs; "
        "carriers %zu%s\n",
        target_.Name().c_str(), s.pid, s.tasks.size(), s.Count(TaskState::kRunning),
        s.Count(TaskState::kInKernel), s.Count(TaskState::kReady), s.Count(TaskState::kWaiting),
        s.Waiting(Reason::kFd), s.Waiting(Reason::kFutex), s.Waiting(Reason::kSleep),
        s.Waiting(Reason::kSignal), Rate(s, &WorkerView::switches), Rate(s, &WorkerView::spawned),
        Rate(s, &WorkerView::steals), Rate(s, &WorkerView::preemptions),
        Rate(s, &WorkerView::handoffs), s.carriers.size(), delay);
    return text;
  }

  std::string Workers(const Snapshot& s) const {
    std::string out;
    for (size_t i = 0; i < s.workers.size() && i < 8 && i < last_.workers.size(); ++i) {
      const WorkerView& w = s.workers[i];
      char text[120];
      std::snprintf(text, sizeof text, "  worker %zu: %-7s %4u queued %10.0f switches/s\n", i,
                    w.state == WorkerView::kRunning   ? "running"
                    : w.state == WorkerView::kIdle    ? "idle"
                    : w.state == WorkerView::kPolling ? "polling"
                                                      : "retired",
                    w.queued + w.next,
                    static_cast<double>(w.switches - last_.workers[i].switches) / Seconds(s));
      out += text;
    }
    if (s.workers.size() > 8) out += "  ...\n";
    return out;
  }

  // Where tasks wait: the program's function nearest to the wait, from a sample of the parked.
  std::string Sites(const Snapshot& s) {
    std::vector<const TaskView*> parked;
    for (const TaskView& t : s.tasks)
      if (t.state == TaskState::kWaiting || t.state == TaskState::kInKernel) parked.push_back(&t);
    const size_t step = parked.size() / kSampledStacks + 1;
    std::map<std::string, size_t> count;
    size_t sampled = 0;
    for (size_t i = 0; i < parked.size(); i += step) {
      TaskView task = *parked[i];
      const std::vector<uint64_t> frames = reader_->Of(s, &task);
      if (frames.empty() || task.state == TaskState::kReady) continue;
      ++count[reader_->Site(frames) + " (" +
              (task.state == TaskState::kInKernel ? "kernel" : NameOf(task.reason)) + ")"];
      ++sampled;
    }
    std::vector<std::pair<size_t, std::string>> order;
    for (const auto& [site, n] : count) order.emplace_back(n, site);
    std::sort(order.rbegin(), order.rend());
    std::string out = "where they wait:\n";
    for (size_t i = 0; i < order.size() && i < kSites; ++i)
      out += "  " + std::to_string(order[i].first * 100 / sampled) + "%  " + order[i].second + "\n";
    return out;
  }

  // By the process's own count, since the last picture.
  std::string Blocked(const Snapshot& s) {
    std::vector<std::pair<uint64_t, std::string>> order;
    for (const BlockedPlace& p : BlockedPlaces(target_, s, reader_.get())) {
      const std::string place = p.from + " (" + p.call + ")";
      uint64_t& before = blocked_ms_[place];
      if (p.ms > before) order.emplace_back(p.ms - before, place);
      before = p.ms;
    }
    std::sort(order.rbegin(), order.rend());
    std::string out =
        order.empty() ? "" : "hottest waits, ended since the last picture (sampled):\n";
    for (size_t i = 0; i < order.size() && i < kSites; ++i) {
      char time[40];
      std::snprintf(time, sizeof time, "  %.3f s  ", static_cast<double>(order[i].first) / 1000);
      out += time + order[i].second + "\n";
    }
    return out;
  }

  std::string Tasks(const Snapshot& s, size_t rows) {
    std::unordered_map<uint32_t, const TaskView*> before;
    for (const TaskView& t : last_.tasks) before[t.tid] = &t;
    struct Row {
      const TaskView* task;
      uint32_t switches;
      int64_t cpu_ns;
    };
    std::vector<Row> all;
    for (const TaskView& t : s.tasks) {
      auto old = before.find(t.tid);
      const bool known = old != before.end();
      all.push_back({&t, t.switches - (known ? old->second->switches : 0),
                     t.cpu_ns - (known ? old->second->cpu_ns : 0)});
    }
    const auto busier = [](const Row& a, const Row& b) {
      return a.cpu_ns != b.cpu_ns ? a.cpu_ns > b.cpu_ns : a.switches > b.switches;
    };
    const size_t shown = std::min(rows, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<long>(shown), all.end(), busier);
    inspect::Waits waits(target_.memory(), s, nullptr);
    std::string out = "     TID  NAME             STATE      CPU%  SWITCHES/S  WAITS FOR\n";
    for (size_t i = 0; i < shown; ++i) {
      const Row& r = all[i];
      char text[120];
      std::snprintf(text, sizeof text, "%8u  %-15s  %-9s %5.1f %11.0f  ", r.task->tid,
                    r.task->name.c_str(), NameOf(r.task->state),
                    static_cast<double>(r.cpu_ns) / 1e7 / Seconds(s),
                    static_cast<double>(r.switches) / Seconds(s));
      out += text + waits.Of(*r.task).text + "\n";
    }
    return out;
  }

  static std::string Cut(const std::string& text, size_t columns) {
    std::string out;
    size_t column = 0;
    for (char c : text) {
      column = c == '\n' ? 0 : column + 1;
      if (column <= columns) out += c;
    }
    return out;
  }

  inspect::Target& target_;
  const Options& o_;
  std::unique_ptr<inspect::StackReader> reader_;
  Snapshot last_;
  std::map<std::string, uint64_t> blocked_ms_;  // by place, at the last picture
};

// No more than so many: further ones would push the first out of a terminal.
void KeepLines(size_t lines, std::string* text) {
  size_t end = 0;
  while (lines-- && end != text->npos) end = text->find('\n', end ? end + 1 : 0);
  if (end != text->npos) text->resize(end ? end + 1 : 0);
}

// True when it is time for the next picture, false when the user has had enough.
bool WaitForNext(double seconds, bool keys) {
  pollfd in = {0, POLLIN, 0};
  if (poll(&in, keys ? 1 : 0, static_cast<int>(seconds * 1000)) != 1) return true;
  char key = 0;
  return read(0, &key, 1) == 1 && key != 'q';
}

int Show(inspect::Target& target, const Options& o) {
  RawTerminal terminal(!o.batch && isatty(0) && CursorMoves(1));
  View view(target, o);
  for (int n = 0; o.pictures == 0 || n < o.pictures; ++n) {
    if (!WaitForNext(o.seconds, terminal.active())) return 0;
    winsize size = {};
    const bool known = ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col;
    std::string picture = view.Picture(known ? size.ws_row : 40, known ? size.ws_col : 160);
    if (picture.empty()) return 0;
    if (terminal.active()) {
      std::fputs("\x1b[H\x1b[2J", stdout);
      if (known) KeepLines(size.ws_row - 1u, &picture);  // the last newline takes one
    }
    std::fputs(picture.c_str(), stdout);
    if (!terminal.active()) std::puts("");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

Command AddTop(CLI::App& green) {
  auto o = std::make_shared<Options>();
  CLI::App* line = green.add_subcommand("top", "A live view of tasks and workers; q ends it.");
  line->add_option("pid", o->pid, "a process under libgreen")->required();
  line->add_option("--interval", o->seconds, "seconds between two pictures")
      ->check(CLI::Range(0.05, 3600.0));
  line->add_option("--count", o->pictures, "so many pictures (0: no end)")
      ->check(CLI::NonNegativeNumber);
  line->add_flag("--batch", o->batch, "one picture below the other, as without a terminal");
  return {line, [o] {
            auto target = OpenTarget(o->pid);
            return target ? inspect::Guarded(0, [&] { return Show(*target, *o); }) : 1;
          }};
}

}  // namespace green::cli
