#include "cli/stacks.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "cli/observe.h"
#include "inspect/guarded.h"
#include "inspect/stacks.h"

namespace green::cli {
namespace {

using inspect::Snapshot;
using inspect::TaskState;
using inspect::TaskView;

constexpr size_t kNamed = 5;  // tasks of a group that are named
constexpr int kLooks = 8;

struct Options {
  int pid = 0;
  uint32_t tid = 0;
  bool json = false, each = false;
  int seconds = 60;
};

struct Group {
  std::string state;
  std::vector<std::string> frames;
  std::vector<const TaskView*> tasks;
};

std::string StateOf(const TaskView& t) {
  return t.state == TaskState::kWaiting ? std::string("waiting for ") + NameOf(t.reason)
                                        : NameOf(t.state);
}

// Tasks that went on between the look and the walk are looked at again, for as long as that helps.
std::vector<Group> Collect(const inspect::Target& target, std::deque<Snapshot>& looks,
                           const Options& o) {
  inspect::StackReader reader(target);
  std::map<std::vector<uint64_t>, size_t> at;  // state and frames to the group
  std::vector<Group> groups;
  std::unordered_set<uint32_t> done;
  for (int look = 1;; ++look) {
    Snapshot& s = looks.back();
    std::vector<uint64_t> missed;
    std::vector<TaskView*> wanted;
    for (TaskView& t : s.tasks)
      if ((!o.tid || t.tid == o.tid) && !done.contains(t.tid)) wanted.push_back(&t);
    const auto stacks = reader.OfMany(s, wanted);
    for (size_t i = 0; i < wanted.size(); ++i) {
      const TaskView& t = *wanted[i];
      const std::vector<uint64_t>& frames = stacks[i];
      if (frames.empty() && look < kLooks) {
        missed.push_back(t.address);
        continue;
      }
      done.insert(t.tid);
      std::vector<uint64_t> key = frames;
      key.push_back(static_cast<uint64_t>(t.state) << 8 | static_cast<uint64_t>(t.reason));
      if (o.each) key.push_back(t.tid);
      const auto [known, fresh] = at.try_emplace(key, groups.size());
      if (fresh) groups.push_back({StateOf(t), reader.Names(frames), {}});
      groups[known->second].tasks.push_back(&t);
    }
    if (missed.empty()) break;
    looks.push_back(target.LookAt(missed));
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.tasks.size() > b.tasks.size(); });
  return groups;
}

void PrintGroup(const Group& g) {
  std::printf("%zu task%s, %s:", g.tasks.size(), g.tasks.size() == 1 ? "" : "s", g.state.c_str());
  for (size_t i = 0; i < g.tasks.size() && i < kNamed; ++i)
    std::printf("%s %u %s", i ? "," : "", g.tasks[i]->tid, g.tasks[i]->name.c_str());
  std::puts(g.tasks.size() > kNamed ? ", ..." : "");
  if (g.frames.empty()) std::puts("    (it went on while it was looked at)");
  for (const std::string& frame : g.frames) std::printf("    %s\n", frame.c_str());
  std::puts("");
}

nlohmann::json ToJson(const Group& g) {
  nlohmann::json tasks = nlohmann::json::array();
  for (const TaskView* t : g.tasks) tasks.push_back({{"tid", t->tid}, {"name", t->name}});
  return {{"state", g.state}, {"frames", g.frames}, {"tasks", tasks}};
}

int Stacks(const Options& o) {
  auto target = OpenTarget(o.pid);
  if (!target) return 1;
  return inspect::Guarded(o.seconds, [&] {
    std::deque<Snapshot> looks = {target->Look()};  // which the groups point into
    if (o.tid && !looks.back().Find(o.tid)) {
      std::fprintf(stderr, "green: process %d has no task %u\n", o.pid, o.tid);
      return 1;
    }
    const std::vector<Group> groups = Collect(*target, looks, o);
    nlohmann::json all = nlohmann::json::array();
    for (const Group& g : groups) {
      if (o.json)
        all.push_back(ToJson(g));
      else
        PrintGroup(g);
    }
    if (o.json) std::printf("%s\n", all.dump(1).c_str());
    return 0;
  });
}

}  // namespace

Command AddStacks(CLI::App& green) {
  auto o = std::make_shared<Options>();
  CLI::App* line = green.add_subcommand("stacks", "Backtraces of tasks, like ones together.");
  line->add_option("pid", o->pid, "a process under libgreen")->required();
  line->add_option("tid", o->tid, "one task of it");
  line->add_flag("--each", o->each, "do not put like ones together");
  line->add_flag("--json", o->json, "as JSON");
  line->add_option("--timeout", o->seconds, "seconds after which to give up")
      ->check(CLI::Range(1, 3600));
  return {line, [o] { return Stacks(*o); }};
}

}  // namespace green::cli
