#include "cli/ps.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/observe.h"
#include "inspect/waits.h"

namespace green::cli {
namespace {

using inspect::NameOf;
using inspect::Reason;
using inspect::Snapshot;
using inspect::TaskState;
using inspect::TaskView;
using inspect::Wait;
using inspect::Waits;

struct Options {
  int pid = 0;
  std::string name, state, reason, sort = "tid";
  uint32_t tid = 0;
  size_t limit = 0;
  bool json = false, reverse = false, no_fds = false;
};

bool Wanted(const Options& o, const TaskView& t) {
  if (o.tid && t.tid != o.tid) return false;
  if (!o.name.empty() && fnmatch(o.name.c_str(), t.name.c_str(), 0) != 0) return false;
  if (!o.state.empty() && o.state != NameOf(t.state)) return false;
  return o.reason.empty() || (t.state == TaskState::kWaiting && o.reason == NameOf(t.reason));
}

std::vector<const TaskView*> Chosen(const Options& o, const Snapshot& s) {
  std::vector<const TaskView*> tasks;
  for (const TaskView& t : s.tasks)
    if (Wanted(o, t)) tasks.push_back(&t);
  const auto by = [&](auto key) {
    std::stable_sort(tasks.begin(), tasks.end(),
                     [&](const TaskView* a, const TaskView* b) { return key(*a) < key(*b); });
  };
  if (o.sort == "tid") by([](const TaskView& t) { return t.tid; });
  if (o.sort == "name") by([](const TaskView& t) { return t.name; });
  if (o.sort == "state") by([](const TaskView& t) { return static_cast<int>(t.state); });
  if (o.sort == "cpu") by([](const TaskView& t) { return -t.cpu_ns; });
  if (o.sort == "switches") by([](const TaskView& t) { return -int64_t{t.switches}; });
  if (o.sort == "age") by([](const TaskView& t) { return -t.since_ms; });
  if (o.reverse) std::reverse(tasks.begin(), tasks.end());
  if (o.limit && tasks.size() > o.limit) tasks.resize(o.limit);
  return tasks;
}

std::string StateText(const TaskView& t) {
  if (t.state == TaskState::kRunning && t.worker >= 0)
    return "running on " + std::to_string(t.worker);
  if (t.bound && t.state == TaskState::kRunning) return "running, bound";
  if (t.state == TaskState::kWaiting) return NameOf(t.reason);
  return NameOf(t.state);
}

std::vector<std::string> Deadlocks(const Snapshot& s, Waits& waits) {
  std::vector<std::string> lines;
  const auto who = [&](uint32_t tid) {
    const TaskView* t = s.Find(tid);
    return std::to_string(tid) + (t && !t->name.empty() ? " " + t->name : "");
  };
  for (const inspect::Cycle& cycle : waits.Cycles()) {
    std::string line = "deadlock:";
    for (uint32_t tid : cycle) {
      const TaskView* t = s.Find(tid);
      line += " " + who(tid) + " waits for " + (t ? waits.Of(*t).text : "?") + ";";
    }
    line.pop_back();
    lines.push_back(line);
  }
  if (waits.AllStuck() && lines.empty())
    lines.push_back(
        "stuck: every task waits for a lock or another task, without a time limit; only a signal "
        "could wake one");
  return lines;
}

nlohmann::json ToJson(const TaskView& t, const Wait& w) {
  nlohmann::json j = {{"tid", t.tid},
                      {"name", t.name},
                      {"state", NameOf(t.state)},
                      {"cpu_ns", t.cpu_ns},
                      {"switches", t.switches}};
  if (t.worker >= 0) j["worker"] = t.worker;
  if (t.since_ms >= 0 && t.state != TaskState::kRunning) j["for_ms"] = t.since_ms;
  if (!w.call.empty()) j["call"] = w.call;
  if (w.kind != inspect::WaitKind::kNone) j["waits_for"] = NameOf(w.kind);
  if (w.fd >= 0) j["fd"] = w.fd;
  if (w.address) j["address"] = w.address;
  if (w.owner) j["owner"] = w.owner;
  if (w.timed) j["left_ms"] = w.left_ms;
  if (!w.text.empty()) j["text"] = w.text;
  return j;
}

void PrintTable(const Snapshot& s, const std::vector<const TaskView*>& tasks, Waits& waits) {
  std::string out =
      "     TID  NAME             STATE           FOR          CPU   SWITCHES  CALL             "
      "WAITS FOR\n";
  for (const TaskView* t : tasks) {
    const Wait w = waits.Of(*t);
    char line[200];
    std::snprintf(line, sizeof line, "%8u  %-15s  %-14s  %-9s %8.3f %10u  %-15s  ", t->tid,
                  t->name.c_str(), StateText(*t).c_str(),
                  t->state == TaskState::kRunning ? "" : Span(t->since_ms).c_str(),
                  static_cast<double>(t->cpu_ns) / 1e9, t->switches, w.call.c_str());
    out += line + w.text;
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
    if (out.size() > 1 << 20) {
      std::fwrite(out.data(), 1, out.size(), stdout);
      out.clear();
    }
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::printf("%zu tasks: %zu running, %zu in the kernel, %zu ready, %zu waiting; %zu worker%s\n",
              s.tasks.size(), s.Count(TaskState::kRunning), s.Count(TaskState::kInKernel),
              s.Count(TaskState::kReady), s.Count(TaskState::kWaiting), s.Employed(),
              s.Employed() == 1 ? "" : "s");
}

int Ps(const Options& o) {
  auto target = OpenTarget(o.pid);
  if (!target) return 1;
  const Snapshot s = target->Look();
  inspect::Descriptors descriptors(o.pid);
  Waits waits(target->memory(), s, o.no_fds ? nullptr : &descriptors);
  const auto tasks = Chosen(o, s);
  const auto deadlocks = Deadlocks(s, waits);
  if (o.json) {
    nlohmann::json all = {
        {"pid", o.pid}, {"name", target->Name()}, {"tasks", nlohmann::json::array()}};
    for (const TaskView* t : tasks) all["tasks"].push_back(ToJson(*t, waits.Of(*t)));
    all["deadlocks"] = deadlocks;
    std::printf("%s\n", all.dump(1).c_str());
    return 0;
  }
  PrintTable(s, tasks, waits);
  for (const std::string& line : deadlocks) std::printf("%s\n", line.c_str());
  return 0;
}

}  // namespace

Command AddPs(CLI::App& green) {
  auto o = std::make_shared<Options>();
  CLI::App* line = green.add_subcommand("ps", "The tasks of a process and what each waits for.");
  line->add_option("pid", o->pid, "a process under libgreen")->required();
  line->add_option("--tid", o->tid, "only this task");
  line->add_option("--name", o->name, "only tasks with such a name (* and ? match)");
  line->add_option("--state", o->state, "only tasks in this state")
      ->check(CLI::IsMember({"running", "in kernel", "ready", "waiting"}));
  line->add_option("--wait", o->reason, "only tasks that wait for this")
      ->check(CLI::IsMember({"futex", "fd", "sleep", "signal", "blocked"}));
  line->add_option("--sort", o->sort, "tid, name, state, cpu, switches or age (largest first)")
      ->check(CLI::IsMember({"tid", "name", "state", "cpu", "switches", "age"}));
  line->add_flag("--reverse", o->reverse, "the other way round");
  line->add_option("--limit", o->limit, "at most so many")
      ->check(CLI::Range(size_t{1}, size_t{100'000'000}));
  line->add_flag("--no-fds", o->no_fds, "descriptors as numbers only");
  line->add_flag("--json", o->json, "as JSON");
  return {line, [o] { return Ps(*o); }};
}

}  // namespace green::cli
