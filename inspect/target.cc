#include "inspect/target.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <ranges>
#include <tuple>

#include "inspect/stop.h"

namespace green::inspect {
namespace {

// What the kernel says a thread waits in (proc(5), /proc/pid/syscall); false while it runs.
bool KernelCall(pid_t pid, pid_t tid, Call* call) {
  const std::string text = ReadProcFile(
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/syscall", 256);
  Call c;
  auto& a = c.args;
  if (std::sscanf(text.c_str(),
                  "%" SCNd64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
                  " %" SCNx64 " %" SCNx64,
                  &c.number, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &c.rsp, &c.site) != 9)
    return false;
  *call = c;
  return true;
}

// Only its parent has not asked for its status yet: a zombie.
bool HasEnded(pid_t pid) {
  const std::string stat = ReadProcFile("/proc/" + std::to_string(pid) + "/stat", 512);
  const size_t name = stat.rfind(')');
  if (name == stat.npos || name + 2 >= stat.size()) return true;
  return stat[name + 2] == 'Z' || stat[name + 2] == 'X';
}

// "; its children: 12 13", as a server's first process often only starts others.
std::string Children(pid_t pid) {
  const std::string number = std::to_string(pid);
  std::string text = ReadProcFile("/proc/" + number + "/task/" + number + "/children", 100);
  text.resize(text.rfind(' ') == text.npos ? 0 : text.rfind(' '));  // the last may be cut
  return text.empty() ? text : "; its children: " + text;
}

// Plain calls are made without libgreen's knowledge, so a task's frame may be of an earlier one. It
// holds when the kernel's call is the same, or libgreen's wait for the task.
void CorrectCall(pid_t pid, pid_t tid, TaskView* t) {
  Call now;
  if (!KernelCall(pid, tid, &now)) return;
  const bool parked = now.number == SYS_futex && now.args[0] == t->address;
  if (t->in_call && (parked || now.number == t->call.number)) return;
  t->in_call = !parked;
  t->call = now;
}

}  // namespace

std::unique_ptr<Target> Target::Open(pid_t pid, std::string* error) {
  const std::string who = "process " + std::to_string(pid);
  if (pid <= 0 || (kill(pid, 0) != 0 && errno == ESRCH)) {
    *error = "no " + who;
    return nullptr;
  }
  std::unique_ptr<Target> target(new Target(pid));
  target->maps_ = ReadMaps(pid);
  if (target->maps_.empty() && HasEnded(pid)) {
    const bool no_proc = access("/proc/self", F_OK) != 0;
    *error = no_proc ? "can't look at " + who + " without /proc" : who + " has ended";
    return nullptr;
  }
  const int denied = target->maps_.empty() ? EPERM : target->memory_.Probe(target->maps_[0].begin);
  if (denied == EPERM) {
    *error = "not allowed to look at " + who +
             ": it takes the rights that ptrace takes (its user or root; see also " +
             "/proc/sys/kernel/yama/ptrace_scope)";
    return nullptr;
  }
  target->own_numbers_ = HasOwnNumbers(pid);
  target->runtime_ = FindRuntime(target->memory_, target->maps_);
  switch (target->runtime_.state) {
    case RuntimeState::kRunning: return target;
    case RuntimeState::kNoLibrary: *error = who + " does not run under libgreen"; break;
    case RuntimeState::kDormant:
      *error =
          who + " has libgreen loaded, but has created no thread or runs natively" + Children(pid);
      break;
    case RuntimeState::kOtherVersion: *error = who + " runs another version of libgreen"; break;
    case RuntimeState::kCorrupt: *error = "libgreen's tables in " + who + " make no sense"; break;
  }
  return nullptr;
}

Snapshot Target::Look(Detail detail) const {
  Snapshot s = TakeSnapshot(memory_, runtime_, detail);
  AskKernel(&s);
  return s;
}

Snapshot Target::LookAtSome(uint32_t wanted, std::mt19937& random) const {
  Snapshot s = TakeSample(memory_, runtime_, wanted, random);
  AskKernel(&s);
  return s;
}

bool Target::RefreshMaps() {
  std::vector<Mapping> now = ReadMaps(pid_);
  // Stacks come and go with threads, and are no modules.
  const auto file = [](const Mapping& m) { return m.inode != 0; };
  const auto same = [](const Mapping& a, const Mapping& b) {
    return std::tie(a.begin, a.end, a.offset, a.device, a.inode) ==
           std::tie(b.begin, b.end, b.offset, b.device, b.inode);
  };
  std::vector<Mapping> old;
  old.swap(maps_);
  maps_ = std::move(now);
  return !std::ranges::equal(old | std::views::filter(file), maps_ | std::views::filter(file),
                             same);
}

Snapshot Target::LookAt(const std::vector<uint64_t>& addresses) const {
  Snapshot s = TakeThese(memory_, runtime_, addresses);
  AskKernel(&s);
  return s;
}

// What bound tasks and those in the kernel do.
void Target::AskKernel(Snapshot* s) const {
  for (TaskView& t : s->tasks) {
    if (t.carrier < 0 || (t.state == TaskState::kInKernel ? t.in_call : !t.bound)) continue;
    const pid_t tid = ThreadOf(s->carriers[t.carrier]);
    if (t.state == TaskState::kInKernel) {
      CorrectCall(pid_, tid, &t);
      continue;
    }
    t.state = RunsNow(pid_, tid) ? TaskState::kRunning : TaskState::kInKernel;
    if (t.state == TaskState::kRunning)
      t.in_call = false;
    else
      CorrectCall(pid_, tid, &t);
  }
}

pid_t Target::ThreadOf(const CarrierView& carrier) const {
  return own_numbers_ ? OuterTid(pid_, carrier.tid) : static_cast<pid_t>(carrier.tid);
}

bool Target::Alive() const { return kill(pid_, 0) == 0 || errno == EPERM; }

std::string Target::Name() const {
  std::string name = ReadProcFile("/proc/" + std::to_string(pid_) + "/comm", 64);
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return Printable(name);
}

}  // namespace green::inspect
